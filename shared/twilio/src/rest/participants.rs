//! The parties of a channel besides the customer: agents among the participants, programs by
//! channel-scoped webhooks.

use domain::{ChannelSid, ChatServiceSid, ProgramWebhooks};

use super::client::Client;
use super::client::base::Product;
use super::client::error::{TwilioError, Why};
use super::client::page::{Entry, List};
use super::webhooks::place;
use crate::json;

/// A channel has five webhooks at most, and Twilio refuses a longer page of them (Twilio's
/// OpenAPI descriptions of Chat v2 and Conversations v1, <https://github.com/twilio/twilio-oai>).
const WEBHOOKS: &str = "PageSize=5";

/// The longest page of participants (the same).
const PARTICIPANTS: &str = "PageSize=100";

/// A Conversation has 1,000 participants at most
/// (<https://www.twilio.com/docs/conversations/conversations-limits>).
const MAX_PAGES: usize = 11;

/// A participant of a Conversation, as far as it says on which side it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Participant {
    /// One who is reached by a network, such as SMS: a customer.
    Bound,
    /// One with a chat identity: an agent, or the customer of a web chat.
    Identity,
    /// Twilio's own identity.
    System,
    /// One with neither: it is not known who that is.
    Unknown,
}

impl Client {
    /// Reads the webhooks of a Chat channel that are not ours. Ours are those that call `ours`.
    ///
    /// # Errors
    ///
    /// Fails if the list cannot be read as a whole.
    pub async fn chat_webhooks(
        &self,
        service: ChatServiceSid,
        channel: ChannelSid,
        ours: Option<&str>,
    ) -> Result<ProgramWebhooks, TwilioError> {
        let list = List {
            product: Product::Chat,
            path: format!("/v2/Services/{service}/Channels/{channel}/Webhooks"),
            query: WEBHOOKS.to_owned(),
        };
        self.program_webhooks(list, "type", ours).await
    }

    /// Reads the webhooks of a Conversation that are not ours. Ours are those that call `ours`.
    ///
    /// # Errors
    ///
    /// Fails if the list cannot be read as a whole.
    pub async fn conversation_webhooks(
        &self,
        service: ChatServiceSid,
        conversation: ChannelSid,
        ours: Option<&str>,
    ) -> Result<ProgramWebhooks, TwilioError> {
        let list = List {
            product: Product::Conversations,
            path: format!("/v1/Services/{service}/Conversations/{conversation}/Webhooks"),
            query: WEBHOOKS.to_owned(),
        };
        self.program_webhooks(list, "target", ours).await
    }

    /// Reads whether an agent is among a Conversation's participants.
    ///
    /// A participant with a chat identity is taken for an agent, but for one where no participant is
    /// bound to a network: the customer of a web chat has an identity too.
    ///
    /// # Errors
    ///
    /// Fails if the list cannot be read as a whole.
    pub async fn agent_in_conversation(
        &self,
        service: ChatServiceSid,
        conversation: ChannelSid,
    ) -> Result<bool, TwilioError> {
        let list = List {
            product: Product::Conversations,
            path: format!("/v1/Services/{service}/Conversations/{conversation}/Participants"),
            query: PARTICIPANTS.to_owned(),
        };
        let participants = self.complete(list, "participants", participant).await?;
        let count = |wanted| participants.iter().filter(|one| **one == wanted).count();
        let customers_by_identity = usize::from(count(Participant::Bound) == 0);
        Ok(count(Participant::Unknown) > 0 || count(Participant::Identity) > customers_by_identity)
    }

    async fn program_webhooks(
        &self,
        list: List,
        kind: &str,
        ours: Option<&str>,
    ) -> Result<ProgramWebhooks, TwilioError> {
        let webhooks = self
            .complete(list, "webhooks", |text| webhook(text, kind, ours))
            .await?;
        Ok(webhooks
            .into_iter()
            .fold(ProgramWebhooks::default(), |all, one| ProgramWebhooks {
                program: all.program || one.program,
                studio: all.studio || one.studio,
            }))
    }

    /// Reads a list as a whole. An entry that cannot be read may be the one that counts, so the
    /// list is then not believed.
    pub(super) async fn complete<T>(
        &self,
        list: List,
        key: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, TwilioError> {
        let mut all = Vec::new();
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let page = self
                .entries(list.clone(), key, next.as_ref(), |text| {
                    read(text).map_or(Entry::Unreadable, Entry::Wanted)
                })
                .await
                .map_err(TwilioError::from)?;
            if page.unreadable > 0 {
                return Err(TwilioError::garbage());
            }
            all.extend(page.items);
            next = page.next;
            if next.is_none() {
                return Ok(all);
            }
        }
        Err(TwilioError::Unreachable { why: Why::Endless })
    }
}

/// Reads a webhook. One of a kind that Twilio does not document is taken for a program's. Ours
/// may have been installed with user and password, or without a slash at the end.
fn webhook(text: &str, kind: &str, ours: Option<&str>) -> Option<ProgramWebhooks> {
    let [kind, configuration] = json::members(text, [kind, "configuration"]).ok()?;
    let url = configuration.and_then(|text| {
        let [url] = json::members(text.get(), ["url"]).ok()?;
        json::text(url?)
    });
    let is_ours = match (ours, &url) {
        (Some(ours), Some(url)) => {
            let ours = place(ours.trim_end_matches('/'));
            ours.is_some() && ours == place(url.trim_end_matches('/'))
        }
        (None, _) | (_, None) => false,
    };
    let studio = json::text(kind?)? == "studio";
    Some(ProgramWebhooks {
        program: !studio && !is_ours,
        studio,
    })
}

fn participant(text: &str) -> Option<Participant> {
    let [sid, identity, binding] =
        json::members(text, ["sid", "identity", "messaging_binding"]).ok()?;
    sid?;
    if let Some(binding) = binding {
        let [address] = json::members(binding.get(), ["address"]).ok()?;
        if address.is_some() {
            return Some(Participant::Bound);
        }
    }
    Some(match identity.and_then(json::text) {
        Some(identity) if identity.eq_ignore_ascii_case("system") => Participant::System,
        Some(identity) if !identity.is_empty() => Participant::Identity,
        Some(_) | None => Participant::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_webhook_is_no_programs_however_it_is_written() {
        let read = |url: &str, ours: Option<&str>| {
            let text = format!(r#"{{"type":"webhook","configuration":{{"url":"{url}"}}}}"#);
            webhook(&text, "type", ours).unwrap().program
        };
        for ours in ["https://abc.example.com/", "https://abc.example.com"] {
            for url in [
                "https://abc.example.com/",
                "https://abc.example.com",
                "https://user:word@abc.example.com",
            ] {
                assert!(!read(url, Some(ours)), "{url} is {ours}");
                assert!(read(url, None), "{url}");
            }
            for url in [
                "https://abc.example.com/bot",
                "https://abc.example.com.net",
                "http://abc.example.com",
                "https://abc.example.com@net",
                "",
            ] {
                assert!(read(url, Some(ours)), "{url} is not {ours}");
            }
        }
    }
}
