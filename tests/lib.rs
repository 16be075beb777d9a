//! What the acceptance tests stand on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

pub mod function_url;
pub mod lambda_api;
