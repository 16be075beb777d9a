//! Reads the settings of every function that runs here.

use runtime::settings::Fault;
use runtime::{Aws, Environment, SettingsError};

/// The settings of each function.
pub(super) struct AllSettings {
    pub(super) ingest: ingest::Settings,
    pub(super) sweep: sweep::Settings,
    pub(super) checkup: checkup::Settings,
    /// Absent where there are no TaskChannels for parked chats.
    pub(super) park: Option<park::Settings>,
}

impl AllSettings {
    /// Reads all of them, so that the faults of every function are told at once.
    ///
    /// # Errors
    /// Fails with every fault that was found, each once.
    pub(super) fn read(environment: &Environment, aws: &Aws) -> Result<Self, SettingsError> {
        let (variables, aws) = (|| environment.clone(), || Some(aws.clone()));
        let ingest = ingest::Settings::read_at(variables(), aws());
        let sweep = sweep::Settings::read_at(variables(), aws());
        let checkup = checkup::Settings::read_at(variables(), aws());
        let parks = environment.is_set("PARK_TASK_CHANNELS");
        let park = parks.then(|| park::Settings::read_at(variables(), aws()));
        let park = park.transpose();
        match (ingest, sweep, checkup, park) {
            (Ok(ingest), Ok(sweep), Ok(checkup), Ok(park)) => Ok(Self {
                ingest,
                sweep,
                checkup,
                park,
            }),
            (ingest, sweep, checkup, park) => {
                let errors = [ingest.err(), sweep.err(), checkup.err(), park.err()];
                let mut faults: Vec<Fault> = Vec::new();
                for fault in errors.into_iter().flatten().flat_map(|error| error.faults) {
                    if !faults.contains(&fault) {
                        faults.push(fault);
                    }
                }
                Err(SettingsError { faults })
            }
        }
    }
}
