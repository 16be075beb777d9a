//! Personal data, which must never leave Twilio: customers' addresses and words, and secrets.

use crate::report::{Law, Violation};

use super::LawCheck;

/// The beginning of every customer's address.
pub(crate) const ADDRESSES: &str = "1555019";

/// The words of customers and agents.
pub(crate) const WORDS: &str = "quetzal";

/// A part of every agent's name and identity.
pub(crate) const AGENTS: &str = "strowski";

/// Texts that must not be found in the table, on the bus or in the logs.
pub(crate) struct Personal(Vec<String>);

impl Personal {
    pub(crate) fn new(mut texts: Vec<String>) -> Self {
        texts.extend([ADDRESSES, WORDS, AGENTS].map(str::to_owned));
        // They stand in the attributes of channels.
        texts.extend(["marker-of-", "pre_engagement"].map(str::to_owned));
        Self(texts)
    }

    /// Fails if the text holds any of them.
    pub(crate) fn search(&self, place: &str, text: &str) -> LawCheck {
        match self.0.iter().find(|personal| holds(text, personal)) {
            Some(personal) => {
                let what = format!("{personal} is in {place}: {text}");
                Err(Violation::of(Law::NoPersonalData, what))
            }
            None => Ok(()),
        }
    }
}

/// Returns whether a text holds another one. A digit before it makes it a part of a number, as of a
/// time in milliseconds.
fn holds(text: &str, personal: &str) -> bool {
    let mut found = text.match_indices(personal);
    found.any(|(at, _)| !text[..at].ends_with(|before: char| before.is_ascii_digit()))
}
