//! What a schedule says when it is over: laws, the mutations that must break them, and totals.

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
    /// What happened, line by line, if that was asked for.
    pub trace: Vec<String>,
}
