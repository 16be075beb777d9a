//! What every function starts with.
//!
//! A `main` reads like this: [`logs::init`], then [`settings::Environment::of_process`], from
//! which the function's settings, the [`aws::Aws`] clients, the [`secrets::Secrets`] and the
//! notice [`bus::Bus`] are taken, then one `finish` that reports every fault at once. From
//! then on the time comes from [`clock::now`] and is handed down as a value.

pub mod aws;
pub mod bus;
pub mod clock;
pub mod common;
pub mod logs;
pub mod metrics;
pub mod seal;
pub mod secrets;
pub mod settings;
pub mod start;

pub use aws::Aws;
pub use bus::{Bus, BusError, Notice, NoticeKind, Published};
pub use secrets::{Refreshed, Secrets, SecretsError, TwilioSecrets};
pub use settings::{Environment, SettingsError};
