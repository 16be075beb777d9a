//! The parking function's Lambda function: wiring only.

use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use park::{Park, Settings};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::logs::init();
    let settings = Settings::read_at(runtime::Environment::of_process(), None)?;
    let transport = Arc::new(twilio::rest::Https::new()?);
    let park = Arc::new(Park::new(settings, transport));
    park.warm_up(runtime::clock::now()).await;
    run(service_fn(move |event: LambdaEvent<Value>| {
        let park = Arc::clone(&park);
        async move {
            let now = runtime::clock::now();
            let time_left = runtime::clock::time_left(event.context.deadline, now);
            park.handle(event.payload, now, time_left).await
        }
    }))
    .await
}
