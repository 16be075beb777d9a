//! The rule by which a channel that is due is closed or left: one pure function for the sweep,
//! the audit and `explain`.
//!
//! The function is handed what was read so far and either asks for one thing more or decides.
//! So it never guesses, and a row that needs no more evidence costs no more requests.
//!
//! Closing cuts a customer off where an agent or a program still has the channel; leaving it
//! open swallows the customer's next message. Where evidence is missing, the channel is left.

pub mod row;
mod unheard;

use std::time::Duration;

use crate::Timestamp;
use crate::activity::Party;
use crate::channel::Channel;
use crate::cleanup::{Outcome, Step};
use crate::evidence::{Evidence, Question};
use crate::fact::{End, Platform};
use crate::platform::{ChatState, ConversationState, InteractionStatus};
use crate::policy::Policy;
use crate::queue::{Cause, Idle};
use row::Row;

pub use unheard::unheard;

/// The wait before a channel that is in transition is looked at again.
const TRANSITION: Duration = Duration::from_secs(15 * 60);

/// The verdict on one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The step is due: write what it wants.
    Take {
        /// The step.
        step: Step,
        /// The row that applied.
        row: Row,
    },
    /// The channel already is as the step wants it, or is gone.
    Settled {
        /// The step that is done with.
        step: Step,
        /// The row that applied.
        row: Row,
        /// The way in which it was found.
        outcome: Outcome,
    },
    /// The channel is left as it is.
    Leave {
        /// The row that applied.
        row: Row,
        /// The time from which this row would act; absent where it never does.
        until: Option<Timestamp>,
    },
}

impl Verdict {
    /// Returns the row that applied.
    pub const fn row(&self) -> Row {
        match self {
            Self::Take { row, .. } | Self::Settled { row, .. } | Self::Leave { row, .. } => *row,
        }
    }
}

/// Decides about a channel by its record, which has absorbed a look at the open tasks, and by
/// what was read at Twilio so far.
///
/// # Errors
///
/// Fails with the question that has to be answered first.
pub fn verdict(
    channel: &Channel,
    evidence: &Evidence,
    policy: &Policy,
    now: Timestamp,
) -> Result<Verdict, Question> {
    let Some(idle) = channel.idle() else {
        return Ok(Verdict::Leave {
            row: Row::OpenTask,
            until: None,
        });
    };
    let case = Case {
        channel,
        evidence,
        policy,
        now,
        idle,
    };
    let verdict = match channel.platform() {
        Platform::Chat => case.chat()?,
        Platform::Conversations => case.conversation()?,
    };
    case.with_last_message(verdict)
}

/// One channel that is due, and everything that is known of it.
struct Case<'a> {
    channel: &'a Channel,
    evidence: &'a Evidence,
    policy: &'a Policy,
    now: Timestamp,
    idle: Idle,
}

/// A verdict, or the question that has to be answered first.
type Judged<T = Verdict> = Result<T, Question>;

impl Case<'_> {
    // --- Programmable Chat ---

    fn chat(&self) -> Judged {
        let (long_lived, inactive) = match self.evidence.chat.ok_or(Question::Chat)? {
            ChatState::Gone => return Ok(gone()),
            ChatState::Present {
                long_lived,
                inactive,
            } => (long_lived, inactive),
        };
        let (row, due_at) = match self.idle.cause {
            Cause::Orphaned(_) => self.chat_orphan()?,
            Cause::Ended { how, .. } if is_abandoned(how) => (
                Row::ChatAbandoned,
                Some(self.idle.since.plus(self.policy.abandoned_cutoff)),
            ),
            Cause::Ended { .. } => self.chat_completed(inactive)?,
        };
        let reset_at = self.idle.since.plus(self.policy.long_lived_cutoff);
        let step = match long_lived {
            true if self.now < reset_at => Step::Release,
            true | false => Step::Close,
        };
        if step == Step::Release && !self.policy.release_long_lived {
            return Ok(Verdict::Leave {
                row: Row::ChatLongLived,
                until: Some(reset_at),
            });
        }
        let clean = inactive && (step == Step::Release || !long_lived);
        Ok(self.at(row, due_at, step, clean))
    }

    fn chat_orphan(&self) -> Judged<(Row, Option<Timestamp>)> {
        let quiet_since = self.quiet_since()?;
        let webhooks = self.evidence.webhooks.ok_or(Question::Webhooks)?;
        Ok(if webhooks.program || webhooks.studio {
            let due_at = self
                .policy
                .orphan_cutoff
                .map(|cutoff| quiet_since.plus(cutoff));
            (Row::ChatOrphanWithProgram, due_at)
        } else {
            let due_at = quiet_since.plus(self.policy.orphan_grace);
            (Row::ChatOrphan, Some(due_at))
        })
    }

    fn chat_completed(&self, inactive: bool) -> Judged<(Row, Option<Timestamp>)> {
        let completed = (
            Row::ChatCompleted,
            Some(self.idle.since.plus(self.policy.ended_cutoff)),
        );
        if inactive {
            // Released or closed already: no program can have it.
            return Ok(completed);
        }
        let quiet_at = self.quiet_since()?.plus(self.policy.quiet_cutoff);
        if self.now >= quiet_at {
            return Ok(completed);
        }
        let programs_word = self
            .evidence
            .last_message
            .flatten()
            .is_some_and(|last| last.author == Party::Program && last.at > self.idle.since);
        let has_program =
            programs_word || self.evidence.webhooks.ok_or(Question::Webhooks)?.program;
        Ok(if has_program {
            (Row::ChatWithProgram, Some(quiet_at))
        } else {
            completed
        })
    }

    // --- Conversations ---

    fn conversation(&self) -> Judged {
        let status = match self.channel.interaction() {
            Some(_) => self.evidence.interaction.ok_or(Question::Interaction)?,
            None => InteractionStatus::Gone,
        };
        match status {
            InteractionStatus::Closed | InteractionStatus::Failed => {
                if let Some(settled) = self.conversation_itself()? {
                    return Ok(settled);
                }
                let due_at = self.idle.since.plus(self.class_cutoff());
                Ok(self.at(Row::InteractionEnded, Some(due_at), Step::Close, false))
            }
            InteractionStatus::Active => self.active(),
            InteractionStatus::Inactive => self.put_aside(Row::LeftByAgent),
            InteractionStatus::Pause => Ok(Verdict::Leave {
                row: Row::PausedByAgent,
                until: None,
            }),
            InteractionStatus::Setup | InteractionStatus::Transfer => {
                Ok(self.again_soon(Row::InTransition))
            }
            InteractionStatus::Undocumented => Ok(self.again_soon(Row::Undocumented)),
            InteractionStatus::Gone => {
                if let Some(settled) = self.conversation_itself()? {
                    return Ok(settled);
                }
                match self.idle.cause {
                    Cause::Orphaned(_) => self.conversation_orphan(),
                    Cause::Ended { .. } => self.active(),
                }
            }
        }
    }

    /// Judges the Conversation by its own state; nothing if it is open.
    fn conversation_itself(&self) -> Judged<Option<Verdict>> {
        let state = self.evidence.conversation.ok_or(Question::Conversation)?;
        Ok(match state {
            ConversationState::Active | ConversationState::Inactive => None,
            ConversationState::Closed => Some(Verdict::Settled {
                step: Step::Close,
                row: Row::InteractionEnded,
                outcome: Outcome::AlreadyClean,
            }),
            ConversationState::Gone => Some(gone()),
            ConversationState::Initializing => Some(self.again_soon(Row::InTransition)),
            ConversationState::Undocumented => Some(self.again_soon(Row::Undocumented)),
        })
    }

    /// Judges a Conversation whose interaction is open, or unknown, by the way in which its
    /// last task ended.
    fn active(&self) -> Judged {
        if self.idle.how().is_some_and(is_abandoned) {
            let due_at = self.idle.since.plus(self.policy.abandoned_cutoff);
            return Ok(self.at(Row::ConversationAbandoned, Some(due_at), Step::Close, false));
        }
        if self.evidence.webhooks.ok_or(Question::Webhooks)?.program {
            return self.put_aside(Row::ParkedByProgram);
        }
        let quiet_at = self.quiet_since()?.plus(self.policy.quiet_cutoff);
        if self.now >= quiet_at {
            return Ok(self.at(Row::AgentPresent, Some(quiet_at), Step::Close, false));
        }
        // An interaction that Twilio has forgotten is months old: who takes part says little.
        let agent_present = match self.evidence.interaction {
            Some(InteractionStatus::Gone) => true,
            Some(_) | None => self.evidence.agent_present.ok_or(Question::Participants)?,
        };
        let (row, due_at) = match agent_present {
            true => (Row::AgentPresent, quiet_at),
            false => (
                Row::AgentLess,
                self.idle.since.plus(self.policy.ended_cutoff),
            ),
        };
        Ok(self.at(row, Some(due_at), Step::Close, false))
    }

    fn put_aside(&self, row: Row) -> Judged {
        let due_at = match self.policy.put_aside_cutoff {
            Some(cutoff) => Some(self.quiet_since()?.plus(cutoff)),
            None => None,
        };
        Ok(self.at(row, due_at, Step::Close, false))
    }

    fn conversation_orphan(&self) -> Judged {
        let webhooks = self.evidence.webhooks.ok_or(Question::Webhooks)?;
        if webhooks.program || webhooks.studio {
            return Ok(Verdict::Leave {
                row: Row::ConversationOrphanWithProgram,
                until: None,
            });
        }
        // Without a single message, nothing shows that it is a customer's: it is left.
        let last = self.evidence.last_message.ok_or(Question::LastMessage)?;
        let due_at = last
            .zip(self.policy.orphan_cutoff)
            .map(|(last, cutoff)| last.at.plus(cutoff));
        Ok(self.at(Row::ConversationOrphan, due_at, Step::Close, false))
    }

    // --- Both ---

    fn class_cutoff(&self) -> Duration {
        match self.idle.how() {
            Some(how) if is_abandoned(how) => self.policy.abandoned_cutoff,
            Some(_) | None => self.policy.ended_cutoff,
        }
    }

    /// The time since which no party has written and no task has been open.
    fn quiet_since(&self) -> Judged<Timestamp> {
        let last = self.evidence.last_message.ok_or(Question::LastMessage)?;
        Ok(match (last, self.idle.cause) {
            (Some(last), Cause::Orphaned(_)) => last.at,
            (Some(last), Cause::Ended { .. }) => last.at.max(self.idle.since),
            (None, _) => self.idle.since,
        })
    }

    fn at(&self, row: Row, due_at: Option<Timestamp>, step: Step, clean: bool) -> Verdict {
        match due_at {
            Some(due_at) if due_at <= self.now => match clean {
                true => Verdict::Settled {
                    step,
                    row,
                    outcome: Outcome::AlreadyClean,
                },
                false => Verdict::Take { step, row },
            },
            until => Verdict::Leave { row, until },
        }
    }

    fn again_soon(&self, row: Row) -> Verdict {
        Verdict::Leave {
            row,
            until: Some(self.now.plus(TRANSITION)),
        }
    }

    /// Asks for the newest message before a verdict counts, and for the webhooks where a
    /// customer wrote last: a customer who waits is found in every look.
    fn with_last_message(&self, verdict: Verdict) -> Judged {
        let row = verdict.row();
        if row.is_answered() || row == Row::Gone {
            return Ok(verdict);
        }
        if self.evidence.last_message.is_none() {
            return Err(Question::LastMessage);
        }
        let is_closed = self.evidence.conversation == Some(ConversationState::Closed);
        let waits = self
            .evidence
            .customers_last_word(self.channel, self.idle)
            .is_some();
        if waits && !is_closed && self.evidence.webhooks.is_none() {
            return Err(Question::Webhooks);
        }
        Ok(verdict)
    }
}

const fn gone() -> Verdict {
    Verdict::Settled {
        step: Step::Close,
        row: Row::Gone,
        outcome: Outcome::Gone,
    }
}

/// Returns true if an end leaves no agent who would clean up: no agent completed the task.
const fn is_abandoned(how: End) -> bool {
    match how {
        End::Canceled | End::Deleted | End::SystemDeleted => true,
        End::Completed | End::Vanished => false,
    }
}
