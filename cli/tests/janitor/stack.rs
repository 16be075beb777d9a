//! The command works by the stack's own settings, and by a shell's only where it is told to.

use std::time::Duration;

use crate::world::{Said, World, run};

const HOUR: Duration = Duration::from_secs(3600);

/// A stack that waits for ten hours and only observes.
const PATIENT: [(&str, &str); 2] = [("ENDED_CUTOFF", "10h"), ("SWEEP_MODE", "observe")];

/// A chat that ended long ago, in a world whose stack acts by these settings.
fn left_behind(settings: &[(&str, &str)], ago: Duration) -> (World, String) {
    let world = World::new();
    world.stack_acts_by(settings);
    // The story begins three hours ago.
    let channel = world.tab_closed("+15550100001");
    world.pass(ago);
    world.events_arrive();
    (world, channel)
}

fn status(world: &World, channel: &str) -> String {
    world.attributes(channel).unwrap().status
}

/// Runs the command with another variable in the shell.
fn with<const N: usize>(world: &World, variable: (&str, &str), arguments: [&str; N]) -> Said {
    run(world.command().env(variable.0, variable.1).args(arguments))
}

#[test]
fn a_shell_without_settings_closes_nothing_that_the_stack_would_leave() {
    let (world, channel) = left_behind(&PATIENT, HOUR);
    world
        .janitor(["sweep", "--yes"])
        .ends(5)
        .says("By the stack's own settings")
        .says("it observes")
        .says("only observes (SWEEP_MODE=observe)");
    assert_eq!(status(&world, &channel), "ACTIVE");
    assert_eq!(world.simulator.calls().writes(), 0);

    // One that acts still waits for ten hours.
    world.stack_acts_by(&[("ENDED_CUTOFF", "10h")]);
    world
        .janitor(["sweep", "--yes"])
        .ends(0)
        .says("it acts")
        .says("Nothing is due");
    let told = world
        .janitor(["explain", &channel, "--json"])
        .ends(0)
        .json();
    assert_eq!(
        (&told["state"], &told["decision"]),
        (&"waiting".into(), &"wait".into())
    );
    let listed = world.janitor(["list", "--json"]).ends(0).json_lines();
    let ten_hours = i64::try_from(10 * HOUR.as_millis()).unwrap();
    let due = listed[0]["due_at_ms"].as_i64().unwrap();
    assert_eq!(
        due - listed[0]["idle_since_ms"].as_i64().unwrap(),
        ten_hours
    );
    let queues = world.janitor(["status", "--json"]).ends(0).json()["queues"].clone();
    let ended = queues
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["queue"] == "ended");
    assert_eq!(ended.unwrap()["cutoff_seconds"], 36_000);
    assert_eq!(status(&world, &channel), "ACTIVE");
    assert_eq!(world.simulator.calls().writes(), 0);
}

#[test]
fn a_variable_that_differs_is_refused_unless_it_is_to_override() {
    let (world, channel) = left_behind(&[("ENDED_CUTOFF", "10h")], HOUR);
    let short = ("ENDED_CUTOFF", "15m");
    for arguments in [
        ["sweep", "--yes"],
        ["list", "--json"],
        ["status", "--json"],
        ["explain", &channel],
    ] {
        with(&world, short, arguments)
            .ends(2)
            .says("ENDED_CUTOFF is 15m in this shell, and 10h in the stack")
            .says("--override");
    }
    for (name, value) in [
        ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
        ("MAX_CLOSES_PER_SWEEP", "7"),
        ("SWEEP_MODE", "observe"),
    ] {
        with(&world, (name, value), ["list"]).ends(2).says(name);
    }
    assert_eq!(status(&world, &channel), "ACTIVE");
    // The same in other words is the same.
    with(&world, ("ENDED_CUTOFF", "600m"), ["sweep", "--yes"])
        .ends(0)
        .says("Nothing is due");

    let plan = with(&world, short, ["sweep", "--override"]).ends(5);
    assert!(
        plan.stderr.contains("1 ended") && plan.stderr.contains("But ENDED_CUTOFF"),
        "{plan}"
    );
    with(&world, short, ["sweep", "--yes", "--override"]).ends(0);
    assert_eq!(status(&world, &channel), "INACTIVE");
}

#[test]
fn a_person_writes_in_an_observing_stack_only_by_saying_so() {
    let (world, channel) = left_behind(&[("SWEEP_MODE", "observe")], HOUR);
    for command in ["close", "delete"] {
        // A plan is shown as ever.
        world.janitor([command, &channel]).ends(5).says("Plan:");
        world.janitor([command, &channel, "--plan"]).ends(0);
        world
            .janitor([command, &channel, "--yes"])
            .ends(5)
            .says("only observes");
    }
    assert_eq!(world.simulator.calls().writes(), 0);
    world
        .janitor(["close", &channel, "--yes", "--override"])
        .ends(0);
    assert_eq!(status(&world, &channel), "INACTIVE");
    world
        .janitor(["reopen", &channel, "--yes"])
        .ends(5)
        .says("only observes");
    world
        .janitor(["reopen", &channel, "--yes", "--override"])
        .ends(0);
    assert_eq!(status(&world, &channel), "ACTIVE");
    // What is only noted in the table is no write at Twilio.
    world
        .janitor(["hold", &channel, "--release", "--yes"])
        .ends(0);
    world.janitor(["reconcile", "--yes"]).ends(0);
    world
        .janitor(["sweep", "--yes", "--override"])
        .ends(0)
        .says("it observes");
    assert_eq!(status(&world, &channel), "INACTIVE");
}

#[test]
fn nothing_is_written_by_a_shells_settings_before_the_first_sweep_unless_a_person_says_so() {
    let world = World::whose_stack_never_ran();
    let channel = world.tab_closed("+15550100001");
    world.pass(HOUR);
    let events = serde_json::Value::from(world.simulator.take_events()).to_string();
    world
        .janitor_reads(&events, ["replay", "-", "--yes"])
        .ends(5)
        .says("No sweep has noted its settings")
        .says("--override");
    world.janitor(["list"]).ends(0).says("No channel");
    world
        .janitor_reads(&events, ["replay", "-", "--yes", "--override"])
        .ends(0);
    world.janitor(["sweep"]).ends(5).says("1 ended");
    for arguments in [["sweep", "--yes"], ["reconcile", "--yes"]] {
        world
            .janitor(arguments)
            .ends(5)
            .says("Wait for its first sweep");
    }
    world
        .janitor(["close", &channel, "--yes"])
        .ends(5)
        .says("Wait for its first sweep");
    assert_eq!(status(&world, &channel), "ACTIVE");
    world.janitor(["sweep", "--yes", "--override"]).ends(0);
    assert_eq!(status(&world, &channel), "INACTIVE");
}

#[test]
fn what_a_table_says_never_leads_credentials_to_another_place() {
    let world = World::new();
    world.table(async |table| {
        let mut run = table.last_run(store::Job::Sweep).await.unwrap().unwrap();
        for (name, value) in [
            ("TWILIO_EDGE", "elsewhere"),
            ("TWILIO_REGION", "elsewhere"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("TWILIO_API_KEY", "SK00000000000000000000000000000000"),
        ] {
            run.settings.insert(name.to_owned(), value.to_owned());
        }
        table.note_run(store::Job::Sweep, &run).await;
    });
    let status = world.janitor(["status", "--json"]).ends(0).json();
    assert!(status["settings"]["TWILIO_EDGE"].is_null(), "{status}");
    world.janitor(["sweep", "--observe"]).ends(0);
}

#[test]
fn every_setting_that_a_function_notes_is_taken() {
    let world = World::that_parks();
    let runs = world.table(async |table| {
        let sweep = table.last_run(store::Job::Sweep).await.unwrap().unwrap();
        (
            sweep,
            table.last_run(store::Job::Park).await.unwrap().unwrap(),
        )
    });
    let shown = world.janitor(["status", "--json"]).ends(0).json()["settings"].clone();
    let noted = runs.0.settings.into_iter().chain(runs.1.settings);
    for (name, value) in noted {
        assert_eq!(shown[&name], value, "{name}");
    }
}
