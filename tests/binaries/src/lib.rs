//! Runs the real binaries under the Lambda runtime protocol.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at the first surprise and say what it saw, and look at one thing only"
)]

pub mod concurrency;
pub mod function_url;
pub mod lambda_api;
pub mod odd_events;
