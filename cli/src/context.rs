//! Table, Twilio, settings and clock of a command, on AWS or in a data folder.
//!
//! A command opens its [`Context`] and builds the functions' own settings from
//! [`Context::environment`] and [`Context::aws`].
//!
//! * **On AWS**, region and credentials follow the SDK's own rules (`AWS_PROFILE`,
//!   `AWS_REGION`, endpoints); the rest comes from the functions' variables.
//! * **In a data folder** (`--data`), the playground opens it.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use clap::Args;
use domain::{ChatServiceSid, Timestamp, WorkspaceSid};
use runtime::access::{self, FlexIds};
use runtime::secrets::{Need, Secrets};
use runtime::{Aws, Environment, common};
use store::ChannelTable;
use twilio::rest::{Client, Limits, Transport};

/// The place that a command works on.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Place {
    /// The data folder of `janitor local`, instead of AWS
    #[cfg(feature = "playground")]
    #[arg(long, value_name = "DIR", conflicts_with = "table")]
    data: Option<std::path::PathBuf>,
    /// The table on AWS, instead of CHANNELS_TABLE
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
}

impl Place {
    /// Returns true if an option names the place, and it is not left to the variables.
    pub(crate) const fn is_named(&self) -> bool {
        self.is_folder() || self.table.is_some()
    }

    /// Returns the variables and the clock of the place, for a command that needs no table.
    pub(crate) async fn variables(&self) -> anyhow::Result<(Environment, Clock)> {
        #[cfg(feature = "playground")]
        if let Some(path) = &self.data {
            let opened = playground::open(path, environment()).await?;
            let environment = opened.environment.clone();
            needs_twilio(&environment, path)?;
            // The clock owns the folder, so its lock lasts as long as the clock.
            return Ok((environment, Box::new(move || opened.now())));
        }
        Ok((environment(), Box::new(runtime::clock::now)))
    }

    /// Returns true if the place is a data folder.
    #[cfg(feature = "playground")]
    pub(crate) const fn is_folder(&self) -> bool {
        self.data.is_some()
    }

    #[cfg(not(feature = "playground"))]
    #[expect(clippy::unused_self, reason = "the other feature's form uses it")]
    pub(crate) const fn is_folder(&self) -> bool {
        false
    }
}

/// Returns the variables of this process. Twilio's own name for the account's key,
/// `TWILIO_AUTH_TOKEN`, is accepted where `TWILIO_AUTH_TOKENS` is not set.
pub(crate) fn environment() -> Environment {
    let environment = Environment::of_process();
    let token = environment
        .clone()
        .optional::<String>("TWILIO_AUTH_TOKEN")
        .filter(|_| !environment.is_set("TWILIO_AUTH_TOKENS"));
    match token {
        Some(token) => environment.with("TWILIO_AUTH_TOKENS", token),
        None => environment,
    }
}

/// Returns the time.
pub(crate) type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// Makes sure that a data folder's Twilio can be asked: a simulated one works as long as `janitor
/// local` does.
///
/// # Errors
///
/// Fails if neither that nor the variables name an account.
#[cfg(feature = "playground")]
pub(crate) fn needs_twilio(
    environment: &Environment,
    path: &std::path::Path,
) -> anyhow::Result<()> {
    anyhow::ensure!(
        environment.is_set("TWILIO_ACCOUNT_SID"),
        "no simulated Twilio answers for {0}: start `janitor local --data {0}`, or set TWILIO_ACCOUNT_SID for the real one",
        path.display()
    );
    Ok(())
}

/// The knowledge of a command about its stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    /// True if a sweep has noted its settings.
    pub(crate) is_known: bool,
    /// True if its sweeps only observe.
    pub(crate) observes: bool,
    /// True if a person may write whatever the stack does.
    pub(crate) may_override: bool,
}

impl Stack {
    /// A stack that nothing is known of, and that is not asked about.
    pub(crate) const UNASKED: Self = Self {
        is_known: false,
        observes: false,
        may_override: false,
    };
}

/// Everything that a command works with.
pub(crate) struct Context {
    environment: Environment,
    aws: Aws,
    clock: Clock,
    table: ChannelTable,
    /// Name of the place, for messages.
    place: String,
    is_folder: bool,
    stack: Stack,
}

impl Context {
    /// Opens it, and makes sure that the table can be read.
    pub(crate) async fn open(place: &Place) -> anyhow::Result<Self> {
        let environment = environment();
        #[cfg(feature = "playground")]
        if let Some(path) = &place.data {
            let opened = playground::open(path, environment).await?;
            let (environment, aws) = (opened.environment.clone(), opened.aws.clone());
            // The clock owns the folder, so its lock lasts as long as the context.
            let context = Self::new(environment, aws, Box::new(move || opened.now()))?;
            let place = format!("the data folder {}", path.display());
            return Ok(Self {
                place,
                is_folder: true,
                ..context
            });
        }
        Self::on_aws(match &place.table {
            Some(table) => environment.with("CHANNELS_TABLE", table.as_str()),
            None => environment,
        })
        .await
    }

    /// Opens it for a command that calls Twilio. On AWS, everything that is missing is named at
    /// once: the table's variable and Twilio's.
    pub(crate) async fn open_with_twilio(place: &Place) -> anyhow::Result<Self> {
        if !place.is_folder() {
            let mut variables = environment();
            if place.table.is_none() {
                common::channels_table(&mut variables);
            }
            common::twilio_account(&mut variables);
            Secrets::from_environment(&mut variables, None, Need::Rest);
            variables.finish(|| Some(()))?;
        }
        let context = Self::open(place).await?;
        #[cfg(feature = "playground")]
        if let Some(path) = &place.data {
            needs_twilio(&context.environment, path)?;
        }
        Ok(context)
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
        let profile = environment.clone().optional::<String>("AWS_PROFILE");
        loaded
            .region()
            .with_context(|| missing("region", profile.as_deref(), "set AWS_REGION"))?;
        // Asked for now, because without them the table's error would only say that it cannot be reached.
        let no_credentials =
            || missing("credentials", profile.as_deref(), "log in with `aws login`");
        let credentials = loaded
            .credentials_provider()
            .with_context(no_credentials)?
            .provide_credentials()
            .await;
        // Its text lists every place where there are none, most of which a person never uses.
        if let Err(CredentialsError::CredentialsNotLoaded(_)) = credentials {
            bail!(no_credentials());
        }
        credentials.with_context(no_credentials)?;
        let clock = Box::new(runtime::clock::now);
        let context = Self::new(environment, Aws::of_person(&loaded), clock)?;
        let name = context.table.name();
        let unreadable = || {
            let region = loaded
                .region()
                .map_or("its region", |region| region.as_ref());
            format!(
                "cannot read the table {name} in {region} (see --table, CHANNELS_TABLE and AWS_REGION)"
            )
        };
        context.table.look().await.with_context(unreadable)?;
        Ok(context)
    }

    fn new(environment: Environment, aws: Aws, clock: Clock) -> anyhow::Result<Self> {
        let mut read = environment.clone();
        let name = common::channels_table(&mut read);
        let table = read.finish(|| Some(ChannelTable::new(aws.dynamodb(), name?)))?;
        Ok(Self {
            environment,
            aws,
            clock,
            place: format!("the table {}", table.name()),
            is_folder: false,
            stack: Stack::UNASKED,
            table,
        })
    }

    /// Works by these variables and this stack from now on.
    pub(crate) fn set_stack(&mut self, environment: Environment, stack: Stack) {
        self.environment = environment;
        self.stack = stack;
    }

    /// Returns the stack.
    pub(crate) const fn stack(&self) -> Stack {
        self.stack
    }

    /// Returns true if the place is a data folder.
    pub(crate) const fn is_folder(&self) -> bool {
        self.is_folder
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
        (self.clock)()
    }

    /// Returns the name of the place, for messages.
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

    /// Returns the workspace and the chat service: from the variables, or else from the Flex
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

/// Explains what AWS lacks, and what to do about it.
fn missing(what: &str, profile: Option<&str>, remedy: &str) -> String {
    match profile {
        Some(profile) => format!(
            "the AWS profile {profile} (AWS_PROFILE) gives no {what}: check its name with `aws configure list-profiles`, or {remedy}"
        ),
        None => {
            format!("no AWS {what}: {remedy}, set AWS_PROFILE, or name a data folder with --data")
        }
    }
}
