//! Reads the sample: about a hundred requests at most, all of them GET.

mod channels;

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use domain::{AccountSid, ChannelSid, TaskSid, Timestamp, WorkspaceSid};
use form_urlencoded::Serializer;
use futures::future::{self, BoxFuture, Either, Shared};
use futures::stream::{self, StreamExt};
use serde_json::Value;
use twilio::rest::{Client, Product, TwilioError, Why};

use crate::endpoints::{Endpoint, Places};
use crate::readings::{Read, Readings, Router, sid, text};

/// Something after which no more is read.
pub type Stop = Shared<BoxFuture<'static, ()>>;

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

struct Reader<'a> {
    client: &'a Client,
    stop: Stop,
    places: Places,
    now: Timestamp,
}

impl Readings {
    /// Reads the sample. `now` says which part of TaskRouter's log is asked for. What was not read
    /// before `stop` is over stays unread.
    ///
    /// # Errors
    ///
    /// Fails if Twilio refuses the credentials altogether (status 401), if it does not answer, or
    /// if there is no Flex project. Every other failure is part of the readings.
    pub async fn fetch(
        client: &Client,
        account: AccountSid,
        now: Timestamp,
        stop: Stop,
    ) -> Result<Self, TwilioError> {
        let flex = match unless(&stop, client.flex_configuration()).await {
            Some(Err(
                error @ (TwilioError::Unauthorized { status: 401, .. }
                | TwilioError::Unreachable { .. }
                | TwilioError::Gone),
            )) => return Err(error),
            read => read.and_then(Result::ok),
        };
        let reader = Reader {
            client,
            stop,
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
            interrupted: reader.stop.peek().is_some(),
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
        let read = unless(&self.stop, self.client.inspect(product, path)).await;
        read.unwrap_or(Err(TwilioError::Unreachable { why: Why::TimeUp }))
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
}

/// Returns the answer, or nothing if the stop came first.
async fn unless<T>(stop: &Stop, answer: impl Future<Output = T>) -> Option<T> {
    match future::select(stop.clone(), pin!(answer)).await {
        Either::Left(_) => None,
        Either::Right((answer, _)) => Some(answer),
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

/// Calls have no channel.
fn is_voice(task: &Value) -> bool {
    text(task, "task_channel_unique_name") == Some("voice")
}

/// Writes a time as Twilio's filters take it, to the second.
fn second(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
