//! Ways to break the system, to prove that the simulation would notice.
//!
//! Each is done to what crosses a border (a request, an answer, a setting), so that the code
//! under test knows nothing of it, and each stands for a mistake that a developer could make.

use crate::report::Law;

/// A deliberate defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// The look at the open tasks sees none.
    BlindLook,
    /// Every task that is asked for by name is said to be gone.
    ForgottenTasks,
    /// Records are written without their condition.
    NoCondition,
    /// Some writes of records are only said to have happened.
    AcknowledgedOnly,
    /// Webhooks are answered 204 whatever came of them.
    AnsweredAnyway,
    /// Webhooks whose store fails are answered 400.
    TurnedAway,
    /// Events are told with the time at which they arrive.
    ArrivalTime,
    /// Attributes are written as they were when the channel was first seen.
    StaleText,
    /// Attributes go through a parser that reads numbers as floats.
    FloatText,
    /// Attributes of one channel are written to another.
    OtherChannelsText,
    /// Writes do not ask for webhooks.
    SilentWrites,
    /// Every cutoff is a second.
    Hasty,
    /// A forger knows the signing key.
    StolenKey,
    /// Notices carry the customer's address.
    TalkativeNotices,
    /// Records carry the customer's address.
    TalkativeRecords,
    /// Notices are said to be taken and are not.
    LostNotices,
    /// A 429 looks like an error of Twilio's own, to be tried again at once.
    Unheeded429,
    /// The index shows nothing.
    EmptyIndex,
    /// A damaged channel brings everything to a halt.
    PoisonSpreads,
    /// Every first try fails, on good days too.
    WastefulCalls,
    /// The look at the open tasks asks for Chat channels alone.
    HalfAQuestion,
    /// An interaction that was left, paused or parked is said to have ended.
    LeftIsOver,
    /// The closing of an interaction channel is only said to have happened.
    HalfClosed,
    /// Records are read without the ends of their tasks.
    EndsForgotten,
    /// TaskRouter's log of events shows nothing.
    EmptyLog,
    /// Chats that are with a bot look like all others.
    UnseenBots,
    /// A task is moved without its version, so that a run parks what another one brought back.
    MovesAnyVersion,
    /// A task is moved and its attributes do not say so.
    MovesInSilence,
    /// Every way back of a parked task names a version that is gone.
    NoWayBack,
    /// Messages of customers are acknowledged and dropped.
    DroppedMessages,
    /// The move of a task is not announced in its record.
    Unannounced,
    /// A chat is parked after a second of silence.
    HastyParking,
    /// Conversations that an agent left are closed as long-lived channels are reset.
    LeftIsClosed,
    /// Messages are shown as if they were a year old, so that silence counts from something else.
    UnreadMessages,
    /// Of the programs on a channel, only Studio flows are shown.
    OnlyStudioCounts,
    /// Every Conversation is said to have an agent in it.
    AgentEverywhere,
    /// The last note of where a task is counts, whatever the version of the task.
    NotesByTime,
    /// A task is told to be parked only where its attributes say so.
    ParkedByAttribute,
    /// A customer's lines within half a minute are taken for one.
    LinesTakenForOne,
    /// A message of a customer that comes before its task is dropped.
    EarlyWordsDropped,
    /// The rescue of a customer is not announced in its record.
    RescuesUnannounced,
    /// The task for an unheard customer is only said to have been made.
    NothingRescued,
}

impl Mutation {
    /// Every mutation.
    pub const ALL: [Self; 42] = [
        Self::BlindLook,
        Self::ForgottenTasks,
        Self::NoCondition,
        Self::AcknowledgedOnly,
        Self::AnsweredAnyway,
        Self::TurnedAway,
        Self::ArrivalTime,
        Self::StaleText,
        Self::FloatText,
        Self::OtherChannelsText,
        Self::SilentWrites,
        Self::Hasty,
        Self::StolenKey,
        Self::TalkativeNotices,
        Self::TalkativeRecords,
        Self::LostNotices,
        Self::Unheeded429,
        Self::EmptyIndex,
        Self::PoisonSpreads,
        Self::WastefulCalls,
        Self::HalfAQuestion,
        Self::LeftIsOver,
        Self::HalfClosed,
        Self::EndsForgotten,
        Self::EmptyLog,
        Self::UnseenBots,
        Self::MovesAnyVersion,
        Self::MovesInSilence,
        Self::NoWayBack,
        Self::DroppedMessages,
        Self::Unannounced,
        Self::HastyParking,
        Self::LeftIsClosed,
        Self::UnreadMessages,
        Self::OnlyStudioCounts,
        Self::AgentEverywhere,
        Self::NotesByTime,
        Self::ParkedByAttribute,
        Self::LinesTakenForOne,
        Self::EarlyWordsDropped,
        Self::RescuesUnannounced,
        Self::NothingRescued,
    ];

    /// The laws by which it may be caught first.
    pub fn breaks(self) -> &'static [Law] {
        match self {
            Self::BlindLook | Self::ForgottenTasks | Self::HalfAQuestion => {
                &[Law::NeverCloseLive, Law::OneAgent]
            }
            Self::NoCondition => &[Law::OrderFree, Law::AckMeansStored],
            Self::AcknowledgedOnly | Self::AnsweredAnyway | Self::TurnedAway => {
                &[Law::AckMeansStored]
            }
            Self::ArrivalTime => &[Law::OrderFree, Law::AckMeansStored],
            Self::FloatText => &[Law::AttributesIntact],
            // Twilio never shows what the sweep meant to write, so it tries again and again.
            Self::StaleText => &[Law::AttributesIntact, Law::BoundedCalls],
            Self::OtherChannelsText => &[Law::NoCrossChannel, Law::AttributesIntact],
            Self::SilentWrites => &[Law::FlexHears],
            Self::Hasty => &[Law::NotEarly],
            Self::LeftIsOver => &[Law::PutAside, Law::NotEarly, Law::EventuallyClean],
            Self::HalfClosed | Self::EmptyLog => &[Law::EventuallyClean],
            Self::UnseenBots => &[Law::NeverCloseLive, Law::PutAside, Law::NotEarly],
            Self::EndsForgotten => &[Law::OrderFree],
            Self::StolenKey => &[Law::NoWriteUnsigned],
            Self::TalkativeNotices | Self::TalkativeRecords => &[Law::NoPersonalData],
            Self::LostNotices => &[Law::NoNoticeNoMark],
            Self::Unheeded429 => &[Law::Patient],
            Self::EmptyIndex => &[Law::EventuallyClean, Law::NoPoison],
            Self::PoisonSpreads => &[Law::NoPoison, Law::EventuallyClean, Law::BoundedCalls],
            Self::WastefulCalls => &[Law::BoundedCalls],
            Self::LeftIsClosed | Self::OnlyStudioCounts => &[Law::PutAside],
            Self::UnreadMessages => &[Law::NotEarly],
            Self::AgentEverywhere => &[Law::EventuallyClean],
            Self::MovesAnyVersion
            | Self::MovesInSilence
            | Self::DroppedMessages
            | Self::LinesTakenForOne
            | Self::EarlyWordsDropped => &[Law::ParkRestores],
            // What is not noted, or never succeeds, stays due.
            Self::NoWayBack | Self::Unannounced | Self::NotesByTime | Self::ParkedByAttribute => {
                &[Law::ParkRestores, Law::EventuallyClean]
            }
            Self::HastyParking => &[Law::NotEarly],
            Self::RescuesUnannounced => &[Law::OneAgent],
            Self::NothingRescued => &[Law::NoOneUnheard],
        }
    }
}
