//! The count of messages that reached an agent only because their channel was closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A count of messages; a clone is the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Saved(Arc<AtomicUsize>);

impl Saved {
    /// Goes on with a count.
    pub(super) fn of(count: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(count)))
    }

    /// Returns the count.
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Counts one more.
    pub(super) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
