//! Customers whom no agent sees: listed, and given a task by hand.

use std::time::Duration;

use serde_json::json;
use simulator::{Contact, Sid};

use crate::world::World;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A chat whose customer wrote an hour ago, a minute after the last task had ended.
fn unheard_chat(world: &World) -> String {
    let channel = world.tab_closed("+15550100001");
    world.pass(MINUTE);
    let lost = world
        .simulator
        .state()
        .customer_writes("+15550100001", "Is anybody there?");
    assert!(matches!(lost, Contact::Lost { .. }), "{lost:?}");
    world.pass(HOUR);
    world.events_arrive();
    channel
}

fn open_tasks(world: &World, channel: &str) -> Vec<Sid> {
    let state = world.simulator.state();
    let open = state.open_tasks_on(channel.parse().unwrap());
    open.map(|task| task.sid).collect()
}

#[test]
fn a_customer_is_given_a_task_only_with_yes() {
    let world = World::new();
    let channel = unheard_chat(&world);
    world.simulator.reset_calls();
    let plan = world
        .janitor(["rescue", &channel, "--json"])
        .ends(5)
        .says("gets a task like the last one");
    assert_eq!(plan.stdout, "");
    world
        .janitor(["rescue", &channel, "--plan"])
        .ends(0)
        .says("Plan:");
    assert_eq!(world.simulator.calls().writes(), 0);
    assert!(open_tasks(&world, &channel).is_empty());

    let done = world
        .janitor(["rescue", &channel, "--yes", "--json"])
        .ends(0);
    let tasks = open_tasks(&world, &channel);
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert_eq!(
        done.json(),
        json!({ "version": 1, "channel_sid": channel, "task_sid": tasks[0] })
    );
    assert_eq!(world.simulator.calls().writes(), 1);

    // The channel is in use now, and the same message brings no other task.
    world
        .janitor(["rescue", &channel, "--yes"])
        .ends(5)
        .says("is in use");
    assert_eq!(open_tasks(&world, &channel), tasks);
}

#[test]
fn there_is_no_task_without_an_unheard_customer() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    world.pass(HOUR);
    world.events_arrive();
    world
        .janitor(["rescue", &channel, "--yes"])
        .ends(5)
        .says("No customer waits unheard");
    let unknown = format!("CH{}", "9".repeat(32));
    world.janitor(["rescue", &unknown, "--yes"]).ends(4);
    assert_eq!(world.simulator.calls().writes(), 0);
}

#[test]
fn a_task_is_made_by_the_stacks_settings_alone_unless_a_person_says_so() {
    let world = World::new();
    world.stack_acts_by(&[("SWEEP_MODE", "observe")]);
    let channel = unheard_chat(&world);
    world.janitor(["rescue", &channel]).ends(5).says("Plan:");
    world
        .janitor(["rescue", &channel, "--yes"])
        .ends(5)
        .says("only observes");
    assert!(open_tasks(&world, &channel).is_empty());
    world
        .janitor(["rescue", &channel, "--yes", "--override"])
        .ends(0);
    assert_eq!(open_tasks(&world, &channel).len(), 1);
}

#[test]
fn twilios_refusal_is_told_and_ends_as_not_done() {
    let world = World::new();
    let channel = unheard_chat(&world);
    {
        let mut state = world.simulator.state();
        let workflow = state.project().unwrap().workflow;
        state.lose(workflow).unwrap();
    }
    world
        .janitor(["rescue", &channel, "--yes"])
        .ends(5)
        .says("Twilio refused the task");
    assert!(open_tasks(&world, &channel).is_empty());
    // It is not asked for twice.
    world
        .janitor(["rescue", &channel, "--yes"])
        .ends(5)
        .says("tried before");
}

#[test]
fn the_list_shows_those_whom_no_agent_sees() {
    let world = World::new();
    let channel = unheard_chat(&world);
    world.tab_closed("+15550100002");
    world.events_arrive();
    // A look at the channel finds the customer; the record alone does not show one.
    world
        .janitor(["list", "--unheard"])
        .ends(0)
        .says("No unheard customer");
    world.janitor(["sweep", "--observe"]).ends(0);
    let listed = world.janitor(["list", "--unheard", "--json"]).ends(0);
    let lines = listed.json_lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["channel_sid"], channel);
    assert!(lines[0]["unheard_since_ms"].is_i64(), "{lines:?}");
    let table = world
        .janitor(["list", "--unheard"])
        .ends(0)
        .says("1 customer whose message no agent sees; 1 in the last 24 hours");
    assert!(table.stdout.contains(&channel), "{table}");
    let status = world.janitor(["status"]).ends(0).stdout;
    let needs = "Needs you  1 unheard customer: `janitor list --unheard`";
    assert!(status.contains(needs), "{status}");

    // A task brings the message to an agent.
    world.janitor(["rescue", &channel, "--yes"]).ends(0);
    world
        .janitor(["list", "--unheard"])
        .ends(0)
        .says("No unheard customer");
    world.janitor(["list", "--unheard", "--parked"]).ends(2);
}
