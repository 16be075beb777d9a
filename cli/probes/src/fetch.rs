//! Reads the sample: about a hundred requests at most, all of them GET.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{
    AccountSid, ChannelSid, Interaction, InteractionChannelSid, ProxyServiceSid, TaskSid,
    Timestamp, WorkspaceSid,
};
use form_urlencoded::Serializer;
use futures::stream::{self, StreamExt};
use serde_json::Value;
use twilio::rest::{Client, Product, TwilioError};

use crate::endpoints::{Endpoint, Places};
use crate::readings::{
    ConversationRead, InteractionRead, Read, Readings, Router, object, sid, text,
};

/// The number of requests that are under way at a time.
const AT_ONCE: usize = 8;

/// The number of things of one kind that are read one by one.
const SAMPLE: usize = 5;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// TaskRouter forgets a task five minutes after its end
/// (<https://www.twilio.com/docs/taskrouter/lifecycle-task-state>). One that ended longer ago
/// than this is asked for.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);

/// The most tasks that are read of those that were completed in the last 30 days.
pub(crate) const COMPLETED: u16 = 50;

const OPEN_TASKS: &str = "/Tasks?AssignmentStatus=pending,reserved,assigned,wrapping&PageSize=100";

/// A channel that no account has: the question is whether the expression is understood.
const NO_CHANNEL: &str = "CH00000000000000000000000000000001";

/// One more than the longest page of a list of webhooks.
const LONG_PAGE: &str = "PageSize=6";

struct Reader<'a> {
    client: &'a Client,
    places: Places,
    now: Timestamp,
}

impl Readings {
    /// Reads the sample. `now` says which part of TaskRouter's log is asked for.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the credentials altogether (status 401). Every other failure is
    /// part of the readings.
    pub async fn fetch(
        client: &Client,
        account: AccountSid,
        now: Timestamp,
    ) -> Result<Self, TwilioError> {
        let flex = client.flex_configuration().await;
        if let Err(error @ TwilioError::Unauthorized { status: 401, .. }) = flex {
            return Err(error);
        }
        let flex = flex.ok();
        let reader = Reader {
            client,
            now,
            places: Places {
                account,
                workspace: flex.and_then(|flex| flex.workspace),
                service: flex.and_then(|flex| flex.chat_service),
            },
        };
        let (endpoints, router, conversations, sessions) = futures::join!(
            reader.endpoints(),
            reader.router(),
            reader.conversations(),
            reader.sessions(),
        );
        let chats: Vec<ChannelSid> = sessions
            .iter()
            .flatten()
            .filter_map(|session| sid(session, "unique_name"))
            .take(SAMPLE)
            .collect();
        let conversation = conversations
            .iter()
            .flatten()
            .find_map(|one| sid(&one.seen, "sid"));
        let (chat_messages, long_pages, interactions) = futures::join!(
            reader.chat_messages(&chats),
            reader.long_pages(conversation, chats.first().copied()),
            reader.interactions(&router),
        );
        Ok(Self {
            now,
            endpoints,
            router,
            interactions,
            conversations,
            sessions,
            chat_messages,
            long_pages,
        })
    }
}

impl Reader<'_> {
    async fn get(&self, product: Product, path: &str) -> Read<Value> {
        self.client.inspect(product, path).await
    }

    /// Reads the first page of a list.
    async fn list(&self, product: Product, path: &str, key: &str) -> Read<Vec<Value>> {
        let mut page = self.get(product, path).await?;
        match page.get_mut(key).map(Value::take) {
            Some(Value::Array(entries)) => Ok(entries),
            _ => Err(TwilioError::garbage()),
        }
    }

    async fn endpoints(&self) -> BTreeMap<Endpoint, Read<()>> {
        stream::iter(Endpoint::ALL)
            .filter_map(async |endpoint| Some((endpoint, endpoint.place(self.places)?)))
            .map(|(endpoint, (product, path))| async move {
                (endpoint, self.get(product, &path).await.map(drop))
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    // --- TaskRouter ---

    async fn of_workspace(&self, rest: &str, key: &str) -> Read<Vec<Value>> {
        self.list(Product::TaskRouter, &self.in_workspace(rest)?, key)
            .await
    }

    fn in_workspace(&self, rest: &str) -> Read<String> {
        let workspace: WorkspaceSid = self.places.workspace.ok_or(TwilioError::Gone)?;
        Ok(format!("/v1/Workspaces/{workspace}{rest}"))
    }

    async fn router(&self) -> Router {
        let ago = |days: u32| self.now.minus(DAY * days);
        let open_tasks = self.of_workspace(OPEN_TASKS, "tasks").await;
        let open: Vec<TaskSid> = open_tasks
            .iter()
            .flatten()
            .filter(|task| !is_voice(task))
            .filter_map(|task| sid(task, "sid"))
            .take(2 * SAMPLE)
            .collect();
        let to = self.now.minus(FORGOTTEN);
        let completed = self
            .log(ago(30), to, Some("task.completed"), COMPLETED)
            .await;
        let ended: Vec<TaskSid> = completed
            .iter()
            .flatten()
            .filter_map(|event| sid(event.get("event_data")?, "task_sid"))
            .take(SAMPLE)
            .collect();
        let (in_list, equals) = (
            format!("channelSid IN [\"{NO_CHANNEL}\"] OR conversationSid IN [\"{NO_CHANNEL}\"]"),
            format!("channelSid == \"{NO_CHANNEL}\" OR conversationSid == \"{NO_CHANNEL}\""),
        );
        let system_deleted = Some("task.system-deleted");
        Router {
            workspace: self.workspace().await,
            question_in: self.question(&in_list).await,
            question_equals: self.question(&equals).await,
            month_old: self.log(ago(30), ago(28), None, 1).await,
            older: self.log(ago(60), ago(31), None, 1).await,
            system_deleted: self.log(ago(30), self.now, system_deleted, 1).await,
            tasks: self.tasks(&open).await,
            ended_tasks: self
                .tasks(&ended)
                .await
                .into_iter()
                .map(|task| task.map(drop))
                .collect(),
            workers: self.workers().await,
            open_tasks,
            completed,
        }
    }

    async fn workspace(&self) -> Read<Value> {
        self.get(Product::TaskRouter, &self.in_workspace("")?).await
    }

    async fn question(&self, expression: &str) -> Read<()> {
        let mut query = Serializer::new("/Tasks?PageSize=1&".to_owned());
        query.append_pair("EvaluateTaskAttributes", expression);
        let query = query.finish().replace('+', "%20");
        self.of_workspace(&query, "tasks").await.map(drop)
    }

    async fn log(
        &self,
        from: Timestamp,
        to: Timestamp,
        event_type: Option<&str>,
        page_size: u16,
    ) -> Read<Vec<Value>> {
        let kind = event_type.map_or(String::new(), |kind| format!("&EventType={kind}"));
        let (from, to) = (second(from), second(to));
        let list = format!("/Events?StartDate={from}&EndDate={to}{kind}&PageSize={page_size}");
        self.of_workspace(&list, "events").await
    }

    async fn tasks(&self, tasks: &[TaskSid]) -> Vec<Read<Value>> {
        let read = async |task: &TaskSid| {
            let path = self.in_workspace(&format!("/Tasks/{task}"))?;
            self.get(Product::TaskRouter, &path).await
        };
        in_order(tasks, read).await
    }

    async fn workers(&self) -> Read<Option<Vec<Value>>> {
        let path = self.in_workspace("/Workers?PageSize=1000")?;
        let mut page = self.get(Product::TaskRouter, &path).await?;
        let is_all = page
            .pointer("/meta/next_page_url")
            .is_none_or(Value::is_null);
        match page.get_mut("workers").map(Value::take) {
            Some(Value::Array(workers)) => Ok(is_all.then_some(workers)),
            _ => Err(TwilioError::garbage()),
        }
    }

    // --- Channels ---

    fn in_service(&self, version: &str, rest: &str) -> Read<String> {
        let service = self.places.service.ok_or(TwilioError::Gone)?;
        Ok(format!("/{version}/Services/{service}{rest}"))
    }

    async fn of_conversation(&self, sid: ChannelSid, rest: &str, key: &str) -> Read<Vec<Value>> {
        let path = self.in_service("v1", &format!("/Conversations/{sid}{rest}"))?;
        self.list(Product::Conversations, &path, key).await
    }

    async fn conversations(&self) -> Read<Vec<ConversationRead>> {
        let path = self.in_service("v1", "/Conversations?State=active&PageSize=50")?;
        let listed = self
            .list(Product::Conversations, &path, "conversations")
            .await?;
        let mut read = Vec::new();
        for seen in listed.into_iter().take(SAMPLE) {
            let Some(sid) = sid::<ChannelSid>(&seen, "sid") else {
                continue;
            };
            let newest = "/Messages?Order=desc&PageSize=2";
            let (messages, participants) = futures::join!(
                self.of_conversation(sid, newest, "messages"),
                self.participants(sid),
            );
            read.push(ConversationRead {
                seen,
                messages,
                participants,
            });
        }
        Ok(read)
    }

    async fn participants(&self, sid: ChannelSid) -> Read<Vec<Value>> {
        self.of_conversation(sid, "/Participants?PageSize=100", "participants")
            .await
    }

    /// Reads a page of open sessions of the Proxy service that belongs to the Chat service.
    async fn sessions(&self) -> Read<Vec<Value>> {
        let path = "/v1/Services?PageSize=100";
        let services = self.list(Product::Proxy, path, "services").await?;
        let ours = services.iter().find_map(|service| {
            let chat = sid(service, "chat_instance_sid");
            let is_ours = chat.is_some() && chat == self.places.service;
            sid::<ProxyServiceSid>(service, "sid").filter(|_| is_ours)
        });
        let Some(service) = ours else {
            return Ok(Vec::new());
        };
        let path = format!("/v1/Services/{service}/Sessions?PageSize=100");
        let mut sessions = self.list(Product::Proxy, &path, "sessions").await?;
        sessions.retain(|session| text(session, "status") != Some("closed"));
        Ok(sessions)
    }

    async fn chat_messages(&self, channels: &[ChannelSid]) -> Vec<Read<Vec<Value>>> {
        let read = async |channel: &ChannelSid| {
            let rest = format!("/Channels/{channel}/Messages?Order=desc&PageSize=2");
            let path = self.in_service("v2", &rest)?;
            self.list(Product::Chat, &path, "messages").await
        };
        in_order(channels, read).await
    }

    async fn long_pages(
        &self,
        conversation: Option<ChannelSid>,
        chat: Option<ChannelSid>,
    ) -> Vec<Read<()>> {
        let mut pages = Vec::new();
        if let Some(sid) = conversation {
            let rest = format!("/Webhooks?{LONG_PAGE}");
            let page = self.of_conversation(sid, &rest, "webhooks").await;
            pages.push(page.map(drop));
        }
        if let Some(sid) = chat {
            let rest = format!("/Channels/{sid}/Webhooks?{LONG_PAGE}");
            let page = match self.in_service("v2", &rest) {
                Ok(path) => self.list(Product::Chat, &path, "webhooks").await.map(drop),
                Err(error) => Err(error),
            };
            pages.push(page);
        }
        pages
    }

    /// Reads interaction channels that open tasks name, and those of tasks that ended.
    async fn interactions(&self, router: &Router) -> Vec<InteractionRead> {
        let open = router.tasks.iter().flatten();
        let open = open.filter_map(|task| Some((reference(&object(task, "attributes")?)?, true)));
        let ended = router.completed.iter().flatten();
        let ended = ended.filter_map(|event| {
            let attributes = object(event.get("event_data")?, "task_attributes")?;
            Some((reference(&attributes)?, false))
        });
        let mut seen: BTreeSet<InteractionChannelSid> = BTreeSet::new();
        let chosen: Vec<_> = open
            .take(SAMPLE)
            .chain(ended)
            .filter(|((interaction, _), _)| seen.insert(interaction.channel))
            .take(2 * SAMPLE)
            .collect();
        in_order(
            &chosen,
            async |((interaction, conversation), task_is_open)| {
                let path = format!(
                    "/v1/Interactions/{}/Channels/{}",
                    interaction.sid, interaction.channel
                );
                let conversation = *conversation;
                let itself = async {
                    let path = self.in_service("v1", &format!("/Conversations/{conversation}"))?;
                    self.get(Product::Conversations, &path).await
                };
                let (channel, conversation, participants, webhooks) = futures::join!(
                    self.get(Product::Flex, &path),
                    itself,
                    self.participants(conversation),
                    self.of_conversation(conversation, "/Webhooks?PageSize=5", "webhooks"),
                );
                InteractionRead {
                    channel,
                    task_is_open: *task_is_open,
                    conversation,
                    participants,
                    webhooks,
                }
            },
        )
        .await
    }
}

/// Reads several things side by side and returns the answers in the order of the things.
async fn in_order<T, R>(things: &[T], read: impl AsyncFn(&T) -> R) -> Vec<R> {
    stream::iter(things)
        .map(|thing| read(thing))
        .buffered(AT_ONCE)
        .collect()
        .await
}

/// Returns the interaction channel and the Conversation that a task's attributes name.
fn reference(attributes: &Value) -> Option<(Interaction, ChannelSid)> {
    let interaction = Interaction {
        sid: sid(attributes, "flexInteractionSid")?,
        channel: sid(attributes, "flexInteractionChannelSid")?,
    };
    Some((interaction, sid(attributes, "conversationSid")?))
}

/// Calls have no channel.
fn is_voice(task: &Value) -> bool {
    text(task, "task_channel_unique_name") == Some("voice")
}

/// Writes a time as Twilio's filters take it, to the second.
fn second(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
