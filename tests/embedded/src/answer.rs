//! Answers of the services, and the lock that they share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Answer of a service.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) units: f64,
}

impl Answer {
    pub(crate) fn ok(body: String) -> Self {
        Self {
            status: 200,
            body,
            units: 0.0,
        }
    }

    /// Returns an error as the JSON protocols of AWS write it.
    pub(crate) fn error(status: u16, kind: &str, message: &str) -> Self {
        let body = serde_json::json!({ "__type": kind, "message": message }).to_string();
        Self {
            status,
            body,
            units: 0.0,
        }
    }
}

/// Locks even after a panic elsewhere: the maps inside are never left half changed, and a
/// test that failed should fail for its own reason.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
