//! The start of every function: settings, clients, credentials, logs.
//!
//! A `main` reads like this: [`logs::init`], then [`settings::Environment::of_process`], from
//! which the function's settings, the [`aws::Aws`] clients, the [`secrets::Secrets`] and the
//! notice [`bus::Bus`] are taken, then one `finish` that reports every fault at once. From
//! then on the time comes from [`clock::now`] and is handed down as a value.

use std::sync::{Mutex, MutexGuard, PoisonError};

#[cfg(feature = "rest")]
pub mod access;
pub mod aws;
pub mod bus;
pub mod clock;
pub mod common;
pub mod function_url;
pub mod logs;
pub mod metrics;
pub mod seal;
pub mod secrets;
pub mod settings;
pub mod start;

#[cfg(feature = "rest")]
pub use access::{AccessError, FlexIds};
pub use aws::Aws;
pub use bus::{Bus, BusError, Notice, NoticeKind, Published};
pub use secrets::{Refreshed, Secrets, SecretsError, TwilioSecrets};
pub use settings::{Environment, SettingsError};

/// Locks a mutex. A thread that panicked while it held the lock left a value that is whole:
/// none of ours is changed in several steps.
pub fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
