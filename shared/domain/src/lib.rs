//! All decisions, apart from everything that reads or writes.
//!
//! Read the files in this order: [`ids`] and [`time`] are the words, [`fact`] is what can
//! happen, [`channel`] is what it adds up to, [`policy`] is how patient we are, and
//! [`mod@decide`] is what follows. [`activity`] is who wrote last on a channel, [`mod@parking`]
//! and [`pairs`] are what moving its tasks needs to know. [`fuse`] is when sweeps must not
//! write. Nothing in this crate reads a clock, a socket or a variable.

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
pub mod rescue;
pub mod time;
pub mod verdict;

pub use activity::{Activity, Author, AuthorDigest, Party};
pub use channel::{Cause, Channel, Idle, LOOK_AGAIN, Queue, QueueEntry, Task, UNTIL_RELEASED};
pub use cleanup::{Cleanup, FailureReason, Outcome, Progress, Step};
pub use decide::{ParkDecision, SweepDecision, decide_park, decide_sweep};
pub use evidence::{Evidence, LastMessage, ProgramWebhooks, Question};
pub use fact::{End, Fact, FactKind, Interaction, Platform, Stage, TaskFact, TaskState};
pub use fuse::{BlownFuse, Fuse, Suspension, suspension};
pub use ids::{
    AccountSid, AddressSid, ChannelSid, ChatServiceSid, FlexFlowSid, InteractionChannelSid,
    InteractionParticipantSid, InteractionSid, InvalidSid, MessagingServiceSid, PhoneNumberSid,
    ProxyServiceSid, ProxySessionSid, SinkSid, StudioFlowSid, SubscriptionSid, SyncServiceSid,
    TaskChannelSid, TaskQueueSid, TaskSid, UserSid, WorkerSid, WorkflowSid, WorkspaceSid,
};
pub use orphan::{HeldOpen, HeldOpenBy, Orphan, ReconcileDecision, SkipReason};
pub use pairs::{Pair, PairFault, Pairs};
pub use parking::{MAX_ASSIGNED, ManualRequest, MessageWebhook, TaskParking, TaskPlacement};
pub use platform::{ChatState, ConversationState, InteractionStatus};
pub use policy::{Policy, PolicyFault};
pub use rescue::{NotRescued, Rescue, RescueDecision, RescueState, RescueWay, decide_rescue};
pub use time::Timestamp;
pub use verdict::{Row, Verdict, unheard, verdict};
