//! The classes of chats in the second act, and what is promised of each.

/// Scenario of a chat that the installation finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BacklogScenario {
    /// A Chat channel that was left behind weeks before the installation.
    OldChat,
    /// A Conversation of the same age.
    OldConversation,
    /// A chat of the same age that is with a Studio flow.
    Bot,
    /// Twilio lost the event which says that its task was completed.
    LostEnd,
    /// A Conversation whose task was canceled.
    Canceled,
    /// A Conversation that its agent left, so that a reply brings its history back.
    Left,
    /// A Conversation that its agent paused, if Pause keeps the task.
    PausedWithTask,
    /// A Conversation that its agent paused, if Pause ends the task.
    PausedWithoutTask,
    /// A Conversation that a program parked, to wait for the customer.
    Parked,
    /// A Conversation out of which its agent was taken: it swallows messages.
    AgentLess,
    /// A Chat channel whose customer answers a survey.
    Survey,
    /// A Conversation in which an agent is chatting.
    Live,
}

impl BacklogScenario {
    pub(super) const ALL: [Self; 12] = [
        Self::OldChat,
        Self::OldConversation,
        Self::Bot,
        Self::LostEnd,
        Self::Canceled,
        Self::Left,
        Self::PausedWithTask,
        Self::PausedWithoutTask,
        Self::Parked,
        Self::AgentLess,
        Self::Survey,
        Self::Live,
    ];

    /// Chats that agents and programs put aside, and those that only look like it.
    pub(super) const ASIDE: [Self; 6] = [
        Self::Left,
        Self::PausedWithTask,
        Self::PausedWithoutTask,
        Self::Parked,
        Self::AgentLess,
        Self::Survey,
    ];

    pub(super) const fn story(self) -> &'static str {
        match self {
            Self::OldChat => "chat left behind before the installation",
            Self::OldConversation => "conversation left behind before it",
            Self::Bot => "with a bot since before it",
            Self::LostEnd => "completed, Twilio lost the event",
            Self::Canceled => "conversation, its task was canceled",
            Self::Left => "conversation, its agent left",
            Self::PausedWithTask => "conversation, paused, task goes on",
            Self::PausedWithoutTask => "conversation, paused, task ended",
            Self::Parked => "conversation, parked by a program",
            Self::AgentLess => "conversation, its agent was removed",
            Self::Survey => "a survey asks the customer",
            Self::Live => "conversation, an agent is chatting",
        }
    }

    pub(super) const fn promise(self) -> &'static str {
        match self {
            Self::OldChat => "found by its session, INACTIVE",
            Self::OldConversation => "silent for 90 days: found and closed",
            Self::Bot | Self::Live => "not touched",
            Self::LostEnd => "found in the log, INACTIVE",
            Self::Canceled => "closed, its interaction first",
            Self::Left | Self::Parked => "left to its customer",
            Self::PausedWithTask | Self::PausedWithoutTask => "left to its agent",
            Self::AgentLess => "closed after 15 minutes",
            Self::Survey => "left while they talk",
        }
    }

    pub(super) const fn is_conversation(self) -> bool {
        match self {
            Self::OldConversation
            | Self::Canceled
            | Self::Left
            | Self::PausedWithTask
            | Self::PausedWithoutTask
            | Self::Parked
            | Self::AgentLess
            | Self::Live => true,
            Self::OldChat | Self::Bot | Self::LostEnd | Self::Survey => false,
        }
    }

    /// Returns true if the customer's next message must begin a new contact.
    pub(super) const fn is_over(self) -> bool {
        match self {
            Self::OldChat
            | Self::OldConversation
            | Self::LostEnd
            | Self::Canceled
            | Self::AgentLess => true,
            Self::Bot
            | Self::Left
            | Self::PausedWithTask
            | Self::PausedWithoutTask
            | Self::Parked
            | Self::Survey
            | Self::Live => false,
        }
    }

    /// Returns true if the customer's next message must bring the same contact back.
    pub(super) const fn is_kept_for_customer(self) -> bool {
        matches!(self, Self::Left | Self::Parked)
    }
}
