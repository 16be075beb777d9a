//! The requests themselves, and the states of the record and of Twilio that they lead to.

use std::rc::Rc;

use domain::{Channel, Platform};
use http::{HeaderValue, Method, header};
use serde_json::{Value, json};
use simulator::State;
use simulator::state::taskrouter::task::{Expect, TaskChange};
use twilio::events::{Scope, read_recording};
use world::TABLE;

use super::{Centre, Event, NUMBER, Stage};
use crate::connectors::{Answer, Asked, Op, ask_aws, ask_twilio};
use crate::mutation::{Mutation, newest_version, set_version};

impl Stage {
    /// Asks the table.
    pub(super) async fn ask_record(
        &mut self,
        record: u32,
        asked: u32,
        is_changed: bool,
    ) -> (u32, u32) {
        let asked = self.actors.asked[asked as usize].clone();
        let is_write = asked.op() == Op::Put;
        let Asked::Aws { target, mut body } = asked else {
            panic!("not of the table");
        };
        let is_note = self.mutation == Some(Mutation::NotesByArrival);
        if is_changed && is_write && !is_note {
            let body = "{}".to_owned();
            return (
                record,
                self.actors.answer_id(Answer::Aws { status: 200, body }),
            );
        }
        if is_changed && is_write {
            let newest = newest_version(&mut self.records[record as usize].clone());
            body = edited(&body, |put| set_version(&mut put["Item"], newest + 1));
        }
        self.enter_record(record).await;
        let (status, mut body) = ask_aws(&target, &body).await;
        if is_changed && !is_write {
            body = edited(&body, |answer| set_version(&mut answer["Item"], 0));
        }
        let answer = self.actors.answer_id(Answer::Aws { status, body });
        match is_write && status == 200 {
            true => (self.keep_record().await, answer),
            false => (record, answer),
        }
    }

    /// Asks Twilio.
    pub(super) fn ask_centre(&mut self, centre: u32, asked: u32, is_changed: bool) -> (u32, u32) {
        let Asked::Twilio(mut request) = self.actors.asked[asked as usize].clone() else {
            panic!("not of Twilio");
        };
        self.enter_centre(centre);
        if is_changed {
            let version = self.twilio.state().task(self.task_sid()).unwrap().version;
            let version = HeaderValue::from_str(&version.to_string()).unwrap();
            request.headers_mut().insert(header::IF_MATCH, version);
        }
        let is_write = request.method() == Method::POST;
        let answer = ask_twilio(&self.twilio, *request);
        let answer = self.actors.answer_id(Answer::Twilio(answer));
        let after = match is_write {
            true => self.leave_centre(centre),
            false => centre,
        };
        (after, answer)
    }

    /// Lets someone else replace the attributes, as if there were none of ours.
    pub(super) fn replace_attributes(&self) {
        let task = self.task_sid();
        let mut state = self.twilio.state();
        let attributes = state.task(task).unwrap().attributes.clone();
        let mut attributes: Value = serde_json::from_str(&attributes).unwrap();
        let values = attributes.as_object_mut().unwrap();
        values.remove("inactive");
        values.insert("note".to_owned(), json!("urgent"));
        let change = TaskChange {
            attributes: Some(attributes.to_string()),
            ..TaskChange::default()
        };
        state.update_task(task, Expect::Any, change).unwrap();
    }

    /// Folds events into the record.
    pub(super) async fn fold(&self, events: &[Value]) {
        let scope = Scope {
            pairs: self.pairs.clone(),
            ..Scope::default()
        };
        let body = Value::from(events.to_vec()).to_string();
        let batch = read_recording(body.as_bytes(), &scope);
        let take = |record: &mut Channel| record.absorb_useful(&batch.facts);
        let platform = Platform::Conversations;
        let folded = self.table.fold(self.channel, platform, take).await;
        drop(folded.unwrap());
    }

    /// Makes a record the present one.
    pub(super) async fn enter_record(&mut self, record: u32) {
        if self.present.0 == Some(record) {
            return;
        }
        put_item(&self.records[record as usize]).await;
        self.present.0 = Some(record);
    }

    /// Keeps the present record.
    pub(super) async fn keep_record(&mut self) -> u32 {
        let get = json!({
            "TableName": TABLE,
            "Key": { "channel_sid": { "S": self.channel.as_str() } },
            "ConsistentRead": true,
        });
        let (_, body) = ask_aws("DynamoDB_20120810.GetItem", &get.to_string()).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        let item = body["Item"].clone();
        let next = u32::try_from(self.records.len()).unwrap();
        let record = *self.record_ids.entry(item.to_string()).or_insert_with(|| {
            self.records.push(item);
            next
        });
        self.present.0 = Some(record);
        record
    }

    /// Makes a state of Twilio the present one.
    pub(super) fn enter_centre(&mut self, centre: u32) {
        if self.present.1 != Some(centre) {
            let state = &self.centres[centre as usize].state;
            *self.twilio.state() = State::clone(state);
            self.present.1 = Some(centre);
        }
    }

    /// Keeps what became of a state of Twilio.
    pub(super) fn leave_centre(&mut self, before: u32) -> u32 {
        let events = Rc::clone(&self.centres[before as usize].events);
        self.keep_centre(events.to_vec())
    }

    pub(super) fn event_id(&mut self, event: Value) -> u32 {
        let next = u32::try_from(self.events.len()).unwrap();
        *self.event_ids.entry(sort_of(&event)).or_insert_with(|| {
            let is_message = event["type"].as_str().unwrap().contains("message");
            let is_word = is_message && event["data"].to_string().contains(NUMBER);
            let body = event;
            self.events.push(Event { body, is_word });
            next
        })
    }

    pub(super) fn keep_centre(&mut self, mut events: Vec<u32>) -> u32 {
        let told = self.twilio.take_events();
        events.extend(told.into_iter().map(|event| self.event_id(event)));
        let state = self.twilio.state().clone();
        let task = state.task(self.task_sid()).unwrap();
        // All the rest of Twilio stays as it is.
        let key = format!(
            "{} {} {} {events:?}",
            task.version, task.task_channel, task.attributes
        );
        let next = u32::try_from(self.centres.len()).unwrap();
        let centre = *self.centre_ids.entry(key).or_insert_with(|| {
            self.centres.push(Centre {
                state: Rc::new(state),
                events: Rc::new(events),
            });
            next
        });
        self.present.1 = Some(centre);
        centre
    }
}

pub(super) async fn put_item(item: &Value) {
    let put = json!({ "TableName": TABLE, "Item": item });
    let (status, body) = ask_aws("DynamoDB_20120810.PutItem", &put.to_string()).await;
    assert_eq!(status, 200, "{body}");
}

/// Returns a body with a change.
fn edited(body: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut body = serde_json::from_str(body).unwrap();
    change(&mut body);
    body.to_string()
}

/// Returns the content of an event, as far as events of one play differ.
fn sort_of(event: &Value) -> String {
    let mut data = event["data"].clone();
    // Drawn at random for each event.
    for name in ["sid", "event_sid", "MessageSid"] {
        if let Some(data) = data.as_object_mut() {
            data.remove(name);
        }
        if let Some(payload) = data["payload"].as_object_mut() {
            payload.remove(name);
        }
    }
    format!("{} {data}", event["type"])
}
