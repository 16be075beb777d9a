//! The rules and the repairs, with the real client against the simulated Twilio, over sockets.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod broken;
mod fetching;
mod healthy;
mod repairs;
mod rules;
mod scheduled;
mod stage;
mod trouble;
