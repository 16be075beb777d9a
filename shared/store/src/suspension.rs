//! A person's stop and the fuse, as notes.
//!
//! They are two notes, because the last writer of a note wins: a sweep that notes what it wrote
//! must never write over a stop.

use domain::{Fuse, Suspension, Timestamp, suspension};

use crate::error::StoreError;
use crate::table::ChannelTable;

/// The note of a person's stop: the moment, or nothing once the sweeps were resumed.
const STOP: &str = "stop";

/// The note of the fuse.
const FUSE: &str = "fuse";

impl ChannelTable {
    /// Returns since when a person has stopped the sweeps, if one has.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be read.
    pub async fn stopped_since(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.note::<Option<Timestamp>>(STOP).await?.flatten())
    }

    /// Stops the sweeps, until [`Self::resume`]. A stop that is in force keeps its beginning.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be read or written.
    pub async fn stop(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let since = self.stopped_since().await?.unwrap_or(now);
        self.keep_note(STOP, &Some(since)).await?;
        Ok(since)
    }

    /// Ends a person's stop, and puts in a new fuse that has counted nothing.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be written.
    pub async fn resume(&self) -> Result<(), StoreError> {
        self.keep_note(FUSE, &Fuse::default()).await?;
        self.keep_note(STOP, &None::<Timestamp>).await
    }

    /// Returns the fuse.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be read.
    pub async fn fuse(&self) -> Result<Fuse, StoreError> {
        Ok(self.note(FUSE).await?.unwrap_or_default())
    }

    /// Writes the fuse.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be written.
    pub async fn set_fuse(&self, fuse: &Fuse) -> Result<(), StoreError> {
        self.keep_note(FUSE, fuse).await
    }

    /// Returns the reason why sweeps only observe now, if there is one.
    ///
    /// # Errors
    ///
    /// Fails if the table cannot be read.
    pub async fn suspension(&self, now: Timestamp) -> Result<Option<Suspension>, StoreError> {
        let stopped = self.stopped_since().await?;
        Ok(suspension(stopped, &self.fuse().await?, now))
    }
}
