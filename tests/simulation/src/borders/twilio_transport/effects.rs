//! Writes of a sweep, held against the oracle before they have their effect.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use simulator::state::attributes;
use simulator::state::chat::ChannelChange;
use simulator::{Sid, Webhooks};

use crate::oracle::{Closing, Race, Write};
use crate::report::Violation;
use crate::shared::Shared;

use super::TwilioTransport;
use super::request::Thing;

impl TwilioTransport {
    /// A Chat channel is written to or deleted.
    pub(crate) fn write(&self, run: u32, channel: &str, request: &Request<Bytes>) {
        let Ok(sid) = channel.parse::<Sid>() else {
            return;
        };
        let form = form_of(request);
        let present = {
            let state = self.shared.twilio.state();
            state.channel(sid).map(|channel| channel.attributes.clone())
        };
        let write = Write {
            channel,
            attributes: form.get("Attributes").map(String::as_str),
            asks_for_webhooks: asks_for_webhooks(request),
            open: &self.open_tasks_on(sid),
            present: present.as_deref(),
        };
        let now = self.shared.now();
        let checked = self.shared.lock().oracle.written(run, now, &write);
        self.check_races(checked);
        let mut inner = self.shared.lock();
        if write.attributes.is_some_and(|text| text.contains("true")) {
            inner.totals.releases += 1;
        } else {
            inner.totals.closes += 1;
        }
        inner.trace(now, || {
            format!("run {run} writes to {channel}: {:?}", write.attributes)
        });
    }

    /// An interaction channel or its conversation is closed.
    pub(crate) fn close(
        &self,
        run: u32,
        thing: Thing,
        conversation: &str,
        request: &Request<Bytes>,
    ) {
        let Ok(sid) = conversation.parse::<Sid>() else {
            return;
        };
        let form = form_of(request);
        let fields: Vec<(&str, &str)> = form.iter().map(|(k, v)| (&**k, &**v)).collect();
        let closing = Closing {
            conversation,
            interaction: thing == Thing::InteractionChannel,
            fields: &fields,
            asks_for_webhooks: asks_for_webhooks(request),
            open: &self.open_tasks_on(sid),
        };
        let now = self.shared.now();
        let checked = self.shared.lock().oracle.closed(run, now, &closing);
        self.check_races(checked);
        let mut inner = self.shared.lock();
        if thing == Thing::Conversation {
            inner.totals.conversations_closed += 1;
        }
        inner.trace(now, || {
            format!("run {run} closes {thing:?} of {conversation}")
        });
    }

    pub(crate) fn end_session(&self, run: u32, session: &str) {
        let Ok(sid) = session.parse::<Sid>() else {
            return;
        };
        let channel = {
            let state = self.shared.twilio.state();
            let session = state.session(sid);
            let name = session.and_then(|session| session.unique_name.clone());
            name.and_then(|name| name.get(..34)?.parse::<Sid>().ok())
        };
        let Some(channel) = channel else { return };
        let (now, open) = (self.shared.now(), self.open_tasks_on(channel));
        let channel = channel.to_string();
        let checked = self.shared.lock().oracle.live(run, now, &channel, &open);
        self.shared
            .trace(|| format!("run {run} ends the session of {channel}"));
        let mut inner = self.shared.lock();
        match checked {
            Ok(races) if races.is_empty() => inner.totals.count("sessions ended"),
            Ok(_) => inner.totals.count("session ended under a new task"),
            Err(violation) => {
                drop(inner);
                self.shared.check(Err(violation));
            }
        }
    }

    /// Lets other software write to the channel that was read just now.
    pub(crate) fn meddle(&self, channel: &str) {
        let chance = self.shared.script.meddling;
        let number = {
            let faults = &mut self.shared.lock().faults;
            if faults.faultless || !faults.happens(chance) {
                return;
            }
            faults.rng.u32(..)
        };
        if let Ok(sid) = channel.parse::<Sid>() {
            add_foreign_note(&self.shared, sid, number);
        }
    }

    /// Returns whether a program has a webhook on a channel.
    pub(super) fn has_program(&self, channel: &str) -> bool {
        let state = self.shared.twilio.state();
        let Ok(sid) = channel.parse::<Sid>() else {
            return false;
        };
        let webhooks = state.webhooks_of(sid).unwrap_or_default().iter();
        let mut programs = webhooks.filter(|webhook| webhook.kind != "studio");
        programs.any(|webhook| webhook.target.url.as_deref() != Some(world::WEBHOOK))
    }

    pub(super) fn open_tasks_on(&self, channel: Sid) -> Vec<String> {
        let state = self.shared.twilio.state();
        let open = state.open_tasks_on(channel);
        open.map(|task| task.sid.to_string()).collect()
    }

    pub(super) fn check_races(&self, checked: Result<Vec<Race>, Violation>) {
        let races = match checked {
            Ok(races) => races,
            Err(violation) => return self.shared.check(Err(violation)),
        };
        let totals = &mut self.shared.lock().totals;
        for race in races {
            match race {
                Race::WithTask(age) => {
                    totals.count("race with a task");
                    totals.at_most("race with a task", age);
                }
                Race::WithWriter => totals.count("race with another writer"),
            }
        }
    }
}

/// Lets other software add an attribute to a channel, reading and writing at once.
pub(crate) fn add_foreign_note(shared: &Shared, channel: Sid, number: u32) {
    let written = {
        let mut state = shared.twilio.state();
        let found = state.channel(channel);
        let Some(text) = found.map(|channel| channel.attributes.clone()) else {
            return;
        };
        let change = ChannelChange {
            attributes: Some(attributes::with(&text, "crm_note", &number.to_string())),
            ..ChannelChange::default()
        };
        state.update_channel(channel, Webhooks::Disabled, change)
    };
    if written.is_ok() {
        let mut inner = shared.lock();
        inner.totals.count("writes by others");
        inner.trace(shared.now(), || {
            format!("other software writes note {number} to {channel}")
        });
    }
}

fn form_of(request: &Request<Bytes>) -> BTreeMap<String, String> {
    form_urlencoded::parse(request.body())
        .into_owned()
        .collect()
}

fn asks_for_webhooks(request: &Request<Bytes>) -> bool {
    let header = request.headers().get("x-twilio-webhook-enabled");
    header.is_some_and(|value| value == "true")
}
