//! The claims of the demo, each checked against the simulated Twilio, the table and the bus.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Outcome, Policy, Timestamp};
use serde::Serialize;
use simulator::state::State;
use simulator::state::attributes;
use simulator::state::story::Contact;

use super::customers::{Customer, Scenario, attributes_of};
use super::world::World;

/// One claim, and whether it holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Claim {
    pub(crate) name: String,
    pub(crate) holds: bool,
    pub(crate) detail: String,
    /// True if it is about one class, and so in the table.
    #[serde(skip)]
    pub(crate) of_class: bool,
}

/// State of everything at the end.
pub(crate) struct FinalState {
    pub(crate) customers: Vec<Customer>,
    /// State of each customer's channel.
    pub(crate) found: Vec<Found>,
    /// All that was told on the bus.
    pub(crate) notices: Vec<embedded::Entry>,
}

/// State of a channel at the simulated Twilio.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    exists: bool,
    attributes: String,
    long_lived: bool,
    inactive: bool,
    session_open: bool,
    open_tasks: usize,
}

impl FinalState {
    pub(crate) fn read(world: &World, customers: Vec<Customer>) -> Self {
        let state = world.simulator.state();
        let found = customers
            .iter()
            .map(|customer| find(&state, customer))
            .collect();
        drop(state);
        Self {
            customers,
            found,
            notices: world.aws.bus.entries(),
        }
    }

    /// The customers of a class, with how their channels are found.
    pub(crate) fn of(&self, scenario: Scenario) -> impl Iterator<Item = (&Customer, &Found)> {
        self.customers
            .iter()
            .zip(&self.found)
            .filter(move |(customer, _)| customer.scenario == scenario)
    }

    /// Returns how many channels of a class are as promised, and the size of the class.
    pub(crate) fn kept(&self, scenario: Scenario) -> (usize, usize) {
        let told = NoticesByChannel::of(&self.notices);
        let kept = self
            .of(scenario)
            .filter(|(customer, found)| is_as_promised(customer, found, &told));
        (kept.count(), self.of(scenario).count())
    }
}

fn find(state: &State, customer: &Customer) -> Found {
    let channel = customer.channel.and_then(|sid| state.channel(sid));
    Found {
        exists: channel.is_some(),
        attributes: customer
            .channel
            .map(|sid| attributes_of(state, sid))
            .unwrap_or_default(),
        long_lived: channel.is_some_and(simulator::state::chat::Channel::is_long_lived),
        inactive: channel.is_some_and(simulator::state::chat::Channel::is_inactive),
        session_open: state.open_session_of(&customer.address).is_some(),
        open_tasks: customer
            .channel
            .map_or(0, |sid| state.open_tasks_on(sid).count()),
    }
}

/// Notices on the bus, by channel.
struct NoticesByChannel<'a>(BTreeMap<&'a str, Vec<&'a embedded::Entry>>);

impl<'a> NoticesByChannel<'a> {
    fn of(notices: &'a [embedded::Entry]) -> Self {
        let mut told: BTreeMap<&str, Vec<&embedded::Entry>> = BTreeMap::new();
        for notice in notices {
            if let Some(channel) = notice.detail["channel_sid"].as_str() {
                told.entry(channel).or_default().push(notice);
            }
        }
        Self(told)
    }

    fn has(&self, customer: &Customer, kind: &str, outcome: Option<Outcome>) -> bool {
        let outcome = outcome.map(|outcome| outcome.to_string());
        customer
            .channel
            .and_then(|channel| self.0.get(channel.as_str()))
            .is_some_and(|notices| {
                notices.iter().any(|notice| {
                    notice.detail_type == kind
                        && notice.detail["outcome"].as_str() == outcome.as_deref()
                })
            })
    }
}

fn is_as_promised(customer: &Customer, found: &Found, told: &NoticesByChannel<'_>) -> bool {
    let closed = |outcome| told.has(customer, "ChannelClosed", Some(outcome));
    let released = told.has(customer, "ChannelReleased", Some(Outcome::Written));
    let clean = found.inactive && !found.long_lived && !found.session_open;
    match customer.scenario {
        Scenario::CleanedByBrowser => clean && closed(Outcome::AlreadyClean),
        Scenario::TabClosed | Scenario::TimedOut | Scenario::TaskDeleted | Scenario::Overstayed => {
            clean && closed(Outcome::Written)
        }
        Scenario::LongLived => clean && released && closed(Outcome::Written),
        Scenario::Returning => {
            found.inactive
                && found.long_lived
                && found.session_open
                && released
                && !closed(Outcome::Written)
        }
        Scenario::Live | Scenario::Transferred | Scenario::LostCreated => {
            found.exists && !found.inactive && found.session_open && found.open_tasks == 1
        }
        Scenario::ChannelDeleted => !found.exists && closed(Outcome::Gone),
        Scenario::BrokenAttributes => {
            found.attributes == "[\"oops\"]" && told.has(customer, "ChannelFailed", None)
        }
    }
}

/// Checks every claim.
pub(crate) async fn check(
    world: &mut World,
    final_state: &FinalState,
) -> anyhow::Result<Vec<Claim>> {
    let mut claims: Vec<Claim> = Scenario::ALL
        .iter()
        .map(|scenario| class(final_state, *scenario))
        .collect();
    claims.push(no_live_channel_touched(final_state));
    claims.push(attributes_intact(final_state));
    claims.push(never_early(final_state));
    claims.push(told_once(final_state));
    claims.push(second_sweep_does_nothing(world).await?);
    claims.push(customers_reach_an_agent(world, final_state));
    Ok(claims)
}

pub(crate) fn claim(name: impl Into<String>, holds: bool, detail: impl Into<String>) -> Claim {
    Claim {
        name: name.into(),
        holds,
        detail: detail.into(),
        of_class: false,
    }
}

fn class(final_state: &FinalState, scenario: Scenario) -> Claim {
    let (kept, all) = final_state.kept(scenario);
    of_class(scenario.story(), scenario.promise(), kept, all)
}

/// The claim that all channels of a class are found as promised.
pub(crate) fn of_class(story: &str, promise: &str, kept: usize, all: usize) -> Claim {
    Claim {
        name: format!("{story}: {promise}"),
        holds: kept == all && all > 0,
        detail: format!("{kept} of {all} channels"),
        of_class: true,
    }
}

fn no_live_channel_touched(final_state: &FinalState) -> Claim {
    let live = || {
        final_state
            .customers
            .iter()
            .zip(&final_state.found)
            .filter(|(customer, _)| customer.scenario.is_live())
    };
    let untouched = live().filter(|(customer, found)| {
        found.attributes == customer.attributes && found.open_tasks == 1 && found.session_open
    });
    let (untouched, all) = (untouched.count(), live().count());
    claim(
        "no channel with an agent on it was touched",
        untouched == all && all > 0,
        format!("{untouched} of {all} as their customers and agents left them"),
    )
}

fn attributes_intact(final_state: &FinalState) -> Claim {
    // In the simulator's own way of changing a member of a text, which is not ours.
    let neutral = |text: &str| {
        let text = attributes::with(text, "status", "0");
        attributes::with(&text, "long_lived", "0")
    };
    let ours = || {
        final_state
            .customers
            .iter()
            .zip(&final_state.found)
            .filter(|(customer, _)| {
                !matches!(
                    customer.scenario,
                    Scenario::ChannelDeleted | Scenario::BrokenAttributes
                )
            })
    };
    let intact = ours()
        .filter(|(customer, found)| neutral(&found.attributes) == neutral(&customer.attributes))
        .count();
    let all = ours().count();
    claim(
        "all other attributes are as they were, byte for byte",
        intact == all && all > 0,
        format!("{intact} of {all} channels"),
    )
}

fn never_early(final_state: &FinalState) -> Claim {
    let policy = Policy::default();
    let mut earliest: Option<f64> = None;
    let mut early = 0;
    for notice in &final_state.notices {
        let Some(since) = notice.detail["idle_since_ms"].as_i64() else {
            continue;
        };
        let Some(at) = notice.detail["at"]
            .as_str()
            .and_then(|at| at.parse::<jiff::Timestamp>().ok())
        else {
            continue;
        };
        let cutoff = match notice.detail["last_task_end"].as_str() {
            Some("completed" | "vanished") => policy.ended_cutoff,
            _ => policy.abandoned_cutoff,
        };
        let waited =
            Timestamp::from_millis(at.as_millisecond()).since(Timestamp::from_millis(since));
        early += usize::from(waited < cutoff);
        let ratio = waited.as_secs_f64() / cutoff.as_secs_f64();
        earliest = Some(earliest.map_or(ratio, |least| least.min(ratio)));
    }
    claim(
        "nothing was done before its cutoff",
        early == 0 && earliest.is_some(),
        format!(
            "{early} early; the shortest wait was {:.2} cutoffs",
            earliest.unwrap_or(0.0)
        ),
    )
}

fn told_once(final_state: &FinalState) -> Claim {
    let ids: BTreeSet<&str> = final_state
        .notices
        .iter()
        .filter_map(|notice| notice.detail["id"].as_str())
        .collect();
    claim(
        "every closing was told on the bus, once",
        ids.len() == final_state.notices.len() && !ids.is_empty(),
        format!(
            "{} notices, {} different",
            final_state.notices.len(),
            ids.len()
        ),
    )
}

async fn second_sweep_does_nothing(world: &mut World) -> anyhow::Result<Claim> {
    world.simulator.advance(Duration::from_secs(60));
    world.simulator.reset_calls();
    world.aws.forget_calls();
    world.sweep().await?;
    let asked = world.simulator.calls().total();
    let written = world.aws.tally("PutItem").requests;
    Ok(claim(
        "a second sweep does nothing",
        asked == 0 && written == 0,
        format!("{asked} requests to Twilio, {written} writes"),
    ))
}

/// Customers whose chats are over write once more.
fn customers_reach_an_agent(world: &mut World, final_state: &FinalState) -> Claim {
    let mut state = world.simulator.state();
    let lost_before = state.lost_messages().count();
    let mut contacts = 0;
    let mut reached = 0;
    for customer in &final_state.customers {
        let closed =
            !customer.scenario.is_live() && customer.scenario != Scenario::BrokenAttributes;
        if closed {
            contacts += 1;
            let contact = state.customer_writes(&customer.address, "Hello again");
            reached += usize::from(matches!(
                contact,
                Contact::Started { .. } | Contact::Reopened { .. } | Contact::Delivered { .. }
            ));
        }
    }
    claim(
        "customers who write again reach an agent",
        reached == contacts && contacts > 0 && lost_before == 0,
        format!("{reached} of {contacts} messages; {lost_before} were lost on the way"),
    )
}
