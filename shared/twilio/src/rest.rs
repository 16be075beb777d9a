//! Asking Twilio, and telling it.
//!
//! [`Client`] makes the calls, patiently and in step with what Twilio can take; the other
//! modules add the calls of one product each to it. [`chat_closer`] puts them together into
//! the closing of a Chat channel.
//!
//! Answers are as untrusted as webhooks: their size, their number of pages and their types
//! are bounded, no redirect is followed, no address in them is called, and every path is
//! built from SIDs that were checked.

mod base;
mod chat;
pub mod chat_closer;
mod client;
mod error;
mod flex;
mod pace;
mod proxy;
mod taskrouter;
mod transport;

pub use base::{Hosts, InvalidHosts};
pub use chat::ChatChannel;
pub use client::{Client, Credentials, InvalidCredentials, Limits, Stats};
pub use error::{TwilioError, Why};
pub use flex::FlexConfiguration;
pub use proxy::{Removed, SessionStatus};
pub use taskrouter::CHANNELS_PER_QUESTION;
pub use transport::{Https, InvalidTls, LONGEST_ANSWER, Transport, TransportError};
