//! What the acceptance tests stand on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at the first surprise and say what it saw, and look at one thing only"
)]

pub mod figures;
pub mod function_url;
pub mod fuzz_targets;
pub mod lambda_api;
#[path = "simulation/mod.rs"]
pub mod simulation;
pub mod world;
