//! What we think, apart from everything we touch.
//!
//! Read the files in this order: [`ids`] and [`time`] are the words, [`fact`] is what can
//! happen, [`channel`] is what it adds up to, [`policy`] is how patient we are, and
//! [`mod@decide`] is what follows; [`manual`] is what a person may do. [`talk`] is who spoke
//! last on a channel, and [`park`] is what follows from that for the agent. Nothing in this
//! crate reads a clock, a socket or a variable.

pub mod channel;
pub mod cleanup;
pub mod decide;
pub mod fact;
pub mod ids;
pub mod manual;
pub mod orphan;
pub mod park;
pub mod policy;
pub mod talk;
pub mod time;

pub use channel::{Cause, Channel, Idle, Queue, QueueEntry, Task};
pub use cleanup::{Cleanup, FailureReason, Outcome, Progress};
pub use decide::{Decision, LastStep, Reason, Remedy, Seen, decide, remedy};
pub use fact::{End, Fact, Interaction, News, Platform, Stage};
pub use ids::{
    AccountSid, AddressSid, ChannelSid, ChatServiceSid, FlexFlowSid, InteractionChannelSid,
    InteractionSid, InvalidSid, MessagingServiceSid, PhoneNumberSid, ProxyServiceSid,
    ProxySessionSid, SinkSid, StudioFlowSid, SubscriptionSid, SyncServiceSid, TaskChannelSid,
    TaskSid, WorkerSid, WorkflowSid, WorkspaceSid,
};
pub use orphan::{Held, HeldOpenBy, Orphan, Participants, SkipReason, Verdict};
pub use park::{Pair, PairFault, Pairs, TaskParking, TaskPlacement};
pub use policy::{Policy, PolicyFault};
pub use talk::{Author, AuthorDigest, Heard, Party, Word};
pub use time::Timestamp;
