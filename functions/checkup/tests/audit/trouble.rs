//! Missing rights, broken answers, and other troubles on the way.

use checkup::{Snapshot, audit};
use simulator::{At, Fault, FaultKind};
use twilio::rest::TwilioError;

use crate::stage::{Stage, rules_in};

fn forbid(stage: &Stage, at: At, status: u16) {
    stage.twilio.fail(Fault {
        at,
        kind: FaultKind::Status(status),
        times: None,
    });
}

#[tokio::test]
async fn missing_rights_on_one_resource_silence_the_rules_that_need_it_and_no_others() {
    for (at, resource, blind, still_seen) in [
        (
            At::product("flex-api").path("/FlexFlows"),
            "the Flex Flows",
            "flex-flow/janitor",
            "events/types",
        ),
        (
            At::product("proxy").path("/PhoneNumbers"),
            "the Proxy number pool",
            "proxy/pool",
            "flex-flow/janitor",
        ),
        (
            At::product("proxy"),
            "the Proxy services",
            "proxy/service",
            "flex-flow/janitor",
        ),
        (
            At::product("taskrouter").path("/Workflows"),
            "the workflows",
            "studio/workflow",
            "studio/channel-sid",
        ),
        (
            At::product("taskrouter"),
            "the workspace",
            "taskrouter/multi-tasking",
            "events/types",
        ),
        (
            At::product("studio"),
            "the Studio flows",
            "studio/channel-sid",
            "events/types",
        ),
        (
            At::product("api"),
            "the phone numbers",
            "number/messages",
            "events/types",
        ),
        (
            At::product("messaging"),
            "the messaging services",
            "number/messaging-service",
            "number/messages",
        ),
        (
            At::product("conversations").path("/Addresses"),
            "the addresses of Conversations",
            "address/service",
            "conversations/service",
        ),
        (
            At::product("conversations").path("/Services"),
            "the chat services",
            "project/chat-service",
            "address/service",
        ),
        (
            At::product("events").path("/Sinks"),
            "the event sinks",
            "events/sink",
            "number/messages",
        ),
        (
            At::product("events").path("/Types"),
            "the event types",
            "events/type-status",
            "events/types",
        ),
        (
            At::product("flex-api").path("/Configuration"),
            "the Flex configuration",
            "project/configuration",
            "events/types",
        ),
    ] {
        let stage = Stage::new().await;
        forbid(&stage, at, 403);
        let report = stage.report().await;
        let silent = |rule: &str| report.skipped_rules.iter().find(|one| one.rule.id == rule);
        let unavailable = &silent(blind)
            .unwrap_or_else(|| panic!("{blind}: {report:?}"))
            .unavailable;
        assert_eq!(unavailable.resource, resource);
        assert!(matches!(
            unavailable.why,
            TwilioError::Unauthorized { status: 403, .. }
        ));
        assert!(silent(still_seen).is_none(), "{resource}: {still_seen}");
        assert!(
            report.findings.is_empty(),
            "{resource}: {:?}",
            report.findings
        );
        assert!(!report.is_sound());
    }
}

#[tokio::test]
async fn wrong_credentials_are_tried_once() {
    let stage = Stage::new().await;
    forbid(&stage, At::anything(), 401);
    stage.twilio.reset_calls();
    let fetched = Snapshot::fetch(
        stage.client(),
        stage.account_sid(),
        &stage.wanted,
        stage.now(),
    )
    .await;
    assert!(matches!(
        fetched,
        Err(TwilioError::Unauthorized { status: 401, .. })
    ));
    assert_eq!(stage.twilio.calls().total(), 1);
}

#[tokio::test]
async fn broken_references_are_findings() {
    let stage = Stage::new().await;
    let (web, sms) = (stage.flow("web"), stage.flow("sms"));
    {
        let mut state = stage.state();
        let flow = state.flex_flow_mut(web).unwrap();
        flow.chat_service = "IS-is-not-a-sid".to_owned();
        flow.integration.insert("flow_sid".to_owned(), 7.into());
        let flow = state.flex_flow_mut(sms).unwrap();
        flow.integration_type = Some("telepathy".to_owned());
        let address = state.address_mut(stage.order.address).unwrap();
        address
            .auto_creation
            .insert("studio_flow_sid".to_owned(), "FW1".into());
        let sink = state.sink_mut(stage.order.sink).unwrap();
        sink.configuration = "nonsense".into();
    }
    let report = stage.report().await;
    let found: Vec<&str> = rules_in(&report).into_iter().collect();
    assert_eq!(
        found,
        [
            "address/studio-flow",
            "events/sink",
            "flex-flow/chat-service",
            "flex-flow/integration",
            "flex-flow/studio-flow",
        ]
    );
    for finding in &report.findings {
        assert!(!finding.found.contains("IS-is"), "{finding:?}");
    }
}

#[tokio::test]
async fn throttling_and_hiccups_on_the_way_are_ridden_out() {
    let stage = Stage::new().await;
    for (product, kind) in [
        ("studio", FaultKind::TooManyRequests { retry_after: None }),
        ("api", FaultKind::Status(503)),
        ("events", FaultKind::DropBefore),
        ("flex-api", FaultKind::Garbage),
    ] {
        stage.twilio.fail(Fault {
            at: At::product(product),
            kind,
            times: Some(1),
        });
    }
    let report = stage.report().await;
    assert!(report.is_sound(), "{report:?}");
}

#[tokio::test]
async fn a_single_rule_can_be_applied_by_itself() {
    let stage = Stage::new().await;
    stage.state().set_closed_timer("").unwrap();
    stage.state().buy_number("+15550100055");
    let snapshot = stage.snapshot().await;
    let report = audit(&snapshot, &stage.wanted, |rule| rule.id == "number/nowhere");
    assert_eq!(report.findings.len(), 1);
    assert_eq!(report.findings[0].rule.id, "number/nowhere");
}
