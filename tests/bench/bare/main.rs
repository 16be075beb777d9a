//! A function that does nothing: what starting any Rust function costs, to compare ours with. It
//! panics when it is told to, which shows what the profile makes of that.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(
        |event: LambdaEvent<serde_json::Value>| async move {
            assert_ne!(event.payload["panics"], true, "it was told to panic");
            Ok::<_, Error>(event.payload)
        },
    ))
    .await
}
