//! Parking, end to end: the real functions against the pretend Twilio.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod api;
mod figures;
mod flood;
mod long;
mod moves;
mod races;
mod setup;
mod stop;
mod told;
