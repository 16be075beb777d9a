//! The needs of a chat besides its moves: a webhook that tells its messages, and a notice before
//! TaskRouter deletes its task.

use domain::{Channel, ChatServiceSid, MessageWebhook, TaskParking, TaskSid};
use runtime::{Notice, NoticeKind};
use serde_json::json;
use twilio::rest::WebhookState;

use crate::moves::Stop;
use crate::settings::WebhookUrl;
use crate::summary::ChannelResult;
use crate::worker::{ChannelWorker, NotTaken};

impl ChannelWorker<'_> {
    /// Makes sure that a Chat channel's messages are told to us, for one of its tasks.
    pub(crate) async fn install_webhook(
        &self,
        channel: &Channel,
        task: TaskSid,
    ) -> Result<ChannelResult, Stop> {
        let (sid, platform) = (channel.sid(), channel.platform());
        let answer = match self.message_webhook() {
            Some((url, service)) => {
                let url = url.expose();
                self.twilio.install_message_webhook(service, sid, url).await
            }
            None => {
                tracing::error!(channel = %sid, "without WEBHOOK_URL and a chat service, no Chat channel's task is parked");
                Ok(WebhookState::NoRoom)
            }
        };
        let (webhook, result) = match answer {
            Ok(WebhookState::Found | WebhookState::Added) => {
                (MessageWebhook::Installed, ChannelResult::Installed)
            }
            Ok(WebhookState::NoRoom) => {
                tracing::warn!(channel = %sid, %task, "no room for another webhook: the chat is not parked");
                (MessageWebhook::NoRoom, ChannelResult::NoRoom)
            }
            Ok(WebhookState::NoChannel) => (MessageWebhook::NoRoom, ChannelResult::LeftAlone),
            Err(error) => match self.not_taken(task, error)? {
                NotTaken::Refused(why) => {
                    tracing::error!(channel = %sid, %task, %why, "the webhook was refused: the chat is not parked");
                    (MessageWebhook::NoRoom, ChannelResult::Refused)
                }
                NotTaken::Busy => return Ok(ChannelResult::Deferred),
            },
        };
        self.note(sid, platform, |channel| {
            channel.note_message_webhook(task, webhook);
        })
        .await?;
        Ok(result)
    }

    /// Returns where a Chat channel's messages are to be told, and the service that it is in;
    /// nothing where neither the settings nor Flex say so.
    pub(crate) fn message_webhook(&self) -> Option<(&WebhookUrl, ChatServiceSid)> {
        self.settings.webhook.as_ref().zip(self.ids.chat_service)
    }

    /// Announces that TaskRouter deletes a parked task soon.
    pub(crate) async fn tell_expiry(
        &self,
        channel: &Channel,
        task: TaskSid,
    ) -> Result<ChannelResult, Stop> {
        let now = self.watch.now();
        let expires_at = channel.parking(task).and_then(TaskParking::expires_at);
        let Some(expires_at) = expires_at else {
            return Ok(ChannelResult::NotDue);
        };
        let notice = Notice {
            id: format!("{task}:expires"),
            at: now,
            kind: NoticeKind::ParkedTaskExpires,
            detail: json!({
                "channel_sid": channel.sid(),
                "task_sid": task,
                "expires_at": expires_at.to_string(),
            }),
        };
        let published = self.settings.bus.publish(&[notice]).await;
        if let Some((_, why)) = published.failed.first() {
            tracing::warn!(channel = %channel.sid(), %task, why, "the notice could not be published: the next poll tries again");
            return Ok(ChannelResult::Deferred);
        }
        tracing::warn!(channel = %channel.sid(), %task, %expires_at, "TaskRouter deletes a parked task soon");
        self.note(channel.sid(), channel.platform(), |channel| {
            channel.note_expiry_told(task, now);
        })
        .await?;
        Ok(ChannelResult::ExpiryTold)
    }
}
