//! Finds the channels on which customers write in vain. It needs Twilio's credentials alone, and
//! writes nothing anywhere.
//!
//! It reads TaskRouter's log and what is held open, builds the records in memory by the fold of the
//! sweep, and looks at the channels in question by the look and the rule of the sweep. So what it
//! says of a channel is what the sweep would do.
//!
//! The modules in reading order: `class` says what an open channel can be found as and why it
//! stayed open, `report` holds everything that was found, `judge` makes the one of the other,
//! `state` holds what was found so far, `order` says what is wanted, `gather`, `lists` and `channels`
//! read, `run` holds them together, `page` shows it in a browser.

mod channels;
mod class;
mod error;
mod gather;
mod judge;
mod lists;
mod order;
mod page;
mod report;
mod run;
mod state;

pub use class::{Cause, Class};
pub use error::AuditError;
pub use order::{LOG_KEPT, Order};
pub use page::page;
pub use report::{
    AgeBucket, CauseTotal, CheckupFindings, CrowdedUser, EndingTask, Finding, FoundChannel, Listed,
    MAX_CONVERSATIONS, NEAR_CONVERSATIONS, Report, Sample, Severity, SilentPart, StuckWrapUp,
    Unattended, Unheard, WouldDo,
};
pub use run::Audit;
pub use state::Phase;
