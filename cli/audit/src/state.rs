//! The state of an audit: what was found so far, and what is being done.
//!
//! An audit that is dropped in the middle leaves its state behind, so that there is still something
//! to report.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::AddAssign;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::{AccountSid, Platform, Timestamp};
use twilio::rest::TwilioError;

use crate::class::Class;
use crate::error::why;
use crate::report::{
    CheckupFindings, CrowdedUser, EndingTask, FoundChannel, Listed, Report, Sample, SilentPart,
    StuckWrapUp, Unattended, Unheard,
};

/// The work that an audit is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It lists the open tasks and reads TaskRouter's log.
    #[default]
    Log,
    /// It lists what is open.
    Lists,
    /// It asks which tasks of the records are still open.
    Tasks,
    /// It looks at the channels in question.
    Looks {
        /// Those that were looked at.
        looked_at: usize,
        /// All of them.
        of: usize,
    },
    /// Everything was read.
    Finished,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => f.write_str("reading TaskRouter's log"),
            Self::Lists => f.write_str("listing what is open"),
            Self::Tasks => f.write_str("asking for tasks that are not listed"),
            Self::Looks { looked_at, of } => {
                write!(f, "looking at channels: {looked_at} of {of}")
            }
            Self::Finished => f.write_str("finished"),
        }
    }
}

/// A list that is read page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    Log,
    Sessions,
    Active,
    Inactive,
    Users,
}

impl List {
    /// Returns the name by which a report says that it could not be read.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Log => "TaskRouter's log of events",
            Self::Sessions => "Proxy sessions",
            Self::Active => "active Conversations",
            Self::Inactive => "inactive Conversations",
            Self::Users => "the users of the chat service",
        }
    }
}

/// The number of entries of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    pub(crate) read: usize,
    pub(crate) unreadable: usize,
}

impl AddAssign for Entries {
    fn add_assign(&mut self, more: Self) {
        self.read += more.read;
        self.unreadable += more.unreadable;
    }
}

/// The part of a report that does not come from the findings.
pub(crate) struct Heading {
    pub(crate) at: Timestamp,
    pub(crate) account: AccountSid,
    pub(crate) log_from: Timestamp,
    pub(crate) requests: u64,
    pub(crate) throttled: u64,
}

/// The state of an audit, which several looks change side by side.
#[derive(Default)]
pub(crate) struct State(Mutex<Findings>);

/// The findings so far.
#[derive(Default)]
pub(crate) struct Findings {
    phase: Phase,
    stopped: bool,
    silent_in_a_row: usize,
    refused: BTreeSet<Platform>,
    lists: BTreeMap<List, Entries>,
    pub(crate) open_tasks: usize,
    candidates: Option<usize>,
    looked_at: usize,
    classes: BTreeMap<Class, usize>,
    channels: Vec<FoundChannel>,
    pub(crate) stuck_wrap_ups: Vec<StuckWrapUp>,
    pub(crate) ending_tasks: Vec<EndingTask>,
    pub(crate) crowded_users: Vec<CrowdedUser>,
    pub(crate) checkup: Option<CheckupFindings>,
    silent_parts: Vec<SilentPart>,
}

impl State {
    /// Counts a channel that needs no look.
    pub(crate) fn count(&self, found: FoundChannel) {
        self.change(|state| state.add(found));
    }

    /// Notes how many channels are in question, and how many of them are to be looked at.
    pub(crate) fn begin_looks(&self, candidates: usize, chosen: usize) {
        self.change(|state| {
            state.candidates = Some(candidates);
            state.phase = Phase::Looks {
                looked_at: 0,
                of: chosen,
            };
        });
    }

    /// Counts a channel that was looked at.
    pub(crate) fn looked_at(&self, found: FoundChannel) {
        self.change(|state| {
            state.looked_at += 1;
            state.add(found);
        });
    }

    /// Notes that a platform's channels cannot be read.
    pub(crate) fn refuse(&self, platform: Platform, why: String) {
        let part = match platform {
            Platform::Chat => "Programmable Chat channels",
            Platform::Conversations => "single Conversations",
        };
        let is_new = self.change(|state| state.refused.insert(platform));
        if is_new {
            self.silence(part, &why);
        }
    }

    pub(crate) fn is_refused(&self, platform: Platform) -> bool {
        self.lock().refused.contains(&platform)
    }

    /// Ends the looks, once.
    pub(crate) fn stop(&self, why: String) {
        let is_new = !self.change(|state| std::mem::replace(&mut state.stopped, true));
        if is_new {
            self.silence("the other channels", &why);
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Notes that Twilio did not answer, and returns how many times in a row that was.
    pub(crate) fn note_silence(&self) -> usize {
        self.change(|state| {
            state.silent_in_a_row += 1;
            state.silent_in_a_row
        })
    }

    pub(crate) fn note_answer(&self) {
        self.change(|state| state.silent_in_a_row = 0);
    }

    /// Notes how much of a list was read by now.
    pub(crate) fn note_read(&self, list: List, entries: Entries) {
        self.change(|state| state.lists.insert(list, entries));
    }

    /// Notes what is being done.
    pub(crate) fn begin(&self, phase: Phase) {
        self.change(|state| state.phase = phase);
    }

    pub(crate) fn phase(&self) -> Phase {
        let state = self.lock();
        match state.phase {
            Phase::Looks { of, .. } => Phase::Looks {
                looked_at: state.looked_at,
                of,
            },
            other @ (Phase::Log | Phase::Lists | Phase::Tasks | Phase::Finished) => other,
        }
    }

    /// Returns an answer, or notes that its part of the audit says nothing.
    pub(crate) fn heard<T>(&self, part: &str, answer: Result<T, TwilioError>) -> Option<T> {
        answer
            .map_err(|error| self.silence(part, &why(&error)))
            .ok()
    }

    /// Notes that a part of the audit says nothing, once.
    pub(crate) fn silence(&self, part: &str, why: &str) {
        let silent = SilentPart {
            part: part.to_owned(),
            why: why.to_owned(),
        };
        self.change(|state| {
            if !state.silent_parts.contains(&silent) {
                state.silent_parts.push(silent);
            }
        });
    }

    /// Returns what was found so far.
    pub(crate) fn report(&self, heading: Heading) -> Report {
        let state = self.lock();
        let is_finished = state.phase == Phase::Finished;
        let mut channels = state.channels.clone();
        channels.sort_by_key(|channel| (channel.since_ms, channel.channel_sid));
        let looked_at = state.looked_at;
        let in_question = state.candidates.filter(|count| looked_at < *count);
        let sample = in_question.map(|candidates| Sample {
            looked_at,
            candidates,
        });
        let listed = state.listed();
        let unreadable = listed.unreadable_events + listed.unreadable_entries;
        let unread = state.classes.get(&Class::Unreadable).copied();
        Report {
            at_ms: heading.at,
            account_sid: heading.account,
            log_from_ms: heading.log_from,
            whole: is_finished
                && state.silent_parts.is_empty()
                && sample.is_none()
                && unreadable + unread.unwrap_or_default() == 0,
            interrupted: !is_finished,
            listed,
            candidates: state.candidates,
            sample,
            unattended: Unattended::among(&channels, heading.at),
            classes: state.classes.clone(),
            unheard: Unheard::among(&channels, heading.at),
            channels,
            stuck_wrap_ups: state.stuck_wrap_ups.clone(),
            ending_tasks: state.ending_tasks.clone(),
            crowded_users: state.crowded_users.clone(),
            checkup: state.checkup.clone(),
            silent_parts: state.silent_parts.clone(),
            requests: heading.requests,
            throttled: heading.throttled,
        }
    }

    /// Changes the findings.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Findings) -> T) -> T {
        change(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Findings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Findings {
    fn listed(&self) -> Listed {
        let of = |list| self.lists.get(&list).copied().unwrap_or_default();
        let (log, mut conversations) = (of(List::Log), of(List::Active));
        conversations += of(List::Inactive);
        let (sessions, users) = (of(List::Sessions), of(List::Users));
        Listed {
            events: log.read,
            unreadable_events: log.unreadable,
            open_tasks: self.open_tasks,
            sessions: sessions.read,
            conversations: conversations.read,
            users: users.read,
            unreadable_entries: sessions.unreadable + conversations.unreadable + users.unreadable,
        }
    }

    fn add(&mut self, found: FoundChannel) {
        *self.classes.entry(found.class).or_default() += 1;
        match found.class {
            Class::Clean | Class::OpenTask | Class::Young => {}
            Class::Unattended
            | Class::AgentPresent
            | Class::Left
            | Class::Paused
            | Class::Parked
            | Class::WithProgram
            | Class::Waiting
            | Class::InTransition
            | Class::Unclear
            | Class::Unreadable => self.channels.push(found),
        }
    }
}
