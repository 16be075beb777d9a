//! The end of a schedule whose silent chats are parked: no customer waits on a parked chat, and
//! each one who writes is heard by the bus alone.

use std::sync::Arc;
use std::time::Duration;

use domain::parking::MAX_UNPARK_WAIT;
use tokio::time::Instant;

use crate::functions::parking::{EVERY, nobody_waits_parked};
use crate::functions::{Deployment, due_in};
use crate::people::People;
use crate::report::{Law, Violation};

use super::ending::Runs;
use super::pass;

/// Longer than it takes to deliver a message and to hand a reply on.
const A_REPLY: Duration = Duration::from_secs(30);

/// Checks S9 and L1 once nothing fails any more.
pub(super) async fn settle(deployment: &Arc<Deployment>, people: &mut People, runs: &mut Runs<'_>) {
    while runs.parking.under_way.join_next().await.is_some() {}
    delivered(deployment, runs).await;
    ticks(deployment, runs, MAX_UNPARK_WAIT).await;
    deployment.shared.check(nobody_waits_parked(deployment));
    let silence = deployment.shared.script.policy.park_after;
    ticks(deployment, runs, silence).await;
    deployment.shared.check(nobody_waits_parked(deployment));
    people.customers_reply(deployment);
    delivered(deployment, runs).await;
    pass(deployment, runs.parking, Instant::now() + A_REPLY).await;
    while runs.parking.under_way.join_next().await.is_some() {}
    deployment.shared.check(nobody_waits_parked(deployment));
}

/// Delivers what happened, by both ways.
async fn delivered(deployment: &Arc<Deployment>, runs: &mut Runs<'_>) {
    runs.streams.pump(deployment);
    while runs.streams.under_way.join_next().await.is_some() {}
    runs.parking.hand_on_replies(deployment);
}

/// Runs each minute for as long, and a minute longer. What was due before a run must not be
/// due for the same after it.
async fn ticks(deployment: &Arc<Deployment>, runs: &mut Runs<'_>, length: Duration) {
    let until = Instant::now() + length + EVERY;
    while Instant::now() < until && !deployment.shared.broken() {
        let next = Instant::now() + EVERY;
        pass(deployment, runs.parking, next).await;
        let before = due_in(deployment, |queue| !queue.is_of_sweep(), Duration::ZERO);
        if before.is_empty() {
            continue;
        }
        runs.parking.tick_in_peace(deployment).await;
        let after = due_in(deployment, |queue| !queue.is_of_sweep(), Duration::ZERO);
        let mut stuck = before
            .iter()
            .filter(|(channel, entry)| after.get(*channel) == Some(entry));
        if let Some((channel, entry)) = stuck.next() {
            let what = format!("{channel} still waits after a run: {entry:?}");
            deployment
                .shared
                .check(Err(Violation::of(Law::EventuallyClean, what)));
        }
        delivered(deployment, runs).await;
    }
}
