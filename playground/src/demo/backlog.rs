//! The second act: an installation with a backlog, on both platforms, and events that Twilio
//! loses for ever.
//!
//! Its stage is a contact centre of its own, in which chats were left behind for weeks before
//! any event was received. It is smaller than the first: it shows that they are found, and
//! the first one that many are.

mod scenario;

use std::time::Duration;

use simulator::state::State;
use simulator::state::sid::Sid;
use simulator::state::story::Contact;
use simulator::state::webhooks::WebhookTarget;
use simulator::{ConversationState, PauseReading};
use sweep::{Reconciled, Unheard};

use super::claims::{Claim, claim, of_class};
use super::customers::{hours, minutes};
use super::world::{World, refused};
use scenario::BacklogScenario;

/// Chats of each class: this part of those in the first act.
const PART: u16 = 8;

/// Where a survey listens.
const SURVEY: &str = "https://survey.example.com/answer";

/// With the time below, more than the 90 days for which an orphan must have been silent.
const BEFORE_THE_BOT: Duration = hours(60 * 24);

/// TaskRouter's log goes back 30 days.
const BEFORE_THE_LOG: Duration = hours(40 * 24);

/// A customer.
struct BacklogCustomer {
    scenario: BacklogScenario,
    address: String,
    channel: Sid,
    task: Sid,
}

/// Result of one class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Class {
    pub(super) story: &'static str,
    pub(super) promise: &'static str,
    pub(super) kept: usize,
    pub(super) all: usize,
}

/// Result of the act.
pub(super) struct Backlog {
    pub(super) classes: Vec<Class>,
    pub(super) claims: Vec<Claim>,
}

/// Plays the act.
pub(super) async fn play(seed: u64, channels: u16) -> anyhow::Result<Backlog> {
    let each = usize::from((channels / PART).max(1));
    let mut world = World::new(seed, each * BacklogScenario::ALL.len(), Unheard::Tell).await?;
    let agent = world.hire_agent()?;
    let mut customers = Vec::new();
    let come = |world: &World, scenario: BacklogScenario| -> anyhow::Result<Vec<BacklogCustomer>> {
        let mut state = world.simulator.state();
        (0..each)
            .map(|number| contact(&mut state, agent, scenario, number))
            .collect()
    };

    for scenario in [BacklogScenario::OldChat, BacklogScenario::OldConversation] {
        customers.extend(come(&world, scenario)?);
    }
    world.simulator.advance(BEFORE_THE_BOT);
    customers.extend(come(&world, BacklogScenario::Bot)?);
    // No event of that was received, and TaskRouter has deleted its log of it.
    world.simulator.take_events();
    world.simulator.advance(BEFORE_THE_LOG);

    // The installation. From now on events arrive, but for some.
    for scenario in [BacklogScenario::LostEnd, BacklogScenario::Canceled] {
        customers.extend(come(&world, scenario)?);
    }
    world.deliver_all().await?;
    finish(&mut world, &customers, BacklogScenario::LostEnd)?;
    world.simulator.take_events();
    finish(&mut world, &customers, BacklogScenario::Canceled)?;
    world.deliver_all().await?;
    world.simulator.advance(hours(1));
    let reconciled = world.reconcile().await?;
    world.sweep().await?;
    world.simulator.advance(minutes(20));
    world.sweep().await?;

    world.simulator.advance(hours(24));
    for scenario in BacklogScenario::ASIDE {
        customers.extend(come(&world, scenario)?);
        finish(&mut world, &customers, scenario)?;
    }
    world.deliver_all().await?;
    world.simulator.advance(minutes(20));
    world.sweep().await?;
    world.simulator.advance(hours(12));
    answer_surveys(&world, &customers);
    world.simulator.advance(hours(14));
    customers.extend(come(&world, BacklogScenario::Live)?);
    world.deliver_all().await?;
    world.reconcile().await?;
    world.sweep().await?;

    let classes: Vec<Class> = {
        let state = world.simulator.state();
        BacklogScenario::ALL
            .map(|scenario| class(&state, &customers, scenario))
            .into()
    };
    let claims = classes
        .iter()
        .map(|class| of_class(class.story, class.promise, class.kept, class.all))
        .chain([
            found(each, &reconciled),
            come_back(&world, &customers),
            reach_an_agent(&world, &customers),
        ])
        .collect();
    Ok(Backlog { classes, claims })
}

/// Lets a customer write, and lets the scenario go on up to the installation.
fn contact(
    state: &mut State,
    agent: Sid,
    scenario: BacklogScenario,
    number: usize,
) -> anyhow::Result<BacklogCustomer> {
    let class = BacklogScenario::ALL
        .iter()
        .position(|one| *one == scenario)
        .unwrap_or(0);
    let address = format!("+1556{class}{number:06}");
    let words = "Where is my parcel?";
    let contact = if scenario.is_conversation() {
        state.customer_converses(&address, words)
    } else {
        state.customer_writes(&address, words)
    };
    let Contact::Started { channel, task } = contact else {
        anyhow::bail!("{address} reaches no agent: {contact:?}");
    };
    match scenario {
        BacklogScenario::OldConversation => {
            state.task_canceled_by_supervisor(task).map_err(refused)?
        }
        BacklogScenario::OldChat | BacklogScenario::Bot | BacklogScenario::Survey => {
            state.agent_accepts(task, agent).map_err(refused)?;
            state.task_completed_by_nobody(task).map_err(refused)?;
        }
        BacklogScenario::LostEnd
        | BacklogScenario::Left
        | BacklogScenario::PausedWithTask
        | BacklogScenario::PausedWithoutTask
        | BacklogScenario::Parked
        | BacklogScenario::AgentLess
        | BacklogScenario::Live => {
            state.agent_accepts(task, agent).map_err(refused)?;
        }
        BacklogScenario::Canceled => {}
    }
    if scenario == BacklogScenario::Bot {
        let flow = WebhookTarget::default();
        state
            .add_channel_webhook(channel, "studio", flow)
            .map_err(refused)?;
    }
    Ok(BacklogCustomer {
        scenario,
        address,
        channel,
        task,
    })
}

/// The tasks of a class end.
fn finish(
    world: &mut World,
    customers: &[BacklogCustomer],
    scenario: BacklogScenario,
) -> anyhow::Result<()> {
    let mut state = world.simulator.state();
    for customer in customers
        .iter()
        .filter(|customer| customer.scenario == scenario)
    {
        match scenario {
            BacklogScenario::Canceled => state.task_canceled_by_supervisor(customer.task),
            BacklogScenario::Left => state.agent_leaves(customer.task),
            BacklogScenario::PausedWithTask => {
                state.knobs.pause = PauseReading::KeepsTask;
                state.agent_pauses(customer.task)
            }
            BacklogScenario::PausedWithoutTask => {
                state.knobs.pause = PauseReading::EndsTask;
                state.agent_pauses(customer.task)
            }
            BacklogScenario::Parked => state.program_parks(customer.task),
            BacklogScenario::AgentLess => state.agent_removed(customer.task),
            BacklogScenario::Survey => {
                let channel = customer.channel;
                let joined = state.program_joins(channel, SURVEY);
                let asked =
                    joined.and_then(|_| state.program_writes(channel, "Bot", "How was it?"));
                asked.map(drop)
            }
            BacklogScenario::OldChat
            | BacklogScenario::OldConversation
            | BacklogScenario::Bot
            | BacklogScenario::LostEnd
            | BacklogScenario::Live => state.task_completed_by_nobody(customer.task),
        }
        .map_err(refused)?;
    }
    Ok(())
}

/// The survey hears the answers, and no agent is asked for.
fn answer_surveys(world: &World, customers: &[BacklogCustomer]) {
    let mut state = world.simulator.state();
    for customer in customers {
        if customer.scenario == BacklogScenario::Survey {
            state.customer_writes(&customer.address, "Very good");
        }
    }
}

fn class(state: &State, customers: &[BacklogCustomer], scenario: BacklogScenario) -> Class {
    let of_class = || {
        customers
            .iter()
            .filter(|customer| customer.scenario == scenario)
    };
    Class {
        story: scenario.story(),
        promise: scenario.promise(),
        kept: of_class()
            .filter(|customer| is_as_promised(state, customer))
            .count(),
        all: of_class().count(),
    }
}

fn is_as_promised(state: &State, customer: &BacklogCustomer) -> bool {
    if customer.scenario.is_conversation() {
        let conversation = state.conversation(customer.channel);
        let closed = conversation.is_some_and(|found| found.state == ConversationState::Closed);
        return conversation.is_some() && closed == customer.scenario.is_over();
    }
    let channel = state.channel(customer.channel);
    let clean = channel.is_some_and(|found| found.is_inactive() && !found.is_long_lived());
    let session = state.open_session_of(&customer.address).is_some();
    channel.is_some()
        && clean == customer.scenario.is_over()
        && session != customer.scenario.is_over()
}

fn found(each: usize, reconciled: &Reconciled) -> Claim {
    let as_many = [
        (reconciled.new_from_log, each),
        (reconciled.orphans, 3 * each),
    ];
    claim(
        "what no event told is found by the log and by what is held open",
        reconciled.whole && as_many.iter().all(|(is, should)| is == should),
        format!(
            "{} from the log and {} orphans in {} pages of {} events, {} sessions and {} conversations",
            reconciled.new_from_log,
            reconciled.orphans,
            reconciled.pages,
            reconciled.events,
            reconciled.sessions,
            reconciled.conversations
        ),
    )
}

/// Customers write again whom an agent or a program keeps a conversation for.
fn come_back(world: &World, customers: &[BacklogCustomer]) -> Claim {
    let mut state = world.simulator.state();
    let kept = customers.iter();
    let kept: Vec<_> = kept
        .filter(|it| it.scenario.is_kept_for_customer())
        .collect();
    let back = kept.iter().filter(|customer| {
        let contact = state.customer_converses(&customer.address, "Hello again");
        matches!(contact, Contact::Reopened { channel, .. } if channel == customer.channel)
    });
    let back = back.count();
    claim(
        "what was left or parked comes back to an agent with its history",
        back == kept.len() && back > 0,
        format!("{back} of {} conversations", kept.len()),
    )
}

/// Customers whose chats are over write once more.
fn reach_an_agent(world: &World, customers: &[BacklogCustomer]) -> Claim {
    let mut state = world.simulator.state();
    let over: Vec<&BacklogCustomer> = customers
        .iter()
        .filter(|customer| customer.scenario.is_over())
        .collect();
    let reached = over
        .iter()
        .filter(|customer| {
            let contact = if customer.scenario.is_conversation() {
                state.customer_converses(&customer.address, "Hello again")
            } else {
                state.customer_writes(&customer.address, "Hello again")
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
