//! The commands that look at channels and write to them, against a simulated Twilio and a table
//! over the network.

use std::time::Duration;

use crate::world::World;
use serde_json::json;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_replay_shows_its_plan_first_and_changes_nothing_twice() {
    let world = World::new();
    world.tab_closed("+15550100001");
    let events = serde_json::Value::from(world.simulator.take_events());
    let count = events.as_array().unwrap().len();

    let held_back = world
        .janitor_reads(&events.to_string(), ["replay", "-", "--json"])
        .ends(5);
    assert_eq!(held_back.json()["changed"], 1);
    assert_eq!(held_back.json()["written"], false);
    world.janitor(["list"]).ends(0).says("No channel");

    let plan = world.janitor_reads(&events.to_string(), ["replay", "-", "--plan"]);
    plan.ends(0).says("1 channel: 1 to change");

    let lines: Vec<String> = events
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    let done = world
        .janitor_reads(&lines.join("\n"), ["replay", "-", "--yes", "--json"])
        .ends(0);
    assert_eq!(
        done.json(),
        json!({ "version": 1, "events": count, "ignored": done.json()["ignored"],
                "ignored_by_reason": done.json()["ignored_by_reason"], "rejected": 0,
                "channels": 1, "changed": 1, "unchanged": 0, "written": true })
    );
    let again = world
        .janitor_reads(&events.to_string(), ["replay", "-", "--json"])
        .ends(0);
    assert_eq!(
        again.json()["changed"],
        0,
        "nothing to do, so nothing to ask for"
    );

    let broken = "{\n".repeat(12);
    world
        .janitor_reads(&broken, ["replay", "-", "--plan"])
        .ends(3)
        .says("line 1 ")
        .says("line 10 ")
        .says("not JSON")
        .says("and 2 more");
    world
        .janitor(["replay", "/nonexistent"])
        .ends(1)
        .says("cannot read /nonexistent");
}

#[test]
fn what_is_known_is_listed_counted_and_explained() {
    let world = World::new();
    let ended = world.tab_closed("+15550100001");
    let live = world.live_chat("+15550100002");
    world.pass(HOUR);
    world.events_arrive();

    let table = world.janitor(["list"]).ends(0).stdout;
    let first = table.find(&ended).unwrap();
    assert!(
        first < table.find(&live).unwrap(),
        "what is due comes first:\n{table}"
    );

    let mut lines = world.janitor(["list", "--json"]).ends(0).json_lines();
    lines.sort_by_key(|line| line["state"].to_string());
    let fields: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "channel_sid",
            "due_at_ms",
            "held_until_ms",
            "idle_since_ms",
            "last_task_end",
            "last_task_sid",
            "long_lived",
            "open_tasks",
            "orphaned_by",
            "platform",
            "queue",
            "state",
            "unheard_since_ms",
            "version",
        ],
        "the schema is stable: fields may be added, none may change"
    );
    assert_eq!(lines[0]["channel_sid"], ended);
    assert_eq!(lines[0]["state"], "due");
    assert_eq!(lines[1]["state"], "open");

    let waiting = world
        .janitor(["list", "--queue", "ended", "--json"])
        .ends(0);
    assert_eq!(waiting.json_lines(), [lines[0].clone()]);
    world
        .janitor(["list", "--queue", "abandoned"])
        .ends(0)
        .says("No channel");
    world
        .janitor(["list", "--queue", "sleeping"])
        .ends(2)
        .says("long-lived");

    let status = world.janitor(["status", "--json"]).ends(0).json();
    let queue = status["queues"].as_array().unwrap().iter();
    let queue = queue
        .clone()
        .find(|queue| queue["queue"] == "ended")
        .unwrap();
    assert_eq!((&queue["waiting"], &queue["due"]), (&json!(1), &json!(1)));
    assert_eq!(status["states"]["due"], 1);
    let lines = world.janitor(["status"]).ends(0).stdout;
    assert!(
        lines.contains("1 ended") && lines.contains("Needs you  nothing"),
        "{lines}"
    );
    assert!(lines.lines().count() <= 10, "{lines}");

    let explained = world.janitor(["explain", &ended]).ends(0);
    for part in [
        &*ended,
        "was completed",
        "Due: its last task",
        "closes or leaves it",
    ] {
        assert!(explained.stdout.contains(part), "{part} in {explained}");
    }
    let task = line_of(&world, &ended)["last_task_sid"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_task = world.janitor(["explain", &task]).ends(0).says(&ended);
    // Ages grow between the two commands.
    let ageless = |text: &str| {
        let lines = text.lines().filter(|line| !line.contains(" ago"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ageless(&by_task.stdout), ageless(&explained.stdout));
    assert!(by_task.stdout.contains(&task), "{by_task}");
    let explained = world.janitor(["explain", &live, "--json"]).ends(0).json();
    assert_eq!(explained["decision"], "nothing");
    // How far a task has got is remembered only where chats are parked.
    assert!(explained["tasks"][0]["stage"].is_null(), "{explained}");
}

/// The line of `list --json` about a channel.
pub(crate) fn line_of(world: &World, channel: &str) -> serde_json::Value {
    let lines = world.janitor(["list", "--json"]).ends(0).json_lines();
    let mut lines = lines.into_iter();
    lines.find(|line| line["channel_sid"] == channel).unwrap()
}

#[test]
fn a_conversation_is_not_told_to_be_long_lived() {
    let world = World::new();
    let conversation = world.conversation_left_open("+15550100001");
    world.events_arrive();
    let told = world.janitor(["explain", &conversation]).ends(0);
    assert!(!told.stdout.contains("long"), "{told}");
}

#[test]
fn tables_fit_the_terminal() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    world.pass(HOUR);
    world.events_arrive();
    let binary = snapbox::cmd::cargo_bin!("janitor");
    for columns in [60, 80, 120] {
        let line = format!("stty rows 40 cols {columns}; {} list", binary.display());
        // `script` gives it a terminal.
        let shell = snapbox::cmd::Command::new("script").args(["-qec", &line, "/dev/null"]);
        let shell = shell
            .env_clear()
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env("PATH", "/usr/bin:/bin");
        let said = crate::world::run(shell.envs(world.variables())).ends(0);
        assert!(said.stdout.contains(&channel), "{said}");
        // The progress is on the same terminal.
        let lines = said.stdout.lines().filter(|line| line.starts_with('│'));
        let widest = lines.map(|line| line.trim().chars().count());
        assert!(widest.max().unwrap() <= columns, "{columns}: {said}");
    }
}

#[test]
fn a_sweep_manually_observes_plans_and_acts() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    world.pass(HOUR);
    world.events_arrive();
    let status = || world.attributes(&channel).unwrap().status;

    let plan = world
        .janitor(["sweep"])
        .ends(5)
        .says("1 ended")
        .says("--yes");
    assert_eq!(plan.stdout, "", "a plan is talk");
    let plan = world.janitor(["sweep", "--plan", "--json"]).ends(0).json();
    assert_eq!(
        plan,
        json!({ "version": 1, "due": 1, "by_queue": [{ "queue": "ended", "channels": 1 }] })
    );
    let observed = world
        .janitor(["sweep", "--observe", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        (&observed["due"], &observed["would_write"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(status(), "ACTIVE");

    let swept = world.janitor(["sweep", "--yes", "--json"]).ends(0).json();
    assert_eq!((&swept["due"], &swept["closed"]), (&json!(1), &json!(1)));
    assert_eq!(status(), "INACTIVE");
    world.janitor(["sweep", "--observe", "--yes"]).ends(2);
}
