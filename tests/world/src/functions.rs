//! The settings of the real functions over a simulated Twilio and an embedded AWS.

use runtime::secrets::{Need, Secrets, TwilioSecrets};
use runtime::{Aws, Bus, Environment};
use simulator::{Project, Sid, Simulator};
use store::ChannelTable;

/// The address of all of Twilio, as far as the client knows. No server listens there.
pub const TWILIO: &str = "http://twilio.invalid";

/// The URL that Twilio believes the webhook to have.
pub const WEBHOOK: &str = "https://janitor.example.com/twilio/events";

/// The name of the channel table.
pub const TABLE: &str = "channels";

/// The name of the secret that holds the keys that Twilio signs with.
pub const SECRET: &str = "janitor/twilio";

const BUS: &str = "notices";

/// Makes the settings of each function. They are read from an environment as in a deployment;
/// what would reach AWS is replaced.
pub struct Functions {
    twilio: Simulator,
    project: Project,
    aws: Aws,
    /// The TaskChannel of parked tasks, if chats are parked.
    inactive: Option<Sid>,
}

impl Functions {
    /// Makes settings for a project and the clients of an AWS.
    pub fn new(twilio: Simulator, project: Project, aws: Aws, inactive: Option<Sid>) -> Self {
        Self {
            twilio,
            project,
            aws,
            inactive,
        }
    }

    /// Returns the channel table.
    pub fn table(&self) -> ChannelTable {
        ChannelTable::new(self.aws.dynamodb(), TABLE)
    }

    /// Returns the secret that holds these keys, as Secrets Manager keeps it.
    pub fn secret_of(keys: &[&str]) -> String {
        serde_json::json!({ "TWILIO_AUTH_TOKENS": keys.join(",") }).to_string()
    }

    /// Returns the settings of the webhook. It listens to messages if chats are parked.
    ///
    /// # Panics
    /// If the functions do not take the environment.
    pub fn ingest(&self) -> ingest::Settings {
        let mut settings = ingest::Settings::read_at(self.shared_environment(), None).unwrap();
        settings.table = self.table();
        settings.bus = self.bus();
        let secrets = self.aws.secrets_manager();
        settings.secrets = Secrets::stored(secrets, SECRET.to_owned(), Need::SigningKeys);
        settings
    }

    /// Returns the settings of the sweep.
    ///
    /// # Panics
    /// If the functions do not take the environment.
    pub fn sweep(&self) -> sweep::Settings {
        let mut settings = sweep::Settings::read_at(self.shared_environment(), None).unwrap();
        settings.table = self.table();
        settings.bus = self.bus();
        settings.secrets = self.credentials();
        settings
    }

    /// Returns the settings of the parking function, with these pairs and other variables.
    ///
    /// # Panics
    /// If the functions do not take the environment.
    pub fn park(&self, pairs: &str, others: &[(&str, &str)]) -> park::Settings {
        let ours = [("WEBHOOK_URL", WEBHOOK), ("PARK_TASK_CHANNELS", pairs)];
        let environment = self.environment(&[&ours, others].concat());
        let mut settings = park::Settings::read_at(environment, None).unwrap();
        settings.table = self.table();
        settings.bus = self.bus();
        settings.secrets = self.credentials();
        settings
    }

    /// Returns the pair of the chats' TaskChannel with this one, as a setting.
    pub fn pair_with(&self, inactive: Sid) -> String {
        format!("{}:{inactive}", self.project.chat_task_channel)
    }

    /// The environment of a function that remembers more where chats are parked.
    fn shared_environment(&self) -> Environment {
        let pairs = self.inactive.map(|inactive| self.pair_with(inactive));
        let parking = pairs.iter().map(|pairs| ("PARK_TASK_CHANNELS", &**pairs));
        self.environment(&parking.collect::<Vec<_>>())
    }

    fn bus(&self) -> Bus {
        Bus::new(self.aws.eventbridge(), BUS.to_owned())
    }

    fn credentials(&self) -> Secrets {
        let account = self.twilio.account();
        Secrets::fixed(TwilioSecrets {
            signing_keys: Vec::new(),
            api_key: Some((account.api_key.to_string(), account.api_secret.into())),
        })
    }

    fn environment(&self, others: &[(&str, &str)]) -> Environment {
        let account = self.twilio.account();
        let shared = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "unused"),
            ("AWS_SECRET_ACCESS_KEY", "unused"),
            ("CHANNELS_TABLE", TABLE),
            ("TWILIO_ACCOUNT_SID", account.sid.as_str()),
            ("TWILIO_AUTH_TOKENS", "replaced"),
            ("TWILIO_API_URL", TWILIO),
            ("TASKROUTER_WORKSPACE_SID", self.project.workspace.as_str()),
            ("CHAT_SERVICE_SID", self.project.chat_service.as_str()),
        ];
        shared.into_iter().chain(others.iter().copied()).collect()
    }
}
