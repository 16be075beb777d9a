//! What is held open: Proxy sessions, and Conversations that are not closed.

use std::collections::BTreeSet;

use domain::orphan::{classify, classify_closely};
use domain::{
    Channel, ChannelSid, ChatServiceSid, Held, HeldOpenBy, Orphan, Outcome, Participants, Progress,
    ProxyServiceSid, ProxySessionSid, SkipReason, Timestamp, Verdict, WorkspaceSid,
};
use futures::stream::{self, StreamExt};
use store::{Saved, StoreError, Versioned};
use twilio::rest::{
    Client, ConversationFilter, ConversationState, Cursor, ListFailure, TwilioError,
};

use super::Trouble;
use super::report::{Finding, Found, Reconciled};
use crate::Sweep;
use crate::live::Live;
use crate::run::Watch;

/// Reads the lists.
pub(super) struct Lister<'a> {
    pub(super) sweep: &'a Sweep,
    pub(super) twilio: &'a Client,
    pub(super) workspace: WorkspaceSid,
    pub(super) service: ChatServiceSid,
    /// The open tasks, once they are listed.
    pub(super) live: Option<Live>,
    pub(super) watch: Watch,
    pub(super) writes: bool,
    pub(super) found: &'a (dyn Fn(Found) + Send + Sync),
}

/// One entry of a list.
#[derive(Clone, Copy)]
struct Entry {
    channel: ChannelSid,
    by: HeldOpenBy,
    quiet_since: Option<Timestamp>,
    session: Option<ProxySessionSid>,
}

/// An entry with its record, as it was read and as it is now known to be.
struct Candidate {
    entry: Entry,
    before: Option<Versioned>,
    known: Option<Channel>,
}

/// What became of an entry.
enum Came {
    Found(Finding),
    SkipReason(SkipReason),
    Deferred,
}

impl Lister<'_> {
    pub(super) async fn page_of_sessions(
        &mut self,
        service: ProxyServiceSid,
        cursor: Option<&Cursor>,
        report: &mut Reconciled,
    ) -> Result<Option<Cursor>, Trouble> {
        let page = self.twilio.open_proxy_sessions(service, cursor).await?;
        report.pages += 1;
        report.sessions += page.items.len();
        report.odd_entries += page.unreadable;
        let mut entries = Vec::with_capacity(page.items.len());
        for session in page.items {
            let Some(channel) = session.channel else {
                report.spare(SkipReason::NotAChannel);
                continue;
            };
            entries.push(Entry {
                channel,
                by: HeldOpenBy::Session,
                quiet_since: session.last_interaction_at.max(session.created_at),
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
    ) -> Result<Option<Cursor>, Trouble> {
        let page = self
            .twilio
            .conversations(self.service, filter, cursor)
            .await?;
        report.pages += 1;
        report.odd_entries += page.unreadable;
        let open = page.items.iter().filter(|seen| match seen.state {
            ConversationState::Active | ConversationState::Inactive => true,
            ConversationState::Closed
            | ConversationState::Initializing
            | ConversationState::Unknown => false,
        });
        let entries: Vec<Entry> = open
            .map(|seen| Entry {
                channel: seen.sid,
                by: HeldOpenBy::Conversation,
                quiet_since: seen.updated_at.max(seen.created_at),
                session: None,
            })
            .collect();
        report.conversations += entries.len();
        self.all(entries, report).await?;
        Ok(page.next)
    }

    /// Judges the entries of a page, side by side.
    async fn all(&mut self, entries: Vec<Entry>, report: &mut Reconciled) -> Result<(), Trouble> {
        let Some(mut live) = self.live.take() else {
            return Ok(());
        };
        let done = self.judge_all(&mut live, entries, report).await;
        live.forget_channels();
        self.live = Some(live);
        done
    }

    async fn judge_all(
        &self,
        live: &mut Live,
        entries: Vec<Entry>,
        report: &mut Reconciled,
    ) -> Result<(), Trouble> {
        let at_once = self.sweep.settings.plan.concurrency;
        let listed = &*live;
        let read: Vec<(Entry, Result<Candidate, Trouble>)> = stream::iter(entries)
            .map(|entry| async move { (entry, self.read_record(listed, entry).await) })
            .buffer_unordered(at_once)
            .collect()
            .await;
        let mut known = Vec::with_capacity(read.len());
        for (entry, candidate) in read {
            match candidate {
                Ok(candidate) => known.push(candidate),
                Err(trouble) => put_off(entry.channel, trouble, report)?,
            }
        }
        // Most are chats in full swing, of which the record names an open task. Only for the
        // others TaskRouter has to be asked whether some task names them.
        let in_doubt: BTreeSet<ChannelSid> = known
            .iter()
            .filter(|candidate| !matches!(self.classify(candidate), Verdict::Skip(_)))
            .map(|candidate| candidate.entry.channel)
            .collect();
        live.look_for(self.twilio, in_doubt).await?;
        let live = &*live;
        let mut came = stream::iter(known)
            .map(|candidate| self.one(live, candidate))
            .buffer_unordered(at_once);
        while let Some((channel, came)) = came.next().await {
            match came {
                Err(trouble) => put_off(channel, trouble, report)?,
                Ok(Came::SkipReason(why)) => report.spare(why),
                Ok(Came::Deferred) => report.deferred += 1,
                Ok(Came::Found(finding)) => {
                    report.count(finding);
                    (self.found)(Found { channel, finding });
                }
            }
        }
        Ok(())
    }

    /// Reads the record, and tells it which of its tasks are over.
    async fn read_record(&self, live: &Live, entry: Entry) -> Result<Candidate, Trouble> {
        let before = self.sweep.settings.table.get(entry.channel).await?;
        let mut known = before.as_ref().map(|stored| stored.channel.clone());
        if let Some(known) = &mut known {
            live.tell(self.twilio, known, self.watch.now()).await?;
        }
        Ok(Candidate {
            entry,
            before,
            known,
        })
    }

    fn classify(&self, candidate: &Candidate) -> Verdict {
        let policy = &self.sweep.settings.plan.policy;
        let held = self.held(candidate.entry);
        classify(held, candidate.known.as_ref(), policy, self.watch.now())
    }

    fn held(&self, entry: Entry) -> Held {
        Held {
            by: entry.by,
            quiet_since: entry.quiet_since,
            has_open_task: false,
            ends_sessions: self.sweep.settings.proxy_service.is_some(),
        }
    }

    async fn one(&self, live: &Live, candidate: Candidate) -> (ChannelSid, Result<Came, Trouble>) {
        (
            candidate.entry.channel,
            self.classify_closely(live, candidate).await,
        )
    }

    async fn classify_closely(
        &self,
        live: &Live,
        mut candidate: Candidate,
    ) -> Result<Came, Trouble> {
        let entry = candidate.entry;
        let channel = entry.channel;
        let before = candidate.before.clone();
        let before = before.unwrap_or_else(|| Versioned::absent(channel, entry.by.platform()));
        let mut after = candidate.known.take().unwrap_or(before.channel.clone());
        if live.looked_for(channel) {
            live.tell(self.twilio, &mut after, self.watch.now()).await?;
        }
        candidate.known = candidate.before.is_some().then(|| after.clone());
        let is_open = after.open_tasks().next().is_some();
        if is_open || after.open_tasks().count() != before.channel.open_tasks().count() {
            return Ok(self.changed(&before, after, is_open).await?);
        }
        Ok(match self.classify(&candidate) {
            Verdict::Skip(why) => Came::SkipReason(why),
            Verdict::EndSession => self.end_session(&before, after, entry).await?,
            Verdict::Adopt => self.adopt(&before, after, entry).await?,
            Verdict::LookCloser => {
                match classify_closely(self.held(entry), self.company(entry).await?) {
                    Verdict::Skip(why) => Came::SkipReason(why),
                    Verdict::EndSession => self.end_session(&before, after, entry).await?,
                    Verdict::Adopt | Verdict::LookCloser => {
                        self.adopt(&before, after, entry).await?
                    }
                }
            }
        })
    }

    /// The record is not what the open tasks say.
    async fn changed(
        &self,
        before: &Versioned,
        after: Channel,
        is_open: bool,
    ) -> Result<Came, StoreError> {
        let was_open = before.channel.open_tasks().next().is_some();
        let finding = match (was_open, is_open) {
            // What was seen of it is worth no write.
            (true, true) => return Ok(Came::SkipReason(SkipReason::Live)),
            (false, true) => Finding::FoundOpen,
            (_, false) => Finding::FoundOver,
        };
        self.save(before, after, finding).await
    }

    async fn adopt(
        &self,
        before: &Versioned,
        mut after: Channel,
        entry: Entry,
    ) -> Result<Came, StoreError> {
        after.adopt(Orphan {
            found_at: self.watch.now(),
            held_by: entry.by,
        });
        self.save(before, after, Finding::Orphan(entry.by)).await
    }

    /// The sweep ends the session when its grace is over, as it does after a closing of ours.
    async fn end_session(
        &self,
        before: &Versioned,
        mut after: Channel,
        entry: Entry,
    ) -> Result<Came, StoreError> {
        let Some(session) = entry.session else {
            return Ok(Came::SkipReason(SkipReason::Closed));
        };
        let now = self.watch.now();
        if after.closed_at().is_none() {
            after.adopt(Orphan {
                found_at: now,
                held_by: entry.by,
            });
            let outcome = Outcome::Gone;
            after.note_progress(Progress::Closed { at: now, outcome }, now);
        }
        after.expect_session_end(session, now);
        self.save(before, after, Finding::SessionToEnd).await
    }

    async fn save(
        &self,
        before: &Versioned,
        after: Channel,
        finding: Finding,
    ) -> Result<Came, StoreError> {
        if !self.writes {
            return Ok(Came::Found(finding));
        }
        let saved = self.sweep.settings.table.save(before, after, None).await?;
        Ok(match saved {
            Saved::Written | Saved::Unchanged => Came::Found(finding),
            // They know better, and the next run sees what they left.
            Saved::Conflict(_) => Came::Deferred,
        })
    }

    /// Who is with the customer: at most two requests.
    async fn company(&self, entry: Entry) -> Result<Participants, Trouble> {
        let (service, channel) = (self.service, entry.channel);
        let looked = match entry.by {
            HeldOpenBy::Session => {
                match self.twilio.chat_channel_has_flow(service, channel).await {
                    Ok(true) => Ok(Participants::Flow),
                    Ok(false) => Ok(Participants::Customer),
                    Err(failure) => Err(failure),
                }
            }
            HeldOpenBy::Conversation => self.company_of_conversation(channel).await,
        };
        match looked {
            Ok(company) => Ok(company),
            Err(ListFailure::Twilio(TwilioError::Gone)) => {
                // The same is said of every channel of a service that is not there.
                match entry.by {
                    HeldOpenBy::Session => self.twilio.chat_service_exists(service).await?,
                    HeldOpenBy::Conversation => {
                        self.twilio.conversation_service_exists(service).await?;
                    }
                }
                Ok(Participants::Gone)
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn company_of_conversation(
        &self,
        channel: ChannelSid,
    ) -> Result<Participants, ListFailure> {
        let twilio = self.twilio;
        if !twilio
            .conversation_has_address(self.service, channel)
            .await?
        {
            return Ok(Participants::Strangers);
        }
        Ok(
            match twilio.conversation_has_flow(self.service, channel).await? {
                true => Participants::Flow,
                false => Participants::Customer,
            },
        )
    }
}

/// What stands in the way of one channel alone holds up no other.
fn put_off(channel: ChannelSid, trouble: Trouble, report: &mut Reconciled) -> Result<(), Trouble> {
    match &trouble {
        Trouble::Table(error) if error.is_of_one_channel() => {
            tracing::error!(%channel, %error, "its record cannot be used: not taken up");
        }
        Trouble::List(ListFailure::Twilio(
            error @ (TwilioError::Refused { .. } | TwilioError::Conflict),
        )) => {
            tracing::warn!(%channel, %error, "Twilio will not say who is with it: not taken up");
        }
        Trouble::Table(_) | Trouble::List(_) => return Err(trouble),
    }
    report.deferred += 1;
    Ok(())
}
