//! What the demo claims, each checked against the simulated Twilio, the table and the bus.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Outcome, Policy, Timestamp};
use serde::Serialize;
use serde_json::Value;
use simulator::state::State;
use simulator::state::attributes;
use simulator::state::story::Contact;
use sweep::Summary;

use super::cast::{Fate, Player, attributes_of};
use super::world::{World, items};

/// One claim, and whether it holds.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Claim {
    pub(crate) name: String,
    pub(crate) holds: bool,
    pub(crate) detail: String,
    /// Whether it is about one class, and so in the table.
    #[serde(skip)]
    pub(crate) of_class: bool,
}

/// How everything stands when the curtain falls.
pub(crate) struct Curtain {
    pub(crate) players: Vec<Player>,
    pub(crate) events: Vec<Value>,
    /// How each player's channel is found.
    pub(crate) found: Vec<Found>,
    /// All that was told on the bus.
    pub(crate) notices: Vec<embedded::Entry>,
}

/// How a channel is found at the simulated Twilio.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    exists: bool,
    attributes: String,
    long_lived: bool,
    inactive: bool,
    session_open: bool,
    open_tasks: usize,
}

impl Curtain {
    pub(crate) async fn fall(
        world: &mut World,
        players: Vec<Player>,
        events: Vec<Value>,
    ) -> anyhow::Result<Self> {
        let state = world.simulator.state();
        let found = players.iter().map(|player| find(&state, player)).collect();
        drop(state);
        Ok(Self {
            players,
            events,
            found,
            notices: world.aws.bus.entries(),
        })
    }

    /// The players of a class, with how their channels are found.
    pub(crate) fn of(&self, fate: Fate) -> impl Iterator<Item = (&Player, &Found)> {
        self.players
            .iter()
            .zip(&self.found)
            .filter(move |(player, _)| player.fate == fate)
    }

    /// How many of a class are found as promised, and of how many.
    pub(crate) fn kept(&self, fate: Fate) -> (usize, usize) {
        let told = Told::of(&self.notices);
        let kept = self
            .of(fate)
            .filter(|(player, found)| is_as_promised(player, found, &told));
        (kept.count(), self.of(fate).count())
    }
}

fn find(state: &State, player: &Player) -> Found {
    let channel = player.channel.and_then(|sid| state.channel(sid));
    Found {
        exists: channel.is_some(),
        attributes: player
            .channel
            .map(|sid| attributes_of(state, sid))
            .unwrap_or_default(),
        long_lived: channel.is_some_and(simulator::state::chat::Channel::is_long_lived),
        inactive: channel.is_some_and(simulator::state::chat::Channel::is_inactive),
        session_open: state.open_session_of(&player.address).is_some(),
        open_tasks: player
            .channel
            .map_or(0, |sid| state.open_tasks_on(sid).count()),
    }
}

/// What the bus was told, by channel: kind, outcome, time, and since when it was idle.
struct Told<'a>(BTreeMap<&'a str, Vec<&'a embedded::Entry>>);

impl<'a> Told<'a> {
    fn of(notices: &'a [embedded::Entry]) -> Self {
        let mut told: BTreeMap<&str, Vec<&embedded::Entry>> = BTreeMap::new();
        for notice in notices {
            if let Some(channel) = notice.detail["channel_sid"].as_str() {
                told.entry(channel).or_default().push(notice);
            }
        }
        Self(told)
    }

    fn has(&self, player: &Player, kind: &str, outcome: Option<Outcome>) -> bool {
        let outcome = outcome.map(|outcome| outcome.to_string());
        player
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

fn is_as_promised(player: &Player, found: &Found, told: &Told<'_>) -> bool {
    let closed = |outcome| told.has(player, "ChannelClosed", Some(outcome));
    let released = told.has(player, "ChannelReleased", Some(Outcome::Written));
    let clean = found.inactive && !found.long_lived && !found.session_open;
    match player.fate {
        Fate::CleanedByBrowser => clean && closed(Outcome::AlreadyClean),
        Fate::TabClosed | Fate::TimedOut | Fate::TaskDeleted | Fate::Overstayed => {
            clean && closed(Outcome::Written)
        }
        Fate::LongLived => clean && released && closed(Outcome::Written),
        Fate::Returning => {
            found.inactive
                && found.long_lived
                && found.session_open
                && released
                && !closed(Outcome::Written)
        }
        Fate::Live | Fate::Transferred | Fate::LostCreated => {
            found.exists && !found.inactive && found.session_open && found.open_tasks == 1
        }
        Fate::ChannelDeleted => !found.exists && closed(Outcome::Gone),
        Fate::BrokenAttributes => {
            found.attributes == "[\"oops\"]" && told.has(player, "ChannelFailed", None)
        }
    }
}

/// Checks every claim.
pub(crate) async fn check(world: &mut World, curtain: &Curtain) -> anyhow::Result<Vec<Claim>> {
    let mut claims: Vec<Claim> = Fate::ALL.iter().map(|fate| class(curtain, *fate)).collect();
    claims.push(no_live_channel_touched(curtain));
    claims.push(attributes_intact(curtain));
    claims.push(sessions_gone(curtain));
    claims.push(never_early(curtain));
    claims.push(told_once(curtain));
    claims.push(few_calls(world));
    claims.push(no_personal_data(world, curtain).await?);
    claims.push(order_makes_no_difference(world, curtain).await?);
    claims.push(second_sweep_does_nothing(world).await?);
    claims.push(customers_reach_an_agent(world, curtain));
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

fn class(curtain: &Curtain, fate: Fate) -> Claim {
    let (kept, all) = curtain.kept(fate);
    of_class(fate.story(), fate.promise(), kept, all)
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

fn no_live_channel_touched(curtain: &Curtain) -> Claim {
    let live = || {
        curtain
            .players
            .iter()
            .zip(&curtain.found)
            .filter(|(player, _)| player.fate.is_live())
    };
    let untouched = live().filter(|(player, found)| {
        found.attributes == player.attributes && found.open_tasks == 1 && found.session_open
    });
    let (untouched, all) = (untouched.count(), live().count());
    claim(
        "no channel with an agent on it was touched",
        untouched == all && all > 0,
        format!("{untouched} of {all} as their customers and agents left them"),
    )
}

fn attributes_intact(curtain: &Curtain) -> Claim {
    // In the simulator's own way of changing a member of a text, which is not ours.
    let neutral = |text: &str| {
        let text = attributes::with(text, "status", "0");
        attributes::with(&text, "long_lived", "0")
    };
    let ours = || {
        curtain
            .players
            .iter()
            .zip(&curtain.found)
            .filter(|(player, _)| {
                !matches!(player.fate, Fate::ChannelDeleted | Fate::BrokenAttributes)
            })
    };
    let intact = ours()
        .filter(|(player, found)| neutral(&found.attributes) == neutral(&player.attributes))
        .count();
    let all = ours().count();
    claim(
        "all other attributes are as they were, byte for byte",
        intact == all && all > 0,
        format!("{intact} of {all} channels"),
    )
}

fn sessions_gone(curtain: &Curtain) -> Claim {
    let closed = || {
        curtain
            .players
            .iter()
            .zip(&curtain.found)
            .filter(|(player, _)| {
                !player.fate.is_live()
                    && !matches!(player.fate, Fate::Returning | Fate::BrokenAttributes)
            })
    };
    let gone = closed().filter(|(_, found)| !found.session_open).count();
    let all = closed().count();
    claim(
        "the Proxy sessions of closed channels are gone",
        gone == all && all > 0,
        format!("{gone} of {all} sessions"),
    )
}

fn never_early(curtain: &Curtain) -> Claim {
    let policy = Policy::default();
    let mut earliest: Option<f64> = None;
    let mut early = 0;
    for notice in &curtain.notices {
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

fn told_once(curtain: &Curtain) -> Claim {
    let ids: BTreeSet<&str> = curtain
        .notices
        .iter()
        .filter_map(|notice| notice.detail["id"].as_str())
        .collect();
    claim(
        "every closing was told on the bus, once",
        ids.len() == curtain.notices.len() && !ids.is_empty(),
        format!("{} notices, {} different", curtain.notices.len(), ids.len()),
    )
}

fn few_calls(world: &World) -> Claim {
    let bound = |sweep: &Summary| {
        // Two for each due channel, the pages of the look at the open tasks, one request in
        // forty channels for tasks that we never heard of, and one for each that there is.
        let pages = sweep.open_tasks.div_ceil(1000).max(1) + sweep.due.div_ceil(40);
        let look = if sweep.due == 0 { 0 } else { pages };
        2 * sweep.due + look + 2 * sweep.open_again
    };
    let calls: u64 = world.swept.iter().map(|sweep| sweep.calls).sum();
    let due: usize = world.swept.iter().map(|sweep| sweep.due).sum();
    let within = world
        .swept
        .iter()
        .all(|sweep| sweep.calls <= u64::try_from(bound(sweep)).unwrap_or(u64::MAX));
    claim(
        "at most two requests to Twilio per due channel, and the look at the open tasks",
        within && due > 0,
        format!(
            "{calls} requests for {due} due channels in {} sweeps",
            world.swept.len()
        ),
    )
}

async fn no_personal_data(world: &World, curtain: &Curtain) -> anyhow::Result<Claim> {
    let mut texts = items(&world.aws).await?;
    texts.extend(
        curtain
            .notices
            .iter()
            .map(|notice| notice.detail.to_string()),
    );
    let telling = texts
        .iter()
        .filter(|text| {
            text.contains("+1555") || text.contains("parcel") || text.contains("whatsapp")
        })
        .count();
    Ok(claim(
        "no phone number and no word of a customer is stored or told",
        telling == 0 && !texts.is_empty(),
        format!("{} items and notices read, {telling} telling", texts.len()),
    ))
}

async fn order_makes_no_difference(world: &mut World, curtain: &Curtain) -> anyhow::Result<Claim> {
    // A part of the channels will do: each is folded on its own.
    let events: Vec<Value> = curtain
        .events
        .iter()
        .filter(|event| {
            let task = event
                .pointer("/data/payload/task_sid")
                .and_then(Value::as_str);
            task.is_some_and(|task| task.ends_with(['0', '1', '2', '3']))
        })
        .cloned()
        .collect();
    let one = tokio::spawn(world.play(&events, 1000));
    let other = tokio::spawn(world.play(&events, 100));
    let tables = [one.await??, other.await??];
    Ok(claim(
        "order, repetition and batching of events make no difference",
        tables[0] == tables[1] && !tables[0].is_empty(),
        format!(
            "{} events played twice more, {} records equal",
            events.len(),
            tables[0]
                .iter()
                .zip(&tables[1])
                .filter(|(a, b)| a == b)
                .count()
        ),
    ))
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
fn customers_reach_an_agent(world: &mut World, curtain: &Curtain) -> Claim {
    let mut state = world.simulator.state();
    let lost_before = state.lost_messages().count();
    let mut contacts = 0;
    let mut reached = 0;
    for player in &curtain.players {
        let closed = !player.fate.is_live() && player.fate != Fate::BrokenAttributes;
        if closed {
            contacts += 1;
            let contact = state.customer_writes(&player.address, "Hello again");
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
