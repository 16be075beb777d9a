//! `janitor demo`, `janitor local` and the data folder: the real functions against a simulated
//! Twilio and an embedded DynamoDB, on one machine and without an account.

mod clock;
pub mod demo;
mod folder;
pub mod local;
mod open;

use std::sync::Arc;

use twilio::rest::{Https, Transport};

pub use open::{OpenFolder, open};

/// Name of the sink and the subscription in the simulated Twilio: that of `janitor connect`.
pub const SINK_DESCRIPTION: &str = "Channel Janitor";

/// Longest run of a sweep, as deployed.
const SWEEP_TIME: std::time::Duration = std::time::Duration::from_secs(840);

fn transport() -> anyhow::Result<Arc<dyn Transport>> {
    Ok(Arc::new(Https::new()?))
}
