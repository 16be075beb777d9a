//! The sweep's Lambda function: wiring only.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use sweep::{Settings, Sweep};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::logs::init();
    let settings = Settings::read_at(runtime::Environment::of_process(), None)?;
    let transport = Arc::new(twilio::rest::Https::new()?);
    let sweep = Arc::new(Sweep::new(settings, transport));
    sweep.warm_up(runtime::clock::now()).await;
    run(service_fn(move |event: LambdaEvent<Value>| {
        let sweep = Arc::clone(&sweep);
        async move {
            let now = runtime::clock::now();
            let time_left = runtime::clock::time_left(event.context.deadline, now);
            sweep.work(&event.payload, now, time_left).await
        }
    }))
    .await
}
