//! Messages: those of Chat channels come by webhooks of their own, those of Conversations by
//! Event Streams.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use simulator::state::webhooks::WebhookCall;
use tokio::time::{sleep, timeout};
use world::WEBHOOK;

use crate::functions::{Death, Deployment, End};
use crate::oracle::Message;
use crate::report::{Law, Violation};

use super::{EventStreams, PATIENCE, ask, mutations};

/// Maximum number of calls of a channel's webhook: `RetryCount` as the parking function
/// asks for it, and the first call.
const CALLS: usize = 4;

impl EventStreams {
    /// Lets Chat call the webhooks of its channels: soon, late, twice or never.
    pub(super) fn call_webhooks(&mut self, deployment: &Arc<Deployment>) {
        let calls = deployment.shared.twilio.state().take_webhook_calls();
        let script = &deployment.shared.script;
        let faultless = deployment.shared.lock().faults.faultless;
        for call in calls.into_iter().filter(|call| call.url == WEBHOOK) {
            if !faultless && self.rng.f64() < script.loss {
                deployment.shared.lock().totals.count("messages lost");
                continue;
            }
            let twice = !faultless && self.rng.f64() < script.duplicates / 4.0;
            for _ in 0..=u8::from(twice) {
                let late = !faultless && self.rng.f64() < script.lateness;
                let millis = if late { 5_000..600_000 } else { 20..3_000 };
                let delay = Duration::from_millis(self.rng.u64(millis));
                let dies = !faultless && self.rng.f64() < script.crashes;
                let death = match dies {
                    true => Death::AtPoll(self.rng.u32(1..40)),
                    false => Death::Never,
                };
                let (deployment, call) = (Arc::clone(deployment), call.clone());
                self.under_way.spawn(async move {
                    sleep(delay).await;
                    deliver(&deployment, &call, death).await;
                });
            }
        }
    }
}

/// Calls until an answer comes, a few times. Only the first call meets the death.
async fn deliver(deployment: &Arc<Deployment>, call: &WebhookCall, death: Death) {
    let shared = &deployment.shared;
    let message = Message::of_form(&call.parameters);
    let drops = |message: &Message| mutations::drops(shared, message);
    if message.as_ref().is_some_and(drops) {
        message
            .iter()
            .for_each(|it| shared.lock().oracle.told_message(it));
        return;
    }
    for number in 0..CALLS {
        let death = if number == 0 { death } else { Death::Never };
        shared.lock().totals.webhooks += 1;
        shared.trace(|| "twilio calls the webhook of a channel".to_owned());
        message
            .iter()
            .for_each(|it| shared.lock().oracle.sent_message(it));
        let request = request(deployment, call);
        let asked = timeout(PATIENCE, ask(deployment, request, death)).await;
        match asked {
            Ok(End::Done(200..300)) => {
                message
                    .iter()
                    .for_each(|it| shared.lock().oracle.told_message(it));
                return;
            }
            Ok(End::Done(status @ 400..500)) => {
                let what = format!("an authentic message is answered {status}");
                return shared.check(Err(Violation::of(Law::AckMeansStored, what)));
            }
            Ok(_) | Err(_) => sleep(Duration::from_secs(1)).await,
        }
    }
    shared.lock().totals.count("messages given up by twilio");
}

fn request(deployment: &Deployment, call: &WebhookCall) -> Request<Vec<u8>> {
    let pairs: Vec<(&str, &str)> = call.parameters.iter().map(|(k, v)| (&**k, &**v)).collect();
    let token = deployment.shared.twilio.account().auth_token;
    let signed = simulator::sign::form(&token, WEBHOOK, &pairs);
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(&pairs)
        .finish();
    Request::post(signed.url)
        .header(
            "content-type",
            "application/x-www-form-urlencoded; charset=UTF-8",
        )
        .header(simulator::sign::HEADER, signed.signature)
        .body(body.into_bytes())
        .unwrap()
}
