//! Figures that are counted and not timed: what a chat's life asks of DynamoDB, what a sweep asks where
//! ever more is tracked, and how near it comes to the ideal pace.

use std::path::Path;
use std::time::Duration;

use bench::{Life, Size};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;
use world::{SWEEP_TIME, World};

use crate::print as table;

/// The number of channels that are due, while ever more are tracked.
const DUE: usize = 100;

const TRACKED: [usize; 3] = [100, 10_000, 1_000_000];

pub(crate) fn print_lives(time: &Runtime) {
    let chat = time.block_on(async { bench::life_of_a_chat(&World::new().await).await });
    print_life("A chat's life at DynamoDB, an event a request", &chat);
    let talk = time.block_on(async { bench::life_of_a_talk(&World::that_parks().await).await });
    print_life("The same where chats are parked, two words a side", &talk);
}

fn print_life(title: &str, life: &Life) {
    let mut rows: Vec<_> = life
        .iter()
        .map(|(kind, asked)| {
            [
                kind.clone(),
                (asked.gets + asked.queries).to_string(),
                format!("{:.1}", asked.read_units),
                asked.puts.to_string(),
                format!("{:.1}", asked.write_units),
            ]
        })
        .collect();
    let events = life.iter().filter(|(kind, _)| kind != "the sweep").count();
    let events = u32::try_from(events).unwrap();
    let units = bench::write_units(life);
    rows.push([
        format!(
            "together: {:.2} write units an event",
            units / f64::from(events)
        ),
        String::new(),
        String::new(),
        String::new(),
        format!("{units:.1}"),
    ]);
    let header = ["", "reads", "read units", "writes", "write units"];
    table(title, header, rows);
}

pub(crate) fn print_sweeps(time: &Runtime, quick: bool) {
    let most = TRACKED.len() - usize::from(quick);
    let mut plans: Vec<_> = TRACKED[..most]
        .iter()
        .map(|tracked| (*tracked, DUE))
        .collect();
    plans.push((TRACKED[1], 10 * DUE));
    let mut same = Vec::new();
    let rows = plans.into_iter().map(|(tracked, due)| {
        let progress = progress(tracked, "channels to sweep among");
        let tell = |number: usize| progress.set_position(number as u64);
        let swept = time.block_on(bench::sweep_among(tracked, due, tell));
        progress.finish_and_clear();
        if due == DUE {
            same.push(swept);
        }
        [
            tracked.to_string(),
            due.to_string(),
            swept.asked.queries.to_string(),
            swept.asked.gets.to_string(),
            format!("{:.1}", swept.asked.read_units),
            format!("{:.1}", swept.asked.write_units),
            swept.calls.to_string(),
        ]
    });
    let rows = rows.collect();
    let header = [
        "tracked",
        "due",
        "pages",
        "reads",
        "read units",
        "write units",
        "Twilio",
    ];
    table("A sweep, by what is tracked and what is due", header, rows);
    assert!(
        same.windows(2).all(|pair| pair[0] == pair[1]),
        "what is tracked and not due costs nothing: {same:?}"
    );
}

/// The backlogs, and the number of runs that are played before each.
const BACKLOGS: [(usize, usize); 5] = [
    (100, 10),
    (1_000, 10),
    (10_000, 10),
    (100_000, 1),
    (1_000_000, 1),
];

const SIDE_BY_SIDE: usize = 10;

pub(crate) fn print_backlogs(time: &Runtime, quick: bool) {
    let most = BACKLOGS.len() - usize::from(quick);
    let rows = BACKLOGS[..most].iter().map(|&(due, runs)| {
        let progress = progress(due, "channels of a backlog");
        let tell = |number: usize| progress.set_position(number as u64);
        let drained = time.block_on(bench::drain(due, SIDE_BY_SIDE, SWEEP_TIME, runs, tell));
        progress.finish_and_clear();
        let (needed, ideal) = (drained.runs_for(due), drained.ideal_runs_for(due));
        assert!(
            drained.fewest > 0 && drained.longest <= SWEEP_TIME,
            "every run closes something and ends in time: {drained:?}"
        );
        assert!(
            needed <= ideal + ideal.div_ceil(10),
            "the runs are within a tenth of what the pace allows: {drained:?}"
        );
        [
            due.to_string(),
            format!("{} closed by {}", drained.closed, drained.runs),
            needed.to_string(),
            ideal.to_string(),
            format!("{:.1} s", drained.longest.as_secs_f64()),
        ]
    });
    table(
        &format!(
            "A backlog by runs of {} s, {SIDE_BY_SIDE} at once, 150 ms a request, three questions a second",
            SWEEP_TIME.as_secs()
        ),
        [
            "due",
            "played",
            "runs to drain it",
            "at the ideal pace",
            "longest run",
        ],
        rows.collect(),
    );
}

pub(crate) fn print_returns(time: &Runtime) {
    let rows = [(600, 10), (600, 20)].map(|(due, at_once)| {
        let returned = time.block_on(bench::customers_return(due, at_once));
        let closed = &returned.closed;
        let seconds = |late: Option<&Duration>| {
            late.map_or_else(
                || "–".to_owned(),
                |late| format!("{:.1} s", late.as_secs_f64()),
            )
        };
        [
            format!("{due} due, {at_once} at once"),
            returned.customers.to_string(),
            closed.len().to_string(),
            seconds(closed.get(closed.len() / 2)),
            seconds(closed.last()),
        ]
    });
    table(
        "Customers who come back during a sweep, their events on the way, 150 ms a request",
        ["", "came back", "closed after it", "median", "longest"],
        rows.into(),
    );
}

fn progress(count: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} {msg}, {eta}");
    let progress = ProgressBar::new(count as u64).with_message(what);
    progress.set_style(style.unwrap());
    progress
}

pub(crate) fn print_pace(time: &Runtime) {
    let request = Duration::from_millis(150);
    let rows = [(1_000, 10), (1_000, 20), (1_000, 50)].map(|(due, at_once)| {
        let (took, ideal) = time.block_on(bench::pace(due, at_once, request));
        [
            format!("{due} due, {at_once} at once"),
            format!("{:.1} s", took.as_secs_f64()),
            format!("{:.1} s", ideal.as_secs_f64()),
            format!("{:.1} %", 100.0 * ideal.as_secs_f64() / took.as_secs_f64()),
        ]
    });
    table(
        "A sweep's pace in virtual time, 150 ms a request to Twilio",
        ["", "took", "ideal", "of the ideal"],
        rows.into(),
    );
}

/// The project whose audit is measured.
const AUDITED: Size = Size {
    conversations: 10_000,
    sessions: 2_000,
    events: 50_000,
};

/// The memory that an audit of it may take, in bytes.
const AUDIT_MEMORY: u64 = 100_000_000;

pub(crate) fn print_audit(time: &Runtime, folder: &Path) {
    let channels = AUDITED.conversations + AUDITED.sessions;
    let request = Duration::from_millis(150);
    let progress = progress(channels, "channels to audit");
    let tell = |number: usize| progress.set_position(number as u64);
    let audited = time.block_on(bench::audit_of(AUDITED, 10, request, tell));
    let janitor = folder.join("janitor");
    let memory = crate::real_time().block_on(bench::memory_of_audit(&janitor, AUDITED, tell));
    progress.finish_and_clear();
    let allowed = audited.lists + audited.looks;
    let looks = audited.requests - audited.lists;
    let candidates = audited.candidates as u64;
    assert!(audited.requests <= allowed, "{audited:?}");
    assert!(audited.took <= audited.ideal.mul_f64(1.3), "{audited:?}");
    assert!(memory.is_none_or(|peak| peak < AUDIT_MEMORY), "{memory:?}");
    let memory = memory.map_or("not known".to_owned(), |peak| {
        format!(
            "{}, {} %",
            crate::megabytes(peak),
            100 * peak / AUDIT_MEMORY
        )
    });
    let row = [
        format!(
            "{} Conversations, {} sessions, {} events",
            AUDITED.conversations, AUDITED.sessions, audited.events
        ),
        format!("{} of {allowed} allowed", audited.requests),
        format!(
            "{}.{:02}",
            looks / candidates,
            100 * looks / candidates % 100
        ),
        crate::times(audited.took, audited.ideal),
        memory,
    ];
    let header = [
        "",
        "requests",
        "a channel in question",
        "of the ideal time",
        "memory of `janitor audit`, of 100 MB",
    ];
    table(
        "An audit, 10 at once, 150 ms a request, in virtual time",
        header,
        vec![row],
    );
}
