//! The result of one request: one log line that can be read alone, and one of figures.

use domain::Timestamp;
use http::StatusCode;
use runtime::metrics;
use twilio::events::Batch;
use twilio::signature::Refusal;

/// The result of one request.
#[derive(Debug, Default)]
pub struct Report {
    /// The cause for which it was not taken for Twilio's, if it was not.
    pub refused: Option<&'static str>,
    /// Events in the body.
    pub received: usize,
    /// Events that are none of our business.
    pub ignored: usize,
    /// Events that cannot be read.
    pub rejected: usize,
    /// Tasks that name two channels.
    pub torn: usize,
    /// Channels that the events speak of.
    pub channels: usize,
    /// Channels whose record changed.
    pub written: usize,
    /// Channels whose record already said so.
    pub unchanged: usize,
    /// Parked chats on which the customer wrote.
    pub replies: usize,
    /// The age of the oldest event when it arrived, in milliseconds.
    pub lag_ms: u64,
    /// The ids of the sink's test events.
    tests: Vec<String>,
    ignored_by: String,
}

impl Report {
    pub(crate) fn of_batch(&mut self, batch: &Batch, now: Timestamp) {
        self.received = batch.received;
        self.ignored = batch.ignored.values().sum();
        self.rejected = batch.rejected.len();
        self.torn = batch.torn;
        self.tests.clone_from(&batch.tests);
        let reasons: Vec<String> = batch
            .ignored
            .iter()
            .map(|(reason, count)| format!("{}={count}", reason.name()))
            .collect();
        self.ignored_by = reasons.join(" ");
        let oldest = batch.facts.iter().map(|fact| now.since(fact.at)).max();
        self.lag_ms = oldest.map_or(0, |lag| u64::try_from(lag.as_millis()).unwrap_or(u64::MAX));
    }

    /// Writes the log line and the figures.
    pub(crate) fn log(&self, status: StatusCode, now: Timestamp) {
        self.tell(status, now);
        let status = status.as_u16();
        for test_id in &self.tests {
            tracing::info!(test_id, "the sink's test event arrived");
        }
        if let Some(cause) = self.refused {
            tracing::warn!(status, cause, "refused: not proven to be Twilio's");
            return;
        }
        tracing::info!(
            status,
            received = self.received,
            ignored = self.ignored,
            ignored_by = self.ignored_by,
            rejected = self.rejected,
            torn = self.torn,
            channels = self.channels,
            written = self.written,
            unchanged = self.unchanged,
            replies = self.replies,
            lag_ms = self.lag_ms,
            "events taken in"
        );
    }

    /// Repeated events are counted as what they are: records that said so already.
    fn tell(&self, status: StatusCode, now: Timestamp) {
        // The URL is public. Only a request that carries a signature can be Twilio's.
        let unsigned = self.refused == Some(Refusal::SignatureMissing.name());
        tracing::info!(
            target: metrics::TARGET,
            at_ms = now.as_millis(),
            Received = self.received,
            Ignored = self.ignored,
            Unchanged = self.unchanged,
            Rejected = self.rejected,
            BadSignature = u64::from(self.refused.is_some() && !unsigned),
            Unsigned = u64::from(unsigned),
            Unavailable = u64::from(self.is_our_fault(status)),
            LagMilliseconds = self.lag_ms,
        );
    }

    /// Returns true if the request could not be served for a reason on our side: it is proven to
    /// be Twilio's, or no key was ever read that could prove it. A 503 for a signature of an
    /// unknown key does not count, since strangers can cause it at any time.
    fn is_our_fault(&self, status: StatusCode) -> bool {
        status == StatusCode::SERVICE_UNAVAILABLE && self.refused.is_none()
    }
}
