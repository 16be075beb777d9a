//! Wrap-ups that an operator ends by hand.

use serde_json::json;
use simulator::state::taskrouter::task::TaskStatus;

use crate::world::World;

#[test]
fn a_stuck_wrap_up_is_completed_only_with_yes() {
    let world = World::that_parks();
    let contact = world
        .simulator
        .state()
        .customer_converses("+15550100001", "Hello?");
    let task = contact.task().unwrap();
    let wt = task.as_str();
    let status = || world.simulator.state().task(task).unwrap().status;
    let accepted = world.simulator.state().agent_accepts(task, world.agent);
    accepted.unwrap();
    world
        .janitor(["complete", wt, "--yes"])
        .ends(5)
        .says("not in wrap-up");
    assert_eq!(status(), TaskStatus::Assigned);

    world.simulator.state().agent_wraps_up(task).unwrap();
    let plan = world
        .janitor(["complete", wt, "--json"])
        .ends(5)
        .says("other tasks go on");
    assert_eq!(plan.stdout, "");
    world.janitor(["complete", wt, "--plan"]).ends(0);
    assert_eq!(world.simulator.calls().writes(), 0);
    assert_eq!(status(), TaskStatus::Wrapping);

    let done = world.janitor(["complete", wt, "--yes", "--json"]).ends(0);
    assert_eq!(
        done.json(),
        json!({ "version": 1, "task_sid": wt, "completed": true })
    );
    assert_eq!(world.simulator.calls().writes(), 1);
    assert_eq!(status(), TaskStatus::Completed);

    let unknown = format!("WT{}", "9".repeat(32));
    world.janitor(["complete", &unknown, "--yes"]).ends(4);
}
