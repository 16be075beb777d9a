//! `janitor delete CH…`: deletes a channel at Twilio, and its history with it.

use ::sweep::{Deletion, Sweep};

use crate::exit::Outcome;
use crate::explain::not_known;
use crate::named::{Done, Options};
use crate::{office, say};

/// Deletes it.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let named = match options.find().await? {
        Ok(named) => named,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(outcome) = named.refuse_if_live().or_else(|| named.refuse_if_held()) {
        return Ok(outcome);
    }
    let sid = named.channel.sid();
    say::aloud(&named.describe());
    say::aloud(
        "Plan: it is deleted at Twilio with every message in it, and its Proxy session too. That cannot be undone.",
    );
    if let Some(outcome) = options.consent.ends_here() {
        return Ok(outcome);
    }
    let office = named.office;
    let now = office.now();
    let deletion = Sweep::new(named.settings, office::transport()?)
        .delete(sid, now)
        .await?;
    let (outcome, session) = match deletion {
        Deletion::Unknown => {
            say::aloud(&not_known(&office, sid));
            return Ok(Outcome::Unknown);
        }
        Deletion::OpenTask => {
            say::aloud("A task is open on it, so it is not deleted.");
            return Ok(Outcome::HeldBack);
        }
        Deletion::Done { outcome, session } => (outcome, session),
    };
    if let Some(session) = session {
        say::aloud(&format!(
            "Its Proxy session {session} is left to Flex: set PROXY_SERVICE_SID to have it deleted."
        ));
    }
    let value = Done {
        channel_sid: sid,
        done: match outcome {
            domain::Outcome::Gone => "gone",
            domain::Outcome::Deleted | domain::Outcome::Written | domain::Outcome::AlreadyClean => {
                "deleted"
            }
        },
    };
    if options.json {
        say::json(&value)?;
    } else {
        say::aloud(&format!("{sid}: {}.", value.done));
    }
    Ok(Outcome::Good)
}
