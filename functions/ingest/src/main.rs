//! The webhook's Lambda function: wiring only.

use std::sync::Arc;

use ingest::{Ingest, Settings};
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    runtime::logs::init();
    let settings = Settings::read(runtime::Environment::of_process())?;
    let ingest = Arc::new(Ingest::new(settings));
    ingest.warm_up(runtime::clock::now()).await;
    run(service_fn(move |request: Request| {
        let ingest = Arc::clone(&ingest);
        async move { Ok::<_, Error>(ingest.handle(request, runtime::clock::now()).await) }
    }))
    .await
}
