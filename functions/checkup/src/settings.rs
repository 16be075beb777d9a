//! The settings of the scheduled checkup.

use runtime::common::{self, TwilioAccount};
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
    /// Reads the settings.
    ///
    /// # Errors
    ///
    /// Fails with every missing or malformed variable, by name.
    pub fn read(mut environment: Environment) -> Result<Self, SettingsError> {
        let aws = Aws::from_environment(&mut environment);
        Self::read_at(environment, aws)
    }

    /// Reads the settings, for an AWS that is known already.
    ///
    /// # Errors
    ///
    /// Fails with every missing or malformed variable, by name.
    pub fn read_at(mut environment: Environment, aws: Option<Aws>) -> Result<Self, SettingsError> {
        let table = common::channels_table(&mut environment);
        let bus = common::notice_bus(&mut environment, aws.as_ref());
        let account = common::twilio_account(&mut environment);
        let secrets = Secrets::from_environment(&mut environment, aws.as_ref(), Need::Rest);
        let wanted = Expectations::read(&mut environment);
        environment.finish(|| {
            let aws = aws?;
            Some(Self {
                table: ChannelTable::reached_by(move || aws.dynamodb(), table?),
                bus: bus?,
                secrets: secrets?,
                account: account?,
                wanted,
            })
        })
    }
}
