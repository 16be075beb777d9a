//! Where a command works: the table, the bus, Twilio and the clock, on AWS or in a data folder.
//!
//! A command is written once: it opens its [`Office`] and builds the functions' own settings
//! from [`Office::environment`] and [`Office::aws`].
//!
//! * **On AWS**, region and credentials come by the SDK's own rules (`AWS_PROFILE`,
//!   `AWS_REGION`, endpoints), the rest from the functions' variables.
//! * **In a data folder** (`--data`) that nobody holds, the embedded database is opened in this
//!   process; where `janitor local` holds it, the command talks to that system instead, to its
//!   simulated Twilio too, and by its clock.

pub(crate) mod clock;
pub(crate) mod folder;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use clap::Args;
use domain::{ChatServiceSid, Timestamp, WorkspaceSid};
use runtime::access::{self, FlexIds};
use runtime::secrets::{Need, Secrets};
use runtime::{Aws, Environment, common};
use store::ChannelTable;
use twilio::rest::{Client, Limits, Transport};

use clock::Clock;
use folder::{Access, Folder, Note};

/// Where to work.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Place {
    /// The data folder of `janitor local`, instead of AWS
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The table on AWS, instead of CHANNELS_TABLE
    #[arg(long, value_name = "NAME", conflicts_with = "data")]
    table: Option<String>,
}

impl Place {
    /// Whether a place is named, and not left to the variables.
    pub(crate) const fn is_named(&self) -> bool {
        self.data.is_some() || self.table.is_some()
    }
}

/// Where a command works.
pub(crate) struct Office {
    environment: Environment,
    aws: Aws,
    clock: Clock,
    table: ChannelTable,
    /// Where this is, in words.
    place: String,
    /// The folder, if this process holds it: to drop it is to let go of it.
    _folder: Option<Folder>,
}

impl Office {
    /// Opens it. Nothing is asked of AWS or Twilio yet.
    pub(crate) async fn open(place: &Place) -> anyhow::Result<Self> {
        let environment = Environment::of_process();
        match (&place.data, &place.table) {
            (Some(path), _) => {
                let office = match Folder::open(path)? {
                    Access::Ours(folder) => Self::in_folder(environment, folder).await?,
                    Access::Running(note) => Self::beside(environment, &note)?,
                };
                Ok(Self {
                    place: format!("the data folder {}", path.display()),
                    ..office
                })
            }
            (None, Some(table)) => {
                Self::on_aws(environment.with("CHANNELS_TABLE", table.as_str())).await
            }
            (None, None) => Self::on_aws(environment).await,
        }
    }

    async fn on_aws(environment: Environment) -> anyhow::Result<Self> {
        // With this machine's roots, and its proxy.
        let http_client = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let loaded = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client)
            .load()
            .await;
        loaded.region().context(
            "no AWS region: set AWS_REGION or AWS_PROFILE, or name a data folder with --data",
        )?;
        // Asked for now, because a table that nobody may read says only that it cannot be reached.
        let credentials = loaded
            .credentials_provider()
            .context("no AWS credentials: set AWS_PROFILE")?;
        credentials.provide_credentials().await.context(
            "no AWS credentials: set AWS_PROFILE (and log in), or name a data folder with --data",
        )?;
        Self::around(environment, Aws::of_person(&loaded), Clock::of_machine())
    }

    async fn in_folder(environment: Environment, folder: Folder) -> anyhow::Result<Self> {
        let database = folder.database()?;
        store::create_table(&database.dynamodb(), folder::TABLE).await?;
        let office = Self::around(
            environment
                .with("CHANNELS_TABLE", folder::TABLE)
                .with("NOTICE_BUS", ""),
            Aws::with_http_client(database.http_client()),
            folder.clock()?,
        )?;
        Ok(Self {
            _folder: Some(folder),
            ..office
        })
    }

    /// Beside a running `janitor local`: on its services, by its clock.
    fn beside(environment: Environment, note: &Note) -> anyhow::Result<Self> {
        let mut services: Environment = [
            ("AWS_REGION", embedded::REGION),
            ("AWS_ACCESS_KEY_ID", "embedded"),
            ("AWS_SECRET_ACCESS_KEY", "embedded"),
            ("AWS_ENDPOINT_URL", note.aws.as_str()),
        ]
        .into_iter()
        .collect();
        let aws = Aws::from_environment(&mut services);
        let aws = services.finish(|| aws)?;
        let environment = environment
            .with("CHANNELS_TABLE", folder::TABLE)
            .with("NOTICE_BUS", folder::BUS);
        let environment = match &note.simulated {
            Some(simulated) => simulated
                .tell(environment)
                .with("WEBHOOK_URL", note.webhook.as_str()),
            None => environment,
        };
        Self::around(environment, aws, note.clock)
    }

    fn around(environment: Environment, aws: Aws, clock: Clock) -> anyhow::Result<Self> {
        let mut read = environment.clone();
        let name = common::channels_table(&mut read);
        let table = read.finish(|| Some(ChannelTable::new(aws.dynamodb(), name?)))?;
        Ok(Self {
            environment,
            aws,
            clock,
            place: format!("the table {}", table.name()),
            table,
            _folder: None,
        })
    }

    /// The channel table.
    pub(crate) fn table(&self) -> &ChannelTable {
        &self.table
    }

    /// The environment that a function working here would have, for its settings' `read_at`.
    pub(crate) fn environment(&self) -> Environment {
        self.environment.clone()
    }

    /// The AWS that a function working here would have.
    pub(crate) fn aws(&self) -> Option<Aws> {
        Some(self.aws.clone())
    }

    /// The present moment here.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Where this is, in words.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Reads what a function working here would read.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&mut Environment) -> T,
    ) -> Result<T, runtime::SettingsError> {
        let mut environment = self.environment();
        let value = read(&mut environment);
        environment.finish(|| Some(value))
    }

    /// Twilio, with the credentials of the environment.
    pub(crate) async fn twilio(&self) -> anyhow::Result<Client> {
        let mut environment = self.environment();
        let account = common::twilio_account(&mut environment);
        let secrets = Secrets::from_environment(&mut environment, Some(&self.aws), Need::Rest);
        let (account, secrets) = environment.finish(|| Some((account?, secrets?)))?;
        let (transport, in_flight) = (transport()?, Limits::default().in_flight);
        let client = access::client(&secrets, &account, &transport, in_flight, self.now());
        Ok(client.await?)
    }

    /// Where tasks and channels are at Twilio: as the variables say, or else the Flex
    /// configuration.
    pub(crate) async fn flex(
        &self,
        twilio: &Client,
    ) -> anyhow::Result<(WorkspaceSid, ChatServiceSid)> {
        let (workspace, service) = self.read(|environment| {
            (
                environment.optional::<WorkspaceSid>("TASKROUTER_WORKSPACE_SID"),
                environment.optional::<ChatServiceSid>("CHAT_SERVICE_SID"),
            )
        })?;
        let ids = FlexIds::look_up(twilio, workspace, service).await?;
        Ok((ids.workspace, ids.chat_service()?))
    }
}

/// The way to Twilio.
pub(crate) fn transport() -> anyhow::Result<Arc<dyn Transport>> {
    Ok(Arc::new(twilio::rest::Https::new()?))
}

impl folder::Simulated {
    /// The environment with this Twilio in the place of the real one.
    pub(crate) fn tell(&self, environment: Environment) -> Environment {
        environment
            .with("TWILIO_ACCOUNT_SID", self.account_sid.as_str())
            .with("TWILIO_AUTH_TOKENS", self.auth_token.as_str())
            .with("TWILIO_API_KEY", self.api_key.as_str())
            .with("TWILIO_API_SECRET", self.api_secret.as_str())
            .with("TWILIO_API_URL", self.url.as_str())
            .with("PARK_TASK_CHANNELS", self.park_task_channels.as_str())
            .with("TWILIO_SECRET", "")
            .with("TASKROUTER_WORKSPACE_SID", "")
            .with("CHAT_SERVICE_SID", "")
            .with("PROXY_SERVICE_SID", "")
    }
}
