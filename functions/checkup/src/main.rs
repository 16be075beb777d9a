//! The checkup's Lambda function: wiring only.

use std::sync::Arc;

use checkup::{Checkup, Settings};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::logs::init();
    let settings = Settings::read_at(runtime::Environment::of_process(), None)?;
    let transport = Arc::new(twilio::rest::Https::new()?);
    let checkup = Arc::new(Checkup::new(settings, transport));
    checkup.warm_up(runtime::clock::now()).await;
    run(service_fn(move |event: LambdaEvent<Value>| {
        let checkup = Arc::clone(&checkup);
        async move {
            let now = runtime::clock::now();
            let time_left = runtime::clock::time_left(event.context.deadline, now);
            checkup.run(now, time_left).await
        }
    }))
    .await
}
