//! The Studio flows that contacts take, and the ways by which they come in.

use std::collections::{BTreeMap, BTreeSet};

use domain::StudioFlowSid;
use twilio::rest::setup::{Kind, SendToFlex, StudioFlow, Widget};

use super::chat::ChatEntries;
use super::routes::{Way, follows_url};
use crate::draft::Draft;
use crate::snapshot::{Snapshot, Unavailable, available};
use crate::subject::Subject;

/// A way into a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    /// A message of Programmable Chat.
    Message,
    /// A message of a Conversation.
    Conversation,
    /// A call.
    Call,
}

impl Entry {
    /// Returns the trigger's event.
    pub(super) const fn event(self) -> &'static str {
        match self {
            Self::Message => "incomingMessage",
            Self::Conversation => "incomingConversationMessage",
            Self::Call => "incomingCall",
        }
    }
}

/// Returns the flows that contacts take, and the ways by which they come in.
fn used(snapshot: &Snapshot) -> Result<BTreeMap<StudioFlowSid, BTreeSet<Entry>>, Unavailable> {
    let mut used: BTreeMap<StudioFlowSid, BTreeSet<Entry>> = BTreeMap::new();
    let mut add = |flow: Option<StudioFlowSid>, entry| {
        if let Some(flow) = flow {
            used.entry(flow).or_default().insert(entry);
        }
    };
    let entries = ChatEntries::of(snapshot)?;
    for flow in available(&snapshot.flex_flows)? {
        if flow.enabled && flow.kind == Some(Kind::Studio) && entries.lead_to(flow) {
            add(flow.integration.flow.target(), Entry::Message);
        }
    }
    for address in available(&snapshot.addresses)? {
        let creation = &address.auto_creation;
        if creation.enabled && creation.kind == "studio" {
            add(creation.flow.target(), Entry::Conversation);
        }
    }
    for number in available(&snapshot.numbers)? {
        if follows_url(number)
            && let Way::Studio(flow) = Way::of(number.voice_url.as_deref(), snapshot.account)
        {
            add(Some(flow), Entry::Call);
        }
    }
    Ok(used)
}

/// Returns the flows that exist and that contacts take.
pub(super) fn in_use(
    snapshot: &Snapshot,
) -> Result<Vec<(&StudioFlow, BTreeSet<Entry>)>, Unavailable> {
    let flows = available(&snapshot.studio_flows)?;
    let used = used(snapshot)?.into_iter();
    Ok(used
        .filter_map(|(flow, entries)| Some((flows.get(&flow)?, entries)))
        .collect())
}

/// Returns the widgets that a contact who comes in by this way may meet.
pub(super) fn reached(flow: &StudioFlow, entry: Entry) -> Vec<&Widget> {
    let trigger = flow.widgets.iter().find(|widget| widget.kind == "trigger");
    let by_name: BTreeMap<&str, &Widget> = flow
        .widgets
        .iter()
        .map(|widget| (widget.name.as_str(), widget))
        .collect();
    let transitions = trigger.map(|trigger| trigger.transitions.as_slice());
    let mut next: Vec<&str> = transitions
        .unwrap_or_default()
        .iter()
        .filter(|way| way.event == entry.event())
        .filter_map(|way| way.next.as_deref())
        .collect();
    let mut met: BTreeMap<&str, &Widget> = BTreeMap::new();
    while let Some(name) = next.pop() {
        let Some(widget) = by_name.get(name) else {
            continue;
        };
        if met.insert(name, widget).is_none() {
            next.extend(
                widget
                    .transitions
                    .iter()
                    .filter_map(|way| way.next.as_deref()),
            );
        }
    }
    met.into_values().collect()
}

/// Returns the Studio flow that contacts of this kind are to take: the one that the operator
/// chose, or the only one that takes them.
pub(super) fn choose_flow(draft: &Draft<'_>, entry: Entry) -> Result<StudioFlowSid, &'static str> {
    let flows = draft.snapshot.studio_flows.as_ref();
    let flows = flows.map_err(|_| "the Studio flows could not be read")?;
    let fits =
        |flow: &&StudioFlow| flow.is_published() && flow.valid != Some(false) && takes(flow, entry);
    let mut fitting = flows.values().filter(fits).map(|flow| flow.sid);
    let (chosen, none, many) = match entry {
        Entry::Message | Entry::Conversation => (
            draft.message_flow,
            "no published Studio flow takes them to Flex",
            "several Studio flows take them to Flex: choose one with --studio-flow",
        ),
        Entry::Call => (
            draft.voice_flow,
            "no published Studio flow takes calls to Flex",
            "several Studio flows take calls to Flex: choose one with --voice-flow",
        ),
    };
    match chosen {
        Some(chosen) if fitting.any(|sid| sid == chosen) => Ok(chosen),
        Some(_) => Err(
            "the chosen Studio flow does not exist, is not published, or does not take them to Flex",
        ),
        None => match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (Some(_), Some(_)) => Err(many),
            (None, _) => Err(none),
        },
    }
}

/// Returns true if a flow hands contacts that come in by this way over to Flex.
pub(super) fn takes(flow: &StudioFlow, entry: Entry) -> bool {
    let mut widgets = reached(flow, entry).into_iter();
    widgets.any(|widget| widget.send_to_flex.is_some())
}

/// A Send to Flex widget, and the ways by which it is met.
pub(super) type Handover<'a> = (Subject, &'a SendToFlex, BTreeSet<Entry>);

/// Returns the Send to Flex widgets that contacts meet. What is wrong with a flow that no contact
/// takes does no harm.
pub(super) fn handovers(snapshot: &Snapshot) -> Result<Vec<Handover<'_>>, Unavailable> {
    let mut handovers = Vec::new();
    for (flow, entries) in in_use(snapshot)? {
        let met: Vec<(Entry, Vec<&Widget>)> = entries
            .iter()
            .map(|entry| (*entry, reached(flow, *entry)))
            .collect();
        for widget in &flow.widgets {
            let Some(handover) = &widget.send_to_flex else {
                continue;
            };
            let by: BTreeSet<Entry> = met
                .iter()
                .filter(|(_, widgets)| widgets.iter().any(|one| one.name == widget.name))
                .map(|(entry, _)| *entry)
                .collect();
            if !by.is_empty() {
                handovers.push((Subject::widget(flow.sid, &widget.name), handover, by));
            }
        }
    }
    Ok(handovers)
}
