//! The meaning of a look for the report: a pure function of the rule's verdict.

use std::time::Duration;

use domain::{
    Channel, End, LastMessage, Outcome, ProxySessionSid, RescueDecision, Row, Step, Timestamp,
    Verdict, decide_rescue, unheard,
};
use sweep::{Look, Unheard};

use crate::class::{Cause, Class};
use crate::report::{FoundChannel, WouldDo};

/// A channel that a list shows as open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    /// The resource that holds it open.
    pub(crate) by: domain::HeldOpenBy,
    /// The time since which it is held open, or of its last interaction, where Twilio says so.
    pub(crate) since: Option<Timestamp>,
    /// The Proxy session, where one holds it.
    pub(crate) session: Option<ProxySessionSid>,
}

/// The terms on which the sweep that would act treats customers whom it finds unheard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) unheard: Unheard,
    pub(crate) rescue_within: Duration,
    pub(crate) now: Timestamp,
}

/// Sorts a channel that was looked at.
pub(crate) fn judge(
    channel: &Channel,
    look: &Look,
    held: Option<Held>,
    terms: Terms,
) -> FoundChannel {
    let verdict = look.verdict;
    let (class, cause, would) = match verdict {
        Verdict::Take { step, row } => {
            let class = class_of(row);
            let would = match step {
                Step::Release => WouldDo::Release,
                Step::Close => WouldDo::Close,
            };
            match row.is_answered() {
                true => (class, None, Some(would)),
                false => (Class::Unattended, Some(cause_of(row, channel)), Some(would)),
            }
        }
        Verdict::Settled {
            step: Step::Close,
            outcome: Outcome::AlreadyClean | Outcome::Gone,
            ..
        } if held.is_some_and(|held| held.session.is_some()) => {
            let cause = Some(Cause::SessionOpen);
            (Class::Unattended, cause, Some(WouldDo::EndSession))
        }
        Verdict::Settled { .. } => (Class::Clean, None, None),
        Verdict::Leave { row, .. } => (class_of(row), None, None),
    };
    let until = match verdict {
        Verdict::Leave { until, .. } => until,
        Verdict::Take { .. } | Verdict::Settled { .. } => None,
    };
    let unheard = unheard(channel, &look.evidence, &verdict).filter(|_| class != Class::Clean);
    let rescuable = unheard.is_some_and(|message| {
        let (row, within) = (verdict.row(), Some(terms.rescue_within));
        let rescue = decide_rescue(channel, &look.evidence, row, message, within, terms.now);
        matches!(rescue, RescueDecision::Make(_))
    });
    let would = match terms.unheard {
        Unheard::Rescue if rescuable => Some(WouldDo::Rescue),
        Unheard::Rescue | Unheard::Tell => would,
    };
    FoundChannel {
        class,
        cause,
        row: Some(verdict.row()),
        would,
        since_ms: since(channel, look.evidence.last_message.flatten(), held),
        unheard_since_ms: unheard.map(|message| message.at),
        rescuable,
        until_ms: until,
        ..unread(channel, Class::Unreadable)
    }
}

/// Returns what is known of a channel that was not looked at.
pub(crate) fn unread(channel: &Channel, class: Class) -> FoundChannel {
    FoundChannel {
        channel_sid: channel.sid(),
        platform: channel.platform(),
        class,
        cause: None,
        row: None,
        would: None,
        since_ms: since(channel, None, None),
        last_task_sid: channel.idle().and_then(|idle| idle.task()),
        unheard_since_ms: None,
        rescuable: false,
        until_ms: None,
    }
}

/// The end of the last task; of an orphan, whose record begins with the audit, the newest message
/// or else the beginning.
fn since(channel: &Channel, last: Option<LastMessage>, held: Option<Held>) -> Timestamp {
    let orphaned_since = || {
        let last = last.map(|message| message.at);
        last.or_else(|| held.and_then(|held| held.since))
    };
    match channel.idle() {
        Some(idle) if idle.task().is_none() => orphaned_since().unwrap_or(idle.since),
        Some(idle) => idle.since,
        None => orphaned_since().unwrap_or(Timestamp::from_millis(0)),
    }
}

/// The class of a channel that the rule leaves by this row, or would close although it is
/// answered.
const fn class_of(row: Row) -> Class {
    match row {
        Row::OpenTask => Class::OpenTask,
        Row::Gone => Class::Clean,
        Row::LeftByAgent => Class::Left,
        Row::PausedByAgent => Class::Paused,
        Row::ParkedByProgram => Class::Parked,
        Row::ChatWithProgram | Row::ChatOrphanWithProgram | Row::ConversationOrphanWithProgram => {
            Class::WithProgram
        }
        Row::AgentPresent => Class::AgentPresent,
        Row::InTransition => Class::InTransition,
        Row::Undocumented | Row::ChatOrphan | Row::ConversationOrphan => Class::Unclear,
        Row::ChatAbandoned
        | Row::ChatCompleted
        | Row::ChatLongLived
        | Row::InteractionEnded
        | Row::ConversationAbandoned
        | Row::AgentLess => Class::Waiting,
    }
}

fn cause_of(row: Row, channel: &Channel) -> Cause {
    match (row, channel.idle().and_then(|idle| idle.how())) {
        (Row::AgentLess, _) => Cause::AgentLess,
        (Row::ChatOrphan | Row::ConversationOrphan, _) | (_, None) => Cause::Orphan,
        (_, Some(_)) if channel.long_lived() == Some(true) => Cause::LongLived,
        (_, Some(End::Completed)) => Cause::TabClosed,
        (_, Some(End::Vanished)) => Cause::EndUnknown,
        (_, Some(End::Canceled)) => Cause::TimedOut,
        (_, Some(End::Deleted | End::SystemDeleted)) => Cause::Deleted,
    }
}
