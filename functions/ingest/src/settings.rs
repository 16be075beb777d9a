//! The webhook's settings, from its environment.

use std::collections::BTreeMap;

use runtime::common::{self, CommonSettings};
use runtime::secrets::{Need, Secrets};
use runtime::{Aws, Bus, Environment, SettingsError};
use store::ChannelTable;
use twilio::events::Scope;
use twilio::signature::{BasicAuth, PublicUrl};

/// Everything that the webhook works with.
#[derive(Debug)]
pub struct Settings {
    /// The channel table.
    pub table: ChannelTable,
    /// Where rejected events are reported.
    pub bus: Bus,
    /// The keys that Twilio signs with.
    pub secrets: Secrets,
    /// The account and the workspace whose events count, and the pairs between which their tasks
    /// are parked.
    pub scope: Scope,
    /// The URL as Twilio calls it, where it differs from the one that arrives.
    pub public_url: Option<PublicUrl>,
    /// The user and password of the sink's URL.
    pub basic_auth: Option<BasicAuth>,
}

impl Settings {
    /// Returns the variables that give what is remembered of an event, for the note of the
    /// last one. What is not set is empty. Secrets are not among them.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let Scope {
            account,
            workspace,
            pairs,
        } = &self.scope;
        let text = |sid: Option<String>| sid.unwrap_or_default();
        BTreeMap::from([
            (
                "TWILIO_ACCOUNT_SID".to_owned(),
                text(account.map(|sid| sid.to_string())),
            ),
            (
                "TASKROUTER_WORKSPACE_SID".to_owned(),
                text(workspace.map(|sid| sid.to_string())),
            ),
            ("PARK_TASK_CHANNELS".to_owned(), pairs.to_string()),
        ])
    }

    /// Reads the settings. The environment says how AWS is reached, unless that is known already.
    ///
    /// # Errors
    ///
    /// Fails with every missing or malformed variable, by name.
    pub fn read_at(mut environment: Environment, aws: Option<Aws>) -> Result<Self, SettingsError> {
        let common = CommonSettings::read(&mut environment, Need::SigningKeys, aws);
        let workspace = environment.optional("TASKROUTER_WORKSPACE_SID");
        let public_url = environment
            .optional::<String>("WEBHOOK_URL")
            .and_then(|url| {
                PublicUrl::parse(&url)
                    .map_err(|why| environment.malformed("WEBHOOK_URL", why))
                    .ok()
            });
        let basic_auth = environment
            .optional::<String>("WEBHOOK_BASIC_AUTH")
            .and_then(|text| {
                BasicAuth::parse(&text)
                    .map_err(|why| environment.malformed("WEBHOOK_BASIC_AUTH", why))
                    .ok()
            });
        let pairs = common::park_pairs(&mut environment);
        environment.finish(|| {
            let CommonSettings {
                aws,
                table,
                bus,
                account,
                secrets,
            } = common?;
            Some(Self {
                table: ChannelTable::reached_by(move || aws.dynamodb(), table),
                bus,
                secrets,
                scope: Scope {
                    account: Some(account.sid),
                    workspace,
                    pairs: pairs?,
                },
                public_url,
                basic_auth,
            })
        })
    }
}
