//! Requests that are not Twilio's.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use serde_json::{Value, json};
use world::WEBHOOK;

use crate::delivery::{EventStreams, ask};
use crate::functions::{Death, Deployment, End};
use crate::report::Mutation;
use crate::report::{Law, Violation};

impl EventStreams {
    /// Calls the webhook with a request that Twilio did not sign.
    pub(crate) fn forge(&mut self, deployment: &Arc<Deployment>) {
        let Some((channel, task)) = ({
            let inner = deployment.shared.lock();
            let tasks: Vec<_> = inner
                .oracle
                .tasks
                .iter()
                .filter(|(_, task)| task.ended.is_none())
                .collect();
            self.rng
                .choice(tasks)
                .map(|(sid, task)| (task.channel.clone(), sid.clone()))
        }) else {
            return;
        };
        let account = deployment.shared.twilio.account();
        // The task was open a moment ago, so that no true end of it carries this time.
        let at = deployment.shared.now().minus(Duration::from_millis(1));
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap();
        let payload = json!({
            "eventtype": "task.deleted",
            "timestamp": format!("{at:.3}"),
            "account_sid": account.sid,
            "task_sid": task,
            "task_attributes": json!({ "channelSid": channel }).to_string(),
            "task_assignment_status": "completed",
        });
        let event = json!({
            "type": "com.twilio.taskrouter.task.deleted",
            "id": format!("NO{:032x}", self.rng.u128(..)),
            "data": { "account_sid": account.sid, "payload": payload },
        });
        deployment.shared.lock().oracle.forged(&event);
        deployment
            .shared
            .trace(|| format!("a forger sends the end of {task}"));
        let body = Value::from(vec![event]).to_string();
        let stolen = deployment.shared.errs(Mutation::StolenKey);
        let trick = if stolen {
            Trick::StolenKey
        } else {
            Trick::ALL[self.rng.usize(..3)]
        };
        let request = trick.request(&account.auth_token, body);
        let deployment = Arc::clone(deployment);
        self.under_way.spawn(async move {
            let answer = ask(&deployment, request, Death::Never).await;
            if let End::Done(status) = answer
                && status < 400
            {
                let what = format!("a forged request ({trick:?}) is answered {status}");
                deployment
                    .shared
                    .check(Err(Violation::of(Law::NoWriteUnsigned, what)));
            }
            deployment.shared.lock().totals.count("forged requests");
        });
    }
}

/// The ways to forge a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trick {
    WrongKey,
    NoSignature,
    /// The signature is Twilio's, of another body.
    OtherBody,
    StolenKey,
}

impl Trick {
    const ALL: [Self; 3] = [Self::WrongKey, Self::NoSignature, Self::OtherBody];

    fn request(self, key: &str, body: String) -> Request<Vec<u8>> {
        let (key, signed) = match self {
            Self::WrongKey => ("not the key", body.as_str()),
            Self::OtherBody => (key, "[]"),
            Self::NoSignature | Self::StolenKey => (key, body.as_str()),
        };
        let signed = simulator::sign::json(key, WEBHOOK, signed.as_bytes());
        let mut request = Request::post(signed.url);
        if self != Self::NoSignature {
            request = request.header(simulator::sign::HEADER, signed.signature);
        }
        request.body(body.into_bytes()).unwrap()
    }
}
