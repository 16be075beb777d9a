//! `janitor reconcile`: what the event stream did not tell.

use std::time::Duration;

use simulator::{At, Fault, FaultKind};

use crate::world::World;

const HOUR: Duration = Duration::from_secs(3600);

/// A chat whose agent closed the tab, and of which no event ever arrived.
fn untold_chat(world: &World) -> String {
    let channel = world.tab_closed("+15550100001");
    world.pass(HOUR);
    world.simulator.take_events();
    channel
}

#[test]
fn what_no_event_told_is_shown_first_and_taken_in_with_yes() {
    let world = World::new();
    let channel = untold_chat(&world);
    let plan = world
        .janitor(["reconcile"])
        .ends(5)
        .says("Plan: 1 channel to take in");
    assert!(plan.stdout.contains(&channel), "{plan}");
    assert!(plan.stdout.contains("tells more than the stream"), "{plan}");
    let plan = world.janitor(["reconcile", "--json"]).ends(5).json();
    assert_eq!(plan["found"][0]["channel"], *channel, "{plan}");
    assert_eq!(
        (&plan["version"], &plan["wrote"]),
        (&1.into(), &false.into())
    );
    world.janitor(["explain", &channel]).ends(4);

    world
        .janitor(["reconcile", "--yes"])
        .ends(0)
        .says("Taken in: 1 channel. Nothing was closed");
    world.janitor(["explain", &channel]).ends(0);
    world
        .janitor(["reconcile", "--yes"])
        .ends(0)
        .says("Nothing was found that is not known");
    world.janitor(["sweep", "--yes"]).ends(0);
    assert_eq!(world.attributes(&channel).unwrap().status, "INACTIVE");
}

#[test]
fn a_list_that_cannot_be_read_is_named_and_fails_the_check() {
    let world = World::new();
    let channel = untold_chat(&world);
    world.simulator.fail(Fault {
        at: At::product("conversations"),
        kind: FaultKind::Status(403),
        times: None,
    });
    let told = world
        .janitor(["reconcile", "--yes"])
        .ends(3)
        .says("cannot be listed")
        .says("Taken in: 1 channel");
    assert!(told.stdout.contains(&channel), "{told}");
}
