//! The results of a schedule: laws, the mutations that must break them, and totals.

mod law;
pub(crate) mod logs;
mod mutation;
mod totals;

pub use law::{Law, Violation};
pub use mutation::Mutation;
pub use totals::Totals;

/// The result of one schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleReport {
    /// Counts of what happened.
    pub totals: Totals,
    /// The first law that was broken.
    pub violation: Option<Violation>,
    /// The trace, line by line, if it was asked for.
    pub trace: Vec<String>,
}
