//! The requests of an audit of a large contact centre, its pace beside the ideal, and the memory of
//! the command that makes it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use audit::{Audit, Order, Report};
use binaries::lambda_api::{peak_memory_of, socket};
use simulator::{Sid, Simulator};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use world::{World, moment};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The days on which chats were left behind. TaskRouter's log holds 30.
const DAYS: u32 = 28;

/// The age of the newest chats: longer than the cutoffs of channels that are not long-lived.
const AGE: Duration = Duration::from_secs(16 * 60);

/// The size of a project.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Conversations that are not closed.
    pub conversations: usize,
    /// Open Proxy sessions.
    pub sessions: usize,
    /// Events in TaskRouter's log, at least. Conversations that ended well make it so many.
    pub events: usize,
}

/// The figures of an audit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Audited {
    /// Events in TaskRouter's log.
    pub events: usize,
    /// Channels in question.
    pub candidates: usize,
    /// Requests to Twilio.
    pub requests: u64,
    /// The requests of the lists: ⌈n/page⌉ of each, and those of the set-up.
    pub lists: u64,
    /// The requests of the looks, and of the questions for the open tasks of 40 channels each.
    pub looks: u64,
    /// The time that it took.
    pub took: Duration,
    /// The time that it would take if no request ever waited.
    pub ideal: Duration,
}

/// The channels of a project, as an audit has to find them.
#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    unattended: usize,
    /// The requests that looks at these take.
    looks: u64,
}

/// Audits a project of this size, where each request to Twilio takes `request` and `at_once` are
/// under way. Nine in ten channels are unattended, since 28 days at most.
///
/// # Panics
/// If another number of channels is found unattended.
pub async fn audit_of(
    size: Size,
    at_once: usize,
    request: Duration,
    tell: impl Fn(usize),
) -> Audited {
    let world = World::new().await;
    let empty = audited(&world, at_once).await;
    let pass = async |time| world.time_passes(time).await;
    let filled = fill(&world.twilio, world.agent, size, pass, tell).await;
    world.lose_events();
    world.twilio_takes(request);
    let began = moment();
    let report = audited(&world, at_once).await;
    let took = began.elapsed();
    check(&report, filled);
    // The first page of each list is what the empty project took, too.
    let further = |entries: usize, page: usize| entries.div_ceil(page).saturating_sub(1) as u64;
    let listed = &report.listed;
    let lists = empty.requests
        + further(listed.events, 1_000)
        + further(listed.open_tasks, 1_000)
        + further(listed.sessions, 1_000)
        + further(listed.conversations, 100)
        + further(listed.users, 100);
    let rounds = report.requests.div_ceil(at_once as u64);
    Audited {
        events: listed.events,
        candidates: filled.unattended,
        requests: report.requests,
        lists,
        looks: filled.looks + filled.unattended.div_ceil(40) as u64,
        took,
        ideal: request * u32::try_from(rounds).expect("some thousands"),
    }
}

async fn audited(world: &World, at_once: usize) -> Report {
    let account = world.twilio.account().sid.as_str().parse();
    let order = Order {
        concurrency: at_once,
        ..Order::of(account.expect("an account SID"))
    };
    let audit = Audit::new(world.client(at_once), order, world.now());
    audit.run().await.expect("the simulated Twilio answers");
    audit.report()
}

/// Makes sure that the audit found what is there.
fn check(report: &Report, filled: Filled) {
    let found = (report.unattended.channels, report.whole);
    let said = (&report.classes, &report.silent_parts);
    assert_eq!(found, (filled.unattended, true), "{said:?}");
}

/// Fills a project with chats of 28 days, and lets time pass until the newest are due.
async fn fill(
    twilio: &Simulator,
    agent: Sid,
    size: Size,
    pass: impl AsyncFn(Duration),
    tell: impl Fn(usize),
) -> Filled {
    let mut filled = Filled::default();
    let channels = 0..size.conversations + size.sessions;
    let (live, left): (Vec<usize>, Vec<usize>) =
        channels.partition(|number| number.is_multiple_of(10));
    let begin = |number: usize| -> Sid {
        let address = format!("+1555{number:07}");
        let mut state = twilio.state();
        let contact = match number < size.conversations {
            true => state.customer_converses(&address, world::WORDS),
            false => state.customer_writes(&address, world::WORDS),
        };
        let task = contact.task().expect("an agent sees it");
        state.agent_accepts(task, agent).expect("it is offered");
        task
    };
    let portion = left.len().div_ceil(DAYS as usize).max(1);
    for (day, numbers) in left.chunks(portion).enumerate() {
        if day > 0 {
            pass(DAY).await;
        }
        let is_old = (day + 1) * portion < left.len();
        for number in numbers {
            let task = begin(*number);
            let mut state = twilio.state();
            let ended = match *number < size.conversations {
                true => state.agent_removed(task),
                false => state.task_completed_by_nobody(task),
            };
            ended.expect("it has an agent");
            filled.unattended += 1;
            // A Conversation: the interaction, the webhooks, the newest message. A Chat channel:
            // itself and the newest message. Where that is less than a day old, the participants
            // of the one, and the webhooks of the other.
            filled.looks += if *number < size.conversations { 3 } else { 2 };
            filled.looks += u64::from(!is_old);
            tell(filled.unattended);
        }
    }
    live.into_iter().for_each(|number| {
        begin(number);
    });
    let mut number = size.conversations + size.sessions;
    loop {
        let missing = size
            .events
            .saturating_sub(twilio.state().logged_events().count());
        if missing == 0 {
            break;
        }
        for _ in 0..missing.div_ceil(10) {
            let address = format!("+1555{number:07}");
            let mut state = twilio.state();
            let contact = state.customer_converses(&address, world::WORDS);
            let task = contact.task().expect("an agent sees it");
            state.agent_accepts(task, agent).expect("it is offered");
            state.agent_completes(task).expect("it has an agent");
            number += 1;
        }
    }
    pass(AGE).await;
    filled
}

/// Lets the built command audit a project of this size over a socket, and returns the greatest
/// memory of its process in bytes, where the system tells it.
///
/// # Panics
/// If the command does not find what is there.
pub async fn memory_of_audit(janitor: &Path, size: Size, tell: impl Fn(usize)) -> Option<u64> {
    let (twilio, project) = Simulator::with_flex(7).expect("a project");
    let days = i64::from(DAYS) * 86_400_000;
    let began = runtime::clock::now().as_millis() - days;
    twilio.set_now(jiff::Timestamp::from_millisecond(began).expect("a time"));
    let agent = twilio.state().hire_agent(project.workspace, "agent");
    let pass = async |time| twilio.advance(time);
    let agent = agent.expect("an agent");
    let filled = fill(&twilio, agent, size, pass, tell).await;
    twilio.take_events();
    let (listener, url) = socket().await;
    let served = simulator::serve(listener, twilio.clone(), std::future::pending::<()>());
    let served = tokio::spawn(served);
    let account = twilio.account();
    let mut process = Command::new(janitor)
        .args(["audit", "--json"])
        .env_clear()
        .env("TWILIO_API_URL", url)
        .env("TWILIO_ACCOUNT_SID", account.sid.as_str())
        .env("TWILIO_API_KEY", account.api_key.as_str())
        .env("TWILIO_API_SECRET", &account.api_secret)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", janitor.display()));
    let mut output = process.stdout.take().expect("it is piped");
    let (mut text, mut peak) = (Vec::new(), None);
    // It prints at its end, and waits for its reader, so its peak is seen before it is gone.
    while output.read_buf(&mut text).await.expect("a pipe") > 0 {
        peak = process.id().and_then(peak_memory_of).max(peak);
    }
    process.wait().await.expect("it ends");
    served.abort();
    let report = serde_json::from_slice(&text).expect("the JSON of a report");
    check(&report, filled);
    peak
}
