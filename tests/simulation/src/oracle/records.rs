//! Records: what is written to the table, and by whom.

use std::fmt::Write as _;

use domain::{
    Channel, Cleanup, Fact, FactKind, Platform, Progress, Step, Task, TaskFact, TaskSid, TaskState,
};
use serde_json::Value;

use crate::report::{Law, Violation};
use crate::shared::Caller;

use super::{ChannelHistory, LawCheck, Oracle, holds};

impl Oracle {
    /// A record was written. The item is without DynamoDB's types.
    pub(crate) fn stored(&mut self, who: Caller, item: &Value) -> LawCheck {
        self.personal.search("a record", &item.to_string())?;
        let unreadable = |why: String| Violation::of(Law::OrderFree, why);
        let record: Channel = serde_json::from_value(item.clone())
            .map_err(|why| unreadable(format!("a record cannot be read: {why}")))?;
        let channel = record.sid().to_string();
        for forged in &self.forged {
            let task = forged.task().and_then(|task| record.tasks().get(&task));
            let ended = task.and_then(|task| task.ended);
            let state = ended.map(|end| (end.at, Some(TaskState::Ended(end.how))));
            if state == Some((forged.at, forged.state())) {
                return Err(unsigned(&channel));
            }
        }
        for task in record.tasks().keys() {
            let owner = self
                .tasks
                .get(task.as_str())
                .map(|task| task.channel.as_str());
            if owner != Some(channel.as_str()) {
                let what = format!("the record of {channel} holds {task}, which is not its own");
                return Err(Violation::of(Law::NoCrossChannel, what));
            }
        }
        self.rescue_is_told(self.record_of(&channel), &record)?;
        let Some(history) = self.channels.get_mut(&channel) else {
            return Err(unsigned(&channel));
        };
        history.settle(&record);
        if who.run().is_some() {
            for (task, known) in record.tasks() {
                let Some(really) = self.tasks.get(task.as_str()) else {
                    continue;
                };
                history.learn(record.platform(), *task, known, really.ended.is_some())?;
            }
            if let Some(cleanup) = record.last_cleanup() {
                marked(&self.told, history.record.as_ref(), &channel, cleanup)?;
            }
        } else if record.last_cleanup() != history.record.as_ref().and_then(Channel::last_cleanup) {
            let what = format!("the webhook changed what is marked on {channel}");
            return Err(Violation::of(Law::OrderFree, what));
        }
        history.compare(&record, item)?;
        history.expires_at = item["expires_at"].as_i64();
        history.record = Some(record);
        Ok(())
    }

    /// Checks what all facts of all records add up to, absorbed once more in one order
    /// and in another order.
    pub(crate) fn fold_afresh(&self) -> LawCheck {
        for (channel, history) in &self.channels {
            let Some(record) = &history.record else {
                continue;
            };
            let mut facts: Vec<&Fact> = history.held.values().chain(&history.looked).collect();
            facts.sort_by_key(|fact| (fact.state(), fact.at, fact.task()));
            for turn in 0..2 {
                let mut fold = Channel::new(record.sid(), Platform::Chat);
                facts.iter().for_each(|fact| fold.absorb(fact));
                if fold != history.model {
                    let what = format!("the facts of {channel} add up to two things (turn {turn})");
                    return Err(Violation::of(Law::OrderFree, what));
                }
                facts.reverse();
            }
        }
        Ok(())
    }
}

fn unsigned(channel: &str) -> Violation {
    let what = format!("the record of {channel} holds what Twilio never said");
    Violation::of(Law::NoWriteUnsigned, what)
}

/// Checks that what is marked now was told before.
fn marked(
    told: &std::collections::BTreeSet<String>,
    before: Option<&Channel>,
    channel: &str,
    cleanup: &Cleanup,
) -> LawCheck {
    let step = match cleanup.progress {
        // What is left as it is has no notice.
        Progress::Untouched | Progress::Left { .. } => return Ok(()),
        Progress::Done {
            step: Step::Release,
            ..
        } => "released",
        Progress::Done {
            step: Step::Close, ..
        } => "closed",
        Progress::Failed { .. } => "failed",
    };
    if before
        .and_then(Channel::last_cleanup)
        .map(|before| &before.progress)
        == Some(&cleanup.progress)
    {
        return Ok(());
    }
    let id = format!("{channel}:{}:{step}", cleanup.idle_since.as_millis());
    if told.contains(&id) {
        return Ok(());
    }
    let what = format!("{channel} is marked {step} without a notice");
    Err(Violation::of(Law::NoNoticeNoMark, what))
}

impl ChannelHistory {
    /// Returns whether the end of a task was found by a look at TaskRouter.
    pub(crate) fn was_looked_up(&self, task: TaskSid) -> bool {
        let ends = |fact: &Fact| {
            fact.task() == Some(task) && matches!(fact.state(), Some(TaskState::Ended(_)))
        };
        self.looked.iter().any(ends)
    }

    /// Finds out which facts that were sent are in the record now.
    fn settle(&mut self, record: &Channel) {
        let held: Vec<String> = self
            .sent
            .iter()
            .filter(|(_, fact)| {
                // An echo of a task that was never told of is in no record.
                let is_known = |task| {
                    record.tasks().contains_key(&task) || self.model.tasks().contains_key(&task)
                };
                fact.task().is_some_and(is_known) && holds(record, fact)
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in held {
            if let Some(fact) = self.sent.remove(&id) {
                self.hold(id, fact);
            }
        }
    }

    /// Takes down what a sweep learnt of a task by looking.
    fn learn(
        &mut self,
        platform: Platform,
        sid: TaskSid,
        task: &Task,
        really_ended: bool,
    ) -> LawCheck {
        let known = self.model.tasks().get(&sid);
        if known == Some(task) {
            return Ok(());
        }
        let fact = |at, state| Fact {
            channel: self.model.sid(),
            platform,
            at,
            kind: FactKind::Task(TaskFact {
                task: sid,
                state,
                opened_at: Some(task.opened_at),
                interaction: task.interaction,
            }),
        };
        let mut facts = Vec::new();
        if let Some(ended) = task.ended {
            if !really_ended {
                let what = format!("{sid} is open and is taken for ended");
                return Err(Violation::of(Law::NeverCloseLive, what));
            }
            facts.push(fact(ended.at, TaskState::Ended(ended.how)));
        } else {
            facts.push(fact(task.opened_at, TaskState::Open(task.stage)));
            facts.extend(task.seen_open_at.map(|at| fact(at, TaskState::SeenOpen)));
        }
        for fact in facts {
            self.model.absorb(&fact);
            self.looked.push(fact);
        }
        Ok(())
    }

    /// Checks that the record is what its facts add up to.
    fn compare(&self, record: &Channel, item: &Value) -> LawCheck {
        let mut bare = item.clone();
        if let Some(fields) = bare.as_object_mut() {
            fields.remove("tasks");
        }
        let bare: Result<Channel, _> = serde_json::from_value(bare);
        let expected = bare.map(|bare| bare.merge(&self.model));
        if expected.as_ref().ok() != Some(record) {
            let mut what = format!(
                "the record of {} is not what its facts add up to",
                record.sid()
            );
            let _ = write!(what, ":\n  record {:?}", record.tasks());
            if let Ok(expected) = expected {
                let _ = write!(what, "\n  facts  {:?}", expected.tasks());
            }
            return Err(Violation::of(Law::OrderFree, what));
        }
        let waits = record
            .queue_entry()
            .map(|waiting| waiting.since.as_millis());
        if item["since"].as_i64() != waits || item["due_queue"].is_string() != waits.is_some() {
            let what = format!("the record of {} waits for something else", record.sid());
            return Err(Violation::of(Law::OrderFree, what));
        }
        Ok(())
    }
}
