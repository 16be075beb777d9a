//! The settings of the scheduled checkup.

use runtime::common::{CommonSettings, TwilioAccount};
use runtime::secrets::{Need, Secrets};
use runtime::{Aws, Bus, Environment, SettingsError};
use store::ChannelTable;

use crate::expectations::Expectations;

/// The settings of the scheduled checkup.
#[derive(Debug)]
pub struct Settings {
    /// The table in which the last run is remembered.
    pub table: ChannelTable,
    /// The bus on which findings are published.
    pub bus: Bus,
    /// The credentials for Twilio.
    pub secrets: Secrets,
    /// The Twilio account.
    pub account: TwilioAccount,
    /// The expectations of the set-up.
    pub wanted: Expectations,
}

impl Settings {
    /// Reads the settings. The environment says how AWS is reached, unless that is known already.
    ///
    /// # Errors
    ///
    /// Fails with every missing or malformed variable, by name.
    pub fn read_at(mut environment: Environment, aws: Option<Aws>) -> Result<Self, SettingsError> {
        let common = CommonSettings::read(&mut environment, Need::Rest, aws);
        let wanted = Expectations::read(&mut environment);
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
                account,
                wanted,
            })
        })
    }
}
