//! Tasks as TaskRouter's REST resource shows them, and Sync documents that hold events.

use std::collections::BTreeMap;

use domain::{End, FactKind, Pairs, Stage, TaskPlacement, TaskState};
use twilio::events::{self, About, Ignored, NoLink, Scope, TaskStatus};

use crate::{at, everything, only, state};

#[test]
fn a_task_is_read_as_taskrouter_shows_it() {
    let task = events::read_task(payload!("task-resource")).unwrap();
    assert_eq!(task.status, TaskStatus::Open(Stage::Wrapping));
    let look = at("2026-01-05T10:00:00Z");
    let facts: Vec<_> = task
        .facts(&Pairs::default(), look)
        .iter()
        .map(|fact| (fact.at, state(fact)))
        .collect();
    assert_eq!(
        facts,
        [
            (at("2026-01-05T09:40:00Z"), TaskState::Open(Stage::Wrapping)),
            (look, TaskState::SeenOpen),
        ]
    );
    let ended = payload!("task-resource").replace("wrapping", "canceled");
    let ended = events::read_task(&ended).unwrap();
    let ended = ended.facts(&everything().pairs, look);
    assert_eq!(ended.len(), 1);
    assert_eq!(
        (ended[0].at, state(&ended[0])),
        (at("2026-01-05T09:40:00Z"), TaskState::Ended(End::Canceled))
    );

    let listed = r#"{"sid":"WT00000000000000000000000000000020","assignment_status":"new","attributes":null}"#;
    let listed = events::read_task(listed).unwrap();
    assert_eq!(
        (listed.about, listed.status),
        (About::NotTold, TaskStatus::Open(Stage::Waiting))
    );
    assert_eq!(listed.facts(&Pairs::default(), look), []);
    let voice = r#"{"sid":"WT00000000000000000000000000000020","attributes":"{}"}"#;
    assert_eq!(
        events::read_task(voice).unwrap().about,
        About::NoChannel(NoLink::NoChannel)
    );
    for text in ["", "[]", "{}", r#"{"sid":"WTx"}"#] {
        assert!(events::read_task(text).is_err());
    }
}

#[test]
fn a_look_tells_that_a_task_is_parked() {
    let pairs = everything().pairs;
    let [pair] = pairs.iter().collect::<Vec<_>>()[..] else {
        panic!("{pairs}");
    };
    let look = at("2026-01-05T10:00:00Z");
    let parked = payload!("task-resource");
    let placed = |text: &str| {
        let facts = events::read_task(text).unwrap().facts(&pairs, look);
        facts.into_iter().map(|fact| fact.kind).find_map(told)
    };
    fn told(kind: FactKind) -> Option<(u32, TaskPlacement)> {
        match kind {
            FactKind::Placed {
                version, placement, ..
            } => Some((version, placement)),
            FactKind::Task(_) | FactKind::Accepted { .. } | FactKind::Message { .. } => None,
        }
    }
    // The body tells no version, so that every event of the task counts for more.
    assert_eq!(placed(parked), Some((0, pairs.placement(pair.inactive))));
    let active = parked.replace(pair.inactive.as_str(), pair.active.as_str());
    assert_eq!(placed(&active), None);
}

#[test]
fn sync_documents_of_the_original_are_the_events_that_arrived_last() {
    let page = include_str!("../payloads/sync-documents.json");
    let batch = events::read_documents(page.as_bytes(), &Scope::default());
    let states: Vec<TaskState> = batch.facts.iter().map(state).collect();
    assert_eq!(
        states,
        [
            TaskState::Ended(End::Completed),
            TaskState::Open(Stage::Waiting)
        ]
    );
    assert_eq!(batch.facts[0], only(payload!("s2-completed")));
    assert_eq!(batch.facts[1].at, at("2026-01-05T09:00:00.412Z"));
    let ignored = [(Ignored::OtherType, 1), (Ignored::NoChannel, 1)];
    assert_eq!(batch.ignored, BTreeMap::from(ignored));
    assert_eq!(batch.rejected, []);

    // The list in the page, one document, and its data alone say the same.
    let page: serde_json::Value = serde_json::from_str(page).unwrap();
    let list = page["documents"].to_string();
    let document = page["documents"][0].to_string();
    let as_text = serde_json::json!({ "data": page["documents"][0]["data"].to_string() });
    let data = page["documents"][0]["data"].to_string();
    let facts = |text: &str| events::read_documents(text.as_bytes(), &Scope::default()).facts;
    assert_eq!(facts(&list), batch.facts);
    for one in [document, data, as_text.to_string()] {
        assert_eq!(facts(&one), batch.facts[..1], "{one}");
    }

    let another = Scope {
        account: "AC00000000000000000000000000000099".parse().ok(),
        ..Scope::default()
    };
    let batch = events::read_documents(list.as_bytes(), &another);
    assert_eq!(
        batch.facts,
        [],
        "another account's documents are none of ours"
    );
}
