//! One audit: its lists, its looks, and its findings so far.
//!
//! The log and the open tasks are read before anything that a task may hold open, so that a chat
//! that begins in between does not look forgotten. Then come the lists and the checkup, side by
//! side, and then the channels in question.

use std::collections::BTreeMap;
use std::time::Duration;

use checkup::{Expectations, Snapshot};
use domain::{
    AccountSid, ChannelSid, ChatServiceSid, MAX_ASSIGNED, Policy, ProxyServiceSid, TaskSid,
    Timestamp, WorkspaceSid,
};
use runtime::access::FlexIds;
use sweep::{OpenTasks, Plan, Reader, Unheard};
use tokio::time::Instant;
use twilio::rest::{Client, StateFilter, TwilioError};

use crate::channels::{Listing, Looker};
use crate::error::{AuditError, why};
use crate::lists::{self, HeldChannels};
use crate::report::{CheckupFindings, EndingTask, Finding, Report, Severity, StuckWrapUp};
use crate::state::{Heading, Phase, State};

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
    /// The act of that sweep for a customer whom neither an agent nor a program heard.
    pub unheard: Unheard,
    /// The greatest age of a message whose customer a rescue gives a task.
    pub rescue_within: Duration,
    /// The set-up that the checkup wants.
    pub wanted: Expectations,
    /// The part of TaskRouter's log to read, [`LOG_KEPT`] at most.
    pub since: Duration,
    /// The most channels to look at; all where absent.
    pub sample: Option<usize>,
    /// The number of channels that are looked at side by side.
    pub concurrency: usize,
}

impl Order {
    /// Returns the order for an audit of a whole account by the default settings, one channel after
    /// the other.
    pub fn of(account: AccountSid) -> Self {
        let plan = Plan::default();
        Self {
            account,
            workspace: None,
            chat_service: None,
            proxy_service: None,
            webhook_url: None,
            policy: plan.policy,
            unheard: plan.unheard,
            rescue_within: plan.rescue_within,
            wanted: Expectations::default(),
            since: LOG_KEPT,
            sample: None,
            concurrency: 1,
        }
    }
}

/// One audit. It only reads.
pub struct Audit {
    pub(crate) order: Order,
    twilio: Client,
    started: Timestamp,
    began: Instant,
    pub(crate) state: State,
}

impl Audit {
    /// Returns an audit that asks by this client and began at this time.
    pub fn new(twilio: Client, order: Order, now: Timestamp) -> Self {
        Self {
            order,
            twilio,
            started: now,
            began: Instant::now(),
            state: State::default(),
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
        let log = self.state.heard("TaskRouter's log of events", log);
        let open_tasks = self.state.heard("TaskRouter's open tasks", open_tasks);
        let log = log.unwrap_or_default();
        self.state.change(|state| {
            state.listed.events = log.events;
            state.listed.unreadable_events = log.unreadable;
        });
        if let Some(open_tasks) = &open_tasks {
            self.note_tasks(open_tasks, &log.accepted);
        }
        let Some(service) = ids.chat_service else {
            const WHY: &str = "the Flex configuration names none";
            self.state.silence("the chat service", WHY);
            self.state.begin(Phase::Lists);
            self.check_up().await;
            self.state.begin(Phase::Finished);
            return Ok(());
        };
        self.state.begin(Phase::Lists);
        let ((), (), sessions, active, inactive) = tokio::join!(
            self.check_up(),
            self.find_crowded_users(service),
            lists::sessions(twilio, service, order.proxy_service),
            lists::conversations(twilio, service, StateFilter::Active),
            lists::conversations(twilio, service, StateFilter::Inactive),
        );
        let sessions = self.state.heard("Proxy sessions", sessions);
        let active = self.state.heard("active Conversations", active);
        let inactive = self.state.heard("inactive Conversations", inactive);
        let knows_conversations = active.is_some() && inactive.is_some();
        let mut held = BTreeMap::new();
        for (list, is_session) in [(sessions, true), (active, false), (inactive, false)] {
            let HeldChannels {
                listed,
                unreadable,
                channels,
            } = list.unwrap_or_default();
            self.state.change(|state| {
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
        self.state.begin(Phase::Finished);
        Ok(())
    }

    /// Returns what was found so far.
    pub fn report(&self) -> Report {
        let stats = self.twilio.stats();
        self.state.report(Heading {
            at: self.started,
            account: self.order.account,
            log_from: self.log_from(),
            requests: stats.attempts,
            throttled: stats.throttled,
        })
    }

    /// Returns what is being done.
    pub fn phase(&self) -> Phase {
        self.state.phase()
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
        self.state.change(|state| {
            state.listed.open_tasks = open_tasks.count();
            state.stuck_wrap_ups = stuck;
            state.ending_tasks = ending;
        });
    }

    async fn find_crowded_users(&self, service: ChatServiceSid) {
        const PART: &str = "the users of the chat service";
        let users = lists::users(&self.twilio, service).await;
        let Some(mut users) = self.state.heard(PART, users) else {
            return;
        };
        if users.more {
            self.state.silence(PART, "only the first 5,000 were read");
        }
        users
            .crowded
            .sort_by_key(|user| std::cmp::Reverse(user.conversations));
        self.state
            .change(|state| state.crowded_users = users.crowded);
    }

    async fn check_up(&self) {
        let Order {
            account, wanted, ..
        } = &self.order;
        let snapshot = Snapshot::fetch(&self.twilio, *account, wanted, self.started).await;
        let Some(snapshot) = self.state.heard("the set-up", snapshot) else {
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
            self.state.silence(part, &why);
        }
        self.state.change(|state| {
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
}
