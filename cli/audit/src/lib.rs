//! Finds the channels on which customers write in vain. It needs Twilio's credentials alone, and
//! writes nothing anywhere.
//!
//! The modules in reading order: `class` says what an open channel can be found as and why it
//! stayed open, `report` holds everything that was found,
//! `page` shows it in a browser.

mod class;
mod page;
mod report;

pub use class::{Cause, Class};
pub use page::page;
pub use report::{
    AgeBucket, CauseTotal, CheckupFindings, CrowdedUser, EndingTask, Finding, FoundChannel, Listed,
    MAX_CONVERSATIONS, NEAR_CONVERSATIONS, Report, Sample, Severity, SilentPart, StuckWrapUp,
    Unattended, Unheard, WouldDo,
};
