//! `janitor delete CH…`: deletes a channel at Twilio with its history.

use ::sweep::{Deletion, Sweep};
use domain::Platform;
use output::Outcome;

use crate::commands::explain::not_known;
use crate::context;
use crate::target_channel::Options;

/// Deletes the channel.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let Some(target) = options.find().await? else {
        return Ok(Outcome::Unknown);
    };
    if let Some(outcome) = target.refuse_if_live().or_else(|| target.refuse_if_held()) {
        return Ok(outcome);
    }
    let sid = target.channel.sid();
    output::status(&target.describe());
    output::status(&plan(
        target.channel.platform(),
        target.settings.proxy_service.is_some(),
    ));
    if let Some(outcome) = options.ends_here(&target.context) {
        return Ok(outcome);
    }
    let context = target.context;
    let now = context.now();
    let deletion = Sweep::new(target.settings, context::transport()?)
        .delete(sid, now)
        .await?;
    let (outcome, session) = match deletion {
        Deletion::Unknown => {
            output::status(&not_known(&context, sid));
            return Ok(Outcome::Unknown);
        }
        Deletion::OpenTask => {
            output::status("A task is open on it, so it is not deleted.");
            return Ok(Outcome::NotConfirmed);
        }
        Deletion::Done { outcome, session } => (outcome, session),
    };
    if let Some(session) = session {
        output::status(&format!("Its Proxy session {session} was left to Flex."));
    }
    options.done(
        sid,
        match outcome {
            domain::Outcome::Gone => "gone",
            domain::Outcome::Deleted | domain::Outcome::Written | domain::Outcome::AlreadyClean => {
                "deleted"
            }
        },
    )
}

/// Returns what would be deleted. Only a Chat channel has a Proxy session, and it is deleted
/// only where its service is named.
fn plan(platform: Platform, has_proxy_service: bool) -> String {
    let session = match (platform, has_proxy_service) {
        (Platform::Conversations, _) => "",
        (Platform::Chat, true) => " Its Proxy session is deleted, too.",
        (Platform::Chat, false) => {
            " Its Proxy session is left to Flex: set PROXY_SERVICE_SID to have it deleted, too."
        }
    };
    format!(
        "Plan: it is deleted at Twilio with every message in it.{session} That cannot be undone."
    )
}
