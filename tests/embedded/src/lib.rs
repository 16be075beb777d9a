//! AWS on one machine: DynamoDB, EventBridge and Secrets Manager, as far as this system uses
//! them, behind the SDK's own HTTP client.
//!
//! The demo, local mode and the tests use the real SDK clients. What they replace is the
//! bottom layer, the HTTP connector: [`Embedded::http_client`] hands each request to the
//! services in this process, with no socket, no thread and no clock of its own, so that it
//! works under a paused tokio clock. [`Embedded::serve`] offers the same services over a
//! socket, for tests that start real binaries.
//!
//! * [`dispatch`] finds the service of a request by `X-Amz-Target`, counts it, and injects
//!   the faults that a test asks for.
//! * [`dynamo`] is DynamoDB, an embedded engine on SQLite.
//! * [`bus`] is EventBridge: it remembers what was put on it.
//! * [`secrets`] is Secrets Manager: a map.

mod answer;
pub mod bus;
pub mod dispatch;
pub mod dynamo;
mod http;
pub mod secrets;

use std::path::Path;
use std::sync::Arc;

use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

pub use bus::{Entry, PretendBus};
pub use dispatch::{Call, Fault, Service, Tally};
pub use dynamo::{Engine, EngineError, Lag};
pub use secrets::PretendSecrets;

use dispatch::Dispatch;

/// The region that the pretend services are in.
pub const REGION: &str = "us-east-1";

/// The three pretend services and the dispatch in front of them; a clone is the same one.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// DynamoDB.
    pub dynamo: Engine,
    /// EventBridge.
    pub bus: PretendBus,
    /// Secrets Manager.
    pub secrets: PretendSecrets,
    dispatch: Arc<Dispatch>,
}

impl Embedded {
    /// Starts with empty services that live as long as the value.
    ///
    /// # Errors
    ///
    /// Fails when the database cannot be created.
    pub fn memory() -> Result<Self, EngineError> {
        Ok(Self::around(Engine::memory()?))
    }

    /// Starts with the tables of a database file, which is created if it does not exist.
    /// The bus and the secrets start empty.
    ///
    /// # Errors
    ///
    /// Fails when the file cannot be opened or is no database.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        Ok(Self::around(Engine::open(path)?))
    }

    /// Starts with empty services whose index reads lag behind, as DynamoDB's may.
    ///
    /// # Errors
    ///
    /// Fails when the databases cannot be created.
    pub fn with_stale_indexes(lag: Lag) -> Result<Self, EngineError> {
        Ok(Self::around(Engine::with_stale_indexes(lag)?))
    }

    fn around(dynamo: Engine) -> Self {
        let bus = PretendBus::default();
        let secrets = PretendSecrets::default();
        let dispatch = Arc::new(Dispatch::new(dynamo.clone(), bus.clone(), secrets.clone()));
        Self {
            dynamo,
            bus,
            secrets,
            dispatch,
        }
    }

    /// Returns the HTTP client to build SDK clients with.
    pub fn http_client(&self) -> SharedHttpClient {
        http::client(Arc::clone(&self.dispatch))
    }

    /// Returns a DynamoDB client, for tests of the table alone.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static(REGION))
            .credentials_provider(aws_credential_types::Credentials::from_keys(
                "embedded", "embedded", None,
            ))
            .sleep_impl(TokioSleep::new())
            .http_client(self.http_client())
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    /// Serves the same services over HTTP until `shutdown` resolves; the address goes into
    /// `AWS_ENDPOINT_URL`.
    ///
    /// # Errors
    ///
    /// Fails when the listener does.
    pub async fn serve(
        &self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        http::serve(Arc::clone(&self.dispatch), listener, shutdown).await
    }

    /// Asks `plan` about each request from now on; the fault that it names is injected.
    pub fn plan_faults(&self, plan: impl FnMut(&Call<'_>) -> Option<Fault> + Send + 'static) {
        self.dispatch.plan_faults(Some(Box::new(plan)));
    }

    /// Injects no more faults.
    pub fn end_faults(&self) {
        self.dispatch.plan_faults(None);
    }

    /// Returns the counts of one operation so far, such as `Query` or `PutEvents`. Items whose key
    /// begins with `note:` are counted as `GetItem of notes` and `PutItem of notes`.
    pub fn tally(&self, operation: &str) -> Tally {
        self.calls().get(operation).copied().unwrap_or_default()
    }

    /// Returns the counts of each operation so far.
    pub fn calls(&self) -> std::collections::BTreeMap<String, Tally> {
        self.dispatch.calls()
    }

    /// Starts counting anew.
    pub fn forget_calls(&self) {
        self.dispatch.forget_calls();
    }
}
