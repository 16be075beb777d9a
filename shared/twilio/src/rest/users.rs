//! The users of a chat service: identities, and how many channels each is in.

use domain::{ChatServiceSid, UserSid};

use super::client::Client;
use super::client::base::Product;
use super::client::page::{Cursor, Entry, List, ListFailure, Page};
use crate::json;

/// The most that a page may hold (Twilio's OpenAPI description of Chat v2,
/// <https://github.com/twilio/twilio-oai>).
const PAGE_SIZE: &str = "PageSize=100";

/// A user of a chat service. Its identity is not read: it may be a name or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatUser {
    /// The user.
    pub sid: UserSid,
    /// The number of Chat channels and Conversations that it is in.
    pub joined_channels: u32,
}

impl Client {
    /// Lists a page of a chat service's users: the first one, or the one at a cursor.
    ///
    /// # Errors
    ///
    /// Fails if the page cannot be read, or if the cursor belongs to another list.
    pub async fn chat_users(
        &self,
        service: ChatServiceSid,
        after: Option<&Cursor>,
    ) -> Result<Page<ChatUser>, ListFailure> {
        let list = List {
            product: Product::Chat,
            path: format!("/v2/Services/{service}/Users"),
            query: PAGE_SIZE.to_owned(),
        };
        self.entries(list, "users", after, read_user).await
    }
}

fn read_user(text: &str) -> Entry<ChatUser> {
    let read = || {
        let [sid, joined] = json::members(text, ["sid", "joined_channels_count"]).ok()?;
        Some(ChatUser {
            sid: json::parsed(sid)?,
            joined_channels: joined?.get().trim_matches('"').parse().ok()?,
        })
    };
    read().into()
}
