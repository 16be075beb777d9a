//! AWS clients, without `aws-config`.
//!
//! What Lambda needs of `aws-config` is three variables; the rest of it (profiles, SSO,
//! instance metadata, web identity) doubles the binary. Outside Lambda, the variables come
//! from `aws configure export-credentials --format env`.
//!
//! All service clients share one HTTP client, which is in `https`.

mod https;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::settings::Environment;

/// Longest wait for a connection; its TLS handshake counts as part of the attempt.
pub const CONNECT_TIMEOUT: Duration = Duration::from_millis(800);

/// Longest wait for one try of a call.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest wait for a call with all its tries. Twilio gives up on `ingest` after 5 seconds;
/// a read and a write that both take the longest leave it one second to answer 503.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(2);

/// The number of tries of a call, the first one included.
const MAX_ATTEMPTS: u32 = 3;

/// The first pause before another try is anything up to this.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// The longest pause before another try.
const MAX_BACKOFF: Duration = Duration::from_millis(500);

/// The time limits of a person's call: they wait longer than Twilio does, and read pages of a
/// megabyte.
const TIMEOUTS_OF_A_PERSON: [Duration; 3] = [
    Duration::from_secs(3),
    Duration::from_secs(10),
    Duration::from_secs(30),
];

/// Where AWS is and who we are there: the source of every service client.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    endpoints: Endpoints,
    retries: RetryPartition,
}

#[derive(Clone, Debug, Default)]
struct Endpoints {
    dynamodb: Option<String>,
    eventbridge: Option<String>,
    secrets_manager: Option<String>,
}

impl Aws {
    /// Reads region, credentials, endpoints and root certificates from the variables that Lambda
    /// sets and that the SDKs share (<https://docs.aws.amazon.com/sdkref/latest/guide/>).
    pub fn from_environment(environment: &mut Environment) -> Option<Self> {
        let region = match environment.optional::<String>("AWS_DEFAULT_REGION") {
            Some(default) => Some(environment.or("AWS_REGION", default)),
            None => environment.required("AWS_REGION"),
        };
        let key_id = environment.required::<String>("AWS_ACCESS_KEY_ID");
        environment.require("AWS_SECRET_ACCESS_KEY");
        // Straight into the SDK's own type, which hides and zeroes them.
        let secret = environment.optional::<String>("AWS_SECRET_ACCESS_KEY");
        let token = environment.optional::<String>("AWS_SESSION_TOKEN");
        let all = environment.url("AWS_ENDPOINT_URL");
        let mut endpoint = |name| environment.url(name).or_else(|| all.clone());
        let endpoints = Endpoints {
            dynamodb: endpoint("AWS_ENDPOINT_URL_DYNAMODB"),
            eventbridge: endpoint("AWS_ENDPOINT_URL_EVENTBRIDGE"),
            secrets_manager: endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
        };
        let roots = environment.parse("AWS_CA_BUNDLE", https::roots_of);
        let roots = roots.unwrap_or_else(https::bundled_roots);
        let http_client = https::client(CONNECT_TIMEOUT, roots)
            .map_err(|why| environment.unsound([format!("TLS cannot be set up: {why}")]));
        let credentials = Credentials::from_keys(key_id?, secret?, token);
        Some(Self::new(
            Region::new(region?),
            credentials,
            endpoints,
            http_client.ok()?,
        ))
    }

    /// Sends everything through `http_client`, with made-up credentials: for the embedded
    /// services of the demo and the simulation. Waits on tokio's clock.
    pub fn with_http_client(http_client: SharedHttpClient) -> Self {
        Self::new(
            Region::from_static("us-east-1"),
            Credentials::from_keys("embedded", "embedded", None),
            Endpoints::default(),
            http_client,
        )
    }

    /// Takes a configuration that was loaded by the SDK's own rules (profiles, regions,
    /// endpoints), for a person's command. Its HTTP client is kept.
    pub fn of_person(config: &SdkConfig) -> Self {
        let [connect, attempt, operation] = TIMEOUTS_OF_A_PERSON;
        let config = config
            .to_builder()
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(connect)
                    .operation_attempt_timeout(attempt)
                    .operation_timeout(operation)
                    .build(),
            )
            .build();
        Self {
            config,
            endpoints: Endpoints::default(),
            retries: RetryPartition::custom("channel-janitor").build(),
        }
    }

    fn new(
        region: Region,
        credentials: Credentials,
        endpoints: Endpoints,
        http_client: SharedHttpClient,
    ) -> Self {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(region)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client)
            // It watches long transfers; ours are small and have the timeouts below.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(MAX_ATTEMPTS)
                    .with_initial_backoff(INITIAL_BACKOFF)
                    .with_max_backoff(MAX_BACKOFF),
            )
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .operation_timeout(OPERATION_TIMEOUT)
                    .build(),
            )
            .build();
        Self {
            config,
            endpoints,
            // By default all clients of a process share the budget for retries, and one
            // simulated run would bear the marks of the one before.
            retries: RetryPartition::custom("channel-janitor").build(),
        }
    }

    /// A client for DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let mut config = aws_sdk_dynamodb::config::Builder::from(&self.config)
            .retry_partition(self.retries.clone());
        if let Some(url) = &self.endpoints.dynamodb {
            config.set_endpoint_url(Some(url.clone()));
        }
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A client for EventBridge.
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        let mut config = aws_sdk_eventbridge::config::Builder::from(&self.config)
            .retry_partition(self.retries.clone());
        if let Some(url) = &self.endpoints.eventbridge {
            config.set_endpoint_url(Some(url.clone()));
        }
        aws_sdk_eventbridge::Client::from_conf(config.build())
    }

    /// A client for Secrets Manager.
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        let mut config = aws_sdk_secretsmanager::config::Builder::from(&self.config)
            .retry_partition(self.retries.clone());
        if let Some(url) = &self.endpoints.secrets_manager {
            config.set_endpoint_url(Some(url.clone()));
        }
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }
}

/// A client's region in words; a wrong one makes a host that is not there, and the name of
/// the region is then the only hint.
pub(crate) fn region_name(region: Option<&Region>) -> String {
    region.map_or_else(|| "no region".to_owned(), ToString::to_string)
}

/// Why a call failed, in one line without the answer's content: the service's own code and
/// words, or what happened to the connection.
pub fn reason<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    if let Some(refusal) = error.as_service_error() {
        let code = refusal.code().unwrap_or("an error without a code");
        return match refusal.message() {
            Some(message) => format!("{code}: {message}"),
            None => code.to_owned(),
        };
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
