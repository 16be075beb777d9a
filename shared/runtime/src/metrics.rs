//! Figures for CloudWatch, in its embedded metric format: lines of the log that it makes
//! metrics of, so that telling them takes no call and no permission.
//!
//! # Why not a library
//!
//! `metrics_cloudwatch_embedded` keeps one set of figures for the whole process and reads the
//! clock by itself: requests side by side would mix, and so would tests. `metrique` formats
//! one piece of work at a time, which is what is wanted, and brings thirty crates, among them
//! a background queue, a sampling sketch and a second JSON writer. What is needed of either is
//! one JSON object.
//!
//! # The design
//!
//! A function tells its figures as an ordinary event under [`TARGET`], one per request or
//! sweep, in which each field is a figure under its name at CloudWatch; `at_ms` is their
//! moment. The layer of this module, which [`crate::logs::init`] adds, writes the event as
//! CloudWatch wants it. So tests hear figures like any other line, and the operator's command,
//! which has no such layer, prints none.
//!
//! A figure of zero is left out: CloudWatch charges for a metric in each hour in which it is
//! told.

use std::fmt;
use std::io::Write as _;

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

/// The target of events that are figures.
pub const TARGET: &str = "metrics";

/// The namespace of all figures at CloudWatch.
pub const NAMESPACE: &str = "ChannelJanitor";

/// The figures' only dimension: the name of the function, as with Lambda's own metrics.
const DIMENSION: &str = "FunctionName";

/// The field that says when.
const AT: &str = "at_ms";

/// Writes figures as CloudWatch wants them.
pub(crate) struct Layer<W> {
    function: String,
    writer: W,
}

impl<W> Layer<W> {
    /// Figures of the function of this name.
    pub(crate) fn new(function: String, writer: W) -> Self {
        Self { function, writer }
    }
}

impl<S, W> tracing_subscriber::Layer<S> for Layer<W>
where
    S: tracing::Subscriber,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut figures = Figures::default();
        event.record(&mut figures);
        if let Some(line) = figures.line(&self.function) {
            // A figure that cannot be written cannot be reported either.
            drop(self.writer.make_writer().write_all(line.as_bytes()));
        }
    }
}

/// The figures of one event.
#[derive(Default)]
struct Figures {
    at_ms: i64,
    values: Map<String, Value>,
}

impl Visit for Figures {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if value > 0 {
            self.values.insert(field.name().to_owned(), value.into());
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == AT {
            self.at_ms = value;
        }
    }

    /// A field that is no number is not a figure.
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Figures {
    /// The line, or nothing where all figures are zero.
    fn line(self, function: &str) -> Option<String> {
        if self.values.is_empty() {
            return None;
        }
        let metrics: Vec<Value> = self
            .values
            .keys()
            .map(|name| json!({"Name": name, "Unit": unit(name)}))
            .collect();
        let mut line = self.values;
        line.insert(DIMENSION.to_owned(), function.into());
        // Where a function logs as JSON, Lambda filters lines by these two
        // (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html).
        // Whether it would keep a line without them, the page does not say.
        line.insert("level".to_owned(), "INFO".into());
        let timestamp = jiff::Timestamp::from_millisecond(self.at_ms).unwrap_or_default();
        line.insert("timestamp".to_owned(), timestamp.to_string().into());
        line.insert(
            "_aws".to_owned(),
            json!({
                "Timestamp": self.at_ms,
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [[DIMENSION]],
                    "Metrics": metrics,
                }],
            }),
        );
        Some(format!("{}\n", Value::Object(line)))
    }
}

/// A figure's unit is the end of its name.
fn unit(name: &str) -> &'static str {
    if name.ends_with("Milliseconds") {
        "Milliseconds"
    } else if name.ends_with("Seconds") {
        "Seconds"
    } else {
        "Count"
    }
}
