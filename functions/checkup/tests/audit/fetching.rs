//! What a checkup of a large project costs.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde_json::json;
use simulator::state::flows::Medium;
use simulator::{Reply, Simulator};
use tokio::time::Instant;
use twilio::rest::{Transport, TransportError};

use crate::stage::Stage;

/// What a request to Twilio takes, by assumption.
const REQUEST: Duration = Duration::from_millis(150);

/// How long a checkup of the large project may take.
const LONGEST: Duration = Duration::from_secs(20);

/// The simulator in this process, at the end of a long line.
struct Line(Simulator);

impl Transport for Line {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            tokio::time::sleep(REQUEST).await;
            match self.0.handle(request) {
                Reply::Answer(answer) => Ok(answer),
                Reply::Hang | Reply::Drop => Err(TransportError::Broken("no answer".to_owned())),
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_large_project_costs_its_pages_and_one_call_for_each_studio_flow() {
    let (twilio, _) = Simulator::with_flex(7).unwrap();
    let line = Arc::new(Line(twilio.clone()));
    let mut stage = Stage::with(twilio, line, "http://twilio.invalid".to_owned());
    stage.wanted.parking = domain::Pairs::default();
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
    // TaskChannels, Studio flows, numbers, messaging services, addresses, sinks,
    // subscriptions, what the one subscription holds, and types.
    let pages = 3 + 14;
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
    let (twilio, _) = Simulator::with_flex(7).unwrap();
    let line = Arc::new(Line(twilio.clone()));
    let stage = Stage::with(twilio, line, "http://twilio.invalid".to_owned());
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
