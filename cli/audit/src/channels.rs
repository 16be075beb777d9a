//! The channels in question: sorted by their records and by what the lists say, then looked at as
//! the sweep would, several at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

use domain::{
    Channel, ChannelSid, HeldOpen, Orphan, Platform, ReconcileDecision, SkipReason, SweepDecision,
    decide_reconcile, decide_sweep,
};
use futures::stream::{self, StreamExt};
use runtime::clock::Watch;
use sweep::{LookError, OpenTasks, PortionLook, Reader};
use twilio::rest::{CHANNELS_PER_QUESTION, TwilioError};

use crate::class::Class;
use crate::error::why;
use crate::judge::{Held, Terms, judge, unread};
use crate::order::Order;
use crate::state::{Phase, State};

/// The number of failures in a row after which Twilio is taken to be down.
const DOWN_AFTER: usize = 10;

/// The content of the lists.
pub(crate) struct Listing {
    pub(crate) records: BTreeMap<ChannelSid, Channel>,
    pub(crate) held: BTreeMap<ChannelSid, Held>,
    /// The Conversations were listed to their end.
    pub(crate) knows_conversations: bool,
}

/// Looks at channels.
pub(crate) struct Looker<'a> {
    pub(crate) order: &'a Order,
    pub(crate) state: &'a State,
    pub(crate) watch: Watch,
    pub(crate) reader: Reader,
    pub(crate) open_tasks: &'a OpenTasks,
}

/// One channel, as it is known before it is looked at.
struct Candidate {
    record: Channel,
    held: Option<Held>,
}

/// Either a class that needs no look, or a channel to look at.
enum Sorted {
    Class(Class),
    Candidate,
}

impl Looker<'_> {
    /// Sorts every channel that is known, looks at those in question and puts all into the
    /// report. The channels are looked at in the order of their SIDs, which are random, so that
    /// the first of them are a fair sample of all.
    pub(crate) async fn all(&self, listing: Listing) {
        let Listing {
            mut records,
            held,
            knows_conversations,
        } = listing;
        for (sid, one) in &held {
            let unknown = || Channel::new(*sid, one.by.platform());
            records.entry(*sid).or_insert_with(unknown);
        }
        let state = self.state;
        state.begin(Phase::Tasks);
        let at_once = self.order.concurrency;
        let mut refreshed = pin!(
            stream::iter(records)
                .map(|(sid, record)| self.refresh(record, held.get(&sid).copied()))
                .buffered(at_once)
        );
        // A record that needs no look is dropped at once: most of an audit's memory is records.
        let (mut candidates, mut others) = (Vec::new(), Vec::new());
        while let Some(candidate) = refreshed.next().await {
            let Some(candidate) = candidate else { continue };
            match self.sort(&candidate, knows_conversations) {
                Sorted::Class(class) => others.push(unread(&candidate.record, class)),
                Sorted::Candidate => candidates.push(candidate),
            }
        }
        others.into_iter().for_each(|one| state.count(one));
        let in_question = candidates.len();
        candidates.truncate(self.order.sample.unwrap_or(usize::MAX));
        state.begin_looks(in_question, candidates.len());
        stream::iter(candidates)
            .chunks(CHANNELS_PER_QUESTION)
            .map(|portion| self.ask_about(portion))
            .buffered(1)
            .flat_map(stream::iter)
            .map(|(candidate, look)| self.one(candidate, look))
            .buffer_unordered(at_once)
            .for_each(|()| std::future::ready(()))
            .await;
    }

    /// Lets a record absorb which of its tasks are open. A task that the record holds for open
    /// and the list does not costs a request.
    async fn refresh(&self, mut record: Channel, held: Option<Held>) -> Option<Candidate> {
        if self.state.is_stopped() {
            return None;
        }
        let (twilio, now) = (&self.reader.twilio, self.watch.now());
        let refreshed = self.open_tasks.refresh(twilio, None, &mut record, now);
        match refreshed.await {
            Ok(()) => Some(Candidate { record, held }),
            Err(error) => {
                self.fail(&record, &error);
                None
            }
        }
    }

    fn sort(&self, candidate: &Candidate, knows_conversations: bool) -> Sorted {
        let Candidate { record, held } = candidate;
        let (policy, now) = (&self.order.policy, self.watch.now());
        if record.open_tasks().next().is_some() {
            return Sorted::Class(Class::OpenTask);
        }
        if record.idle().is_none() {
            let Some(held) = held else {
                return Sorted::Class(Class::Unclear);
            };
            let open = HeldOpen {
                by: held.by,
                since: held.since,
                has_open_task: false,
                ends_sessions: self.order.proxy_service.is_some(),
            };
            return match decide_reconcile(open, None, policy, now) {
                ReconcileDecision::Skip(SkipReason::Young) => Sorted::Class(Class::Young),
                ReconcileDecision::Skip(_) => Sorted::Class(Class::Unclear),
                ReconcileDecision::Adopt
                | ReconcileDecision::EndSession
                | ReconcileDecision::CloseAgain => Sorted::Candidate,
            };
        }
        let is_listed = held.is_some() || !knows_conversations;
        if record.platform() == Platform::Conversations && !is_listed {
            return Sorted::Class(Class::Clean);
        }
        match decide_sweep(record, policy, now) {
            SweepDecision::Look => Sorted::Candidate,
            SweepDecision::Nothing
            | SweepDecision::Wait(_)
            | SweepDecision::EndSession(_)
            | SweepDecision::Inspect(_) => Sorted::Class(Class::Waiting),
        }
    }

    /// Asks TaskRouter which open tasks name a channel of the portion.
    async fn ask_about(
        &self,
        portion: Vec<Candidate>,
    ) -> Vec<(Candidate, Option<Arc<PortionLook>>)> {
        let channels: BTreeSet<ChannelSid> = portion.iter().map(|one| one.record.sid()).collect();
        let look = match self.state.is_stopped() {
            true => None,
            false => {
                let (twilio, now) = (&self.reader.twilio, self.watch.now());
                let asked = self.open_tasks.look_for(twilio, channels, now).await;
                if let Err(error) = &asked {
                    self.note(error);
                }
                asked.ok().map(Arc::new)
            }
        };
        portion.into_iter().map(|one| (one, look.clone())).collect()
    }

    /// Looks at one channel, exactly as the sweep would.
    async fn one(&self, candidate: Candidate, look: Option<Arc<PortionLook>>) {
        let Candidate { mut record, held } = candidate;
        if self.state.is_stopped() {
            return;
        }
        let (order, state) = (self.order, self.state);
        let is_refused = state.is_refused(record.platform());
        let Some(look) = look.filter(|_| !is_refused) else {
            return state.looked_at(unread(&record, Class::Unreadable));
        };
        let now = self.watch.now();
        let twilio = &self.reader.twilio;
        let refreshed = self
            .open_tasks
            .refresh(twilio, Some(&look), &mut record, now);
        if let Err(error) = refreshed.await {
            self.note(&error);
            return state.looked_at(unread(&record, Class::Unreadable));
        }
        if record.open_tasks().next().is_some() {
            return state.looked_at(unread(&record, Class::OpenTask));
        }
        if record.idle().is_none()
            && let Some(held) = held
        {
            record.adopt(Orphan {
                found_at: now,
                held_by: held.by,
                session: held.session,
            });
        }
        let looked = self.reader.look(&mut record, &order.policy, now);
        match looked.await {
            Ok(look) => {
                let Order {
                    unheard,
                    rescue_within,
                    ..
                } = *order;
                let terms = Terms {
                    unheard,
                    rescue_within,
                    now,
                };
                state.note_answer();
                state.looked_at(judge(&record, &look, held, terms));
            }
            Err(error) => {
                self.note_look(&error, record.platform());
                state.looked_at(unread(&record, Class::Unreadable));
            }
        }
    }

    fn fail(&self, record: &Channel, error: &TwilioError) {
        self.note(error);
        self.state.count(unread(record, Class::Unreadable));
    }

    fn note_look(&self, error: &LookError, platform: Platform) {
        match error {
            LookError::Twilio(error @ TwilioError::Unauthorized { status: 403, .. }) => {
                self.state.refuse(platform, why(error));
            }
            LookError::Twilio(error) => self.note(error),
            LookError::NoSuchService(_) => self.state.refuse(platform, error.to_string()),
            LookError::NotAnObject => {}
        }
    }

    /// Ends the looks where no other request would fare better.
    fn note(&self, error: &TwilioError) {
        match error {
            TwilioError::Unauthorized { .. } => self.state.stop(why(error)),
            TwilioError::Unreachable { .. } | TwilioError::Throttled { .. } => {
                if self.state.note_silence() >= DOWN_AFTER {
                    self.state.stop(why(error));
                }
            }
            TwilioError::Gone | TwilioError::Conflict | TwilioError::Refused { .. } => {}
        }
    }
}
