//! What a sweep's writes do at the pretend Twilio, held against the books before it happens.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use simulator::state::attributes;
use simulator::state::chat::ChannelChange;
use simulator::{Sid, Webhooks};

use crate::books::{Closing, Race, Write};
use crate::law::Violation;
use crate::stage::Stage;

use super::Line;
use super::about::Thing;

impl Line {
    /// A Chat channel is written to or deleted.
    pub(super) fn write(&self, sweep: u32, channel: &str, request: &Request<Bytes>) {
        let Ok(sid) = channel.parse::<Sid>() else {
            return;
        };
        let form = form_of(request);
        let present = {
            let state = self.stage.twilio.state();
            state.channel(sid).map(|channel| channel.attributes.clone())
        };
        let write = Write {
            channel,
            attributes: form.get("Attributes").map(String::as_str),
            asks_for_webhooks: asks_for_webhooks(request),
            open: &self.open_tasks_on(sid),
            present: present.as_deref(),
        };
        let now = self.stage.now();
        let verdict = self.stage.lock().books.written(sweep, now, &write);
        self.judge_races(verdict);
        let mut inner = self.stage.lock();
        if write.attributes.is_some_and(|text| text.contains("true")) {
            inner.totals.releases += 1;
        } else {
            inner.totals.closes += 1;
        }
        inner.tell(now, || {
            format!("sweep {sweep} writes to {channel}: {:?}", write.attributes)
        });
    }

    /// An interaction channel or its conversation is closed.
    pub(super) fn close(
        &self,
        sweep: u32,
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
        let now = self.stage.now();
        let verdict = self.stage.lock().books.closed(sweep, now, &closing);
        self.judge_races(verdict);
        let mut inner = self.stage.lock();
        if thing == Thing::Conversation {
            inner.totals.conversations_closed += 1;
        }
        inner.tell(now, || {
            format!("sweep {sweep} closes {thing:?} of {conversation}")
        });
    }

    pub(super) fn end_session(&self, sweep: u32, session: &str) {
        let Ok(sid) = session.parse::<Sid>() else {
            return;
        };
        let channel = {
            let state = self.stage.twilio.state();
            let session = state.session(sid);
            let name = session.and_then(|session| session.unique_name.clone());
            name.and_then(|name| name.get(..34)?.parse::<Sid>().ok())
        };
        let Some(channel) = channel else { return };
        let (now, open) = (self.stage.now(), self.open_tasks_on(channel));
        let channel = channel.to_string();
        let verdict = self.stage.lock().books.live(sweep, now, &channel, &open);
        self.stage
            .tell(|| format!("sweep {sweep} ends the session of {channel}"));
        let mut inner = self.stage.lock();
        match verdict {
            Ok(races) if races.is_empty() => inner.totals.count("sessions ended"),
            Ok(_) => inner.totals.count("session ended under a new task"),
            Err(violation) => {
                drop(inner);
                self.stage.judge(Err(violation));
            }
        }
    }

    /// Somebody else writes to the channel that was read just now.
    pub(super) fn meddle(&self, channel: &str) {
        let chance = self.stage.script.meddling;
        let number = {
            let weather = &mut self.stage.lock().weather;
            if weather.calm || !weather.happens(chance) {
                return;
            }
            weather.rng.u32(..)
        };
        if let Ok(sid) = channel.parse::<Sid>() {
            somebody_writes(&self.stage, sid, number);
        }
    }

    fn open_tasks_on(&self, channel: Sid) -> Vec<String> {
        let state = self.stage.twilio.state();
        let open = state.open_tasks_on(channel);
        open.map(|task| task.sid.to_string()).collect()
    }

    fn judge_races(&self, verdict: Result<Vec<Race>, Violation>) {
        let races = match verdict {
            Ok(races) => races,
            Err(violation) => return self.stage.judge(Err(violation)),
        };
        let totals = &mut self.stage.lock().totals;
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

/// Somebody's own software adds an attribute to a channel, reading and writing at once.
pub(in super::super) fn somebody_writes(stage: &Stage, channel: Sid, number: u32) {
    let written = {
        let mut state = stage.twilio.state();
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
        let mut inner = stage.lock();
        inner.totals.count("writes by others");
        inner.tell(stage.now(), || {
            format!("somebody writes note {number} to {channel}")
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
