//! `janitor close CH…`: closes a channel now instead of when it is due.
//!
//! It is the sweep itself, for one channel and without a cutoff: the same checks, the same
//! write, the same notice and mark.

use ::sweep::{Action, Summary, Sweep};

use crate::commands::sweep::MAX_TIME;
use crate::context;
use crate::target_channel::Options;
use output::Outcome;

/// Closes the channel.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let Some(target) = options.find().await? else {
        return Ok(Outcome::Unknown);
    };
    if let Some(outcome) = target.refuse_if_live().or_else(|| target.refuse_if_held()) {
        return Ok(outcome);
    }
    let sid = target.channel.sid();
    if let Some((at, outcome)) = target.channel.closed_at() {
        let ago = output::from_now(at, target.context.now());
        output::status(&format!("{sid} was closed {ago} ({outcome})."));
        return options.done(sid, "already-clean");
    }
    output::status(&target.describe());
    output::status(match target.channel.platform() {
        domain::Platform::Chat => {
            "Plan: `status` becomes INACTIVE, `long_lived` false; its next message starts anew."
        }
        domain::Platform::Conversations => {
            "Plan: the conversation is closed, which is final; the next message starts a new one."
        }
    });
    if let Some(outcome) = options.ends_here(&target.context) {
        return Ok(outcome);
    }
    let (context, channel, mut settings) = target.at_once();
    settings.plan.action = Action::Inactivate;
    // Earlier failures and their back-off are no reason to wait: a person says so.
    let again = |record: &mut domain::Channel| record.begin_cleanup_again();
    context.table().fold(sid, channel.platform(), again).await?;
    let sweep = Sweep::new(settings, context::transport()?);
    let summary = sweep.run_on(&[sid], context.now(), MAX_TIME).await?;
    match result(&summary) {
        Ok(done) => options.done(sid, done),
        Err(outcome) => Ok(outcome),
    }
}

/// Returns what became of the one channel, or prints why nothing was done.
fn result(summary: &Summary) -> Result<&'static str, Outcome> {
    if summary.raced > 0 {
        output::status("A task arrived in the moment of closing: look after that customer.");
        return Err(Outcome::CheckFailed);
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
        output::status("A task was opened on it meanwhile: nothing was written.");
        return Err(Outcome::NotConfirmed);
    }
    if summary.left > 0 {
        let rows: Vec<&str> = summary.left_by_row.keys().copied().collect();
        output::status(&format!(
            "It is left as it is ({}): nothing was written.",
            rows.join(", ")
        ));
        return Err(Outcome::NotConfirmed);
    }
    if summary.failed > 0 {
        output::status(
            "It cannot be closed: its attributes are not a JSON object. A person has to look.",
        );
        return Err(Outcome::CheckFailed);
    }
    output::status("Twilio did not take it now; the next sweep tries again.");
    Err(Outcome::CheckFailed)
}
