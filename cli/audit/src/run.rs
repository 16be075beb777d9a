//! One audit: its lists, its looks, and its findings so far.
//!
//! The open tasks and the log are read before anything that a task may hold open, so that a chat
//! that begins in between does not look forgotten. Then come the lists of what is open, and then
//! the channels in question. The set-up and the users are read beside.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use checkup::Snapshot;
use domain::{ChannelSid, ChatServiceSid, MAX_ASSIGNED, Pairs, TaskSid, Timestamp};
use runtime::access::FlexIds;
use runtime::clock::Watch;
use sweep::{OpenTasks, Reader};
use twilio::rest::{Client, StateFilter, TwilioError};

use crate::channels::{Listing, Looker};
use crate::error::{AuditError, why};
use crate::lists::{Lists, Log};
use crate::order::{LOG_KEPT, Order};
use crate::report::{CheckupFindings, EndingTask, Finding, Report, Severity, StuckWrapUp};
use crate::state::{Heading, List, Phase, State};

/// A task is reported so long before TaskRouter deletes it.
const ENDING_WITHIN: Duration = Duration::from_secs(4 * 60 * 60);

/// The time of an audit, which ends when everything was read. A watch adds it to a moment, so that
/// it cannot be the longest of all.
const UNLIMITED: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// One audit. It only reads.
pub struct Audit {
    pub(crate) order: Order,
    twilio: Client,
    watch: Watch,
    pub(crate) state: State,
}

impl Audit {
    /// Returns an audit that asks by this client and began at this time.
    pub fn new(twilio: Client, order: Order, now: Timestamp) -> Self {
        Self {
            order,
            twilio,
            watch: Watch::new(now, UNLIMITED),
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
        let ids = FlexIds::look_up(&self.twilio, order.workspace, order.chat_service).await?;
        let (refused, pairs) = (Arc::default(), Pairs::default());
        let open_tasks = OpenTasks::list(
            &self.twilio,
            ids.workspace,
            &pairs,
            &refused,
            self.watch.started(),
        )
        .await;
        // With both SIDs set, this is the first request.
        if let Err(TwilioError::Unauthorized { status: 401, .. }) = open_tasks {
            return Err(AuditError::Unauthorized);
        }
        let open_tasks = self.state.heard("TaskRouter's open tasks", open_tasks);
        if let Some(open_tasks) = &open_tasks {
            self.note_tasks(open_tasks);
        }
        tokio::join!(
            self.check_up(),
            self.find_crowded_users(ids.chat_service),
            self.find_channels(ids, open_tasks.as_ref()),
        );
        self.state.begin(Phase::Finished);
        Ok(())
    }

    async fn find_channels(&self, ids: FlexIds, open_tasks: Option<&OpenTasks>) {
        let (order, state) = (&self.order, &self.state);
        let lists = self.lists();
        let window = (self.log_from(), self.watch.started());
        let note_ending = |log: &Log| {
            if let Some(open_tasks) = open_tasks {
                self.note_ending(open_tasks, &log.accepted);
            }
        };
        let log = lists
            .log(order.account, ids.workspace, window, note_ending)
            .await;
        let Some(service) = ids.chat_service else {
            const WHY: &str = "the Flex configuration names none";
            return state.silence("the chat service", WHY);
        };
        state.begin(Phase::Lists);
        let (sessions, active, inactive) = tokio::join!(
            lists.sessions(service, order.proxy_service),
            lists.conversations(service, List::Active, StateFilter::Active),
            lists.conversations(service, List::Inactive, StateFilter::Inactive),
        );
        // Without the open tasks no channel can be judged.
        let Some(open_tasks) = open_tasks else { return };
        let mut held = sessions;
        held.extend(active.found);
        held.extend(inactive.found);
        let looker = Looker {
            order,
            state,
            watch: self.watch,
            reader: Reader {
                twilio: self.twilio.clone(),
                service,
                webhook_url: order.webhook_url.clone(),
            },
            open_tasks,
        };
        let listing = Listing {
            records: log.records,
            held,
            knows_conversations: active.is_whole && inactive.is_whole,
        };
        looker.all(listing).await;
    }

    /// Returns what was found so far.
    pub fn report(&self) -> Report {
        let stats = self.twilio.stats();
        self.state.report(Heading {
            at: self.watch.started(),
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
        self.watch.started().minus(self.order.since.min(LOG_KEPT))
    }

    const fn lists(&self) -> Lists<'_> {
        Lists {
            twilio: &self.twilio,
            state: &self.state,
        }
    }

    fn note_tasks(&self, open_tasks: &OpenTasks) {
        let stuck = open_tasks.stuck_wrap_ups(&self.order.policy, self.watch.started());
        let mut stuck: Vec<StuckWrapUp> = stuck
            .into_iter()
            .map(|one| StuckWrapUp {
                task_sid: one.task,
                since_ms: one.since,
            })
            .collect();
        stuck.sort_by_key(|one| one.since_ms);
        self.state.change(|state| {
            state.open_tasks = open_tasks.count();
            state.stuck_wrap_ups = stuck;
        });
    }

    fn note_ending(
        &self,
        open_tasks: &OpenTasks,
        accepted: &BTreeMap<TaskSid, (Timestamp, ChannelSid)>,
    ) {
        let ending = open_tasks.assigned().filter_map(|task| {
            let (at, channel) = accepted.get(&task)?;
            Some(EndingTask {
                task_sid: task,
                channel_sid: Some(*channel),
                deleted_at_ms: at.plus(MAX_ASSIGNED),
            })
        });
        let soon = self.watch.started().plus(ENDING_WITHIN);
        let mut ending: Vec<EndingTask> = ending.filter(|one| one.deleted_at_ms <= soon).collect();
        ending.sort_by_key(|one| one.deleted_at_ms);
        self.state.change(|state| state.ending_tasks = ending);
    }

    async fn find_crowded_users(&self, service: Option<ChatServiceSid>) {
        let Some(service) = service else { return };
        let users = self.lists().crowded_users(service).await;
        self.state.change(|state| state.crowded_users = users);
    }

    async fn check_up(&self) {
        let Order {
            account, wanted, ..
        } = &self.order;
        let snapshot = Snapshot::fetch(&self.twilio, *account, wanted, self.watch.started()).await;
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
}
