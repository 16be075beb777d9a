//! All decisions, apart from everything that reads or writes.
//!
//! Read the files in this order: [`ids`] and [`time`] are the words, [`fact`] is what can
//! happen, [`channel`] is what it adds up to, [`queue`] is what it waits for, [`policy`] is how
//! patient we are, and [`mod@decide`] is what follows from the record alone. [`evidence`] is what
//! Twilio shows, and [`mod@verdict`] is what follows from that, by its [`mod@verdict::row`]. [`activity`] is who
//! wrote last on a channel, [`mod@parking`] and [`pairs`] are what moving its tasks needs to know.
//! [`orphan`] and [`mod@rescue`] are what is remembered of a channel without a task and of a
//! customer who was not heard. [`fuse`] is when sweeps must not write. Nothing in this crate reads
//! a clock, a socket or a variable, and no file imports one that imports it.

pub mod activity;
pub mod channel;
pub mod cleanup;
pub mod decide;
pub mod evidence;
pub mod fact;
pub mod fuse;
pub mod ids;
mod listed;
pub mod orphan;
pub mod pairs;
pub mod parking;
pub mod platform;
pub mod policy;
pub mod queue;
pub mod rescue;
pub mod time;
pub mod verdict;

pub use activity::{Activity, Author, AuthorDigest, Party};
pub use channel::{Channel, LOOK_AGAIN, Task, UNTIL_RELEASED};
pub use cleanup::{Cleanup, FailureReason, Outcome, Progress, Step};
pub use decide::{
    HeldOpen, NotRescued, ParkDecision, ReconcileDecision, RescueDecision, RescueWay, SkipReason,
    SweepDecision, decide_park, decide_reconcile, decide_rescue, decide_sweep,
};
pub use evidence::{Evidence, LastMessage, ProgramWebhooks, Question};
pub use fact::{End, Fact, FactKind, Interaction, Platform, Stage, TaskFact, TaskState};
pub use fuse::{BlownFuse, Fuse, Suspension, suspension};
pub use ids::{
    AccountSid, AddressSid, ChannelSid, ChatServiceSid, FlexFlowSid, InteractionChannelSid,
    InteractionParticipantSid, InteractionSid, InvalidSid, MessagingServiceSid, PhoneNumberSid,
    ProxyServiceSid, ProxySessionSid, SinkSid, StudioFlowSid, SubscriptionSid, SyncServiceSid,
    TaskChannelSid, TaskQueueSid, TaskSid, UserSid, WorkerSid, WorkflowSid, WorkspaceSid,
};
pub use orphan::{HeldOpenBy, Orphan};
pub use pairs::{Pair, PairFault, Pairs};
pub use parking::{MAX_ASSIGNED, ManualRequest, MessageWebhook, TaskParking, TaskPlacement};
pub use platform::{ChatState, ConversationState, InteractionStatus};
pub use policy::{Policy, PolicyFault};
pub use queue::{Cause, Idle, Queue, QueueEntry};
pub use rescue::{Rescue, RescueState};
pub use time::Timestamp;
pub use verdict::row::Row;
pub use verdict::{Verdict, unheard, verdict};
