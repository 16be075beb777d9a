//! Asking Twilio, and telling it.
//!
//! [`Client`] makes the calls, patiently and in step with what Twilio can take; the other
//! modules add the calls of one product each to it. Lists that may be too long for one go are
//! read page by page, from [`Cursor`] to [`Cursor`].
//! [`setup`] reads and writes how an account is set up.
//!
//! Answers are as untrusted as webhooks: their size, their number of pages and their types
//! are bounded, no redirect is followed, no address in them is called, and every path is
//! built from SIDs that were checked.

mod chat;
mod client;
mod conversations;
mod flex;
mod inspect;
mod interactions;
mod log;
mod messages;
mod moves;
mod new_tasks;
mod participants;
mod proxy;
pub mod setup;
mod sync;
mod taskrouter;
mod tokens;
mod users;
mod webhooks;

pub use chat::ChatChannel;
pub use client::base::{Hosts, InvalidHosts, Product};
pub use client::error::{TwilioError, Why};
pub use client::page::{Cursor, ListFailure, Page};
pub use client::transport::{Https, InvalidTls, MAX_ANSWER, Transport, TransportError};
pub use client::{Client, Credentials, InvalidCredentials, Limits, Stats};
pub use conversations::{ConversationFilter, ConversationSeen, StateAnswer, StateFilter};
pub use flex::FlexConfiguration;
pub use log::{LogPage, LogQuery};
pub use moves::{Load, Move, TaskVersion};
pub use new_tasks::{TaskModel, TaskModelAnswer};
pub use proxy::{OpenSession, Removed, SessionStatus};
pub use sync::DocumentPage;
pub use taskrouter::{CHANNELS_PER_QUESTION, RefusedOperators};
pub use tokens::{FlexUser, MAX_TOKEN, Role, TokenBearer, is_token_like};
pub use users::ChatUser;
pub use webhooks::{MAX_WEBHOOKS, WebhookState};
