//! The calls of each function to AWS are those that its role allows. `docs/permissions.md` lists
//! them, and `tests/stories` compares that page with the template.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use binaries::lambda_api::{Function, built};
use embedded::Embedded;
use serde_json::{Value, json};

use crate::{Stage, WEBHOOK, chat_left_behind, in_a_minute};

const PAGE: &str = include_str!("../../../../docs/permissions.md");

/// The calls since they were last taken: the operation and the request's JSON.
struct Calls(Arc<Mutex<Vec<(String, String)>>>);

impl Calls {
    fn of(aws: &Embedded) -> Self {
        let calls = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&calls);
        aws.plan_faults(move |call| {
            let call = (call.operation.to_owned(), call.body.to_owned());
            kept.lock().unwrap().push(call);
            None
        });
        Self(calls)
    }

    fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn take_operations(&self) -> BTreeSet<String> {
        let calls = self.take().into_iter();
        calls.map(|(operation, _)| operation).collect()
    }
}

/// Returns the operations that the page allows a function, of the services that it calls itself.
fn allowed(function: &str) -> BTreeSet<String> {
    let rows = [format!("| {function} | "), "| all | ".to_owned()];
    let actions = PAGE
        .lines()
        .filter(|line| rows.iter().any(|row| line.starts_with(row)))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter_map(|action| action.split_once(':'));
    let services = ["dynamodb", "events", "secretsmanager"];
    actions
        .filter(|(service, _)| services.contains(service))
        .map(|(_, operation)| operation.to_owned())
        .collect()
}

async fn started(name: &str, variables: &[(&str, String)]) -> Function {
    let function = Function::start(&built(name), variables).await;
    function.ready().await;
    function
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_function_calls_what_its_role_allows_and_nothing_else() {
    let mut stage = Stage::set(21).await;
    stage.ingest.ready().await;
    stage.sweep.ready().await;
    let calls = Calls::of(&stage.aws);

    stage.ingest = started("ingest", &stage.variables).await;
    chat_left_behind(&stage.twilio);
    let mut events = stage.twilio.take_events();
    // One that cannot be read goes on the bus.
    events.push(json!(7));
    let status = stage.post(&events, binaries::function_url::Encoding::Text);
    assert_eq!(status.await, 204);
    assert_eq!(calls.take_operations(), allowed("ingest"));

    stage.sweep = started("sweep", &stage.variables).await;
    let summary = stage.sweep().await.unwrap();
    assert_eq!(summary["closed"], 1, "{summary}");
    let reconcile = json!({ "job": "reconcile" });
    let report = stage.sweep.invoke(reconcile, in_a_minute()).await.unwrap();
    assert_eq!(report["whole"], true, "{report}");
    assert_eq!(calls.take_operations(), allowed("sweep"));

    let mut variables = stage.variables.clone();
    variables.push(("WEBHOOK_URL", WEBHOOK.to_owned()));
    let checkup = started("checkup", &variables).await;
    let found = checkup.invoke(json!({}), in_a_minute()).await.unwrap();
    assert!(found["errors"].as_u64().unwrap() > 0, "{found}");
    let made = calls.take();
    // Its role lets it touch this one item of the table.
    for (operation, body) in &made {
        if operation.ends_with("Item") {
            let body: Value = serde_json::from_str(body).unwrap();
            let item = ["Key", "Item"].map(|part| &body[part]["channel_sid"]["S"]);
            assert!(item.contains(&&json!("note:checkup")), "{body}");
        }
    }
    let operations: BTreeSet<String> = made.into_iter().map(|(operation, _)| operation).collect();
    assert_eq!(operations, allowed("checkup"));

    let (active, inactive) = {
        let mut state = stage.twilio.state();
        let project = state.project().unwrap();
        let inactive = state.create_task_channel(project.workspace, "Inactive", "inactive");
        (project.chat_task_channel, inactive.unwrap())
    };
    variables.push(("PARK_TASK_CHANNELS", format!("{active}:{inactive}")));
    let park = started("park", &variables).await;
    let soon = runtime::clock::now().plus(Duration::from_secs(15));
    park.invoke(json!({}), soon.as_millis()).await.unwrap();
    let made = calls.take_operations();
    let allowed = allowed("park");
    assert!(made.is_subset(&allowed), "{made:?}, {allowed:?}");
    assert!(made.contains("Query"), "it looked around: {made:?}");
}
