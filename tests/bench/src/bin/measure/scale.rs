//! What is counted and not timed: what a chat's life asks of DynamoDB, what a sweep asks where
//! ever more is tracked, and how near it comes to the ideal pace.

use std::time::Duration;

use bench::Life;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;
use world::World;

use crate::print as table;

/// How many are due, while ever more are tracked.
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
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} {msg}, {eta}");
    let style = style.unwrap();
    let mut same = Vec::new();
    let rows = plans.into_iter().map(|(tracked, due)| {
        let progress = ProgressBar::new(tracked as u64).with_message("channels to sweep among");
        progress.set_style(style.clone());
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
