//! The requests of an audit of a large contact centre, its pace beside the ideal, and its memory.

use std::fs;
use std::time::Duration;

use audit::{Audit, Order};
use world::{World, moment};

/// The figures of an audit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Audited {
    /// Events in TaskRouter's log.
    pub events: usize,
    /// Requests to Twilio.
    pub requests: u64,
    /// The requests that the lists, the checkup and the looks make: three for each Chat channel in
    /// question, and four for each Conversation.
    pub allowed: u64,
    /// The time that it took.
    pub took: Duration,
    /// The time that it would take if no request ever waited.
    pub ideal: Duration,
    /// The growth of this process's memory in bytes, where the system tells it.
    pub memory: Option<u64>,
}

/// Audits a project with so many Conversations and Proxy sessions, where each request to Twilio takes
/// `request` and `at_once` are under way. Nine in ten channels are unattended.
///
/// # Panics
/// If another number of channels is found unattended.
pub async fn audit_of(
    conversations: usize,
    sessions: usize,
    at_once: usize,
    request: Duration,
    tell: impl Fn(usize),
) -> Audited {
    let world = World::new().await;
    let empty = audited(&world, at_once).await;
    let (mut unattended, mut looks) = (0, 0);
    for number in 0..conversations + sessions {
        let address = format!("+1555{number:07}");
        let chat = match number < conversations {
            true => world.customer_converses(&address),
            false => world.customer_writes(&address),
        };
        world.agent_accepts(chat);
        if !number.is_multiple_of(10) {
            unattended += 1;
            // The look of the sweep: the interaction, the webhooks, the newest message and the
            // participants; or the channel, the newest message and the webhooks.
            looks += if number < conversations { 4 } else { 3 };
            match number < conversations {
                true => world
                    .twilio
                    .state()
                    .agent_removed(chat.task)
                    .expect("it has an agent"),
                false => world.tab_is_closed(chat),
            }
        }
        tell(number);
    }
    world.lose_events();
    world.everything_falls_due().await;
    world.twilio_takes(request);
    let began = moment();
    let before = Memory::now();
    let report = audited(&world, at_once).await;
    let memory = before.and_then(Memory::growth);
    let took = began.elapsed();
    assert_eq!(
        report.unattended.channels, unattended,
        "{:?}",
        report.classes
    );
    let pages = |entries: usize, page: usize| entries.div_ceil(page) as u64;
    let allowed = empty.requests
        + pages(report.listed.events, 1_000)
        + pages(report.listed.open_tasks, 1_000)
        + pages(sessions, 1_000)
        + pages(conversations, 100)
        + pages(unattended, 40)
        + looks;
    let rounds = u32::try_from(report.requests / at_once as u64).expect("some thousands");
    Audited {
        events: report.listed.events,
        requests: report.requests,
        allowed,
        took,
        ideal: request * rounds,
        memory,
    }
}

async fn audited(world: &World, at_once: usize) -> audit::Report {
    let account = world.twilio.account().sid.as_str().parse();
    let order = Order {
        concurrency: at_once,
        ..Order::of(account.expect("an account SID"))
    };
    let audit = Audit::new(world.client(at_once), order, world.now());
    audit.run().await.expect("the simulated Twilio answers");
    audit.report()
}

/// The memory of this process at some time, in kilobytes.
#[derive(Clone, Copy)]
struct Memory(u64);

impl Memory {
    /// Begins to measure: Linux then forgets the peak before.
    fn now() -> Option<Self> {
        fs::write("/proc/self/clear_refs", "5").ok()?;
        Self::read("VmRSS:").map(Self)
    }

    /// Returns by how many bytes the peak since then is greater.
    fn growth(self) -> Option<u64> {
        Some(1_000 * Self::read("VmHWM:")?.saturating_sub(self.0))
    }

    fn read(name: &str) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    }
}
