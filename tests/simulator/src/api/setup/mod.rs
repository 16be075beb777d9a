//! Routes for an audit of the set-up: numbers, messaging services, addresses, Studio flows, documents and tokens.

pub(super) mod addresses;
pub(super) mod iam;
pub(super) mod messaging;
pub(super) mod numbers;
pub(super) mod studio;
pub(super) mod sync;
