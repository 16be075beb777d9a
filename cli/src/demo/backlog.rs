//! The second act: an installation with a backlog, on both platforms, and events that Twilio
//! loses for ever.
//!
//! Its stage is a contact centre of its own, in which chats were left behind for weeks before
//! anybody told us of events. It is smaller than the first: it shows that they are found, and
//! the first one that many are.

use std::time::Duration;

use simulator::ConversationState;
use simulator::state::State;
use simulator::state::refusal::Refusal;
use simulator::state::sid::Sid;
use simulator::state::story::Contact;
use simulator::state::webhooks::WebhookTarget;
use sweep::Reconciled;

use super::cast::{hours, minutes};
use super::claims::{Claim, claim, of_class};
use super::world::World;

/// Chats of each class: this part of those in the first act.
const PART: u16 = 5;

/// TaskRouter's log goes back 30 days.
const BEFORE_THE_LOG: Duration = hours(40 * 24);

/// What became of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lot {
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
    /// A Conversation that its agent parked, to wait for the customer.
    Parked,
    /// A Conversation in which an agent is chatting.
    Live,
}

impl Lot {
    const ALL: [Self; 7] = [
        Self::OldChat,
        Self::OldConversation,
        Self::Bot,
        Self::LostEnd,
        Self::Canceled,
        Self::Parked,
        Self::Live,
    ];

    const fn story(self) -> &'static str {
        match self {
            Self::OldChat => "chat left behind before the installation",
            Self::OldConversation => "conversation left behind before it",
            Self::Bot => "with a bot since before it",
            Self::LostEnd => "completed, Twilio lost the event",
            Self::Canceled => "conversation, its task was canceled",
            Self::Parked => "conversation, parked by its agent",
            Self::Live => "conversation, an agent is chatting",
        }
    }

    const fn promise(self) -> &'static str {
        match self {
            Self::OldChat => "found by its session, INACTIVE",
            Self::OldConversation => "found open, closed after 48 hours",
            Self::Bot | Self::Live => "not touched",
            Self::LostEnd => "found in the log, INACTIVE",
            Self::Canceled => "closed, its interaction first",
            Self::Parked => "left to its customer for 48 hours",
        }
    }

    const fn is_conversation(self) -> bool {
        match self {
            Self::OldConversation | Self::Canceled | Self::Parked | Self::Live => true,
            Self::OldChat | Self::Bot | Self::LostEnd => false,
        }
    }

    /// Whether the customer's next message begins a new contact.
    const fn is_over(self) -> bool {
        match self {
            Self::OldChat | Self::OldConversation | Self::LostEnd | Self::Canceled => true,
            Self::Bot | Self::Parked | Self::Live => false,
        }
    }
}

/// A customer.
struct Extra {
    lot: Lot,
    address: String,
    channel: Sid,
    task: Sid,
}

/// How a class came out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Class {
    pub(super) story: &'static str,
    pub(super) promise: &'static str,
    pub(super) kept: usize,
    pub(super) all: usize,
}

/// How the act came out.
pub(super) struct Backlog {
    pub(super) classes: Vec<Class>,
    pub(super) claims: Vec<Claim>,
}

/// Plays the act.
pub(super) async fn play(seed: u64, channels: u16) -> anyhow::Result<Backlog> {
    let each = usize::from((channels / PART).max(1));
    let mut world = World::new(seed, each * Lot::ALL.len()).await?;
    let agent = {
        let mut state = world.simulator.state();
        let workspace = state.project().map(|project| project.workspace);
        let workspace = workspace.ok_or_else(|| anyhow::anyhow!("there is no Flex project"))?;
        state.hire_agent(workspace, "agent").map_err(refused)?
    };
    let mut extras = Vec::new();
    let come = |world: &World, lot: Lot| -> anyhow::Result<Vec<Extra>> {
        let mut state = world.simulator.state();
        (0..each)
            .map(|number| contact(&mut state, agent, lot, number))
            .collect()
    };

    for lot in [Lot::OldChat, Lot::OldConversation, Lot::Bot] {
        extras.extend(come(&world, lot)?);
    }
    // Nobody told us of any of that, and TaskRouter has forgotten it.
    world.simulator.take_events();
    world.simulator.advance(BEFORE_THE_LOG);

    // The installation. From now on events arrive, but for some.
    for lot in [Lot::LostEnd, Lot::Canceled] {
        extras.extend(come(&world, lot)?);
    }
    world.deliver_all().await?;
    finish(&mut world, &extras, Lot::LostEnd)?;
    world.simulator.take_events();
    finish(&mut world, &extras, Lot::Canceled)?;
    world.deliver_all().await?;
    world.simulator.advance(hours(1));
    let reconciled = world.reconcile().await?;
    world.simulator.reset_calls();
    world.sweep().await?;
    let by_interaction = calls_for_conversations(&world);
    world.simulator.advance(minutes(20));
    world.sweep().await?;

    world.simulator.advance(hours(24));
    extras.extend(come(&world, Lot::Parked)?);
    finish(&mut world, &extras, Lot::Parked)?;
    world.deliver_all().await?;
    world.simulator.advance(minutes(20));
    world.sweep().await?;
    world.simulator.advance(hours(24));
    extras.extend(come(&world, Lot::Live)?);
    world.deliver_all().await?;
    world.reconcile().await?;
    world.simulator.reset_calls();
    world.sweep().await?;
    let without = calls_for_conversations(&world);

    let classes: Vec<Class> = {
        let state = world.simulator.state();
        Lot::ALL.map(|lot| class(&state, &extras, lot)).into()
    };
    let claims = classes
        .iter()
        .map(|class| of_class(class.story, class.promise, class.kept, class.all))
        .chain([
            few_calls(each, by_interaction, without),
            found(each, &reconciled),
            reach_an_agent(&world, &extras),
        ])
        .collect();
    Ok(Backlog { classes, claims })
}

fn refused(error: Refusal) -> anyhow::Error {
    anyhow::anyhow!("the simulated Twilio refuses: {error:?}")
}

/// A customer writes, and whoever is to answers.
fn contact(state: &mut State, agent: Sid, lot: Lot, number: usize) -> anyhow::Result<Extra> {
    let class = Lot::ALL.iter().position(|one| *one == lot).unwrap_or(0);
    let address = format!("+1556{class}{number:06}");
    let words = "Where is my parcel?";
    let contact = if lot.is_conversation() {
        state.customer_converses(&address, words)
    } else {
        state.customer_writes(&address, words)
    };
    let Contact::Started { channel, task } = contact else {
        anyhow::bail!("{address} reaches nobody: {contact:?}");
    };
    match lot {
        Lot::OldConversation => state.task_canceled_by_supervisor(task).map_err(refused)?,
        Lot::OldChat | Lot::Bot => {
            state.agent_accepts(task, agent).map_err(refused)?;
            state.task_completed_by_nobody(task).map_err(refused)?;
        }
        Lot::LostEnd | Lot::Parked | Lot::Live => {
            state.agent_accepts(task, agent).map_err(refused)?;
        }
        Lot::Canceled => {}
    }
    if lot == Lot::Bot {
        let flow = WebhookTarget::default();
        state
            .add_channel_webhook(channel, "studio", flow)
            .map_err(refused)?;
    }
    Ok(Extra {
        lot,
        address,
        channel,
        task,
    })
}

/// The tasks of a class end.
fn finish(world: &mut World, extras: &[Extra], lot: Lot) -> anyhow::Result<()> {
    let mut state = world.simulator.state();
    for extra in extras.iter().filter(|extra| extra.lot == lot) {
        match lot {
            Lot::Canceled => state.task_canceled_by_supervisor(extra.task),
            Lot::Parked => state.program_parks(extra.task),
            Lot::OldChat | Lot::OldConversation | Lot::Bot | Lot::LostEnd | Lot::Live => {
                state.task_completed_by_nobody(extra.task)
            }
        }
        .map_err(refused)?;
    }
    Ok(())
}

/// Requests for Conversations and their interactions; the look at the open tasks is apart.
fn calls_for_conversations(world: &World) -> u64 {
    let calls = world.simulator.calls();
    calls.of_product("conversations") + calls.of_product("flex-api")
}

fn class(state: &State, extras: &[Extra], lot: Lot) -> Class {
    let of_class = || extras.iter().filter(|extra| extra.lot == lot);
    Class {
        story: lot.story(),
        promise: lot.promise(),
        kept: of_class()
            .filter(|extra| is_as_promised(state, extra))
            .count(),
        all: of_class().count(),
    }
}

fn is_as_promised(state: &State, extra: &Extra) -> bool {
    if extra.lot.is_conversation() {
        let conversation = state.conversation(extra.channel);
        let closed = conversation.is_some_and(|found| found.state == ConversationState::Closed);
        return conversation.is_some() && closed == extra.lot.is_over();
    }
    let channel = state.channel(extra.channel);
    let clean = channel.is_some_and(|found| found.is_inactive() && !found.is_long_lived());
    let session = state.open_session_of(&extra.address).is_some();
    channel.is_some() && clean == extra.lot.is_over() && session != extra.lot.is_over()
}

fn few_calls(each: usize, by_interaction: u64, without: u64) -> Claim {
    let within = |calls: u64, bound: usize| calls <= u64::try_from(each * bound).unwrap_or(0);
    claim(
        "at most three requests for a conversation with an interaction, two without",
        within(by_interaction, 3) && within(without, 2) && by_interaction * without > 0,
        format!("{by_interaction} and {without} requests for {each} of each"),
    )
}

fn found(each: usize, reconciled: &Reconciled) -> Claim {
    let as_many = [
        (reconciled.new_from_log, each),
        (reconciled.orphans, 2 * each),
        (
            reconciled.skipped.get("with-flow").copied().unwrap_or(0),
            each,
        ),
    ];
    claim(
        "what no event told is found by the log and by what is held open",
        reconciled.whole && as_many.iter().all(|(is, should)| is == should),
        format!(
            "{} learnt and {} orphans in {} pages of {} events, {} sessions and {} conversations",
            reconciled.new_from_log,
            reconciled.orphans,
            reconciled.pages,
            reconciled.events,
            reconciled.sessions,
            reconciled.conversations
        ),
    )
}

/// Customers whose chats are over write once more.
fn reach_an_agent(world: &World, extras: &[Extra]) -> Claim {
    let mut state = world.simulator.state();
    let over: Vec<&Extra> = extras.iter().filter(|extra| extra.lot.is_over()).collect();
    let reached = over
        .iter()
        .filter(|extra| {
            let contact = if extra.lot.is_conversation() {
                state.customer_converses(&extra.address, "Hello again")
            } else {
                state.customer_writes(&extra.address, "Hello again")
            };
            matches!(contact, Contact::Started { .. })
        })
        .count();
    let lost = state.lost_messages().count();
    claim(
        "those customers who write again reach an agent",
        reached == over.len() && reached > 0 && lost == 0,
        format!("{reached} of {} messages", over.len()),
    )
}
