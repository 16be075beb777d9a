//! One audit: its lists, its looks, and its findings so far.
//!
//! The log and the open tasks are read before anything that a task may hold open, so that a chat
//! that begins in between does not look forgotten. Then come the lists and the checkup, side by
//! side, and then the channels in question. What was found stands in the state, so that an audit
//! that is dropped in the middle has still something to report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use checkup::{Expectations, Snapshot};
use domain::{
    AccountSid, ChannelSid, ChatServiceSid, MAX_ASSIGNED, Platform, Policy, ProxyServiceSid,
    TaskSid, Timestamp, WorkspaceSid,
};
use runtime::access::FlexIds;
use sweep::{OpenTasks, Reader};
use tokio::time::Instant;
use twilio::rest::{Client, StateFilter, TwilioError};

use crate::channels::{Listing, Looker};
use crate::class::Class;
use crate::error::{AuditError, why};
use crate::lists::{self, HeldChannels};
use crate::report::{
    CheckupFindings, CrowdedUser, EndingTask, Finding, FoundChannel, Listed, Report, Sample,
    Severity, SilentPart, StuckWrapUp, Unattended, Unheard,
};

/// The longest part of TaskRouter's log: it is kept for 30 days
/// (<https://www.twilio.com/docs/taskrouter/api/event>).
pub const LOG_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A task is reported so long before TaskRouter deletes it.
const ENDING_WITHIN: Duration = Duration::from_secs(4 * 60 * 60);

/// The order for an audit: the project, the policy and the limits.
#[derive(Clone, Debug)]
pub struct Order {
    /// The account.
    pub account: AccountSid,
    /// The TaskRouter workspace; the Flex configuration's where absent.
    pub workspace: Option<WorkspaceSid>,
    /// The chat service; the Flex configuration's where absent.
    pub chat_service: Option<ChatServiceSid>,
    /// The Proxy service; the one that belongs to the chat service where absent.
    pub proxy_service: Option<ProxyServiceSid>,
    /// The URL of our own webhook, so that it is not taken for a program's.
    pub webhook_url: Option<String>,
    /// The policy of the sweep that would act.
    pub policy: Policy,
    /// The set-up that the checkup wants.
    pub wanted: Expectations,
    /// The part of TaskRouter's log to read, [`LOG_KEPT`] at most.
    pub since: Duration,
    /// The most channels to look at; all where absent.
    pub sample: Option<usize>,
    /// The number of channels that are looked at side by side.
    pub concurrency: usize,
}

/// One audit. It only reads.
pub struct Audit {
    pub(crate) order: Order,
    twilio: Client,
    started: Timestamp,
    began: Instant,
    state: Mutex<State>,
}

/// The findings so far.
#[derive(Default)]
struct State {
    finished: bool,
    stopped: bool,
    silent_in_a_row: usize,
    refused: BTreeSet<Platform>,
    listed: Listed,
    candidates: usize,
    looked_at: usize,
    classes: BTreeMap<Class, usize>,
    channels: Vec<FoundChannel>,
    stuck_wrap_ups: Vec<StuckWrapUp>,
    ending_tasks: Vec<EndingTask>,
    crowded_users: Vec<CrowdedUser>,
    checkup: Option<CheckupFindings>,
    silent_parts: Vec<SilentPart>,
}

impl Audit {
    /// Returns an audit that asks by this client and began at this time.
    pub fn new(twilio: Client, order: Order, now: Timestamp) -> Self {
        Self {
            order,
            twilio,
            started: now,
            began: Instant::now(),
            state: Mutex::default(),
        }
    }

    /// Audits. Nothing is written anywhere. What was found by then is in [`Audit::report`] at any
    /// time, also if the future is dropped.
    ///
    /// # Errors
    ///
    /// Fails if nothing can be audited: the credentials are refused, Twilio does not answer, or
    /// there is no Flex project. What else cannot be read silences its part of the report.
    pub async fn run(&self) -> Result<(), AuditError> {
        let order = &self.order;
        let twilio = &self.twilio;
        let ids = FlexIds::look_up(twilio, order.workspace, order.chat_service).await?;
        let from = self.log_from();
        let (log, open_tasks) = tokio::join!(
            lists::log(twilio, order.account, ids.workspace, from, self.started),
            OpenTasks::list(twilio, ids.workspace, self.started),
        );
        // With both SIDs set, these are the first requests.
        for error in [log.as_ref().err(), open_tasks.as_ref().err()] {
            if let Some(TwilioError::Unauthorized { status: 401, .. }) = error {
                return Err(AuditError::Unauthorized);
            }
        }
        let log = self.heard("TaskRouter's log of events", log);
        let open_tasks = self.heard("TaskRouter's open tasks", open_tasks);
        let log = log.unwrap_or_default();
        self.change(|state| {
            state.listed.events = log.events;
            state.listed.unreadable_events = log.unreadable;
        });
        if let Some(open_tasks) = &open_tasks {
            self.note_tasks(open_tasks, &log.accepted);
        }
        let Some(service) = ids.chat_service else {
            self.silence("the chat service", "the Flex configuration names none");
            self.check_up().await;
            return self.finish();
        };
        let ((), (), sessions, active, inactive) = tokio::join!(
            self.check_up(),
            self.find_crowded_users(service),
            lists::sessions(twilio, service, order.proxy_service),
            lists::conversations(twilio, service, StateFilter::Active),
            lists::conversations(twilio, service, StateFilter::Inactive),
        );
        let sessions = self.heard("Proxy sessions", sessions);
        let active = self.heard("active Conversations", active);
        let inactive = self.heard("inactive Conversations", inactive);
        let knows_conversations = active.is_some() && inactive.is_some();
        let mut held = BTreeMap::new();
        for (list, is_session) in [(sessions, true), (active, false), (inactive, false)] {
            let HeldChannels {
                listed,
                unreadable,
                channels,
            } = list.unwrap_or_default();
            self.change(|state| {
                match is_session {
                    true => state.listed.sessions += listed,
                    false => state.listed.conversations += listed,
                }
                state.listed.unreadable_entries += unreadable;
            });
            held.extend(channels);
        }
        // Without the open tasks no channel can be judged.
        if let Some(open_tasks) = &open_tasks {
            let looker = Looker {
                audit: self,
                reader: Reader {
                    twilio: twilio.clone(),
                    service,
                    webhook_url: order.webhook_url.clone(),
                },
                open_tasks,
            };
            let listing = Listing {
                records: log.records,
                held,
                knows_conversations,
            };
            looker.all(listing).await;
        }
        self.finish()
    }

    /// Returns what was found so far.
    pub fn report(&self) -> Report {
        let state = self.lock();
        let mut channels = state.channels.clone();
        channels.sort_by_key(|channel| (channel.since_ms, channel.channel_sid));
        let sample = (state.looked_at < state.candidates).then_some(Sample {
            looked_at: state.looked_at,
            candidates: state.candidates,
        });
        let unreadable = state.listed.unreadable_events + state.listed.unreadable_entries;
        let unread = state.classes.get(&Class::Unreadable).copied();
        let stats = self.twilio.stats();
        Report {
            at_ms: self.started,
            account_sid: self.order.account,
            log_from_ms: self.log_from(),
            whole: state.finished
                && state.silent_parts.is_empty()
                && sample.is_none()
                && unreadable + unread.unwrap_or_default() == 0,
            interrupted: !state.finished,
            listed: state.listed,
            sample,
            unattended: Unattended::among(&channels, self.started),
            classes: state.classes.clone(),
            unheard: Unheard::among(&channels),
            channels,
            stuck_wrap_ups: state.stuck_wrap_ups.clone(),
            ending_tasks: state.ending_tasks.clone(),
            crowded_users: state.crowded_users.clone(),
            checkup: state.checkup.clone(),
            silent_parts: state.silent_parts.clone(),
            requests: stats.attempts,
            throttled: stats.throttled,
        }
    }

    fn log_from(&self) -> Timestamp {
        self.started.minus(self.order.since.min(LOG_KEPT))
    }

    fn note_tasks(
        &self,
        open_tasks: &OpenTasks,
        accepted: &BTreeMap<TaskSid, (Timestamp, ChannelSid)>,
    ) {
        let stuck = open_tasks.stuck_wrap_ups(&self.order.policy, self.started);
        let mut stuck: Vec<StuckWrapUp> = stuck
            .into_iter()
            .map(|one| StuckWrapUp {
                task_sid: one.task,
                since_ms: one.since,
            })
            .collect();
        stuck.sort_by_key(|one| one.since_ms);
        let ending = open_tasks.assigned().filter_map(|task| {
            let (at, channel) = accepted.get(&task)?;
            Some(EndingTask {
                task_sid: task,
                channel_sid: Some(*channel),
                deleted_at_ms: at.plus(MAX_ASSIGNED),
            })
        });
        let soon = self.started.plus(ENDING_WITHIN);
        let mut ending: Vec<EndingTask> = ending.filter(|one| one.deleted_at_ms <= soon).collect();
        ending.sort_by_key(|one| one.deleted_at_ms);
        self.change(|state| {
            state.listed.open_tasks = open_tasks.count();
            state.stuck_wrap_ups = stuck;
            state.ending_tasks = ending;
        });
    }

    async fn find_crowded_users(&self, service: ChatServiceSid) {
        const PART: &str = "the users of the chat service";
        let users = lists::users(&self.twilio, service).await;
        let Some(mut users) = self.heard(PART, users) else {
            return;
        };
        if users.more {
            self.silence(PART, "only the first 5,000 were read");
        }
        users
            .crowded
            .sort_by_key(|user| std::cmp::Reverse(user.conversations));
        self.change(|state| state.crowded_users = users.crowded);
    }

    async fn check_up(&self) {
        let Order {
            account, wanted, ..
        } = &self.order;
        let snapshot = Snapshot::fetch(&self.twilio, *account, wanted, self.started).await;
        let Some(snapshot) = self.heard("the set-up", snapshot) else {
            return;
        };
        let report = checkup::audit(&snapshot, wanted, |_| true);
        let mut findings: Vec<Finding> = report
            .findings
            .iter()
            .map(|finding| Finding {
                rule: finding.rule.id.to_owned(),
                severity: match finding.rule.severity {
                    checkup::Severity::Error => Severity::Error,
                    checkup::Severity::Warning => Severity::Warning,
                    checkup::Severity::Info => Severity::Info,
                },
                subject: finding.subject.to_string(),
                found: finding.found.clone(),
            })
            .collect();
        findings.sort_by_key(|finding| finding.severity);
        let missing: BTreeMap<&str, String> = report
            .skipped_rules
            .iter()
            .map(|one| (one.unavailable.resource, why(&one.unavailable.why)))
            .collect();
        for (part, why) in missing {
            self.silence(part, &why);
        }
        self.change(|state| {
            state.checkup = Some(CheckupFindings {
                findings,
                skipped_rules: report.skipped_rules.len(),
            });
        });
    }

    /// Returns the present moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.started.plus(self.began.elapsed())
    }

    /// Counts a channel that needs no look.
    pub(crate) fn count(&self, found: FoundChannel) {
        self.change(|state| state.add(found));
    }

    /// Notes how many channels are to be looked at.
    pub(crate) fn begin_looks(&self, candidates: usize) {
        self.change(|state| state.candidates = candidates);
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

    fn heard<T>(&self, part: &str, answer: Result<T, TwilioError>) -> Option<T> {
        answer
            .map_err(|error| self.silence(part, &why(&error)))
            .ok()
    }

    fn silence(&self, part: &str, why: &str) {
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

    fn finish(&self) -> Result<(), AuditError> {
        self.change(|state| state.finished = true);
        Ok(())
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
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
