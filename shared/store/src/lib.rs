//! The channel table: one item per channel, one sparse index of what waits.
//!
//! Every write is *read, fold, write if no other writer has*. The condition is on `version`,
//! which is not a counter but the digest of the rest of the item. That has three uses:
//!
//! * the item is a function of the facts alone, so that the same events in any order, however
//!   repeated and batched, end in the same table, byte for byte;
//! * a write that changes nothing is recognised before it is sent;
//! * a failed condition whose stored digest is the one that we meant to write is our own
//!   earlier write, whose answer was lost on the way: success.
//!
//! A digest can come back where a counter cannot, but only together with the content that it
//! stands for, and then what was folded from that content is right again.

mod error;
mod events;
mod item;
mod last_run;
mod listing;
mod notes;
mod partition;
mod quota;
mod schema;
mod suspension;
mod table;
mod test_event;

pub use error::StoreError;
pub use events::{ChannelEvents, Folded};
pub use last_run::{Job, LastRun};
pub use notes::NOTE_PREFIX;
pub use partition::{Due, PARTITIONS_OF_A_QUEUE};
pub use quota::Quota;
pub use schema::{DUE_INDEX, KEY, TTL_ATTRIBUTE, create_table};
pub use table::{ChannelTable, MAX_FROM_EACH_END, Saved, Versioned};
pub use test_event::TestEvent;
