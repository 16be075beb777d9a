//! Twilio's dialects: what it sends us, how it proves that it was Twilio, and how it wants to
//! be asked.
//!
//! Read [`signature`] first (nothing is read before it), then [`events`], which turns what
//! Twilio says into [`domain::Fact`]s. [`attributes`] and [`task_attributes`] change a value or
//! two in a text that belongs to others. `rest`, behind the feature of that name, is the client.
//!
//! Everything that comes from Twilio carries customers' words, names and numbers. None of it
//! leaves this crate but SIDs, times and states, and no type here shows it when printed.

pub mod attributes;
pub mod author;
pub mod events;
mod json;
#[cfg(feature = "rest")]
pub mod rest;
pub mod signature;
mod splice;
pub mod task_attributes;
mod when;
