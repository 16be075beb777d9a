//! The logs of our side during a story, kept for one question: is a customer or an agent in them?

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use runtime::metrics;
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// The names and texts of customers and agents in every story.
const PERSONAL: [&str; 5] = ["+1555", "parcel", "agent.smith", "agent_2Esmith", "naïve"];

pub(super) struct Logs {
    written: Written,
    figures_read: Cell<usize>,
    _subscriber: DefaultGuard,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Written {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Logs {
    /// Keeps everything that is logged on this thread from now on, as the functions write it.
    pub(super) fn start() -> Self {
        let written = Written::default();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::INFO)
            .with_writer(written.clone())
            .finish();
        Self {
            written,
            figures_read: Cell::new(0),
            _subscriber: tracing::subscriber::set_default(subscriber),
        }
    }

    /// Fails if the logs hold personal data, or any of these secrets.
    pub(super) fn expect_silence(&self, secrets: &[&str]) {
        let bytes = self.written.0.lock().unwrap().clone();
        let logs = String::from_utf8(bytes).unwrap();
        for secret in secrets {
            assert!(!logs.contains(secret), "a secret is in the logs: {logs}");
        }
        self.expect_silence_in(&logs);
    }

    /// Fails if a text holds personal data.
    #[allow(
        clippy::unused_self,
        reason = "the question is the same for logs and the rest"
    )]
    pub(super) fn expect_silence_in(&self, text: &str) {
        for personal in PERSONAL {
            assert!(!text.contains(personal), "{personal} is in: {text}");
        }
    }
}

impl super::World {
    /// The sums of the figures that were told since they were last read, without those of zero.
    pub fn figures(&self) -> BTreeMap<String, u64> {
        let bytes = self.logs.written.0.lock().unwrap();
        let unread = &bytes[self.logs.figures_read.replace(bytes.len())..];
        let mut sums = BTreeMap::new();
        for line in unread.split_inclusive(|byte| *byte == b'\n') {
            let line: Value = serde_json::from_slice(line).unwrap();
            if line["target"] == metrics::TARGET {
                for (name, value) in line["fields"].as_object().unwrap() {
                    *sums.entry(name.clone()).or_default() += value.as_u64().unwrap();
                }
            }
        }
        sums.retain(|name, sum| *sum > 0 && name != "at_ms");
        sums
    }
}
