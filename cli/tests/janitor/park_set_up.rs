//! `janitor park --set-up`: the second TaskChannel, and capacity on it for every worker.

use serde_json::json;
use simulator::state::sid::Sid;
use simulator::{At, Fault, FaultKind};
use snapbox::cmd::Command;

use crate::world::{Said, World, janitor, run};

/// A workspace with this many agents, and no TaskChannel for parked chats.
fn world(agents: usize) -> (World, Vec<Sid>) {
    let world = World::new();
    let workspace = world.simulator.state().project().unwrap().workspace;
    let hire = |number| {
        let name = format!("agent {number}");
        world
            .simulator
            .state()
            .hire_agent(workspace, &name)
            .unwrap()
    };
    let agents = std::iter::once(world.agent).chain((1..agents).map(hire));
    let agents = agents.collect();
    world.simulator.reset_calls();
    (world, agents)
}

/// The binary with nothing but Twilio's variables.
fn set_up(world: &World, arguments: &[&str]) -> Said {
    let variables = world.variables().into_iter();
    let command: Command = janitor()
        .args(["park", "--set-up"])
        .args(arguments)
        .envs(variables.filter(|(name, _)| name.starts_with("TWILIO_")));
    run(command)
}

/// The capacities of these workers on the new TaskChannel.
fn capacities(world: &World, agents: &[Sid]) -> Vec<i64> {
    let state = world.simulator.state();
    let workspace = state.project().unwrap().workspace;
    let inactive = state.find_task_channel(workspace, "inactive_chat").unwrap();
    let mine = agents.iter().map(|agent| {
        let channel = state.worker_channel(*agent, inactive.sid).unwrap();
        assert!(channel.available);
        channel.capacity
    });
    mine.collect()
}

#[test]
fn the_plan_comes_first_and_writes_nothing() {
    let (world, _) = world(3);
    let said = set_up(&world, &[]).ends(5);
    let said = said.says("Plan: the TaskChannel inactive_chat is created.");
    said.says("Plan: 3 workers get a capacity of 50 on it.");
    set_up(&world, &["--plan"]).ends(0);
    assert_eq!(world.simulator.calls().writes(), 0);
    let state = world.simulator.state();
    let workspace = state.project().unwrap().workspace;
    assert!(
        state
            .find_task_channel(workspace, "inactive_chat")
            .is_none()
    );
}

#[test]
fn it_makes_the_task_channel_gives_capacity_and_does_no_more_the_second_time() {
    let (world, agents) = world(3);
    let said = set_up(&world, &["--yes", "--json"]).ends(0);
    let done = said.json();
    let inactive = &done["inactive_task_channel_sid"];
    let chat = world.simulator.state().project().unwrap().chat_task_channel;
    assert_eq!(done["version"], 1);
    assert_eq!(
        (&done["created"], &done["capacity"], &done["workers"]),
        (&json!(true), &json!(50), &json!(3))
    );
    assert_eq!(
        done["pair"],
        format!("{chat}:{}", inactive.as_str().unwrap())
    );
    assert_eq!(done["changed_worker_sids"].as_array().unwrap().len(), 3);
    assert_eq!(done["failed_worker_sids"], json!([]));
    said.says("FLEX_APP_PARK_TASK_CHANNELS=chat:inactive_chat");
    assert_eq!(capacities(&world, &agents), [50; 3]);

    world.simulator.reset_calls();
    let again = set_up(&world, &["--json"])
        .ends(0)
        .says("Nothing is missing.");
    assert_eq!(again.json()["created"], false);
    assert_eq!(again.json()["changed_worker_sids"], json!([]));
    assert_eq!(world.simulator.calls().writes(), 0);

    // A new agent has what Twilio gives; one whom a person gave more keeps it.
    let new = {
        let mut state = world.simulator.state();
        let workspace = state.project().unwrap().workspace;
        let sid: Sid = inactive.as_str().unwrap().parse().unwrap();
        state.set_capacity(agents[0], sid, 80).unwrap();
        state.hire_agent(workspace, "agent new").unwrap()
    };
    let said = set_up(&world, &["chat", "--yes", "--json"]).ends(0);
    assert_eq!(said.json()["changed_worker_sids"], json!([new.as_str()]));
    assert_eq!(capacities(&world, &[agents[0], new]), [80, 50]);
}

/// B111: a worker whom a new TaskChannel has not reached yet is named, and the next run mends it.
#[test]
fn a_worker_who_cannot_be_given_capacity_keeps_no_other_without() {
    let (world, agents) = world(3);
    world.simulator.fail(Fault {
        at: At::product("taskrouter")
            .method("POST")
            .path("/Channels/TC"),
        kind: FaultKind::Status(404),
        times: Some(1),
    });
    let said = set_up(&world, &["--yes", "--json", "--capacity", "7"]).ends(3);
    let done = said.json();
    assert_eq!(done["failed_worker_sids"].as_array().unwrap().len(), 1);
    assert_eq!(done["changed_worker_sids"].as_array().unwrap().len(), 2);
    let said = set_up(&world, &["--yes", "--json", "--capacity", "7"]).ends(0);
    assert_eq!(said.json()["created"], false);
    assert_eq!(capacities(&world, &agents), [7; 3]);
}

#[test]
fn what_stands_in_the_way_is_said_and_nothing_is_written() {
    let (world, _) = world(2);
    let said = set_up(&world, &["fax", "--yes"]).ends(4);
    said.says("no TaskChannel of the unique name fax");
    let refuse = |method: &'static str, path: &'static str| {
        world.simulator.clear_faults();
        world.simulator.fail(Fault {
            at: At::product("taskrouter").method(method).path(path),
            kind: FaultKind::Status(403),
            times: None,
        });
    };
    for (path, part) in [
        ("/TaskChannels", "the TaskChannels cannot be listed"),
        ("/Workers", "the workers cannot be listed"),
    ] {
        refuse("GET", path);
        set_up(&world, &["--yes"]).ends(1).says(part);
    }
    assert_eq!(world.simulator.calls().writes(), 0);
    refuse("POST", "/TaskChannels");
    let said = set_up(&world, &["--yes"]).ends(1);
    said.says("the TaskChannel inactive_chat cannot be created");
    run(janitor().args(["park", "--set-up"])).ends(1);
    set_up(&world, &["--capacity", "0"]).ends(2);
}
