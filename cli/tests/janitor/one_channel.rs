//! The commands that write to one channel, against a simulated Twilio and a table over the
//! network.

use std::time::Duration;

use crate::channels::line_of;
use crate::world::World;
use serde_json::json;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_held_channel_is_left_alone_until_the_hold_is_over() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    world.pass(HOUR);
    world.events_arrive();

    world.janitor(["hold", &channel, "--for", "2h"]).ends(5);
    world
        .janitor(["hold", &channel, "--for", "2h", "--yes"])
        .ends(0);
    world
        .janitor(["sweep", "--yes"])
        .ends(0)
        .says("Nothing is due");
    let told = world
        .janitor(["explain", &channel, "--json"])
        .ends(0)
        .json();
    assert_eq!(
        (&told["state"], &told["queue"]),
        (&json!("held"), &json!("retry"))
    );
    world
        .janitor(["close", &channel, "--yes"])
        .ends(5)
        .says("is held until");
    assert_eq!(world.attributes(&channel).unwrap().status, "ACTIVE");

    world
        .janitor(["hold", &channel, "--yes"])
        .ends(0)
        .says("until it is released");
    let told = world.janitor(["list", "--json"]).ends(0).json_lines();
    assert_eq!(
        (&told[0]["state"], &told[0]["due_at_ms"]),
        (&json!("held"), &json!(null))
    );

    // A hold that is over is dropped by the sweep that finds it, which then does its work.
    world
        .janitor(["hold", &channel, "--for", "PT0.001S", "--yes"])
        .ends(0);
    let swept = world.janitor(["sweep", "--yes", "--json"]).ends(0).json();
    assert_eq!(swept["closed"], 1);

    let release = world
        .janitor(["hold", &channel, "--release", "--yes", "--json"])
        .ends(0);
    assert_eq!(release.json()["changed"], false, "nothing holds it");
    world
        .janitor(["hold", &channel, "--for", "soon"])
        .ends(2)
        .says("not a duration");
    world
        .janitor(["hold", &channel, "--for", "1h", "--release"])
        .ends(2);
}

#[test]
fn a_channel_is_closed_at_once_unless_an_agent_is_at_work() {
    let world = World::new();
    let channel = world.tab_closed("whatsapp:+15550100001");
    let live = world.live_chat("+15550100002");
    world.events_arrive();
    world.janitor(["sweep", "--yes"]).ends(0);

    world
        .janitor(["close", &live, "--yes"])
        .ends(5)
        .says("Let the task end first");
    // The table may not know yet; the look does.
    world
        .simulator
        .state()
        .customer_writes("whatsapp:+15550100001", "One more thing");
    let seen = world
        .janitor(["close", &channel, "--yes"])
        .ends(5)
        .says("is in use");
    assert!(seen.stderr.contains("WT"), "{seen}");
    assert!(world.attributes(&channel).unwrap().long_lived);

    let channel = world.tab_closed("whatsapp:+15550100003");
    world.events_arrive();
    world.janitor(["close", &channel]).ends(5).says("Plan:");
    assert_eq!(world.attributes(&channel).unwrap().status, "ACTIVE");
    let closed = world
        .janitor(["close", &channel, "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(
        closed,
        json!({ "version": 1, "channel_sid": channel, "done": "closed" })
    );
    let attributes = world.attributes(&channel).unwrap();
    assert_eq!(
        (&*attributes.status, attributes.long_lived),
        ("INACTIVE", false)
    );
    let again = world
        .janitor(["close", &channel, "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(again["done"], "already-clean");
}

#[test]
fn a_closing_is_taken_back_where_the_platform_lets_one() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    let conversation = world.conversation_left_open("+15550100002");
    world.events_arrive();
    world
        .janitor(["reopen", &channel])
        .ends(0)
        .says("nothing to take back");
    for sid in [&channel, &conversation] {
        world.janitor(["close", sid, "--yes"]).ends(0);
    }

    world
        .janitor(["reopen", &channel, "--for", "2h"])
        .ends(5)
        .says("becomes ACTIVE")
        .says("Mind: no task");
    let done = world
        .janitor(["reopen", &channel, "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(done["done"], "reopened");
    assert_eq!(world.attributes(&channel).unwrap().status, "ACTIVE");
    world.janitor(["sweep"]).ends(0).says("Nothing is due");
    world
        .janitor(["hold", &channel, "--release", "--yes"])
        .ends(0)
        .says("the hold was released");
    let explained = world
        .janitor(["explain", &channel, "--json"])
        .ends(0)
        .json();
    assert_eq!(explained["state"], "due", "its record is armed again");

    world
        .janitor(["reopen", &conversation, "--yes"])
        .ends(1)
        .says("makes that final");
}

#[test]
fn a_longer_hold_outlives_a_reopening() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    world.events_arrive();
    world.janitor(["close", &channel, "--yes"]).ends(0);
    world
        .janitor(["hold", &channel, "--for", "30d", "--yes"])
        .ends(0)
        .says("was held until");
    let held = line_of(&world, &channel)["held_until_ms"].clone();
    world.janitor(["reopen", &channel, "--yes"]).ends(0);
    assert_eq!(line_of(&world, &channel)["held_until_ms"], held);
}

#[test]
fn a_deletion_promises_the_session_only_where_it_deletes_one() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    let conversation = world.conversation_left_open("+15550100002");
    world.events_arrive();
    world
        .janitor(["delete", &channel])
        .ends(5)
        .says("Its Proxy session is deleted, too");
    let plan = world.janitor(["delete", &conversation]).ends(5);
    assert!(!plan.stderr.contains("Proxy"), "{plan}");
    world.stack_acts_by(&[("PROXY_SERVICE_SID", ""), ("ENDED_CUTOFF", "24h")]);
    let without = world.command().env("PROXY_SERVICE_SID", "");
    crate::world::run(without.args(["delete", &channel, "--yes"]))
        .ends(0)
        .says("Its Proxy session is left to Flex");
}

#[test]
fn a_channel_is_deleted_with_its_session_and_a_conversation_too() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    let conversation = world.conversation_left_open("+15550100002");
    let live = world.live_chat("+15550100003");
    world.events_arrive();
    world
        .janitor(["delete", &live, "--yes"])
        .ends(5)
        .says("is in use");
    world
        .janitor(["delete", &channel])
        .ends(5)
        .says("cannot be undone");
    assert!(world.attributes(&channel).is_some());

    for sid in [&channel, &conversation] {
        let done = world
            .janitor(["delete", sid, "--yes", "--json"])
            .ends(0)
            .json();
        assert_eq!(done["done"], "deleted");
        let again = world
            .janitor(["delete", sid, "--yes", "--json"])
            .ends(0)
            .json();
        assert_eq!(again["done"], "gone");
        let explained = world.janitor(["explain", sid, "--json"]).ends(0).json();
        assert_eq!(explained["state"], "closed");
    }
    assert!(world.attributes(&channel).is_none());
    let session = world
        .simulator
        .state()
        .open_session_of("+15550100001")
        .is_some();
    assert!(!session, "the customer's address is free again");
    world
        .janitor(["reopen", &channel, "--yes"])
        .ends(1)
        .says("it was deleted");
}

#[test]
fn what_was_given_up_is_tried_again_when_a_person_says_so() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    world.pass(HOUR);
    world.events_arrive();
    let write = |text: &str| {
        let change = simulator::state::chat::ChannelChange {
            attributes: Some(text.to_owned()),
            ..Default::default()
        };
        let mut state = world.simulator.state();
        let sid = state.channels().next().unwrap().sid;
        state
            .update_channel(sid, simulator::Webhooks::Disabled, change)
            .unwrap();
    };
    world
        .janitor(["retry", "--failed"])
        .ends(0)
        .says("No channel was given up");
    write("[]");
    let swept = world.janitor(["sweep", "--yes", "--json"]).ends(0).json();
    assert_eq!(swept["failed"], 1);
    let told = world.janitor(["explain", &channel]).ends(0);
    assert!(told.stdout.contains("not a JSON object"), "{told}");
    let status = world.janitor(["status"]).ends(0).stdout;
    let needs = "Needs you  1 channel given up: `janitor retry --failed`";
    assert!(status.contains(needs), "{status}");

    let plan = world
        .janitor(["retry", "--failed", "--json"])
        .ends(5)
        .json_lines();
    assert_eq!(plan[0]["failure_reason"], "attributes-not-an-object");
    assert_eq!(plan[0]["retried"], false);
    write("{}");
    let done = world
        .janitor(["retry", "--failed", "--yes", "--json"])
        .ends(0)
        .json_lines();
    assert_eq!(done[0]["retried"], true);
    assert_eq!(
        world.janitor(["sweep", "--yes", "--json"]).ends(0).json()["closed"],
        1
    );
    world.janitor(["retry"]).ends(2);
}
