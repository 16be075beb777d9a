//! What can go wrong, one story per way: each test's name starts with its row in
//! `docs/faults.md`, which also says what is tested elsewhere.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod attributes;
mod conversations;
mod crashes;
mod limits;
mod outages;
mod races;

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
