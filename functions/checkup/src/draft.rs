//! Collects the repairs of a plan: however much is wrong with a Flex Flow or a number, it is
//! changed once.

use std::collections::BTreeMap;

use domain::{FlexFlowSid, PhoneNumberSid, StudioFlowSid};
use twilio::rest::setup::{FlexFlow, NumberChange, PhoneNumber};

use crate::expectations::Expectations;
use crate::repair::Repair;
use crate::snapshot::Snapshot;
use crate::subject::Subject;

/// A finding is about something in the snapshot that it was made from.
pub(crate) const VANISHED: &str = "it is not in the snapshot";

/// The repairs that rules have asked for so far.
pub(crate) struct Draft<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) wanted: &'a Expectations,
    /// The Studio flow that messages are to take, if the operator named one.
    pub(crate) message_flow: Option<StudioFlowSid>,
    /// The Studio flow that calls are to take, if the operator named one.
    pub(crate) voice_flow: Option<StudioFlowSid>,
    flex_flows: BTreeMap<FlexFlowSid, FlexFlowChange>,
    numbers: BTreeMap<PhoneNumberSid, (PhoneNumber, Vec<NumberChange>)>,
    others: Vec<Repair>,
}

struct FlexFlowChange {
    before: FlexFlow,
    after: FlexFlow,
    does: Vec<String>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(
        snapshot: &'a Snapshot,
        wanted: &'a Expectations,
        message_flow: Option<StudioFlowSid>,
        voice_flow: Option<StudioFlowSid>,
    ) -> Self {
        Self {
            snapshot,
            wanted,
            message_flow,
            voice_flow,
            flex_flows: BTreeMap::new(),
            numbers: BTreeMap::new(),
            others: Vec::new(),
        }
    }

    /// Changes the Flex Flow that a finding is about. `does` says how, in words.
    pub(crate) fn change_flex_flow(
        &mut self,
        subject: &Subject,
        does: String,
        change: impl FnOnce(&mut FlexFlow),
    ) -> Result<(), &'static str> {
        let flows = self.snapshot.flex_flows.as_deref().unwrap_or_default();
        let before = flows
            .iter()
            .find(|flow| Subject::FlexFlow(flow.sid) == *subject)
            .ok_or(VANISHED)?;
        let entry = self.flex_flows.entry(before.sid);
        let entry = entry.or_insert_with(|| FlexFlowChange {
            before: before.clone(),
            after: before.clone(),
            does: Vec::new(),
        });
        change(&mut entry.after);
        entry.does.push(does);
        Ok(())
    }

    /// Changes the phone number that a finding is about.
    pub(crate) fn change_number(
        &mut self,
        subject: &Subject,
        change: NumberChange,
    ) -> Result<(), &'static str> {
        let before = self.number(subject)?;
        let entry = self.numbers.entry(before.sid);
        let (_, changes) = entry.or_insert_with(|| (before.clone(), Vec::new()));
        changes.push(change);
        Ok(())
    }

    /// Returns the phone number that a finding is about.
    pub(crate) fn number(&self, subject: &Subject) -> Result<&'a PhoneNumber, &'static str> {
        let numbers = self.snapshot.numbers.as_deref().unwrap_or_default();
        numbers
            .iter()
            .find(|number| Subject::Number(number.sid) == *subject)
            .ok_or(VANISHED)
    }

    /// Adds a repair of anything else.
    pub(crate) fn add(&mut self, repair: Repair) {
        self.others.push(repair);
    }

    /// Returns the repairs in the order in which they are made: Flex Flows first, so that a
    /// number leads to what is already right.
    pub(crate) fn into_repairs(self) -> Vec<Repair> {
        let flex_flows = self
            .flex_flows
            .into_values()
            .map(|change| Repair::FlexFlow {
                before: Box::new(change.before),
                after: Box::new(change.after),
                does: change.does,
            });
        let numbers = self.numbers.into_values();
        let numbers = numbers.map(|(before, changes)| Repair::Number { before, changes });
        flex_flows.chain(self.others).chain(numbers).collect()
    }
}
