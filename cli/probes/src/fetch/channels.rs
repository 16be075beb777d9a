//! The part of the sample that is read of channels.

use std::collections::BTreeSet;

use domain::{ChannelSid, Interaction, InteractionChannelSid, ProxyServiceSid};
use serde_json::Value;
use twilio::rest::{Product, TwilioError};

use super::{Reader, SAMPLE, in_order};
use crate::readings::{ConversationRead, InteractionRead, Read, Router, object, sid, text};

/// One more than the longest page of a list of webhooks.
const LONG_PAGE: &str = "PageSize=6";

impl Reader<'_> {
    fn in_service(&self, version: &str, rest: &str) -> Read<String> {
        let service = self.places.service.ok_or(TwilioError::Gone)?;
        Ok(format!("/{version}/Services/{service}{rest}"))
    }

    async fn of_conversation(&self, sid: ChannelSid, rest: &str, key: &str) -> Read<Vec<Value>> {
        let path = self.in_service("v1", &format!("/Conversations/{sid}{rest}"))?;
        self.list(Product::Conversations, &path, key).await
    }

    pub(super) async fn conversations(&self) -> Read<Vec<ConversationRead>> {
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
    pub(super) async fn sessions(&self) -> Read<Vec<Value>> {
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

    pub(super) async fn chat_messages(&self, channels: &[ChannelSid]) -> Vec<Read<Vec<Value>>> {
        let read = async |channel: &ChannelSid| {
            let rest = format!("/Channels/{channel}/Messages?Order=desc&PageSize=2");
            let path = self.in_service("v2", &rest)?;
            self.list(Product::Chat, &path, "messages").await
        };
        in_order(channels, read).await
    }

    pub(super) async fn long_pages(
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
    pub(super) async fn interactions(&self, router: &Router) -> Vec<InteractionRead> {
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

/// Returns the interaction channel and the Conversation that a task's attributes name.
fn reference(attributes: &Value) -> Option<(Interaction, ChannelSid)> {
    let interaction = Interaction {
        sid: sid(attributes, "flexInteractionSid")?,
        channel: sid(attributes, "flexInteractionChannelSid")?,
    };
    Some((interaction, sid(attributes, "conversationSid")?))
}
