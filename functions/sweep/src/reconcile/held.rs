//! The lists of things that are held open: Proxy sessions, and Conversations that are not closed.

use std::collections::BTreeSet;

use domain::{
    Channel, ChannelSid, HeldOpen, HeldOpenBy, Orphan, ProxyServiceSid, ProxySessionSid,
    ReconcileDecision, SkipReason, Timestamp, decide_reconcile,
};
use futures::stream::{self, StreamExt};
use store::{Saved, StoreError, Versioned};
use twilio::rest::{ConversationFilter, Cursor, ListFailure, TwilioError};

use super::lister::{Lister, ReadError};
use super::report::{Finding, Found, Reconciled};
use crate::open_tasks::{OpenTasks, PortionLook};

/// The most channels that one question to TaskRouter names.
const CHANNELS_PER_QUESTION: usize = 40;

/// One entry of a list.
#[derive(Clone, Copy)]
struct Entry {
    channel: ChannelSid,
    by: HeldOpenBy,
    since: Option<Timestamp>,
    session: Option<ProxySessionSid>,
}

/// An entry with its record, as it was read and as it is now known to be.
#[derive(Clone)]
struct Candidate {
    entry: Entry,
    before: Option<Versioned>,
    known: Option<Channel>,
}

/// The result for an entry.
enum EntryResult {
    Found(Finding),
    Skipped(SkipReason),
    Deferred,
}

impl Lister<'_> {
    pub(super) async fn page_of_sessions(
        &mut self,
        service: ProxyServiceSid,
        cursor: Option<&Cursor>,
        report: &mut Reconciled,
    ) -> Result<Option<Cursor>, ReadError> {
        let page = self.twilio.open_proxy_sessions(service, cursor).await?;
        report.pages += 1;
        report.sessions += page.items.len();
        report.unreadable_entries += page.unreadable;
        let mut entries = Vec::with_capacity(page.items.len());
        for session in page.items {
            let Some(channel) = session.channel else {
                report.skip(SkipReason::NotAChannel);
                continue;
            };
            entries.push(Entry {
                channel,
                by: HeldOpenBy::Session,
                since: session.last_interaction_at.max(session.created_at),
                session: Some(session.sid),
            });
        }
        self.all(entries, report).await?;
        Ok(page.next)
    }

    pub(super) async fn page_of_conversations(
        &mut self,
        filter: ConversationFilter,
        cursor: Option<&Cursor>,
        report: &mut Reconciled,
    ) -> Result<Option<Cursor>, ReadError> {
        let page = self
            .twilio
            .conversations(self.service, filter, cursor)
            .await?;
        report.pages += 1;
        report.unreadable_entries += page.unreadable;
        let open = page.items.iter().filter(|seen| seen.state.is_held_open());
        let entries: Vec<Entry> = open
            .map(|seen| Entry {
                channel: seen.sid,
                by: HeldOpenBy::Conversation,
                since: seen.created_at,
                session: None,
            })
            .collect();
        report.conversations += entries.len();
        self.all(entries, report).await?;
        Ok(page.next)
    }

    /// Sorts the entries of a page, side by side.
    async fn all(&mut self, entries: Vec<Entry>, report: &mut Reconciled) -> Result<(), ReadError> {
        let Some(open_tasks) = self.open_tasks.take() else {
            return Ok(());
        };
        let done = self.sort_all(&open_tasks, entries, report).await;
        self.open_tasks = Some(open_tasks);
        done
    }

    async fn sort_all(
        &self,
        open_tasks: &OpenTasks,
        entries: Vec<Entry>,
        report: &mut Reconciled,
    ) -> Result<(), ReadError> {
        let at_once = self.sweep.settings.plan.concurrency;
        let read: Vec<(Entry, Result<Candidate, ReadError>)> = stream::iter(entries)
            .map(|entry| async move { (entry, self.read_record(open_tasks, entry).await) })
            .buffer_unordered(at_once)
            .collect()
            .await;
        let mut known = Vec::with_capacity(read.len());
        for (entry, candidate) in read {
            match candidate {
                Ok(candidate) => known.push(candidate),
                Err(error) => put_off(entry.channel, error, report)?,
            }
        }
        // Most are chats in full swing, of which the record names an open task. Only for the
        // others TaskRouter has to be asked whether some task names them.
        let (settled, in_doubt): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|candidate| matches!(self.classify(candidate), ReconcileDecision::Skip(_)));
        for candidate in settled {
            match self.one(open_tasks, None, candidate).await {
                (_, Ok(EntryResult::Skipped(why))) => report.skip(why),
                (channel, result) => self.count(channel, result, report)?,
            }
        }
        for portion in in_doubt.chunks(CHANNELS_PER_QUESTION) {
            let channels: BTreeSet<ChannelSid> =
                portion.iter().map(|one| one.entry.channel).collect();
            let asked = open_tasks.look_for(self.twilio, channels, self.watch.now());
            let look = match asked.await {
                Ok(look) => look,
                // TaskRouter was busy: these wait for the next run, the others do not.
                Err(TwilioError::Throttled { .. }) => {
                    report.deferred += portion.len();
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let mut results = stream::iter(portion.to_vec())
                .map(|candidate| self.one(open_tasks, Some(&look), candidate))
                .buffer_unordered(at_once);
            while let Some((channel, result)) = results.next().await {
                self.count(channel, result, report)?;
            }
        }
        Ok(())
    }

    fn count(
        &self,
        channel: ChannelSid,
        result: Result<EntryResult, ReadError>,
        report: &mut Reconciled,
    ) -> Result<(), ReadError> {
        match result {
            Err(error) => put_off(channel, error, report)?,
            Ok(EntryResult::Skipped(why)) => report.skip(why),
            Ok(EntryResult::Deferred) => report.deferred += 1,
            Ok(EntryResult::Found(finding)) => {
                report.count(finding);
                (self.found)(Found { channel, finding });
            }
        }
        Ok(())
    }

    /// Reads the record, and lets it absorb which of its tasks are over.
    async fn read_record(
        &self,
        open_tasks: &OpenTasks,
        entry: Entry,
    ) -> Result<Candidate, ReadError> {
        let before = self.sweep.settings.table.get(entry.channel).await?;
        let mut known = before.as_ref().map(|stored| stored.channel.clone());
        if let Some(known) = &mut known {
            let now = self.watch.now();
            open_tasks.refresh(self.twilio, None, known, now).await?;
        }
        Ok(Candidate {
            entry,
            before,
            known,
        })
    }

    fn classify(&self, candidate: &Candidate) -> ReconcileDecision {
        let settings = &self.sweep.settings;
        let held = HeldOpen {
            by: candidate.entry.by,
            since: candidate.entry.since,
            has_open_task: false,
            ends_sessions: settings.proxy_service.is_some(),
        };
        let known = candidate.known.as_ref();
        decide_reconcile(held, known, &settings.plan.policy, self.watch.now())
    }

    async fn one(
        &self,
        open_tasks: &OpenTasks,
        look: Option<&PortionLook>,
        candidate: Candidate,
    ) -> (ChannelSid, Result<EntryResult, ReadError>) {
        let channel = candidate.entry.channel;
        (channel, self.sort_one(open_tasks, look, candidate).await)
    }

    async fn sort_one(
        &self,
        open_tasks: &OpenTasks,
        look: Option<&PortionLook>,
        mut candidate: Candidate,
    ) -> Result<EntryResult, ReadError> {
        let entry = candidate.entry;
        let before = candidate.before.clone();
        let before =
            before.unwrap_or_else(|| Versioned::absent(entry.channel, entry.by.platform()));
        let mut after = candidate.known.take().unwrap_or(before.channel.clone());
        if look.is_some() {
            let now = self.watch.now();
            open_tasks
                .refresh(self.twilio, look, &mut after, now)
                .await?;
        }
        candidate.known = candidate.before.is_some().then(|| after.clone());
        let is_open = after.open_tasks().next().is_some();
        if is_open || after.open_tasks().count() != before.channel.open_tasks().count() {
            return Ok(self.changed(&before, after, is_open).await?);
        }
        let now = self.watch.now();
        let finding = match self.classify(&candidate) {
            ReconcileDecision::Skip(why) => return Ok(EntryResult::Skipped(why)),
            ReconcileDecision::Adopt => {
                after.adopt(Orphan {
                    found_at: now,
                    held_by: entry.by,
                    session: entry.session,
                });
                Finding::Orphan(entry.by)
            }
            ReconcileDecision::EndSession => {
                let Some(session) = entry.session else {
                    return Ok(EntryResult::Skipped(SkipReason::Closed));
                };
                after.expect_session_end(session, now);
                Finding::SessionToEnd
            }
            ReconcileDecision::CloseAgain => {
                after.begin_cleanup_again();
                Finding::StillOpen
            }
        };
        Ok(self.save(&before, after, finding).await?)
    }

    /// The record is not what the open tasks say.
    async fn changed(
        &self,
        before: &Versioned,
        after: Channel,
        is_open: bool,
    ) -> Result<EntryResult, StoreError> {
        let was_open = before.channel.open_tasks().next().is_some();
        let finding = match (was_open, is_open) {
            // What was seen of it is worth no write.
            (true, true) => return Ok(EntryResult::Skipped(SkipReason::OpenTask)),
            (false, true) => Finding::FoundOpen,
            (_, false) => Finding::FoundOver,
        };
        self.save(before, after, finding).await
    }

    async fn save(
        &self,
        before: &Versioned,
        after: Channel,
        finding: Finding,
    ) -> Result<EntryResult, StoreError> {
        if !self.writes {
            return Ok(EntryResult::Found(finding));
        }
        let saved = self.sweep.settings.table.save(before, after, None).await?;
        Ok(match saved {
            Saved::Written | Saved::Unchanged => EntryResult::Found(finding),
            // It was written meanwhile, and the next run sees what stands there.
            Saved::Conflict(_) => EntryResult::Deferred,
        })
    }
}

/// Passes a result on. An obstacle to one channel alone holds up no other.
fn put_off(
    channel: ChannelSid,
    error: ReadError,
    report: &mut Reconciled,
) -> Result<(), ReadError> {
    match &error {
        ReadError::Table(why) if why.is_of_one_channel() => {
            tracing::error!(%channel, %why, "its record cannot be used: put off");
        }
        ReadError::List(ListFailure::Twilio(
            why @ (TwilioError::Refused { .. } | TwilioError::Conflict),
        )) => {
            tracing::warn!(%channel, %why, "Twilio refuses its task: put off");
        }
        ReadError::Table(_) | ReadError::List(_) => return Err(error),
    }
    report.deferred += 1;
    Ok(())
}
