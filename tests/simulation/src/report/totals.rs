//! Totals of what happened.

use std::collections::BTreeMap;
use std::ops::AddAssign;

/// Totals of one schedule or of many.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Schedules played.
    pub schedules: u64,
    /// For each channel, the days from its creation to the end of its schedule.
    pub channel_days: f64,
    /// Channels that came into being.
    pub channels: u64,
    /// Events that happened at Twilio.
    pub events: u64,
    /// Webhook requests, repeated ones included.
    pub webhooks: u64,
    /// Sweeps begun.
    pub sweeps: u64,
    /// Requests to Twilio and to AWS.
    pub requests: u64,
    /// Reconciliations begun.
    pub reconciliations: u64,
    /// Channels of which the log knew more than the table.
    pub new_from_log: u64,
    /// Channels that were taken up as orphans.
    pub orphans: u64,
    /// Records written.
    pub records: u64,
    /// Channels closed for good by a sweep's write.
    pub closes: u64,
    /// Conversations closed by a sweep's write, or along with their interaction.
    pub conversations_closed: u64,
    /// Long-lived channels released by a sweep's write.
    pub releases: u64,
    /// Tasks moved to the TaskChannel of parked ones.
    pub parked: u64,
    /// Parked tasks moved back.
    pub returned: u64,
    /// Runs of the parking function.
    pub parking_runs: u64,
    /// Notices taken by the bus.
    pub notices: u64,
    /// Messages of customers that no agent will ever see.
    pub lost_messages: u64,
    /// Whatever else is counted: faults, crashes, races, by name.
    pub counts: BTreeMap<&'static str, u64>,
    /// The longest of each kind, in milliseconds.
    pub longest: BTreeMap<&'static str, i64>,
}

impl Totals {
    pub(crate) fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    pub(crate) fn at_most(&mut self, name: &'static str, millis: i64) {
        let longest = self.longest.entry(name).or_default();
        *longest = (*longest).max(millis);
    }
}

impl AddAssign<&Self> for Totals {
    fn add_assign(&mut self, other: &Self) {
        self.schedules += other.schedules;
        self.channel_days += other.channel_days;
        self.channels += other.channels;
        self.events += other.events;
        self.webhooks += other.webhooks;
        self.sweeps += other.sweeps;
        self.records += other.records;
        self.closes += other.closes;
        self.conversations_closed += other.conversations_closed;
        self.requests += other.requests;
        self.reconciliations += other.reconciliations;
        self.new_from_log += other.new_from_log;
        self.orphans += other.orphans;
        self.releases += other.releases;
        self.parked += other.parked;
        self.returned += other.returned;
        self.parking_runs += other.parking_runs;
        self.notices += other.notices;
        self.lost_messages += other.lost_messages;
        for (name, count) in &other.counts {
            *self.counts.entry(name).or_default() += count;
        }
        for (name, millis) in &other.longest {
            self.at_most(name, *millis);
        }
    }
}
