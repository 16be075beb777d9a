//! `janitor close CH…`: closes a channel now instead of when it is due.
//!
//! It is the sweep itself, for one channel and without patience: the same look, the same
//! write, the same notice and mark.

use ::sweep::{Action, Summary, Sweep};

use crate::exit::Outcome;
use crate::named::{Done, Options};
use crate::sweep::TIME;
use crate::{office, say};

/// Closes it.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let named = match options.find().await? {
        Ok(named) => named,
        Err(outcome) => return Ok(outcome),
    };
    if let Some(outcome) = named.refuse_if_live().or_else(|| named.refuse_if_held()) {
        return Ok(outcome);
    }
    let sid = named.channel.sid();
    if let Some((at, outcome)) = named.channel.closed_at() {
        let ago = say::from_now(at, named.office.now());
        say::aloud(&format!("{sid} was closed {ago} ({outcome})."));
        return done(options, sid, "already-clean");
    }
    say::aloud(&named.describe());
    say::aloud(match named.channel.platform() {
        domain::Platform::Chat => {
            "Plan: `status` becomes INACTIVE, `long_lived` false; its next message starts anew."
        }
        domain::Platform::Conversations => {
            "Plan: the conversation is closed, which is final; the next message starts a new one."
        }
    });
    if let Some(outcome) = options.consent.ends_here() {
        return Ok(outcome);
    }
    let (office, channel, mut settings) = named.at_once();
    settings.plan.action = Action::Inactivate;
    // Earlier failures and their back-off are no reason to wait: a person says so.
    let again = |record: &mut domain::Channel| record.begin_cleanup_again();
    office.table().fold(sid, channel.platform(), again).await?;
    let sweep = Sweep::new(settings, office::transport()?);
    let summary = sweep.run_on(&[sid], office.now(), TIME).await?;
    match came(&summary) {
        Ok(what) => done(options, sid, what),
        Err(outcome) => Ok(outcome),
    }
}

fn done(options: &Options, sid: domain::ChannelSid, done: &'static str) -> anyhow::Result<Outcome> {
    let value = Done {
        channel_sid: sid,
        done,
    };
    if options.json {
        say::json(&value)?;
    } else {
        say::aloud(&format!("{sid}: {done}."));
    }
    Ok(Outcome::Good)
}

/// What became of the one channel.
fn came(summary: &Summary) -> Result<&'static str, Outcome> {
    if summary.raced > 0 {
        say::aloud("A task arrived in the moment of closing: look after that customer.");
        return Err(Outcome::Broken);
    }
    if summary.closed + summary.released > 0 {
        return Ok("closed");
    }
    if summary.already_clean + summary.sessions_ended > 0 {
        return Ok("already-clean");
    }
    if summary.gone > 0 {
        return Ok("gone");
    }
    if summary.open_again > 0 {
        say::aloud("A task was opened on it meanwhile: nothing was written.");
        return Err(Outcome::HeldBack);
    }
    if summary.left > 0 {
        let rows: Vec<&str> = summary.left_by_row.keys().copied().collect();
        say::aloud(&format!(
            "It is left as it is ({}): nothing was written.",
            rows.join(", ")
        ));
        return Err(Outcome::HeldBack);
    }
    if summary.failed > 0 {
        say::aloud(
            "It cannot be closed: its attributes are not a JSON object. A person has to look.",
        );
        return Err(Outcome::Broken);
    }
    say::aloud("Twilio did not take it now; the next sweep tries again.");
    Err(Outcome::Broken)
}
