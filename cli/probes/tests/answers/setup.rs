//! A contact centre with something to say to every question.

use std::collections::BTreeSet;
use std::time::Duration;

use audit::{Audit, Order};
use futures::FutureExt;
use probes::{Answer, Readings, Report};
use simulator::state::webhooks::WebhookTarget;
use simulator::{PauseReading, Sid};
use world::{Chat, World};

/// The number of requests that are under way at a time.
const AT_ONCE: usize = 10;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The addresses and identities of the customers, none of which may be in an answer.
pub(crate) const CUSTOMERS: [&str; 10] = [
    "+15550100001",
    "+15550100002",
    "+15550100003",
    "+15550100004",
    "+15550100005",
    "+15550100006",
    "+15550100007",
    "+15550100008",
    "visitor-7",
    "+15550100009",
];

/// The channels that are in use, or put aside on purpose.
pub(crate) struct InUse {
    pub(crate) chat: Sid,
    pub(crate) conversations: Vec<Sid>,
}

/// A stop that does not come.
fn never() -> probes::Stop {
    std::future::pending().boxed().shared()
}

/// Asks every probe of this world's Twilio.
pub(crate) async fn ask(world: &World) -> Report {
    ask_until(world, never()).await
}

/// Asks until a stop.
pub(crate) async fn ask_until(world: &World, stop: probes::Stop) -> Report {
    let account = world.twilio.account().sid;
    let account = account.as_str().parse().unwrap();
    let client = world.client(AT_ONCE);
    let readings = Readings::fetch(&client, account, world.now(), stop).await;
    probes::judge(&readings.unwrap())
}

/// Audits, and expects that nothing would be done to what is in use. An audit that cannot be
/// made says nothing.
async fn expect_harmless_audit(world: &World, in_use: &BTreeSet<Sid>, what: &str) {
    let account = world.twilio.account().sid.as_str().parse().unwrap();
    let order = Order {
        concurrency: AT_ONCE,
        ..Order::of(account)
    };
    let audit = Audit::new(world.client(AT_ONCE), order, world.now());
    drop(audit.run().await);
    for found in audit.report().channels {
        let channel: Sid = found.channel_sid.as_str().parse().unwrap();
        let is_harmless = found.would.is_none() || !in_use.contains(&channel);
        assert!(is_harmless, "{what}: {found:?}");
    }
}

/// Returns the answer to one probe.
pub(crate) fn answer(report: &Report, probe: &str) -> Answer {
    let mut asked = report.probes.iter();
    let asked = asked.find(|asked| asked.probe == probe);
    asked.unwrap_or_else(|| panic!("{probe}")).answer.clone()
}

/// Plays a month and a day. `change` sets up the account before anything happens.
pub(crate) async fn a_month(world: &World, change: fn(&World)) -> InUse {
    change(world);
    // A month ago: one chat that its agent ended, and one whose agent never ended it.
    let done = world.conversation_with_agent(CUSTOMERS[0]);
    world.agent_completes(done);
    world.conversation_with_agent(CUSTOMERS[1]);
    world.deliver().await;
    world.time_passes(27 * DAY).await;

    // Two days ago: a wrap-up that has no end.
    let wrapping = world.customer_writes(CUSTOMERS[2]);
    world.agent_accepts(wrapping);
    world.twilio.state().agent_wraps_up(wrapping.task).unwrap();
    world.time_passes(2 * DAY).await;

    // A chat and Conversations that are in use, left, paused, and with a program.
    let chat = world.customer_writes(CUSTOMERS[3]);
    world.agent_accepts(chat);
    let live = world.conversation_with_agent(CUSTOMERS[4]);
    let left = world.conversation_with_agent(CUSTOMERS[5]);
    let paused = world.conversation_with_agent(CUSTOMERS[6]);
    let parked = world.conversation_with_agent(CUSTOMERS[7]);
    let web = world.conversation_with_agent(CUSTOMERS[8]);
    let closed = world.conversation_with_agent(CUSTOMERS[9]);
    world.time_passes(5 * MINUTE).await;
    for (customer, at) in [(4, live), (8, web)] {
        assert_eq!(world.customer_converses(CUSTOMERS[customer]), at);
    }
    world.customer_writes(CUSTOMERS[3]);
    {
        let mut state = world.twilio.state();
        state.agent_leaves(left.task).unwrap();
        state.agent_pauses(paused.task).unwrap();
        state.program_parks(parked.task).unwrap();
        state.agent_completes(closed.task).unwrap();
        let flow = WebhookTarget::default();
        let studio = state.add_channel_webhook(live.channel, "studio", flow);
        studio.unwrap();
    }
    world.deliver().await;
    world.time_passes(20 * MINUTE).await;
    let in_use = [live, left, paused, parked, web].map(|chat: Chat| chat.channel);
    InUse {
        chat: chat.channel,
        conversations: in_use.to_vec(),
    }
}

/// Lets the functions work for 20 hours, and expects that nothing in use is closed and that
/// what counts as closed is closed.
pub(crate) async fn expect_safety(world: &World, in_use: &InUse, what: &str) {
    let open = |sid: &&Sid| !world.is_closed(**sid);
    let at_first: Vec<Sid> = in_use.conversations.iter().filter(open).copied().collect();
    let mut left_alone: BTreeSet<Sid> = at_first.iter().copied().collect();
    left_alone.insert(in_use.chat);
    let mut marked = BTreeSet::new();
    for round in 0..10 {
        world.deliver().await;
        if round % 5 == 0 {
            expect_harmless_audit(world, &left_alone, what).await;
        }
        // A sweep that cannot know what is in use has to stop.
        drop(world.attempt_sweep(world::SWEEP_TIME).await);
        let order = sweep::Order::scheduled();
        drop(world.attempt_reconcile(order, world::SWEEP_TIME).await);
        let told = world.notices().into_iter();
        let closed = told.filter(|notice| notice.kind == "ChannelClosed");
        marked.extend(closed.filter_map(|notice| notice.channel));
        for sid in &at_first {
            assert!(!world.is_closed(*sid), "{what}: {sid} was in use");
        }
        assert!(
            !world.is_inactive(in_use.chat),
            "{what}: the chat was in use"
        );
        world.time_passes(2 * HOUR).await;
    }
    for channel in marked {
        let channel: Sid = channel.parse().unwrap();
        let is_conversation = world.twilio.state().conversation(channel).is_some();
        let is_closed = match is_conversation {
            true => world.is_closed(channel),
            false => world.is_inactive(channel),
        };
        assert!(is_closed, "{what}: {channel} counts as closed and is open");
    }
    world.lose_events();
}

pub(crate) fn pause_ends_the_task(world: &World) {
    world.twilio.state().knobs.pause = PauseReading::EndsTask;
}
