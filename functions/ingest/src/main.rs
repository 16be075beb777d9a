//! The webhook's Lambda function: wiring only.

use std::sync::Arc;

use ingest::{Ingest, Settings};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::logs::init();
    let settings = Settings::read_at(runtime::Environment::of_process(), None)?;
    let ingest = Arc::new(Ingest::new(settings));
    ingest.warm_up(runtime::clock::now()).await;
    run(service_fn(move |event: LambdaEvent<Value>| {
        let ingest = Arc::clone(&ingest);
        async move {
            let now = runtime::clock::now();
            Ok::<_, Error>(ingest.handle_event(event.payload, now).await)
        }
    }))
    .await
}
