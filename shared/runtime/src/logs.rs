//! Logs: one JSON object per line on standard output, which Lambda hands to CloudWatch.
//!
//! `lambda_runtime` has a subscriber of its own behind its feature `tracing`, and with it a
//! filter built on a regular expression engine: 0.36 MB on top of the 0.45 MB of a binary
//! that only logs. A list of targets does.
//!
//! Figures are lines of their own ([`crate::metrics`]) and are written at every level.

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::metrics;

/// Libraries that see requests. Below `info` they log headers and bodies, which hold
/// credentials and customers' words, so they are never heard there.
const SEE_REQUESTS: [&str; 8] = [
    "aws_", "h2", "hyper", "lambda_", "reqwest", "rustls", "tower", "axum",
];

/// Starts logging at the level of `RUST_LOG`, such as `warn,ingest=info`, or else of
/// `AWS_LAMBDA_LOG_LEVEL`, or else at `info`, and logs the version. A second call only logs the
/// version again.
///
/// Figures are written where there is an `AWS_LAMBDA_FUNCTION_NAME` to tell them under.
pub fn init() {
    #[expect(
        clippy::disallowed_methods,
        reason = "what is wrong with the settings must be logged, so logging starts before them"
    )]
    let variable = |name| std::env::var(name).ok();
    // Fails when a subscriber is set already, which is what is wanted.
    drop(subscriber(variable, std::io::stdout).try_init());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
}

fn subscriber<W>(
    variable: impl Fn(&'static str) -> Option<String>,
    writer: W,
) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Clone + Send + Sync + 'static,
{
    let figures = variable("AWS_LAMBDA_FUNCTION_NAME").map(|function| {
        metrics::Layer::new(function, writer.clone())
            .with_filter(Targets::new().with_target(metrics::TARGET, LevelFilter::TRACE))
    });
    let discreet = Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(SEE_REQUESTS.map(|target| (target, LevelFilter::INFO)));
    let format = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer)
        .with_filter(wanted(variable).with_target(metrics::TARGET, LevelFilter::OFF));
    tracing_subscriber::registry()
        .with(discreet)
        .with(figures)
        .with(format)
}

/// Returns the targets and levels that the operator asks for; a setting that cannot be read is as good as none, since
/// nothing could be said about it.
fn wanted(variable: impl Fn(&'static str) -> Option<String>) -> Targets {
    let set = |name| variable(name).filter(|text: &String| !text.trim().is_empty());
    if let Some(targets) = set("RUST_LOG").and_then(|text| text.parse().ok()) {
        return targets;
    }
    let level = set("AWS_LAMBDA_LOG_LEVEL").and_then(|text| match text.trim() {
        // Lambda's level above all that we have.
        "FATAL" => Some(LevelFilter::ERROR),
        level => level.parse().ok(),
    });
    Targets::new().with_default(level.unwrap_or(LevelFilter::INFO))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(set: &'static [(&str, &str)], work: impl FnOnce()) -> Vec<serde_json::Value> {
        let paper = Paper::default();
        let writer = paper.clone();
        let variable = move |name| {
            let found = set.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let subscriber = subscriber(variable, move || writer.clone());
        tracing::subscriber::with_default(subscriber, work);
        let bytes = paper.0.lock().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_can_be_read_alone_and_names_its_invocation() {
        let lines = logged(&[], || {
            let span = tracing::info_span!("invocation", requestId = "1-2");
            span.in_scope(|| tracing::info!(channel = "CH1", "channel CH1 closed"));
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["message"], "channel CH1 closed");
        assert_eq!(lines[0]["channel"], "CH1");
        assert_eq!(lines[0]["level"], "INFO");
        assert_eq!(lines[0]["span"]["requestId"], "1-2");
        assert!(lines[0]["timestamp"].is_string());
    }

    #[test]
    #[cfg_attr(not(debug_assertions), ignore = "nothing below info is compiled in")]
    fn the_level_is_info_unless_a_variable_says_otherwise() {
        let heard = |set| {
            let all = || {
                tracing::error!("error");
                tracing::info!("info");
                tracing::debug!("debug");
            };
            logged(set, all).len()
        };
        assert_eq!(heard(&[]), 2);
        assert_eq!(heard(&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG")]), 3);
        assert_eq!(heard(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]), 1);
        assert_eq!(
            heard(&[("RUST_LOG", "warn"), ("AWS_LAMBDA_LOG_LEVEL", "DEBUG")]),
            1
        );
        assert_eq!(
            heard(&[("RUST_LOG", " "), ("AWS_LAMBDA_LOG_LEVEL", "???")]),
            2
        );
    }

    #[test]
    fn figures_are_a_line_that_cloudwatch_makes_metrics_of_at_every_level() {
        let named = &[
            ("AWS_LAMBDA_FUNCTION_NAME", "janitor-Ingest-1"),
            ("RUST_LOG", "error"),
        ];
        let lines = logged(named, || {
            let span = tracing::info_span!("invocation", requestId = "1-2");
            span.in_scope(|| {
                tracing::info!(
                    target: metrics::TARGET,
                    at_ms = 1_700_000_000_123_i64,
                    Received = 3_usize,
                    Ignored = 0_usize,
                    LagMilliseconds = 1_500_u64,
                    OverdueSeconds = 7_u64,
                );
            });
        });
        let metric = |name, unit| serde_json::json!({"Name": name, "Unit": unit});
        let expected = serde_json::json!({
            "_aws": {
                "Timestamp": 1_700_000_000_123_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "ChannelJanitor",
                    "Dimensions": [["FunctionName"]],
                    "Metrics": [
                        metric("LagMilliseconds", "Milliseconds"),
                        metric("OverdueSeconds", "Seconds"),
                        metric("Received", "Count"),
                    ],
                }],
            },
            "FunctionName": "janitor-Ingest-1",
            "level": "INFO",
            "timestamp": "2023-11-14T22:13:20.123Z",
            "Received": 3,
            "LagMilliseconds": 1_500,
            "OverdueSeconds": 7,
        });
        assert_eq!(lines, [expected]);
    }

    #[test]
    fn figures_of_zero_and_figures_of_no_function_are_not_told() {
        let all_zero = || tracing::info!(target: metrics::TARGET, at_ms = 1_i64, Due = 0_usize);
        let named = &[("AWS_LAMBDA_FUNCTION_NAME", "janitor-Sweep-1")];
        assert!(logged(named, all_zero).is_empty());
        let some = || tracing::info!(target: metrics::TARGET, at_ms = 1_i64, Due = 1_usize);
        assert_eq!(logged(named, some).len(), 1);
        assert!(logged(&[], some).is_empty());
    }

    #[test]
    #[cfg_attr(not(debug_assertions), ignore = "nothing below info is compiled in")]
    fn libraries_that_see_requests_are_never_heard_below_info() {
        let lines = logged(&[("RUST_LOG", "trace,lambda_runtime=trace")], || {
            tracing::trace!("ours");
            tracing::trace!(target: "lambda_runtime", "a customer's words");
            tracing::debug!(target: "aws_smithy_runtime::client", "authorization: …");
            tracing::info!(target: "hyper_util", "harmless");
        });
        let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
        assert_eq!(messages, ["ours", "harmless"]);
    }
}
