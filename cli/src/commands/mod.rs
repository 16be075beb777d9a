//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod checkup;
pub(crate) mod close;
pub(crate) mod complete;
pub(crate) mod connect;
pub(crate) mod delete;
pub(crate) mod explain;
pub(crate) mod hold;
pub(crate) mod import;
pub(crate) mod list;
pub(crate) mod park;
pub(crate) mod reconcile;
pub(crate) mod reopen;
pub(crate) mod replay;
pub(crate) mod rescue;
pub(crate) mod retry;
pub(crate) mod shell;
pub(crate) mod status;
pub(crate) mod sweep;
pub(crate) mod unseal;
