//! The fuse and a person's stop, by the command.

use std::time::Duration;

use serde_json::json;

use crate::world::World;

const HOUR: Duration = Duration::from_secs(3600);

/// A stack whose fuse lets two closings through, and three chats that are due.
fn mistaken() -> (World, Vec<String>) {
    let world = World::new();
    world.stack_acts_by(&[("MAX_CLOSES_PER_SWEEP", "2")]);
    let channels = (1..=3).map(|number| world.tab_closed(&format!("+1555010000{number}")));
    let channels = channels.collect();
    world.pass(HOUR);
    world.events_arrive();
    (world, channels)
}

fn closed(world: &World, channels: &[String]) -> usize {
    let channels = channels.iter();
    let closed = channels.filter(|channel| world.attributes(channel).unwrap().status == "INACTIVE");
    closed.count()
}

#[test]
fn a_blown_fuse_holds_until_a_person_resumes() {
    let (world, channels) = mistaken();
    let blown = world
        .janitor(["sweep", "--yes", "--json"])
        .ends(3)
        .says("The fuse has blown");
    let summary = blown.json();
    assert_eq!(
        (
            &summary["closed"],
            &summary["stopped"],
            &summary["suspended"]
        ),
        (&json!(2), &json!("too-many-closes"), &json!("fuse-blown"))
    );
    world
        .janitor(["sweep", "--yes"])
        .ends(5)
        .says("after 2 closings within an hour")
        .says("janitor sweep --resume");
    let status = world.janitor(["status", "--json"]).ends(0).json();
    assert_eq!(status["fuse"]["suspended"], "fuse-blown");
    assert_eq!(status["fuse"]["closes"], 2);
    assert!(status["fuse"]["until_ms"].as_i64() > status["now_ms"].as_i64());
    let lines = world.janitor(["status"]).ends(0).stdout;
    assert!(
        lines.contains("the fuse blew") && lines.contains("--resume"),
        "{lines}"
    );
    assert_eq!(closed(&world, &channels), 2);

    world
        .janitor(["sweep", "--resume"])
        .ends(0)
        .says("the fuse blew");
    world.janitor(["sweep", "--yes"]).ends(0);
    assert_eq!(closed(&world, &channels), 3);
}

#[test]
fn one_command_stops_everything_and_one_resumes_it() {
    let (world, channels) = mistaken();
    // Seconds, without Twilio's credentials and without a question.
    let mut stop = crate::world::janitor();
    for (name, value) in world.variables() {
        if !name.starts_with("TWILIO") {
            stop = stop.env(name, value);
        }
    }
    let stopped = crate::world::run(stop.args(["sweep", "--stop", "--json"])).ends(0);
    assert_eq!(
        stopped.json(),
        json!({ "version": 1, "suspended": "stopped" })
    );
    world
        .janitor(["sweep", "--yes"])
        .ends(5)
        .says("a person stopped all sweeps");
    assert_eq!(closed(&world, &channels), 0);
    // The plan, and what observes, go on.
    world.janitor(["sweep"]).ends(5).says("3 ended");
    let observed = world
        .janitor(["sweep", "--observe", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        observed["would_write"], 2,
        "as many as the fuse lets through"
    );
    let status = world.janitor(["status", "--json"]).ends(0).json();
    assert_eq!(status["fuse"]["suspended"], "stopped");
    assert!(status["fuse"]["until_ms"].is_null(), "it has no end");
    // A person who names a channel goes on.
    world.janitor(["close", &channels[0], "--yes"]).ends(0);

    world
        .janitor(["sweep", "--resume", "--json"])
        .ends(0)
        .says("a person stopped all sweeps")
        .says("Sweeps write again");
    world.janitor(["sweep", "--yes"]).ends(0);
    assert_eq!(closed(&world, &channels), 3);
    world.janitor(["sweep", "--stop", "--resume"]).ends(2);
    world.janitor(["sweep", "--stop", "--yes"]).ends(2);
}
