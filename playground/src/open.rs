//! Opens a data folder for another command.

use std::path::Path;

use domain::Timestamp;
use runtime::{Aws, Environment};

use crate::clock::Clock;
use crate::folder::{self, Access, Folder, Note, Simulated};

/// A data folder that a command works on. Where no other process holds the folder, this value
/// holds its lock; where `janitor local` holds it, the command works on that system's services
/// and by its clock.
pub struct OpenFolder {
    /// The variables that a function working here has.
    pub environment: Environment,
    /// The AWS that a function working here has.
    pub aws: Aws,
    clock: Clock,
    _folder: Option<Folder>,
}

/// Opens the data folder at `path`. `environment` is the process's own; the folder's table, and
/// its simulated Twilio where it has one, take their variables' place.
///
/// # Errors
/// Fails if the path is no data folder, or if another command holds it.
pub async fn open(path: &Path, environment: Environment) -> anyhow::Result<OpenFolder> {
    match Folder::open(path)? {
        Access::Ours(folder) => at_rest(environment, folder).await,
        Access::Running(note) => beside(environment, &note),
    }
}

impl OpenFolder {
    /// Returns the present moment by the folder's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

async fn at_rest(environment: Environment, folder: Folder) -> anyhow::Result<OpenFolder> {
    let database = folder.database()?;
    store::create_table(&database.dynamodb(), folder::TABLE).await?;
    Ok(OpenFolder {
        environment: environment
            .with("CHANNELS_TABLE", folder::TABLE)
            .with("NOTICE_BUS", ""),
        aws: Aws::with_http_client(database.http_client()),
        clock: folder.clock()?,
        _folder: Some(folder),
    })
}

/// Works beside a running `janitor local`.
fn beside(environment: Environment, note: &Note) -> anyhow::Result<OpenFolder> {
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
            .set_in(environment)
            .with("WEBHOOK_URL", note.webhook.as_str()),
        None => environment,
    };
    Ok(OpenFolder {
        environment,
        aws,
        clock: note.clock,
        _folder: None,
    })
}

impl Simulated {
    /// Returns the environment with this Twilio in the place of the real one.
    pub(crate) fn set_in(&self, environment: Environment) -> Environment {
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
