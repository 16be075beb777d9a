//! SIDs as a person types them: whole, or only their beginning.

use std::fmt;
use std::pin::pin;
use std::str::FromStr;

use domain::{Channel, ChannelSid, TaskSid};
use futures::StreamExt;
use store::{ChannelTable, StoreError};

use crate::context::Context;

/// The length of a whole SID.
const LENGTH: usize = 34;

/// Most candidates for the rest of a SID that are named.
const MAX_NAMED: usize = 5;

/// The SID of a channel, its beginning, or a task of the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChannelArg {
    Whole(ChannelSid),
    Beginning(String),
    Task(TaskSid),
}

/// The use that a command makes of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A beginning that only one channel has stands for that channel, and a task for its own.
    Read,
    /// The channel is only suggested: the person has to give the whole SID.
    Write,
}

impl FromStr for ChannelArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Copied out of a JSON or a log line, it may come with quotes.
        let text = text.trim().trim_matches(['"', '\'', ',']);
        if let Ok(sid) = text.parse() {
            return Ok(Self::Whole(sid));
        }
        if let Ok(task) = text.parse() {
            return Ok(Self::Task(task));
        }
        let digits = match text.strip_prefix(ChannelSid::PREFIX) {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => digits,
            Some(_) => return Err("after CH, a SID has hexadecimal digits only"),
            None if text.starts_with(TaskSid::PREFIX) => {
                return Err("that is a task, and not its whole SID; a channel's begins with CH");
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
            Self::Task(task) => task.fmt(f),
        }
    }
}

impl ChannelArg {
    /// Returns the channel that is meant. If there is none, or more than one, prints the reason
    /// and returns nothing.
    pub(crate) async fn resolve(
        &self,
        context: &Context,
        purpose: Purpose,
    ) -> anyhow::Result<Option<ChannelSid>> {
        let table = context.table();
        let (found, given) = match self {
            Self::Whole(sid) => return Ok(Some(*sid)),
            Self::Beginning(text) => (
                candidates(table, text, |_| true).await?,
                format!("begins with {text}"),
            ),
            Self::Task(task) => (
                candidates(table, ChannelSid::PREFIX, |channel| {
                    channel.tasks().contains_key(task)
                })
                .await?,
                format!("has the task {task}"),
            ),
        };
        let names: Vec<String> = found
            .iter()
            .take(MAX_NAMED)
            .map(ToString::to_string)
            .collect();
        let names = names.join("\n  ");
        match (found.as_slice(), purpose) {
            ([], _) => output::status(&format!(
                "{} holds no channel that {given}",
                context.place()
            )),
            ([sid], Purpose::Read) => {
                output::status(&format!("taken for {sid}"));
                return Ok(Some(*sid));
            }
            ([_], Purpose::Write) => output::status(&format!(
                "that is not the whole SID of a channel; did you mean this one?\n  {names}"
            )),
            (many, _) => output::status(&format!(
                "{} channels: each {given}. Among them:\n  {names}",
                many.len()
            )),
        }
        Ok(None)
    }
}

/// Returns the channels whose SID begins so and whose record passes the filter.
async fn candidates(
    table: &ChannelTable,
    beginning: &str,
    filter: impl Fn(&Channel) -> bool,
) -> anyhow::Result<Vec<ChannelSid>> {
    let progress = output::Progress::counting("channels read");
    let mut channels = pin!(table.all(beginning));
    let mut found = Vec::new();
    while let Some(channel) = channels.next().await {
        match channel {
            Ok(channel) if filter(&channel) => found.push(channel.sid()),
            Ok(_) | Err(StoreError::Foreign) => {}
            Err(StoreError::Unreadable { channel, .. }) if beginning != ChannelSid::PREFIX => {
                found.push(channel);
            }
            Err(StoreError::Unreadable { .. }) => {}
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
        assert!(matches!(
            "WT0123456789abcdef0123456789abcdef".parse(),
            Ok(ChannelArg::Task(_))
        ));
        for wrong in [
            "",
            "WT01",
            "CH",
            "0123",
            "ch01",
            "CHxyz",
            "CH../..",
            "CH0123456789abcdef0123456789abcdef0",
            "CH00000000000000000000000000000000",
        ] {
            assert!(wrong.parse::<ChannelArg>().is_err(), "{wrong}");
        }
    }
}
