//! The cost of a checkup of a large project.

use std::time::Duration;

use serde_json::json;
use simulator::state::flows::Medium;
use tokio::time::Instant;

use crate::stage::Line;

/// A checkup of the large project takes this at most.
const LONGEST: Duration = Duration::from_secs(20);

#[tokio::test(start_paused = true)]
async fn a_large_project_costs_its_pages_and_one_call_for_each_studio_flow() {
    let (_, mut stage) = Line::to_a_sound_project();
    stage.stop_parking();
    {
        let mut state = stage.state();
        let definition = state
            .studio_flow(stage.order.voice_flow)
            .unwrap()
            .definition
            .clone();
        for number in 0..48 {
            let name = format!("Flow {number}");
            state
                .create_studio_flow(&name, "published", definition.clone())
                .unwrap();
        }
        let like = state.flow_for(Medium::Sms).unwrap().clone();
        let proxy = state.proxy_webhook(stage.project.proxy_service);
        let voice = state.studio_webhook(stage.order.voice_flow);
        for number in 0..498 {
            let address = format!("+1555020{number:04}");
            let sid = state.buy_number(&address);
            let settings = json!({ "sms_url": proxy, "voice_url": voice });
            state
                .point_number(sid, settings.as_object().unwrap().clone())
                .unwrap();
            state.add_to_pool(stage.project.proxy_service, sid).unwrap();
            if number < 496 {
                let service = like.chat_service.clone();
                let flow = state.create_flex_flow(Medium::Sms, Some(&address), &service);
                let stored = state.flex_flow_mut(flow).unwrap();
                stored.integration = like.integration.clone();
                stored.integration_type = like.integration_type.clone();
                stored.janitor_enabled = true;
            }
        }
        assert_eq!(state.phone_numbers().count(), 500);
        assert_eq!(state.flex_flows().count(), 500);
    }
    stage.twilio.reset_calls();
    let began = Instant::now();
    let snapshot = stage.snapshot().await;
    let took = began.elapsed();
    let calls = stage.twilio.calls();
    let count = |product: &str, kind: &str| calls.count(product, "GET", kind);
    assert_eq!(count("studio", "Flows/{Sid}"), 50);
    // The Flex configuration, the defaults of Conversations and the workspace by themselves;
    // of each list one page: chat services, Flex Flows, Proxy services, pool, workflows,
    // TaskChannels, parked tasks, wrap-ups, Studio flows, numbers, messaging services, addresses,
    // sinks, subscriptions, the types that the one subscription holds, and types.
    let pages = 3 + 16;
    assert_eq!(
        calls.total(),
        50 + pages,
        "{:?}",
        calls.iter().collect::<Vec<_>>()
    );
    assert_eq!(calls.writes(), 0);
    println!(
        "500 numbers, 500 Flex Flows, 50 Studio flows: {} calls, {took:?}",
        calls.total()
    );
    assert!(took <= LONGEST, "{took:?}");

    let report = checkup::audit(&snapshot, &stage.wanted, |_| true);
    let lonely = report.counts();
    assert_eq!(
        lonely.into_iter().collect::<Vec<_>>(),
        [("flex-flow/missing", 2)]
    );
}

#[tokio::test(start_paused = true)]
async fn lists_of_many_pages_are_read_to_their_end() {
    let (_, stage) = Line::to_a_sound_project();
    {
        let mut state = stage.state();
        for number in 0..2_500 {
            state.buy_number(&format!("+1555030{number:04}"));
        }
        for number in 0..120 {
            let address = format!("whatsapp:+1555040{number:04}");
            state
                .configure_address("whatsapp", &address, serde_json::Map::new())
                .unwrap();
        }
    }
    stage.twilio.reset_calls();
    let snapshot = stage.snapshot().await;
    assert_eq!(snapshot.numbers.unwrap().len(), 2_502);
    assert_eq!(snapshot.addresses.unwrap().len(), 121);
    let calls = stage.twilio.calls();
    assert_eq!(calls.count("api", "GET", "IncomingPhoneNumbers"), 3);
    assert_eq!(calls.count("conversations", "GET", "Addresses"), 3);
}

#[tokio::test(start_paused = true)]
async fn of_too_many_workers_the_first_thousand_are_read_and_the_rest_are_counted() {
    let (_, stage) = Line::to_a_sound_project();
    let hired = 1_199;
    for number in 0..hired {
        let name = format!("agent {number}");
        let workspace = stage.project.workspace;
        stage.state().hire_agent(workspace, &name).unwrap();
    }
    stage.twilio.reset_calls();
    let began = Instant::now();
    let report = stage.report().await;
    let took = began.elapsed();
    assert!(took <= LONGEST, "{took:?}");
    let calls = stage.twilio.calls().total();
    assert!((1_000..1_050).contains(&calls), "{calls}");
    let [finding] = report.findings.as_slice() else {
        panic!("{report:?}");
    };
    assert_eq!(finding.rule.id, "taskrouter/workers-not-read");
    assert!(finding.found.contains("200 workers"), "{}", finding.found);
}
