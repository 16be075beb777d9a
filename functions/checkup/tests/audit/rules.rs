//! For each rule a project that breaks it, and one that does not.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};
use simulator::Sid;
use simulator::state::flows::{FlexFlow, Medium};
use simulator::state::taskrouter::task::NewTask;
use twilio::rest::setup::MESSAGE_ADDED;

use crate::broken;
use crate::stage::{NO_FLOW, Stage, rules_in};

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn a_sound_project_has_no_findings() {
    let stage = Stage::new().await;
    let report = stage.report().await;
    assert!(
        report.is_sound() && report.findings.is_empty(),
        "{report:#?}"
    );
}

#[tokio::test]
async fn each_rule_finds_the_project_that_breaks_it_and_nothing_else() {
    for broken in broken::all() {
        let mut stage = Stage::new().await;
        (broken.how)(&mut stage);
        let report = stage.report().await;
        let expected: BTreeSet<&str> = broken
            .as_well
            .iter()
            .copied()
            .chain([broken.rule])
            .collect();
        assert_eq!(
            rules_in(&report),
            expected,
            "{}: {:#?}",
            broken.rule,
            report.findings
        );
        assert!(
            report.skipped_rules.is_empty(),
            "{:?}",
            report.skipped_rules
        );
    }
}

#[test]
fn every_rule_has_a_project_that_breaks_it_and_a_name_of_its_own() {
    let rules: Vec<&str> = checkup::all().map(|rule| rule.id).collect();
    let broken: Vec<&str> = broken::all().map(|broken| broken.rule).collect();
    let missing: Vec<&&str> = rules.iter().filter(|rule| !broken.contains(rule)).collect();
    assert!(
        missing.is_empty(),
        "add a project that breaks {missing:?} to tests/audit/broken"
    );
    assert_eq!(rules, broken, "list the projects in the order of the rules");
    assert_eq!(rules.iter().collect::<BTreeSet<_>>().len(), rules.len());
    for rule in checkup::all() {
        assert!(checkup::rule(rule.id).is_some());
        for text in [rule.why, rule.remedy] {
            assert!(
                !text.is_empty() && !text.ends_with('.') && !text.contains('|'),
                "{}",
                rule.id
            );
        }
    }
}

#[tokio::test]
async fn no_finding_shows_more_of_a_number_than_its_end() {
    for broken in broken::all() {
        let mut stage = Stage::new().await;
        (broken.how)(&mut stage);
        let snapshot = stage.snapshot().await;
        let report = checkup::audit(&snapshot, &stage.wanted, |_| true);
        let shown = format!("{snapshot:?} {report:?}");
        assert!(!shown.contains("5550100"), "{}", broken.rule);
    }
}

fn set(stage: &Stage, number: Sid, settings: Value) {
    let settings: Map<String, Value> = settings.as_object().unwrap().clone();
    stage.state().point_number(number, settings).unwrap();
}

async fn found(stage: &Stage) -> Vec<&'static str> {
    rules_in(&stage.report().await).into_iter().collect()
}

#[tokio::test]
async fn a_disabled_flow_beside_an_enabled_one_is_for_outbound_messages() {
    let stage = Stage::new().await;
    let web = stage.flow("web");
    let sms = stage.flow("sms");
    {
        let mut state = stage.state();
        for (like, medium) in [(web, Medium::Web), (sms, Medium::Sms)] {
            let like = state.flex_flow(like).unwrap().clone();
            let sid = state.create_flex_flow(medium, None, &like.chat_service);
            let copy = FlexFlow {
                sid,
                enabled: false,
                ..like
            };
            *state.flex_flow_mut(sid).unwrap() = copy;
        }
    }
    assert_eq!(found(&stage).await, Vec::<&str>::new());
    stage.state().flex_flow_mut(web).unwrap().enabled = false;
    assert_eq!(found(&stage).await, ["flex-flow/disabled"]);
}

#[tokio::test]
async fn web_chats_may_have_as_many_flows_as_there_are_web_sites() {
    let stage = Stage::new().await;
    let web = stage.flow("web");
    {
        let mut state = stage.state();
        let like = state.flex_flow(web).unwrap().clone();
        let sid = state.create_flex_flow(Medium::Web, None, &like.chat_service);
        *state.flex_flow_mut(sid).unwrap() = FlexFlow { sid, ..like };
    }
    assert_eq!(found(&stage).await, Vec::<&str>::new());
}

#[tokio::test]
async fn a_messaging_service_must_defer_for_chat_and_may_be_any_for_conversations() {
    for (defers, of_chat, of_conversations) in [
        (true, vec![], vec![]),
        (false, vec!["number/messaging-service"], vec![]),
    ] {
        let stage = Stage::new().await;
        for (number, expected) in [
            (stage.order.conversations_number, of_conversations),
            (stage.order.chat_number, of_chat),
        ] {
            let service = stage.state().create_messaging_service("Marketing", defers);
            stage
                .state()
                .add_to_messaging_service(service, number)
                .unwrap();
            assert_eq!(found(&stage).await, expected, "{defers}");
        }
    }
}

#[tokio::test]
async fn a_number_that_is_none_of_ours_may_lead_elsewhere_but_not_into_the_void() {
    let stage = Stage::new().await;
    let number = stage.state().buy_number("+15550100055");
    let [real, no_flow, gone] = {
        let state = stage.state();
        [
            stage.order.messaging_flow,
            stage.order.sink,
            NO_FLOW.parse().unwrap(),
        ]
        .map(|flow| state.studio_webhook(flow))
    };
    let greeting = "https://demo.twilio.com/welcome/sms/reply".to_owned();
    for (url, expected) in [
        ("https://example.com/sms".to_owned(), vec![]),
        (real, vec![]),
        (no_flow, vec!["number/message-flow"]),
        (gone, vec!["number/message-flow"]),
        (greeting, vec!["number/nowhere"]),
    ] {
        set(&stage, number, json!({ "sms_url": url }));
        assert_eq!(found(&stage).await, expected, "{url}");
    }
}

#[tokio::test]
async fn a_handler_beside_conversations_counts_only_where_twilio_calls_it() {
    let greeting = "https://demo.twilio.com/welcome/sms/reply";
    let own = "https://example.com/sms";
    for (url, service, expected) in [
        (greeting, None, vec!["number/greeting"]),
        (greeting, Some(true), vec!["number/greeting"]),
        (greeting, Some(false), vec![]),
        (own, None, vec!["number/message-handler"]),
        (own, Some(false), vec![]),
        ("", None, vec![]),
    ] {
        let stage = Stage::new().await;
        let number = stage.order.conversations_number;
        set(&stage, number, json!({ "sms_url": url }));
        if let Some(defers) = service {
            let mut state = stage.state();
            let service = state.create_messaging_service("Campaign", defers);
            state.add_to_messaging_service(service, number).unwrap();
        }
        assert_eq!(found(&stage).await, expected, "{url} {service:?}");
    }
}

#[tokio::test]
async fn what_a_number_keeps_from_chat_counts_only_where_messages_still_reach_proxy() {
    let chat_alone = vec!["flex-flow/missing", "address/disabled"];
    let neither = vec!["address/disabled"];
    for (converses, leads_to_proxy, in_service, expected) in [
        (true, true, false, vec!["number/two-platforms"]),
        (true, false, false, vec![]),
        (true, true, true, vec![]),
        (false, true, false, chat_alone),
        (false, false, false, neither),
    ] {
        let stage = Stage::new().await;
        let number = stage.order.conversations_number;
        if !converses {
            let mut state = stage.state();
            let address = state.address_mut(stage.order.address).unwrap();
            address
                .auto_creation
                .insert("enabled".to_owned(), false.into());
        }
        let proxy = stage.project.proxy_service;
        stage.state().add_to_pool(proxy, number).unwrap();
        if leads_to_proxy {
            let url = stage.state().proxy_webhook(proxy);
            set(&stage, number, json!({ "sms_url": url }));
        }
        if in_service {
            let mut state = stage.state();
            let service = state.create_messaging_service("Campaign", false);
            state.add_to_messaging_service(service, number).unwrap();
        }
        let expected: BTreeSet<&str> = expected.into_iter().collect();
        let found = rules_in(&stage.report().await);
        assert_eq!(found, expected, "{converses} {leads_to_proxy} {in_service}");
    }
}

#[tokio::test]
async fn an_overwritten_number_is_found_though_it_is_the_only_one_of_chat() {
    let stage = Stage::new().await;
    let number = stage.order.chat_number;
    for url in ["", "https://example.com/sms"] {
        set(&stage, number, json!({ "sms_url": url }));
        assert_eq!(found(&stage).await, ["number/messages"], "{url}");
    }
}

#[tokio::test]
async fn a_timer_that_keeps_left_conversations_for_their_90_days_is_no_finding() {
    for (timer, expected) in [
        ("", vec![]),
        ("P90D", vec![]),
        ("P200D", vec![]),
        ("P89DT23H", vec!["conversations/close-timer"]),
        ("PT10M", vec!["conversations/close-timer"]),
    ] {
        let stage = Stage::new().await;
        stage.state().set_closed_timer(timer).unwrap();
        assert_eq!(found(&stage).await, expected, "{timer}");
    }
}

#[tokio::test]
async fn events_of_messages_belong_to_parking_in_either_version() {
    let mut stage = Stage::new().await;
    let subscription = stage.order.subscription;
    let set_version = |stage: &Stage, version: Option<u32>| {
        let mut state = stage.state();
        let types = &mut state.subscription_mut(subscription).unwrap().types;
        match version {
            Some(version) => types.insert(MESSAGE_ADDED.to_owned(), version),
            None => types.remove(MESSAGE_ADDED),
        };
    };
    for (parking, version, expected) in [
        (true, Some(1), vec![]),
        (true, Some(2), vec![]),
        (true, None, vec!["events/types"]),
        (false, Some(2), vec!["events/messages"]),
        (false, None, vec![]),
    ] {
        set_version(&stage, version);
        let parks = stage.wanted.parking.clone();
        if !parking {
            stage.wanted.parking = domain::Pairs::default();
        }
        assert_eq!(found(&stage).await, expected, "{parking} {version:?}");
        stage.wanted.parking = parks;
    }
}

#[tokio::test]
async fn a_wrap_up_is_reported_once_it_takes_longer_than_the_limit() {
    let mut stage = Stage::new().await;
    {
        let mut state = stage.state();
        let task = state
            .customer_writes("+15550100099", "Hello")
            .task()
            .unwrap();
        state.agent_accepts(task, stage.worker).unwrap();
        state.agent_wraps_up(task).unwrap();
        state.advance(HOUR * 11);
    }
    assert_eq!(found(&stage).await, Vec::<&str>::new());
    stage.wanted.wrap_up_limit = HOUR * 10;
    assert_eq!(found(&stage).await, ["taskrouter/wrap-up"]);
    stage.wanted.wrap_up_limit = HOUR * 12;
    stage.state().advance(HOUR * 2);
    assert_eq!(found(&stage).await, ["taskrouter/wrap-up"]);
    assert_eq!(
        stage.twilio.calls().writes(),
        0,
        "it is reported, and not ended"
    );
}

#[tokio::test]
async fn parked_tasks_are_told_only_where_parking_is_switched_off() {
    let mut stage = Stage::new().await;
    let task = NewTask {
        attributes: Some(r#"{"inactive": 1}"#.to_owned()),
        ..NewTask::default()
    };
    let workspace = stage.project.workspace;
    stage.state().create_task(workspace, task).unwrap();
    assert_eq!(found(&stage).await, Vec::<&str>::new());
    stage.stop_parking();
    assert_eq!(found(&stage).await, ["taskrouter/parked"]);
}
