//! TaskRouter's log of events, through the same fold as the stream.

use domain::Timestamp;
use futures::stream::{self, StreamExt};
use store::{ChannelEvents, Saved, StoreError};
use twilio::events::Scope;
use twilio::rest::{Cursor, LogQuery};

use super::lister::{Lister, ReadError};
use super::report::{Finding, Found, Reconciled};
use super::{DELIVERY, Position};

impl Lister<'_> {
    pub(super) async fn page_of_log(
        &self,
        place: &Position,
        cursor: Option<&Cursor>,
        report: &mut Reconciled,
    ) -> Result<Option<Cursor>, ReadError> {
        let query = LogQuery {
            from: place.from,
            to: place.to,
            // Twilio takes one type at a time, and all of them for the price of one.
            event_type: None,
        };
        let scope = Scope {
            account: Some(self.sweep.settings.account.sid),
            workspace: Some(self.workspace),
            pairs: self.sweep.settings.pairs.clone(),
        };
        let page = self
            .twilio
            .event_log(self.workspace, query, &scope, cursor)
            .await?;
        let batch = page.batch;
        report.pages += 1;
        report.events += batch.received;
        report.unreadable += batch.rejected.len();
        for rejected in &batch.rejected {
            let (reason, event_sid) = (rejected.reason, rejected.sid.as_deref());
            tracing::warn!(%reason, event_sid, "an event of the log is not readable");
        }
        for (reason, count) in batch.ignored {
            *report.ignored.entry(reason.name()).or_default() += count;
        }
        let channels = ChannelEvents::by_channel(batch.facts);
        let mut folded = stream::iter(channels)
            .map(|events| async move { (events.clone(), self.fold(&events).await) })
            .buffer_unordered(self.sweep.settings.plan.concurrency);
        while let Some((events, learnt)) = folded.next().await {
            let channel = events.channel();
            match learnt {
                Ok(true) => {
                    let finding = Finding::NewFromLog;
                    report.count(finding);
                    report.missed += usize::from(self.is_missed(&events, place.to));
                    (self.found)(Found { channel, finding });
                }
                Ok(false) => {}
                Err(error) if error.is_of_one_channel() => {
                    tracing::error!(%channel, %error, "what the log says of it is not taken in");
                    report.deferred += 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(page.next)
    }

    /// Returns true if the webhook should have brought these events of a log that is read up to
    /// this moment. A channel on which something happened just now does not count, since the
    /// webhook may bring that yet.
    fn is_missed(&self, events: &ChannelEvents, read_to: Timestamp) -> bool {
        let (Some(newest), Some(since)) = (events.newest(), self.webhook_since) else {
            return false;
        };
        newest > since && newest < read_to.minus(DELIVERY)
    }

    /// Folds what the log says of a channel. True if the table did not know it all.
    async fn fold(&self, events: &ChannelEvents) -> Result<bool, StoreError> {
        let table = &self.sweep.settings.table;
        if !self.writes {
            return table.would_change(events).await;
        }
        let folded = table.fold_events(events).await?;
        Ok(matches!(folded.saved, Saved::Written))
    }
}
