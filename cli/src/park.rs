//! `janitor park WT…` and `janitor unpark WT…`: a chat parked, or taken up again, by hand.

use ::park::{ByHand, NotMoved, Park, Settings};
use clap::Args;
use domain::ManualRequest;
use domain::TaskSid;
use serde::Serialize;

use crate::consent::Consent;
use crate::exit::Outcome;
use crate::office::{self, Office, Place};
use crate::say;

/// Which chat.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The task in which an agent has the chat
    #[arg(value_name = "WT…")]
    task: TaskSid,
    #[command(flatten)]
    consent: Consent,
    /// Prints what was done as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Done {
    task_sid: TaskSid,
    parked: bool,
    changed: bool,
}

/// Does it, by the same way that an agent's button takes: `PARK_TASK_CHANNELS` says which
/// TaskChannels belong together.
pub(crate) async fn run(options: &Options, wish: ManualRequest) -> anyhow::Result<Outcome> {
    let task = options.task;
    let office = Office::open(&options.place).await?;
    let settings = Settings::read_at(office.environment(), office.aws())?;
    let park = Park::new(settings, office::transport()?);
    say::aloud(&match wish {
        ManualRequest::Park => format!(
            "{task} moves to the inactive TaskChannel; what its customer writes brings it back."
        ),
        ManualRequest::Resume => format!("{task} moves back to the TaskChannel that it came from."),
    });
    if let Some(outcome) = options.consent.ends_here() {
        return Ok(outcome);
    }
    let changed = match park.manual(task, wish, office.now()).await {
        Ok(ByHand::Moved) => true,
        Ok(ByHand::Already) => {
            say::aloud("It was there already.");
            false
        }
        Err(error @ NotMoved::Gone) => {
            say::aloud(&error);
            return Ok(Outcome::Unknown);
        }
        Err(error) => return Err(error.into()),
    };
    if options.json {
        say::json(&Done {
            task_sid: task,
            parked: wish == ManualRequest::Park,
            changed,
        })?;
    }
    Ok(Outcome::Good)
}
