//! Faults on the way in, one story for each: each test's name starts with its row in
//! `docs/faults.md`.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod deliveries;
mod last_event;
mod long;
mod requests;

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
