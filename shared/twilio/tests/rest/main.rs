//! The REST client, against scripted answers and, for the transport, against real sockets.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod calls;
mod client;
mod conversations;
mod https;
mod lists;
mod messages;
mod moves;
mod new_tasks;
mod reconcile_lists;
mod scripted;
