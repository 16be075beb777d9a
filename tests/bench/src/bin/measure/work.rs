//! The processor's time for an event, step by step, in process.

use std::hint::black_box;
use std::time::Duration;

use domain::{Channel, Platform};
use http::HeaderMap;
use secrecy::SecretString;
use serde_json::Value;
use simulator::{Contact, Simulator};
use tokio::time::Instant;
use twilio::events::{Scope, read_stream};
use twilio::signature::{Request, SigningKeys, Verifier};

use crate::{print as table, real_time};

const WEBHOOK: &str = "https://abcdefghij.lambda-url.us-east-1.on.aws/twilio/events";

/// The time for which each step is repeated.
const REPEATED: Duration = Duration::from_millis(300);

pub(crate) fn print() {
    let _clock = real_time().enter();
    let rows = [1, 10, 100, 1_000].map(steps);
    table(
        "One event's share of the processor, by batch, without I/O",
        ["events", "body", "verify", "parse", "fold", "together"],
        rows.into(),
    );
}

fn steps(events: usize) -> [String; 6] {
    let (twilio, _) = Simulator::with_flex(3).unwrap();
    {
        let mut state = twilio.state();
        for number in 0..events {
            let contact = state.customer_writes(&format!("+1555{number:07}"), "Hello");
            assert!(matches!(contact, Contact::Started { .. }));
        }
    }
    let body = Value::from(twilio.take_events()).to_string();
    let account = twilio.account();
    let signed = simulator::sign::json(&account.auth_token, WEBHOOK, body.as_bytes());
    let mut headers = HeaderMap::new();
    headers.insert(simulator::sign::HEADER, signed.signature.parse().unwrap());
    let keys = SigningKeys::new(vec![SecretString::from(account.auth_token)]).unwrap();
    let verifier = Verifier::new(keys);
    let request = || Request {
        url: &signed.url,
        headers: &headers,
        body: body.as_bytes(),
    };
    let scope = Scope {
        account: Some(account.sid.as_str().parse().unwrap()),
        ..Scope::default()
    };
    let authentic = verifier.json(request()).unwrap();
    let batch = read_stream(&authentic, &scope);
    assert_eq!(batch.facts.len(), events);

    let verify = repeated(|| assert!(black_box(verifier.json(request())).is_ok()));
    let parse = repeated(|| drop(black_box(read_stream(&authentic, &scope))));
    let fold = repeated(|| {
        for fact in &batch.facts {
            let mut record = Channel::new(fact.channel, Platform::Chat);
            record.absorb(fact);
            drop(black_box(record));
        }
    });
    let share = |whole: Duration| whole / u32::try_from(events).unwrap();
    let told = |time: Duration| format!("{:.1} µs", 1e6 * share(time).as_secs_f64());
    [
        events.to_string(),
        format!("{} bytes", body.len()),
        told(verify),
        told(parse),
        told(fold),
        told(verify + parse + fold),
    ]
}

/// Returns the time that one of many takes.
fn repeated(mut work: impl FnMut()) -> Duration {
    let began = Instant::now();
    let mut runs = 0;
    while began.elapsed() < REPEATED {
        work();
        runs += 1;
    }
    began.elapsed() / runs
}
