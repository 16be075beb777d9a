//! The reader of the lists, and the obstacles to it.

use domain::{ChatServiceSid, Timestamp, WorkspaceSid};
use runtime::clock::Watch;
use store::StoreError;
use twilio::rest::{Client, ListFailure, TwilioError};

use super::report::Found;
use crate::Sweep;
use crate::open_tasks::OpenTasks;

/// Reads the lists.
pub(super) struct Lister<'a> {
    pub(super) sweep: &'a Sweep,
    pub(super) twilio: &'a Client,
    pub(super) workspace: WorkspaceSid,
    pub(super) service: ChatServiceSid,
    /// The open tasks, once they are listed.
    pub(super) open_tasks: Option<OpenTasks>,
    pub(super) watch: Watch,
    pub(super) writes: bool,
    /// The moment since which the webhook is known to work, if it is.
    pub(super) webhook_since: Option<Timestamp>,
    pub(super) found: &'a (dyn Fn(Found) + Send + Sync),
}

/// An obstacle to reading a page.
pub(super) enum ReadError {
    List(ListFailure),
    Table(StoreError),
}

impl From<ListFailure> for ReadError {
    fn from(failure: ListFailure) -> Self {
        Self::List(failure)
    }
}

impl From<TwilioError> for ReadError {
    fn from(error: TwilioError) -> Self {
        Self::List(error.into())
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Table(error)
    }
}
