//! The built `checkup`: what it finds, what it remembers, and that it never writes at Twilio.

use binaries::lambda_api::{Failure, Function, built, figures};
use serde_json::{Value, json};
use simulator::{At, Fault, FaultKind, Order};
use twilio::rest::setup::needed_events;

use crate::{Stage, WEBHOOK, in_a_minute};

/// A Flex project that is as it should be, and the function that audits it.
struct Audit {
    stage: Stage,
    order: Order,
    variables: Vec<(&'static str, String)>,
    checkup: Function,
}

impl Audit {
    async fn of_a_sound_project(seed: u64) -> Self {
        let stage = Stage::set(seed).await;
        let types = needed_events(false).map(|(name, version)| (name, version.into()));
        let types: Vec<(&str, u32)> = types.collect();
        let order = stage.twilio.state().put_in_order(WEBHOOK, &types);
        let mut variables = stage.variables.clone();
        variables.push(("WEBHOOK_URL", WEBHOOK.to_owned()));
        Self {
            checkup: Function::start(&built("checkup"), &variables).await,
            order: order.unwrap(),
            variables,
            stage,
        }
    }

    /// Ends the function's process, returns what it logged, and starts another.
    async fn starts_anew(&mut self) -> String {
        let fresh = Function::start(&built("checkup"), &self.variables).await;
        std::mem::replace(&mut self.checkup, fresh).stop().await
    }

    async fn invoke(&self) -> Result<Value, Failure> {
        let event = json!({ "schedule": "rate(1 day)" });
        self.checkup.invoke(event, in_a_minute()).await
    }

    /// A person lets the chats' number lead elsewhere.
    fn point_number(&self, url: &str) {
        let settings = json!({ "sms_url": url }).as_object().unwrap().clone();
        let mut state = self.stage.twilio.state();
        state
            .point_number(self.order.chat_number, settings)
            .unwrap();
    }

    /// Adds a number whose messages go to a Studio flow that does not exist.
    fn add_number_to_missing_flow(&self) {
        let mut state = self.stage.twilio.state();
        let number = state.buy_number("+15550100055");
        let url = state.studio_webhook(format!("FW{}", "0".repeat(32)).parse().unwrap());
        let settings = json!({ "sms_url": url }).as_object().unwrap().clone();
        state.point_number(number, settings).unwrap();
    }

    /// Expects one notice, and returns its findings and what it says has changed.
    fn told(&self) -> (Value, Value) {
        let [notice] = &self.stage.aws.bus.take_entries()[..] else {
            panic!("there is not one notice");
        };
        assert_eq!(notice.source, "channel-janitor");
        assert_eq!(notice.detail_type, "ConfigurationDrifted");
        let part = |name: &str| notice.detail[name].clone();
        (part("findings"), part("drift"))
    }

    fn told_nothing(&self) -> bool {
        self.stage.aws.bus.take_entries().is_empty()
    }
}

/// The counts of a summary, in this order.
fn counts(summary: &Value) -> [u64; 4] {
    ["errors", "warnings", "skipped_rules", "drift"].map(|name| summary[name].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deployed_checkup_finds_what_is_wrong_and_knows_what_changed() {
    let mut audit = Audit::of_a_sound_project(12).await;
    let summary = audit.invoke().await.unwrap();
    assert_eq!(counts(&summary), [0, 0, 0, 0], "{summary}");
    assert!(audit.told_nothing());

    audit.point_number("https://example.com/sms");
    audit.add_number_to_missing_flow();
    let summary = audit.invoke().await.unwrap();
    assert_eq!(counts(&summary), [1, 1, 0, 2], "{summary}");
    let (findings, drift) = audit.told();
    assert_eq!(
        findings,
        json!({ "number/messages": 1, "number/message-flow": 1 })
    );
    assert_eq!(drift.as_array().unwrap().len(), 2, "{drift}");

    // One is mended, and the next process knows no more than the table remembers.
    let first = audit.starts_anew().await;
    let proxy = audit.stage.twilio.state().project().unwrap().proxy_service;
    let home = audit.stage.twilio.state().proxy_webhook(proxy);
    audit.point_number(&home);
    let summary = audit.invoke().await.unwrap();
    assert_eq!(counts(&summary), [0, 1, 0, 1], "{summary}");
    let (findings, drift) = audit.told();
    assert_eq!(findings, json!({ "number/message-flow": 1 }));
    assert_eq!(
        drift,
        json!([{ "rule": "number/messages", "before": 1, "now": 0 }])
    );
    assert_eq!(audit.stage.twilio.calls().writes(), 0, "it only looks");

    let second = audit.checkup.stop().await;
    let told = figures(&first);
    assert_eq!(told.get("ErrorsFound"), Some(&1), "{told:?}");
    let told = figures(&second);
    assert_eq!(told.get("ErrorsFound"), None, "zero is not told");
    assert_eq!(told.get("WarningsFound"), Some(&1), "{told:?}");
    assert_eq!(told.get("Calls"), summary["calls"].as_u64().as_ref());
    let account = audit.stage.twilio.account();
    let logs = first + &second;
    for secret in [
        "+1555",
        "example.com",
        &account.auth_token,
        &account.api_secret,
    ] {
        assert!(!logs.contains(secret), "{secret} is in the logs:\n{logs}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_checkup_may_not_read_is_counted_and_silences_nothing_else() {
    let audit = Audit::of_a_sound_project(13).await;
    audit.add_number_to_missing_flow();
    audit.stage.twilio.fail(Fault {
        at: At::product("events"),
        kind: FaultKind::Status(403),
        times: None,
    });
    let summary = audit.invoke().await.unwrap();
    let skipped_rules = summary["skipped_rules"].as_u64();
    assert!(skipped_rules > Some(0), "{summary}");
    let (findings, _) = audit.told();
    assert_eq!(findings["number/message-flow"], 1, "{findings}");
    let told = figures(&audit.checkup.stop().await);
    assert_eq!(told.get("Unreadable"), skipped_rules.as_ref(), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkup_that_twilio_does_not_let_in_fails_loudly_and_forgets_nothing() {
    let audit = Audit::of_a_sound_project(14).await;
    audit.add_number_to_missing_flow();
    audit.invoke().await.unwrap();
    audit.told();
    let before = audit.stage.items().await;

    audit.stage.twilio.state().account.api_secret = "another".to_owned();
    let Err(Failure::Reported(error)) = audit.invoke().await else {
        panic!("the invocation succeeds");
    };
    assert_eq!(error["errorType"], "Unauthorized", "{error}");
    assert!(audit.told_nothing());
    assert_eq!(audit.stage.items().await, before);
}
