//! Scenarios: every class of channel, its steps, and the promise about it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use simulator::state::State;
use simulator::state::flows::Lifespan;
use simulator::state::sid::Sid;
use simulator::state::story::{Contact, Transfer};

/// Scenario of a channel over the three days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Scenario {
    /// The agent's browser cleans up, as it is meant to.
    CleanedByBrowser,
    /// The task is completed with the browser's tab closed.
    TabClosed,
    /// No agent accepts the task within its day.
    TimedOut,
    /// Another program deletes the task through the API.
    TaskDeleted,
    /// The task is assigned for longer than TaskRouter lets it live.
    Overstayed,
    /// A long-lived channel whose customer does not come back.
    LongLived,
    /// A long-lived channel whose customer comes back within two days.
    Returning,
    /// An agent is chatting at the end.
    Live,
    /// Transferred to another agent, who is chatting at the end.
    Transferred,
    /// A long-lived channel whose customer is back, but the event that says so is lost.
    LostCreated,
    /// Another program deletes the channel itself.
    ChannelDeleted,
    /// Another program wrote attributes that are not a JSON object.
    BrokenAttributes,
}

impl Scenario {
    pub(crate) const ALL: [Self; 12] = [
        Self::CleanedByBrowser,
        Self::TabClosed,
        Self::TimedOut,
        Self::TaskDeleted,
        Self::Overstayed,
        Self::LongLived,
        Self::Returning,
        Self::Live,
        Self::Transferred,
        Self::LostCreated,
        Self::ChannelDeleted,
        Self::BrokenAttributes,
    ];

    /// Returns the steps in the words of the table.
    pub(crate) const fn story(self) -> &'static str {
        match self {
            Self::CleanedByBrowser => "completed, the browser cleaned up",
            Self::TabClosed => "completed, the tab was closed",
            Self::TimedOut => "timed out overnight",
            Self::TaskDeleted => "task deleted through the API",
            Self::Overstayed => "assigned for more than a day",
            Self::LongLived => "long-lived, customer gone",
            Self::Returning => "long-lived, customer came back",
            Self::Live => "an agent is chatting",
            Self::Transferred => "transferred, an agent is chatting",
            Self::LostCreated => "customer back, Twilio lost the event",
            Self::ChannelDeleted => "channel deleted by a program",
            Self::BrokenAttributes => "attributes damaged by a program",
        }
    }

    /// Returns the promise in the words of the table.
    pub(crate) const fn promise(self) -> &'static str {
        match self {
            Self::CleanedByBrowser => "found clean, not written to",
            Self::TabClosed => "INACTIVE after 15 minutes",
            Self::TimedOut | Self::TaskDeleted | Self::Overstayed => "INACTIVE after 5 minutes",
            Self::LongLived => "released, and reset after 48 hours",
            Self::Returning => "released, its clock started again",
            Self::Live | Self::Transferred | Self::LostCreated => "not touched",
            Self::ChannelDeleted => "noted as gone",
            Self::BrokenAttributes => "not touched, a person is told",
        }
    }

    /// Returns true if an agent works on the channel at the end.
    pub(crate) const fn is_live(self) -> bool {
        matches!(self, Self::Live | Self::Transferred | Self::LostCreated)
    }

    const fn lifespan(self) -> Lifespan {
        if matches!(self, Self::LongLived | Self::Returning | Self::LostCreated) {
            Lifespan::LongLived
        } else {
            Lifespan::OneTask
        }
    }

    /// Returns the steps and their times, counted from the start of the first day.
    pub(crate) fn script(self) -> Vec<(Duration, Act)> {
        // The first contact of most channels falls into the first working day; chats that
        // are to be open at the end begin on the last.
        let day_three = hours(2 * 24 + 5);
        match self {
            Self::CleanedByBrowser => vec![
                (minutes(0), Act::CustomerWrites),
                (minutes(2), Act::AgentAccepts),
                (minutes(25), Act::AgentWrapsUp),
                (minutes(27), Act::BrowserCompletes),
            ],
            Self::TabClosed | Self::LongLived => chat_with_closed_tab(),
            Self::TimedOut => vec![(minutes(0), Act::CustomerWrites)],
            Self::TaskDeleted => vec![
                (minutes(0), Act::CustomerWrites),
                (minutes(9), Act::TaskDeleted),
            ],
            Self::Overstayed => vec![
                (minutes(0), Act::CustomerWrites),
                (minutes(3), Act::AgentAccepts),
            ],
            Self::Returning => {
                let mut script = chat_with_closed_tab();
                script.extend(later(hours(26), chat_with_closed_tab()));
                script
            }
            Self::Live => later(
                day_three,
                vec![
                    (minutes(0), Act::CustomerWrites),
                    (minutes(1), Act::AgentAccepts),
                ],
            ),
            Self::Transferred => later(
                day_three,
                vec![
                    (minutes(0), Act::CustomerWrites),
                    (minutes(2), Act::AgentAccepts),
                    (minutes(20), Act::Transfer),
                    (minutes(21), Act::AgentAccepts),
                ],
            ),
            Self::LostCreated => {
                let mut script = chat_with_closed_tab();
                script.push((day_three, Act::EventsAreLost));
                script.push((day_three + minutes(1), Act::CustomerWrites));
                script.push((day_three + minutes(3), Act::AgentAccepts));
                script
            }
            Self::ChannelDeleted => {
                let mut script = chat_with_closed_tab();
                script.push((minutes(31), Act::ChannelDeleted));
                script
            }
            Self::BrokenAttributes => {
                let mut script = chat_with_closed_tab();
                script.push((minutes(31), Act::AttributesDamaged));
                script
            }
        }
    }
}

fn chat_with_closed_tab() -> Vec<(Duration, Act)> {
    vec![
        (minutes(0), Act::CustomerWrites),
        (minutes(2), Act::AgentAccepts),
        (minutes(28), Act::AgentWrapsUp),
        (minutes(30), Act::TabIsClosed),
    ]
}

fn later(by: Duration, script: Vec<(Duration, Act)>) -> Vec<(Duration, Act)> {
    script.into_iter().map(|(at, act)| (at + by, act)).collect()
}

pub(crate) const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

pub(crate) const fn hours(hours: u64) -> Duration {
    minutes(60 * hours)
}

/// One thing that happens to one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Act {
    CustomerWrites,
    AgentAccepts,
    AgentWrapsUp,
    BrowserCompletes,
    TabIsClosed,
    TaskDeleted,
    Transfer,
    ChannelDeleted,
    AttributesDamaged,
    /// From now on, no event of this channel reaches us.
    EventsAreLost,
}

/// One customer and the channel that they write on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) scenario: Scenario,
    pub(crate) address: String,
    pub(crate) channel: Option<Sid>,
    pub(crate) task: Option<Sid>,
    /// The attributes as the channel got them.
    pub(crate) attributes: String,
    pub(crate) events_are_lost: bool,
}

impl Customer {
    pub(crate) fn new(scenario: Scenario, number: usize) -> Self {
        // WhatsApp is the long-lived medium of the simulated project.
        let address = match scenario.lifespan() {
            Lifespan::LongLived => format!("whatsapp:+1555{number:07}"),
            Lifespan::OneTask => format!("+1555{number:07}"),
        };
        Self {
            scenario,
            address,
            channel: None,
            task: None,
            attributes: String::new(),
            events_are_lost: false,
        }
    }

    /// Lets it happen.
    pub(crate) fn act(&mut self, act: Act, state: &mut State, agent: Sid) -> anyhow::Result<()> {
        let refused = |error: simulator::state::refusal::Refusal| {
            anyhow::anyhow!("the simulated Twilio refuses {act:?}: {error:?}")
        };
        let task = self.task;
        let task = || task.ok_or_else(|| anyhow::anyhow!("{act:?} without a task"));
        let channel = self.channel;
        let channel = || channel.ok_or_else(|| anyhow::anyhow!("{act:?} without a channel"));
        match act {
            Act::CustomerWrites => {
                let contact = state.customer_writes(&self.address, "Where is my parcel?");
                self.task = contact.task();
                self.channel = contact.channel();
                if let Contact::Started { channel, .. } = contact {
                    self.attributes = attributes_of(state, channel);
                }
            }
            Act::AgentAccepts => state.agent_accepts(task()?, agent).map_err(refused)?,
            Act::AgentWrapsUp => state.agent_wraps_up(task()?).map_err(refused)?,
            Act::BrowserCompletes => state.agent_completes(task()?).map_err(refused)?,
            Act::TabIsClosed => state.task_completed_by_nobody(task()?).map_err(refused)?,
            Act::TaskDeleted => state.task_deleted_through_api(task()?).map_err(refused)?,
            Act::Transfer => {
                // Half of the contact centre transfers in the way that hides the end.
                let transfer = match channel()?.as_str().as_bytes().last() {
                    Some(digit) if digit % 2 == 0 => Transfer::LosesChannel,
                    _ => Transfer::KeepsChannel,
                };
                self.task = Some(state.agent_transfers(task()?, transfer).map_err(refused)?);
            }
            Act::ChannelDeleted => state
                .delete_channel(channel()?, simulator::state::chat::Webhooks::Enabled)
                .map_err(refused)?,
            Act::AttributesDamaged => {
                let change = simulator::state::chat::ChannelChange {
                    attributes: Some("[\"oops\"]".to_owned()),
                    ..Default::default()
                };
                state
                    .update_channel(
                        channel()?,
                        simulator::state::chat::Webhooks::Disabled,
                        change,
                    )
                    .map_err(refused)?;
            }
            Act::EventsAreLost => self.events_are_lost = true,
        }
        Ok(())
    }
}

/// The attributes of a channel as they are now; nothing where there is no such channel.
pub(crate) fn attributes_of(state: &State, channel: Sid) -> String {
    state
        .channel(channel)
        .map(|channel| channel.attributes.to_string())
        .unwrap_or_default()
}
