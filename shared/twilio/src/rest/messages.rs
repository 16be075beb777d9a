//! The newest message of a channel: who wrote it and when. Its text is never kept.

use domain::{ChannelSid, ChatServiceSid, LastMessage, Party};
use serde_json::value::RawValue;

use super::client::Client;
use super::client::base::Product;
use super::client::error::TwilioError;
use super::client::page::List;
use crate::author::{self, Participation};
use crate::json;
use crate::when::moment;

/// The two newest messages (Twilio's OpenAPI descriptions of Chat v2 and Conversations v1,
/// <https://github.com/twilio/twilio-oai>). The second one shows whether the order was kept.
const NEWEST: &str = "Order=desc&PageSize=2";

/// The longest page of messages (the same).
const ALL: &str = "PageSize=100";

/// A message of a list: its place among the channel's messages, and what counts of it if it can
/// be read.
type Seen = (u32, Option<LastMessage>);

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

    /// Reads the newest message. A list that is not in the order that was asked for is read to
    /// its end: its first message would be taken for the newest one.
    async fn newest(
        &self,
        list: List,
        read: impl Fn(&str) -> Option<LastMessage>,
    ) -> Result<Option<LastMessage>, TwilioError> {
        let seen = |text: &str| Some((index(text)?, read(text)));
        let page = self
            .entries(list.clone(), "messages", None, |text| seen(text).into())
            .await
            .map_err(TwilioError::from)?;
        if page.unreadable > 0 {
            return Err(TwilioError::garbage());
        }
        let newest = match is_newest_first(&page.items, page.next.is_none()) {
            true => page.items.into_iter().next(),
            false => {
                let query = ALL.to_owned();
                let all = self.complete(List { query, ..list }, "messages", seen);
                all.await?.into_iter().max_by_key(|(index, _)| *index)
            }
        };
        match newest {
            None => Ok(None),
            Some((_, Some(message))) => Ok(Some(message)),
            Some((_, None)) => Err(TwilioError::garbage()),
        }
    }
}

/// Returns whether the first of these messages is the newest one of its channel.
fn is_newest_first(messages: &[Seen], is_all: bool) -> bool {
    match messages {
        [] | [_] => is_all,
        [..] => messages.is_sorted_by(|(newer, _), (older, _)| newer > older),
    }
}

/// Reads a message's place among the channel's messages; 0 where it does not say.
fn index(message: &str) -> Option<u32> {
    let [index] = json::members(message, ["index"]).ok()?;
    index.map_or(Some(0), |index| index.get().parse().ok())
}

fn read_chat(message: &str) -> Option<LastMessage> {
    let [sid, author, created] = json::members(message, ["sid", "from", "date_created"]).ok()?;
    sid?;
    let author = author::party(&json::text(author?)?, Participation::Unknown);
    last_message(message, author, created)
}

fn read_of_conversation(message: &str) -> Option<LastMessage> {
    let names = ["sid", "author", "participant_sid", "date_created"];
    let [sid, author, participant, created] = json::members(message, names).ok()?;
    sid?;
    let participation = match participant {
        Some(_) => Participation::Participant,
        None => Participation::Stranger,
    };
    let author = author::party(&json::text(author?)?, participation);
    last_message(message, author, created)
}

fn last_message(message: &str, author: Party, created: Option<&RawValue>) -> Option<LastMessage> {
    Some(LastMessage {
        author,
        at: created.and_then(moment)?,
        index: index(message)?,
    })
}
