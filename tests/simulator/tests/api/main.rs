//! Drives the pretend Twilio through its API, as an official client would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that fails should say where"
)]

mod agents;
mod aside;
mod chat;
mod client;
mod conversations;
mod faults;
mod interactions;
mod limits;
mod long;
mod messages;
mod programs;
mod proxy_and_flex;
mod refused;
mod requests;
mod setup;
mod shapes;
mod socket;
mod story;
mod streams;
mod tasks;
mod time;
