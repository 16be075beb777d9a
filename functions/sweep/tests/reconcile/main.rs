//! Stories of what the stream of events never told: lost on the way, or older than we are.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod limits;
mod long;
mod lost;
mod missed;
mod orphans;

use std::time::Duration;

use simulator::Sid;
use world::World;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A chat that was left behind before anybody told us anything, and longer ago than the log
/// goes back.
async fn chat_of_old(world: &World, address: &str) -> Sid {
    let chat = world.customer_writes(address);
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    world.lose_events();
    world.time_passes(40 * DAY).await;
    chat.channel
}
