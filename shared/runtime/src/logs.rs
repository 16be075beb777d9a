//! Logs: one JSON object per line on standard output, which Lambda hands to CloudWatch.
//!
//! `lambda_runtime` has a subscriber of its own behind its feature `tracing`, but it draws in
//! a regular expression engine for the filter; a list of targets does.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging at the level of `RUST_LOG`, such as `info,ingest=debug`, or else of
/// `AWS_LAMBDA_LOG_LEVEL`, or else at `info`. Once logging has started, does nothing.
pub fn init() {
    let format = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    // Fails when a subscriber is set already, which is what is wanted.
    drop(
        tracing_subscriber::registry()
            .with(filter(|name| std::env::var(name).ok()))
            .with(format)
            .try_init(),
    );
}

fn filter(variable: impl Fn(&str) -> Option<String>) -> Targets {
    ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
        .into_iter()
        .filter_map(variable)
        .filter(|text| !text.trim().is_empty())
        .find_map(|text| text.to_lowercase().parse().ok())
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}
