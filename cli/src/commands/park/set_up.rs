//! `janitor park --set-up`: makes the second TaskChannel that parked chats wait on, and gives every
//! worker capacity on it.
//!
//! It needs Twilio alone. What is there already stays, so that it may run again: for new workers,
//! or after a failure.

use std::collections::BTreeSet;

use anyhow::Context as _;
use domain::{Pair, Pairs, TaskChannelSid, WorkerSid, WorkspaceSid};
use futures::stream::{self, StreamExt};
use output::Outcome;
use runtime::access::{self, FlexIds};
use runtime::common;
use runtime::secrets::{Need, Secrets};
use serde::Serialize;
use twilio::rest::Client;
use twilio::rest::setup::{TaskChannel, WorkerChannel};

use crate::confirm::Common;
use crate::progress::Counted;

/// The number of requests that are under way at a time.
const AT_ONCE: usize = 4;

/// The order for a set-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order<'a> {
    /// The unique name of the TaskChannel that chats arrive on.
    pub(super) active: &'a str,
    /// The number of parked chats that an agent may have.
    pub(super) capacity: u16,
}

/// Result of the command.
#[derive(Debug, Serialize)]
struct Done {
    workspace_sid: WorkspaceSid,
    active_task_channel_sid: TaskChannelSid,
    inactive_task_channel_sid: TaskChannelSid,
    /// The value for `ParkTaskChannels`.
    pair: String,
    created: bool,
    capacity: u16,
    workers: usize,
    changed_worker_sids: Vec<WorkerSid>,
    failed_worker_sids: Vec<WorkerSid>,
}

/// A workspace as far as the set-up changes it.
struct Desk {
    twilio: Client,
    workspace: WorkspaceSid,
    pairs: Pairs,
}

/// The TaskChannels of a pair, the second one by its name alone if it is not there yet.
struct Found {
    active: TaskChannel,
    inactive: Option<TaskChannel>,
    inactive_name: String,
}

/// Carries the set-up out, after its plan.
pub(super) async fn run(order: Order<'_>, common: &Common) -> anyhow::Result<Outcome> {
    let desk = Desk::open(common).await?;
    let listed = desk.twilio.task_channels(desk.workspace).await;
    let listed = listed.context("the TaskChannels cannot be listed")?.items;
    let Some(found) = find(listed, &desk.pairs, order.active) else {
        let text = format!(
            "There is no TaskChannel of the unique name {}. --set-up takes the one that chats arrive on.",
            order.active
        );
        output::failure(&text);
        return Ok(Outcome::Unknown);
    };
    let workers = desk.twilio.workers(desk.workspace).await;
    let workers = workers.context("the workers cannot be listed")?;
    anyhow::ensure!(
        workers.unreadable == 0,
        "{} workers cannot be read, so nothing is changed",
        workers.unreadable
    );
    let workers = workers.items;
    let lacking = match &found.inactive {
        Some(inactive) => desk.lacking(&workers, inactive.sid, order.capacity).await?,
        None => workers.clone(),
    };
    tell_plan(&found, &lacking, order.capacity);
    if found.inactive.is_some() && lacking.is_empty() {
        output::success("Nothing is missing.");
    } else if let Some(outcome) = common.confirm.ends_here() {
        return Ok(outcome);
    }
    let (created, inactive) = match found.inactive {
        Some(there) => (false, there.sid),
        None => (true, desk.create(&found.inactive_name, order).await?),
    };
    // The workers of a TaskChannel that is new may have been given capacity by Twilio.
    let lacking = match created {
        true => desk.lacking(&workers, inactive, order.capacity).await?,
        false => lacking,
    };
    let failed = desk.give(&lacking, inactive, order.capacity).await;
    let pair = Pair {
        active: found.active.sid,
        inactive,
    };
    output::status(&format!(
        "Deploy with ParkTaskChannels={pair}, and build the plugin with FLEX_APP_PARK_TASK_CHANNELS={}:{}.",
        found.active.unique_name, found.inactive_name
    ));
    let changed = lacking
        .into_iter()
        .filter(|worker| !failed.contains(worker));
    let done = Done {
        workspace_sid: desk.workspace,
        active_task_channel_sid: pair.active,
        inactive_task_channel_sid: inactive,
        pair: pair.to_string(),
        created,
        capacity: order.capacity,
        workers: workers.len(),
        changed_worker_sids: changed.collect(),
        failed_worker_sids: failed.iter().copied().collect(),
    };
    if common.json {
        output::json(&done)?;
    }
    Ok(match done.failed_worker_sids.len() {
        0 => Outcome::Good,
        _ => Outcome::CheckFailed,
    })
}

fn tell_plan(found: &Found, lacking: &[WorkerSid], capacity: u16) {
    let name = &found.inactive_name;
    match &found.inactive {
        Some(inactive) => output::status(&format!(
            "The TaskChannel {name} is there: {}.",
            inactive.sid
        )),
        None => output::status(&format!("Plan: the TaskChannel {name} is created.")),
    }
    match lacking {
        [] => {}
        [worker] => output::status(&format!(
            "Plan: the worker {worker} gets a capacity of {capacity} on it."
        )),
        [..] => output::status(&format!(
            "Plan: {} workers get a capacity of {capacity} on it.",
            lacking.len()
        )),
    }
}

/// Finds a TaskChannel by its unique name, and its partner: the one of the pairs that are set, or
/// else the one that is named after it.
fn find(listed: Vec<TaskChannel>, pairs: &Pairs, active: &str) -> Option<Found> {
    let active = listed.iter().find(|one| one.unique_name == active)?.clone();
    let named = format!("inactive_{}", active.unique_name);
    let paired = pairs.of_active(active.sid).map(|pair| pair.inactive);
    let paired = listed.iter().find(|one| Some(one.sid) == paired);
    let inactive = paired.or_else(|| listed.iter().find(|one| one.unique_name == named));
    let inactive = inactive.cloned();
    Some(Found {
        inactive_name: inactive
            .as_ref()
            .map_or(named, |one| one.unique_name.clone()),
        active,
        inactive,
    })
}

/// Returns true if a worker has less than this capacity on a TaskChannel, or is not available for
/// it.
fn lacks(has: &[WorkerChannel], task_channel: TaskChannelSid, capacity: u16) -> bool {
    let mut has = has.iter();
    let mine = has.find(|one| one.task_channel.target() == Some(task_channel));
    mine.is_none_or(|one| {
        !one.available || one.capacity.is_none_or(|has| has < i64::from(capacity))
    })
}

impl Desk {
    async fn open(common: &Common) -> anyhow::Result<Self> {
        let (environment, clock) = common.place.variables().await?;
        // A secret of AWS's is not read.
        let mut environment = environment.with("TWILIO_SECRET", "");
        let account = common::twilio_account(&mut environment);
        let secrets = Secrets::from_environment(&mut environment, None, Need::Rest);
        let workspace = environment.optional("TASKROUTER_WORKSPACE_SID");
        let chat_service = environment.optional("CHAT_SERVICE_SID");
        let pairs = common::park_pairs(&mut environment);
        let (account, secrets, pairs) =
            environment.finish(|| Some((account?, secrets?, pairs?)))?;
        let secrets = secrets.get(clock()).await?;
        let transport = Counted::to_twilio("requests to Twilio")?;
        let twilio = access::client_of(&secrets, &account, transport, AT_ONCE)?;
        let ids = FlexIds::look_up(&twilio, workspace, chat_service).await?;
        let seen = twilio.workspace(ids.workspace).await;
        let seen = seen.context("the workspace cannot be read")?;
        anyhow::ensure!(
            seen.multi_task_enabled,
            "the workspace {} has multi-tasking switched off, and so no use for TaskChannels: switch it on in the Console",
            ids.workspace
        );
        Ok(Self {
            twilio,
            workspace: ids.workspace,
            pairs,
        })
    }

    /// Returns the workers that have less than this capacity on a TaskChannel.
    async fn lacking(
        &self,
        workers: &[WorkerSid],
        task_channel: TaskChannelSid,
        capacity: u16,
    ) -> anyhow::Result<Vec<WorkerSid>> {
        let mut read = stream::iter(workers.to_vec())
            .map(|worker| async move {
                let has = self.twilio.worker_channels(self.workspace, worker).await;
                let has =
                    has.with_context(|| format!("the capacity of {worker} cannot be read"))?;
                let lacks = lacks(&has.items, task_channel, capacity);
                anyhow::Ok(lacks.then_some(worker))
            })
            .buffered(AT_ONCE);
        let mut lacking = Vec::new();
        while let Some(worker) = read.next().await {
            lacking.extend(worker?);
        }
        Ok(lacking)
    }

    async fn create(&self, name: &str, order: Order<'_>) -> anyhow::Result<TaskChannelSid> {
        let friendly = format!("Parked {}", order.active);
        let made = self
            .twilio
            .create_task_channel(self.workspace, &friendly, name);
        let made = made.await;
        let made = made.with_context(|| format!("the TaskChannel {name} cannot be created"))?;
        output::success(&format!(
            "The TaskChannel {name} was created: {}.",
            made.sid
        ));
        Ok(made.sid)
    }

    /// Gives workers capacity on a TaskChannel, and returns those for whom that failed. One that
    /// fails must not keep the others without.
    async fn give(
        &self,
        workers: &[WorkerSid],
        task_channel: TaskChannelSid,
        capacity: u16,
    ) -> BTreeSet<WorkerSid> {
        let given = stream::iter(workers.to_vec()).map(|worker| async move {
            let workspace = self.workspace;
            let set = self
                .twilio
                .set_capacity(workspace, worker, task_channel, capacity);
            (worker, set.await)
        });
        let mut given = given.buffered(AT_ONCE);
        let mut failed = BTreeSet::new();
        while let Some((worker, result)) = given.next().await {
            match result {
                Ok(()) => output::success(&format!("{worker} has a capacity of {capacity}.")),
                Err(error) => {
                    output::failure(&format!("{worker}: {error}"));
                    failed.insert(worker);
                }
            }
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task_channel(number: u8, unique_name: &str) -> TaskChannel {
        TaskChannel {
            sid: format!("TC{number:032}").parse().unwrap(),
            unique_name: unique_name.to_owned(),
        }
    }

    #[test]
    fn a_partner_is_the_one_of_the_pairs_or_else_the_one_of_its_name() {
        let all = [
            task_channel(1, "chat"),
            task_channel(2, "sms"),
            task_channel(3, "inactive_chat"),
            task_channel(4, "aside"),
        ];
        let pair: Pair = format!("{}:{}", all[0].sid, all[3].sid).parse().unwrap();
        let paired = Pairs::new(vec![pair]).unwrap();
        let name = |pairs: &Pairs, active: &str| {
            let found = find(all.to_vec(), pairs, active)?;
            assert!(
                found
                    .inactive
                    .as_ref()
                    .is_none_or(|one| one.unique_name == found.inactive_name)
            );
            Some((found.inactive.is_some(), found.inactive_name))
        };
        let none = Pairs::default();
        assert_eq!(
            name(&none, "chat"),
            Some((true, "inactive_chat".to_owned()))
        );
        assert_eq!(name(&paired, "chat"), Some((true, "aside".to_owned())));
        assert_eq!(name(&none, "sms"), Some((false, "inactive_sms".to_owned())));
        assert_eq!(name(&none, "voice"), None);
    }
}
