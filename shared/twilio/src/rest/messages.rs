//! The newest message of a channel: who wrote it and when. Its text is never kept.

use domain::{ChannelSid, ChatServiceSid, LastMessage, Party};
use serde_json::value::RawValue;

use super::base::Product;
use super::client::Client;
use super::error::TwilioError;
use super::page::List;
use crate::author::{self, Participation};
use crate::json;
use crate::when::moment;

/// The newest message alone (Twilio's OpenAPI descriptions of Chat v2 and Conversations v1,
/// <https://github.com/twilio/twilio-oai>).
const NEWEST: &str = "Order=desc&PageSize=1";

impl Client {
    /// Reads the newest message of a Chat channel; nothing if there is none.
    ///
    /// # Errors
    ///
    /// Fails if the list cannot be read, or if it holds something that is no message with an
    /// author and a time.
    pub async fn chat_last_message(
        &self,
        service: ChatServiceSid,
        channel: ChannelSid,
    ) -> Result<Option<LastMessage>, TwilioError> {
        let list = List {
            product: Product::Chat,
            path: format!("/v2/Services/{service}/Channels/{channel}/Messages"),
            query: NEWEST.to_owned(),
        };
        self.newest(list, read_chat).await
    }

    /// Reads the newest message of a Conversation; nothing if there is none.
    ///
    /// # Errors
    ///
    /// Fails as [`Self::chat_last_message`] does.
    pub async fn conversation_last_message(
        &self,
        service: ChatServiceSid,
        conversation: ChannelSid,
    ) -> Result<Option<LastMessage>, TwilioError> {
        let list = List {
            product: Product::Conversations,
            path: format!("/v1/Services/{service}/Conversations/{conversation}/Messages"),
            query: NEWEST.to_owned(),
        };
        self.newest(list, read_of_conversation).await
    }

    async fn newest(
        &self,
        list: List,
        read: impl Fn(&str) -> Option<LastMessage>,
    ) -> Result<Option<LastMessage>, TwilioError> {
        let page = self
            .entries(list, "messages", None, |text| read(text).into())
            .await
            .map_err(TwilioError::from)?;
        if page.unreadable > 0 {
            return Err(TwilioError::garbage());
        }
        // Twilio may give more than was asked for; the newest one comes first.
        Ok(page.items.into_iter().next())
    }
}

fn read_chat(message: &str) -> Option<LastMessage> {
    let [sid, author, index, created] =
        json::members(message, ["sid", "from", "index", "date_created"]).ok()?;
    sid?;
    let author = author::party(&json::text(author?)?, Participation::Unknown);
    last_message(author, index, created)
}

fn read_of_conversation(message: &str) -> Option<LastMessage> {
    let names = ["sid", "author", "participant_sid", "index", "date_created"];
    let [sid, author, participant, index, created] = json::members(message, names).ok()?;
    sid?;
    let participation = match participant {
        Some(_) => Participation::Participant,
        None => Participation::Stranger,
    };
    let author = author::party(&json::text(author?)?, participation);
    last_message(author, index, created)
}

fn last_message(
    author: Party,
    index: Option<&RawValue>,
    created: Option<&RawValue>,
) -> Option<LastMessage> {
    Some(LastMessage {
        author,
        at: created.and_then(moment)?,
        index: index
            .and_then(|index| index.get().parse().ok())
            .unwrap_or(0),
    })
}
