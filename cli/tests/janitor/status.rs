//! `status`: if the system is alive, what it waits for, and what needs a person.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use store::{Job, LastRun};

use crate::world::World;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn ten_lines_say_if_it_is_alive_what_it_waits_for_and_what_needs_a_person() {
    let world = World::new();
    world.stack_acts_by(&[("SWEEP_MODE", "observe"), ("ENDED_CUTOFF", "10m")]);
    let lines = world.janitor(["status"]).ends(0).stdout;
    assert!(lines.contains("Waiting    nothing"), "{lines}");
    assert!(lines.contains("no event arrived lately"), "{lines}");
    world.tab_closed("+15550100001");
    let held = world.tab_closed("+15550100002");
    world.live_chat("+15550100003");
    world.pass(HOUR);
    world.events_arrive();
    world.janitor(["hold", &held, "--yes"]).ends(0);
    let now = runtime::clock::now();
    world.table(async |table| {
        let told = |at, result| LastRun::new(at, BTreeMap::new(), result);
        let minutes = |minutes: u64| now.minus(Duration::from_secs(60 * minutes));
        table
            .note_run(Job::Ingest, &told(minutes(2), json!({})))
            .await;
        let report = json!({ "orphans": 3, "whole": true });
        table
            .note_run(Job::Reconcile, &told(minutes(20), report))
            .await;
    });

    let said = world.janitor(["status"]).ends(0);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines.len(), 10, "{said}");
    for (number, parts) in [
        (0, vec!["the table channels-of-a-test", "UTC"]),
        (1, vec!["sweeps only observe"]),
        (
            2,
            vec!["abandoned 5m, ended 10m, long-lived 2d, quiet 1d, put aside never, orphans 90d"],
        ),
        (3, vec!["the last event arrived 2m"]),
        (4, vec!["nothing to do"]),
        (5, vec!["3 orphans"]),
        (6, vec!["1 ended; 1 due, the oldest for"]),
        (7, vec!["1 open", "1 held", "0 given up"]),
        (8, vec!["whole: 0 of at most 1000 closings"]),
        (9, vec!["Needs you  nothing"]),
    ] {
        for part in parts {
            assert!(
                lines[number].contains(part),
                "{part:?} in line {number} of {said}"
            );
        }
    }

    let status = world.janitor(["status", "--json"]).ends(0).json();
    assert_eq!(status["settings"]["SWEEP_MODE"], "observe");
    assert_eq!(status["last_runs"]["reconcile"]["result"]["orphans"], 3);
    assert_eq!(status["last_runs"]["sweep"]["result"]["due"], 0);
    assert!(status["last_event_ms"].as_i64() < status["now_ms"].as_i64());
    assert_eq!(
        (&status["held"], &status["failed"], &status["unheard"]),
        (&json!(1), &json!(0), &json!(0))
    );
    assert_eq!(status["fuse"], json!({ "closes": 0 }));
}

#[test]
fn an_event_never_arrives_in_the_future() {
    let world = World::new();
    // It is noted to the minute, and by the clock of another machine.
    let later = runtime::clock::now().plus(HOUR);
    world.table(async |table| {
        let run = LastRun::new(later, BTreeMap::new(), json!({}));
        table.note_run(Job::Ingest, &run).await;
    });
    let said = world.janitor(["status"]).ends(0);
    assert!(
        said.stdout.contains("the last event arrived 0s ago"),
        "{said}"
    );
}

#[test]
fn what_was_observed_waits_for_no_sweep() {
    let world = World::new();
    world.tab_closed("+15550100001");
    world.pass(HOUR);
    world.events_arrive();
    world.janitor(["sweep", "--observe"]).ends(0);
    let lines = world.janitor(["status"]).ends(0).stdout;
    assert!(lines.contains("Waiting    1 observed\n"), "{lines}");
    let listed = world
        .janitor(["list", "--queue", "observed"])
        .ends(0)
        .stdout;
    assert!(listed.contains("due"), "{listed}");
}

#[test]
fn the_lines_fit_the_terminal() {
    let world = World::new();
    world.tab_closed("+15550100001");
    world.pass(HOUR);
    world.events_arrive();
    let binary = snapbox::cmd::cargo_bin!("janitor");
    for columns in [60, 80, 120] {
        let line = format!(
            "stty rows 40 cols {columns}; {} status 2>/dev/null",
            binary.display()
        );
        // `script` gives it a terminal.
        let shell = snapbox::cmd::Command::new("script").args(["-qec", &line, "/dev/null"]);
        let shell = shell
            .env_clear()
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env("PATH", "/usr/bin:/bin");
        let said = crate::world::run(shell.envs(world.variables())).ends(0);
        assert!(said.stdout.contains("Needs you"), "{said}");
        let widest = said
            .stdout
            .lines()
            .map(|line| line.trim_end().chars().count());
        assert!(widest.max().unwrap() <= columns, "{columns}: {said}");
        if columns == 120 {
            assert_eq!(said.stdout.trim_end().lines().count(), 10, "{said}");
        }
    }
}
