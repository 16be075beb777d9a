//! Chats that an operator parks and takes up again by hand.

use serde_json::json;
use simulator::Sid;

use crate::world::{World, run};

const WEBHOOK: &str = "https://janitor.example.com/twilio/events";

/// A Conversation in which an agent is at work: its channel and its task.
fn talk(world: &World, address: &str) -> (String, Sid) {
    let mut state = world.simulator.state();
    let contact = state.customer_converses(address, "Hello?");
    let task = contact.task().unwrap();
    state.agent_accepts(task, world.agent).unwrap();
    (contact.channel().unwrap().to_string(), task)
}

/// The TaskChannel that a task stands in, and its attributes.
fn stands(world: &World, task: Sid) -> (Sid, String) {
    let state = world.simulator.state();
    let task = state.task(task).unwrap();
    (task.task_channel, task.attributes.to_string())
}

/// Where parked tasks stand.
fn inactive(world: &World) -> Sid {
    let state = world.simulator.state();
    let workspace = state.project().unwrap().workspace;
    state.find_task_channel(workspace, "inactive").unwrap().sid
}

/// Returns the number of requests for which the simulated Twilio has written something.
fn writes(world: &World) -> u64 {
    world.simulator.calls().writes()
}

#[test]
fn a_chat_is_parked_and_taken_up_again_manually() {
    let world = World::that_parks();
    let (channel, task) = talk(&world, "+15550100001");
    talk(&world, "+15550100002");
    world.events_arrive();
    let (home, before) = stands(&world, task);
    world
        .janitor(["list", "--parked"])
        .ends(0)
        .says("No parked chat");

    // A plan writes nothing, at Twilio or in the table.
    let explained = || {
        world
            .janitor(["explain", &channel, "--json"])
            .ends(0)
            .json()
    };
    let record = explained();
    let wt = task.as_str();
    for arguments in [["park", wt, "--json"], ["unpark", wt, "--json"]] {
        let plan = world.janitor(arguments).ends(5).says("Add --yes");
        assert_eq!(plan.stdout, "", "a plan is talk");
        assert!(plan.stderr.contains(wt), "{plan}");
    }
    world
        .janitor(["park", wt, "--plan"])
        .ends(0)
        .says("moves to");
    assert_eq!(writes(&world), 0);
    assert_eq!(stands(&world, task), (home, before.clone()));
    assert_eq!(explained(), record);

    let done = world.janitor(["park", wt, "--yes", "--json"]).ends(0);
    assert_eq!(
        done.json(),
        json!({ "version": 1, "task_sid": wt, "parked": true, "changed": true })
    );
    assert_eq!(writes(&world), 1, "one move");
    let (there, attributes) = stands(&world, task);
    assert_eq!(there, inactive(&world));
    assert!(attributes.contains("\"inactive\":1"), "{attributes}");
    let again = world
        .janitor(["park", wt, "--yes", "--json"])
        .ends(0)
        .says("was parked already");
    assert_eq!(again.json()["changed"], false);
    assert_eq!(writes(&world), 1);

    let table = world.janitor(["list", "--parked"]).ends(0).stdout;
    assert!(table.contains(&channel), "{table}");
    let lines = world.janitor(["list", "--parked", "--json"]).ends(0);
    let [line] = &lines.json_lines()[..] else {
        panic!("not one line: {lines}");
    };
    assert_eq!(line["channel_sid"], channel);
    assert_eq!(line["parked_tasks"][0]["task_sid"], wt);
    assert!(line["parked_tasks"][0]["deleted_after_ms"].is_number());
    assert!(table.contains(wt), "{table}");
    let told = world.janitor(["explain", &channel]).ends(0).stdout;
    assert!(
        told.contains("open and parked") && told.contains("deleted by TaskRouter in 20h"),
        "{told}"
    );
    world
        .janitor(["list", "--parked", "--queue", "ended"])
        .ends(2);

    let done = world.janitor(["unpark", wt, "--yes", "--json"]).ends(0);
    assert_eq!(
        done.json(),
        json!({ "version": 1, "task_sid": wt, "parked": false, "changed": true })
    );
    let (there, attributes) = stands(&world, task);
    assert_eq!(there, home);
    assert_eq!(
        attributes.replace(",\"inactive\":0", ""),
        before,
        "every other byte stays"
    );
    let said = world.janitor(["unpark", wt, "--yes"]).ends(0);
    assert_eq!(said.stdout, "", "{said}");
    world
        .janitor(["list", "--parked"])
        .ends(0)
        .says("No parked chat");
}

#[test]
fn all_parked_chats_are_moved_back_at_once() {
    let world = World::that_parks();
    let tasks: Vec<Sid> = ["+15550100001", "+15550100002", "+15550100003"]
        .map(|address| talk(&world, address).1)
        .into();
    world.events_arrive();
    world
        .janitor(["unpark", "--all"])
        .ends(0)
        .says("No parked chat");
    let home = stands(&world, tasks[0]).0;
    for task in &tasks[..2] {
        world.janitor(["park", task.as_str(), "--yes"]).ends(0);
    }
    let plan = world.janitor(["unpark", "--all"]).ends(5);
    for (task, planned) in [(tasks[0], true), (tasks[1], true), (tasks[2], false)] {
        assert_eq!(plan.stderr.contains(task.as_str()), planned, "{plan}");
    }
    assert_eq!(stands(&world, tasks[0]).0, inactive(&world));
    let done = world
        .janitor(["unpark", "--all", "--yes", "--json"])
        .ends(0);
    assert_eq!(done.json_lines().len(), 2);
    for task in tasks {
        assert_eq!(stands(&world, task).0, home);
    }
    world.janitor(["unpark"]).ends(2);
}

#[test]
fn what_cannot_be_parked_is_said_and_changes_nothing() {
    let world = World::that_parks();
    let (_, ended) = talk(&world, "+15550100001");
    let (_, call) = talk(&world, "+15550100002");
    let (_, fine) = talk(&world, "+15550100003");
    {
        let mut state = world.simulator.state();
        let project = state.project().unwrap();
        let voice = state.find_task_channel(project.workspace, "voice");
        let change = simulator::state::taskrouter::task::TaskChange {
            task_channel: Some(voice.unwrap().sid),
            ..Default::default()
        };
        let anything = simulator::state::taskrouter::task::Expect::Any;
        state.update_task(call, anything, change).unwrap();
        state.agent_wraps_up(ended).unwrap();
        state.task_completed_by_nobody(ended).unwrap();
    }
    world.events_arrive();
    let unknown = "WTffffffffffffffffffffffffffffffff";
    for command in ["park", "unpark"] {
        for (task, code, why) in [
            (unknown, 4, "does not know this task"),
            (ended.as_str(), 1, "has ended"),
            (call.as_str(), 1, "not mapped"),
            ("WT0123", 2, "WT"),
            ("CHffffffffffffffffffffffffffffffff", 2, "WT"),
        ] {
            let said = world.janitor([command, task, "--yes", "--json"]);
            let said = said.ends(code).says(why);
            assert_eq!(said.stdout, "", "{command} {task}");
        }
    }
    let with = |name: &str, value: &str| {
        let command = world.command().env(name, value);
        run(command.args(["park", fine.as_str(), "--yes", "--override"])).ends(1)
    };
    with("PARK_TASK_CHANNELS", "TC1:TC2").says("PARK_TASK_CHANNELS");
    let other = format!("TC{0}1:TC{0}2", "9".repeat(31));
    with("PARK_TASK_CHANNELS", &other).says("the workspace has no TaskChannel");
    with("TWILIO_API_SECRET", "wrong").says("refuses the credentials");
    assert_eq!(writes(&world), 0);
    world
        .janitor(["list", "--parked"])
        .ends(0)
        .says("No parked chat");
}

#[test]
fn a_chat_whose_replies_nobody_would_hear_is_not_parked() {
    let world = World::that_parks();
    let task = {
        let mut state = world.simulator.state();
        let contact = state.customer_writes("+15550100001", "Hello?");
        let task = contact.task().unwrap();
        state.agent_accepts(task, world.agent).unwrap();
        task
    };
    world.events_arrive();
    world
        .janitor(["park", task.as_str(), "--yes"])
        .ends(1)
        .says("without WEBHOOK_URL");
    assert_eq!(writes(&world), 0);

    // Nothing is remembered of it that would be in the way.
    let command = || world.command().env("WEBHOOK_URL", WEBHOOK);
    run(command().args(["park", task.as_str(), "--yes"]))
        .ends(2)
        .says(
            "WEBHOOK_URL is https://janitor.example.com/twilio/events in this shell, and not set",
        );
    assert_eq!(writes(&world), 0);
    run(command().args(["park", task.as_str(), "--yes", "--override"])).ends(0);
    assert_eq!(stands(&world, task).0, inactive(&world));
    assert_eq!(writes(&world), 2, "the webhook and the move");
}
