//! The scheduled checkup: what it tells, what it remembers, what it never does.

use std::sync::Arc;
use std::time::Duration;

use checkup::{Checkup, CheckupError, Settings};
use domain::{Policy, Timestamp};
use embedded::Embedded;
use runtime::{Bus, Secrets};
use serde_json::{Value, json};
use simulator::{At, Fault, FaultKind};
use store::ChannelTable;
use twilio::rest::Https;

use crate::stage::{Stage, secrets};

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TIME: Duration = Duration::from_secs(300);

struct Night {
    stage: Stage,
    aws: Embedded,
    checkup: Checkup,
    now: Timestamp,
}

impl Night {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let aws = Embedded::memory().unwrap();
        store::create_table(&aws.dynamodb(), "channels")
            .await
            .unwrap();
        let settings = Settings {
            table: ChannelTable::new(aws.dynamodb(), "channels"),
            bus: Bus::new(
                runtime::Aws::with_http_client(aws.http_client()).eventbridge(),
                "notices".to_owned(),
            ),
            secrets: Secrets::fixed(secrets(&stage.twilio)),
            account: stage.account.clone(),
            wanted: stage.wanted.clone(),
        };
        Self {
            checkup: Checkup::new(settings, Arc::new(Https::new().unwrap())),
            stage,
            aws,
            now: Timestamp::from_millis(1_767_603_600_000),
        }
    }

    async fn run(&mut self) -> Result<checkup::Summary, CheckupError> {
        self.now = self.now.plus(A_DAY);
        self.checkup.run(self.now, TIME).await
    }

    fn notices(&self) -> Vec<Value> {
        self.aws
            .bus
            .take_entries()
            .into_iter()
            .map(|entry| entry.detail)
            .collect()
    }
}

#[tokio::test]
async fn what_is_found_and_what_changed_is_told_by_rules_and_counts() {
    let mut night = Night::new().await;
    let summary = night.run().await.unwrap();
    assert_eq!((summary.errors, summary.warnings, summary.drift), (0, 0, 0));
    assert_eq!(night.notices(), Vec::<Value>::new(), "nothing to tell");

    night.stage.add_number_to_missing_flow("+15550100055");
    let url = json!({ "sms_url": "https://example.com/+15550100055" });
    let number = night.stage.order.chat_number;
    let settings = url.as_object().unwrap().clone();
    night.stage.state().point_number(number, settings).unwrap();
    let summary = night.run().await.unwrap();
    assert_eq!((summary.errors, summary.warnings, summary.drift), (1, 1, 2));
    let told = night.notices();
    assert_eq!(told.len(), 1);
    let notice = &told[0];
    assert_eq!(
        notice["findings"],
        json!({ "number/messages": 1, "number/message-flow": 1 })
    );
    assert_eq!(
        notice["drift"],
        json!([
            { "rule": "number/message-flow", "before": 0, "now": 1 },
            { "rule": "number/messages", "before": 0, "now": 1 },
        ])
    );
    assert!(!notice.to_string().contains("555"), "{notice}");

    // The next day: the same findings, no drift, and another notice.
    let summary = night.run().await.unwrap();
    assert_eq!((summary.errors, summary.drift), (1, 0));
    let again = night.notices();
    assert_ne!(again[0]["id"], notice["id"]);

    // Another number takes the place of the one: the count is the same, the drift is told.
    let lost = night.stage.state().phone_numbers().last().unwrap().sid;
    night.stage.state().lose(lost).unwrap();
    night.stage.add_number_to_missing_flow("+15550100056");
    assert_eq!(night.run().await.unwrap().drift, 1);
    night.notices();

    // All is mended.
    let lost = night.stage.state().phone_numbers().last().unwrap().sid;
    night.stage.state().lose(lost).unwrap();
    let proxy = night
        .stage
        .state()
        .proxy_webhook(night.stage.project.proxy_service);
    let settings = json!({ "sms_url": proxy }).as_object().unwrap().clone();
    night.stage.state().point_number(number, settings).unwrap();
    let summary = night.run().await.unwrap();
    assert_eq!((summary.errors, summary.warnings, summary.drift), (0, 0, 2));
    assert_eq!(night.notices()[0]["findings"], json!({}));
    assert_eq!(night.stage.twilio.calls().writes(), 0, "it only looks");
}

#[tokio::test]
async fn what_is_only_worth_knowing_is_counted_and_not_told_each_day() {
    let mut night = Night::new().await;
    night.run().await.unwrap();
    night.stage.state().buy_number("+15550100055");
    let summary = night.run().await.unwrap();
    assert_eq!((summary.warnings, summary.infos, summary.drift), (0, 1, 1));
    assert_eq!(night.notices().len(), 1, "it is new");
    let summary = night.run().await.unwrap();
    assert_eq!((summary.infos, summary.drift), (1, 0));
    assert_eq!(night.notices(), Vec::<Value>::new());
}

#[tokio::test]
async fn what_nobody_saw_did_not_change() {
    let mut night = Night::new().await;
    night.stage.add_number_to_missing_flow("+15550100055");
    night.run().await.unwrap();
    night.notices();
    night.stage.twilio.fail(Fault {
        at: At::product("api"),
        kind: FaultKind::Status(403),
        times: None,
    });
    let summary = night.run().await.unwrap();
    assert_eq!((summary.drift, summary.warnings), (0, 0));
    assert!(summary.skipped_rules > 0);
    let told = night.notices();
    let skipped_rules = told[0]["skipped_rules"].as_array().unwrap();
    assert!(skipped_rules.contains(&json!("number/message-flow")));
    night.stage.twilio.clear_faults();
    assert_eq!(night.run().await.unwrap().drift, 0);
}

#[tokio::test]
async fn what_could_not_be_told_is_told_by_the_next_run() {
    let mut night = Night::new().await;
    night.run().await.unwrap();
    night.stage.add_number_to_missing_flow("+15550100055");
    night.aws.bus.refuse_entries(|_| Some("AccessDenied"));
    assert!(matches!(
        night.run().await,
        Err(CheckupError::PublishFailed(_))
    ));
    night.aws.bus.accept_entries();
    assert_eq!(night.run().await.unwrap().drift, 1);
}

#[tokio::test]
async fn wrong_credentials_fail_the_run_and_forget_nothing() {
    let mut night = Night::new().await;
    night.stage.add_number_to_missing_flow("+15550100055");
    night.run().await.unwrap();
    for status in [401, 403] {
        night.stage.twilio.fail(Fault {
            at: At::anything(),
            kind: FaultKind::Status(status),
            times: None,
        });
        assert!(matches!(
            night.run().await,
            Err(CheckupError::LookupFailed(_))
        ));
        night.stage.twilio.clear_faults();
    }
    assert_eq!(night.run().await.unwrap().drift, 0);
}

#[tokio::test]
async fn the_sweep_never_meets_what_is_remembered() {
    let mut night = Night::new().await;
    night.stage.add_number_to_missing_flow("+15550100055");
    night.run().await.unwrap();
    let dynamodb = night.aws.dynamodb();
    let scanned = dynamodb.scan().table_name("channels").send().await.unwrap();
    let items = scanned.items.unwrap();
    assert_eq!(items.len(), 1);
    let mut names: Vec<&str> = items[0].keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["channel_sid", "expires_at", "text"]);
    assert!(!format!("{items:?}").contains("555"));
    let key = items[0]["channel_sid"].as_s().unwrap();
    assert!(key.parse::<domain::ChannelSid>().is_err());
    let far = night.now.plus(A_DAY * 1_000);
    let table = ChannelTable::new(night.aws.dynamodb(), "channels");
    assert!(table.due(&Policy::default(), far).await.unwrap().is_empty());
}
