//! The real binary, from its command line to its exit code.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

mod audit;
mod audit_interrupted;
mod channels;
mod connect;
mod help;
mod import;
mod input;
mod local;
mod long;
mod one_channel;
mod park_set_up;
mod parking;
mod probes;
mod reconcile;
mod rescue;
mod stack;
mod status;
mod suspension;
mod unseal;
mod world;
mod wrap_ups;
