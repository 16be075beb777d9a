//! SIDs as a person types them: whole, or only their beginning.

use std::fmt;
use std::pin::pin;
use std::str::FromStr;

use domain::ChannelSid;
use futures::StreamExt;
use store::{ChannelTable, StoreError};

use crate::say;

/// The length of a whole SID.
const LENGTH: usize = 34;

/// How many candidates for the rest of a SID are named.
const NAMED: usize = 5;

/// The SID of a channel, or its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChannelArg {
    Whole(ChannelSid),
    Beginning(String),
}

/// Whether a beginning is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// To read: a beginning that only one channel has stands for that channel.
    ToRead,
    /// To write: the channel is named, but the person has to say it.
    ToWrite,
}

impl FromStr for ChannelArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Copied out of a JSON or a log line, it may come with quotes.
        let text = text.trim().trim_matches(['"', '\'', ',']);
        if let Ok(sid) = text.parse() {
            return Ok(Self::Whole(sid));
        }
        let digits = match text.strip_prefix(ChannelSid::PREFIX) {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => digits,
            Some(_) => return Err("after CH, a SID has hexadecimal digits only"),
            None if text.starts_with("WT") => {
                return Err("that is a task; a channel's SID begins with CH");
            }
            None => return Err("a channel's SID is CH and 32 hexadecimal digits"),
        };
        match text.len() {
            _ if digits.is_empty() => Err("type at least one digit after CH"),
            LENGTH => Err("32 zeros are a placeholder that names no channel"),
            length if length > LENGTH => Err("too long: a SID is CH and 32 hexadecimal digits"),
            _ => Ok(Self::Beginning(text.to_owned())),
        }
    }
}

impl fmt::Display for ChannelArg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(sid) => sid.fmt(f),
            Self::Beginning(text) => write!(f, "{text}…"),
        }
    }
}

impl ChannelArg {
    /// The channel that is meant; nothing, with the reason on standard error, if that cannot
    /// be told.
    pub(crate) async fn resolve(
        &self,
        table: &ChannelTable,
        wanted: Wanted,
    ) -> anyhow::Result<Option<ChannelSid>> {
        let beginning = match self {
            Self::Whole(sid) => return Ok(Some(*sid)),
            Self::Beginning(text) => text,
        };
        let found = candidates(table, beginning).await?;
        let named: Vec<String> = found.iter().take(NAMED).map(ToString::to_string).collect();
        let named = named.join("\n  ");
        match (found.as_slice(), wanted) {
            ([], _) => say::aloud(&format!(
                "no channel in the table {} begins with {beginning}",
                table.name()
            )),
            ([sid], Wanted::ToRead) => {
                say::aloud(&format!("taken for {sid}"));
                return Ok(Some(*sid));
            }
            ([_], Wanted::ToWrite) => say::aloud(&format!(
                "{beginning} is only the beginning of a SID; did you mean this one?\n  {named}"
            )),
            (many, _) => say::aloud(&format!(
                "{} channels begin with {beginning}, among them:\n  {named}",
                many.len()
            )),
        }
        Ok(None)
    }
}

async fn candidates(table: &ChannelTable, beginning: &str) -> anyhow::Result<Vec<ChannelSid>> {
    let progress = say::Progress::counting("channels begin so");
    let mut channels = pin!(table.all(beginning));
    let mut found = Vec::new();
    while let Some(channel) = channels.next().await {
        match channel {
            Ok(channel) => found.push(channel.sid()),
            // It is there, whatever is in it.
            Err(StoreError::Unreadable { channel, .. }) => found.push(channel),
            Err(StoreError::Foreign) => {}
            Err(error) => return Err(error.into()),
        }
        progress.one_more();
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_half_and_wrong_sids_are_told_apart() {
        let whole = "CH0123456789abcdef0123456789abcdef";
        assert!(matches!(whole.parse(), Ok(ChannelArg::Whole(_))));
        assert!(matches!(
            "\"CH0123456789abcdef0123456789abcdef\",".parse(),
            Ok(ChannelArg::Whole(_))
        ));
        assert_eq!("CH01".parse(), Ok(ChannelArg::Beginning("CH01".to_owned())));
        for wrong in [
            "",
            "CH",
            "0123",
            "ch01",
            "CHxyz",
            "CH../..",
            "WT0123456789abcdef0123456789abcdef",
            "CH0123456789abcdef0123456789abcdef0",
            "CH00000000000000000000000000000000",
        ] {
            assert!(wrong.parse::<ChannelArg>().is_err(), "{wrong}");
        }
    }
}
