//! Drives the pretend Twilio through its door, as an official client would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that fails should say where"
)]

mod chat;
mod client;
mod door;
mod faults;
mod proxy_and_flex;
mod shapes;
mod socket;
mod story;
mod tasks;
mod time;
