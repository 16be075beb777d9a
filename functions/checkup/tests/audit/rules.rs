//! For each rule a project that breaks it, and one that does not.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use simulator::Sid;
use simulator::state::flows::{FlexFlow, Medium};

use crate::broken::{BROKEN, NO_FLOW};
use crate::stage::{Stage, rules_in};

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
    for broken in BROKEN {
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
        assert!(report.not_looked.is_empty(), "{:?}", report.not_looked);
    }
}

#[test]
fn every_rule_has_a_project_that_breaks_it_and_a_name_of_its_own() {
    let rules: Vec<&str> = checkup::all().map(|rule| rule.id).collect();
    let broken: Vec<&str> = BROKEN.iter().map(|broken| broken.rule).collect();
    assert_eq!(rules, broken);
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
    for broken in BROKEN {
        let mut stage = Stage::new().await;
        (broken.how)(&mut stage);
        let snapshot = stage.snapshot().await;
        let shown = format!("{snapshot:?} {:?}", stage.report().await);
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
async fn a_messaging_service_that_defers_is_right_for_chat_alone() {
    for (defers, of_chat, of_conversations) in [
        (true, vec![], vec!["number/messaging-service"]),
        (
            false,
            vec!["number/messaging-service"],
            vec!["number/messaging-service"],
        ),
    ] {
        let stage = Stage::new().await;
        for (number, expected) in [
            (stage.order.chat_number, of_chat),
            (stage.order.conversations_number, of_conversations),
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
        (no_flow, vec!["number/nowhere"]),
        (gone, vec!["number/nowhere"]),
        (greeting, vec!["number/nowhere"]),
    ] {
        set(&stage, number, json!({ "sms_url": url }));
        assert_eq!(found(&stage).await, expected, "{url}");
    }
}
