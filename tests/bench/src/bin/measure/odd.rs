//! Odd events to the built functions: each is answered, and no process ends.

use std::path::Path;
use std::time::Duration;

use binaries::lambda_api::{Failure, Function};
use binaries::odd_events::{send_events, send_requests};
use fastrand::Rng;
use serde_json::json;
use tokio::time::Instant;

use crate::invocations::{Stage, invoke};
use crate::{milliseconds, print as table, real_time};

/// The number of odd requests to each function with a URL.
const REQUESTS: usize = 10_000;

/// The number of odd events to a function that a schedule or the bus starts.
const EVENTS: usize = 1_000;

/// The same for the checkup, which reads no event and audits a project each time.
const CHECKUPS: usize = 100;

/// The number of events at which a function panics.
const PANICS: u32 = 100;

pub(crate) fn print(folder: &Path) {
    let rows = real_time().block_on(async {
        let stage = Stage::set().await;
        let mut rows = Vec::new();
        for (name, requests, events, errors) in [
            ("ingest", REQUESTS, 0, &[][..]),
            ("park", REQUESTS, EVENTS, &[]),
            ("sweep", 0, EVENTS, &["UnknownJob"]),
            ("checkup", 0, CHECKUPS, &[]),
        ] {
            let function = Function::start(&folder.join(name), &stage.variables).await;
            let mut rng = Rng::with_seed(1);
            let began = Instant::now();
            send_requests(&function, requests, &mut rng).await;
            send_events(&function, events, &mut rng, errors).await;
            let took = began.elapsed();
            function.stop().await;
            let sent = u32::try_from(requests + events).unwrap();
            rows.push([
                name.to_owned(),
                requests.to_string(),
                events.to_string(),
                milliseconds(took / sent),
                "0".to_owned(),
            ]);
        }
        rows.push(panics(&stage, folder).await);
        rows
    });
    table(
        "Odd events to the built functions: one that is not answered, or ends the process, ends this program too",
        ["", "requests", "other events", "each", "processes ended"],
        rows,
    );
}

/// A panic ends one invocation and not the process, since the profile unwinds.
async fn panics(stage: &Stage, folder: &Path) -> [String; 5] {
    let function = Function::start(&folder.join("bare"), &stage.variables).await;
    let began = Instant::now();
    for _ in 0..PANICS {
        let deadline = runtime::clock::now().plus(Duration::from_secs(60));
        let panics = function.invoke(json!({ "panics": true }), deadline.as_millis());
        let answer = panics.await;
        assert!(matches!(answer, Err(Failure::Reported(_))), "{answer:?}");
    }
    let took = began.elapsed();
    invoke(&function, json!({})).await;
    function.stop().await;
    [
        "bare, which panics at each".to_owned(),
        "0".to_owned(),
        PANICS.to_string(),
        milliseconds(took / PANICS),
        "0".to_owned(),
    ]
}
