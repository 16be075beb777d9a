//! `janitor import`: what the Twilio Function of old left in Sync.

use crate::world::World;
use serde_json::{Value, json};

const SERVICE: &str = "IS00000000000000000000000000000009";

/// An event as that Function kept it: the whole payload, and some of it once more.
fn kept(event: &Value) -> Value {
    let payload = &event["data"]["payload"];
    let attributes = payload["task_attributes"].as_str().unwrap();
    let named: Value = serde_json::from_str(attributes).unwrap();
    json!({
        "eventtype": payload["eventtype"],
        "timestamp": event["data"]["timestamp"],
        "taskattributes": attributes,
        "channelsid": named["channelSid"],
        "msg": payload,
    })
}

/// A world of which only the Function heard: one document for each of two channels, and one
/// of another program.
fn left_behind() -> (World, Vec<Value>) {
    let world = World::new();
    let mut documents = Vec::new();
    for address in ["+15550100001", "+15550100002"] {
        world.tab_closed(address);
        let events = world.simulator.take_events();
        let is_end = |event: &&Value| event["data"]["payload"]["eventtype"] == "task.completed";
        documents.push(kept(events.iter().find(is_end).unwrap()));
    }
    documents.push(json!({ "counter": 4 }));
    for (number, data) in documents.iter().enumerate() {
        let service = SERVICE.parse().unwrap();
        let name = format!("document-{number}");
        let mut state = world.simulator.state();
        state.leave_document(service, &name, data.clone());
    }
    (world, documents)
}

#[test]
fn the_documents_of_a_service_become_channels_that_are_due() {
    let (world, _) = left_behind();
    let plan = world.janitor(["import", "--sync-service", SERVICE, "--json"]);
    let plan = plan.ends(5).json();
    assert_eq!((&plan["events"], &plan["ignored"]), (&json!(3), &json!(1)));
    assert_eq!(
        (&plan["changed"], &plan["written"]),
        (&json!(2), &json!(false))
    );
    world.janitor(["list"]).ends(0).says("No channel");

    world
        .janitor(["import", "--sync-service", SERVICE, "--yes"])
        .ends(0)
        .says("2 channels: 2 to change");
    let listed = world.janitor(["list", "--json"]).ends(0).json_lines();
    assert_eq!(listed.len(), 2);
    for channel in listed {
        assert_eq!(channel["state"], "due", "{channel}");
        assert_eq!(channel["last_task_end"], "completed", "{channel}");
    }
    world
        .janitor(["import", "--sync-service", SERVICE])
        .ends(0)
        .says("2 up to date");
}

#[test]
fn an_exported_file_says_the_same_and_needs_no_credentials() {
    let (world, documents) = left_behind();
    let exported: Vec<Value> = documents
        .iter()
        .map(|data| json!({ "uniqueName": "any", "data": data }))
        .collect();
    let lines: Vec<String> = exported.iter().map(Value::to_string).collect();
    for text in [json!(exported).to_string(), lines.join("\n")] {
        let plan = world
            .janitor_reads(&text, ["import", "-", "--json"])
            .ends(5);
        assert_eq!(plan.json()["changed"], 2);
    }

    let broken = world.janitor_reads("[{]", ["import", "-"]).ends(3);
    broken.says("0 channels");
    world.janitor(["import"]).ends(2);
    world.janitor(["import", "--sync-service", "IS1"]).ends(2);
    world
        .janitor(["import", "-", "--sync-service", SERVICE])
        .ends(2);
}
