//! The events of Event Streams and of TaskRouter's log, and what is believed of them.

use domain::{Channel, Fact, FactKind, Pair, Pairs};
use serde_json::{Value, json};
use twilio::events::{Batch, Ignored, Scope, read_log, read_recording, read_task};

const CHANNEL: &str = "CH0000000000000000000000000000000a";
const TASK: &str = "WT0000000000000000000000000000000b";

/// The years 2000 to 2200, in milliseconds.
const BELIEVABLE: std::ops::Range<i64> = 946_684_800_000..7_258_118_400_000;

/// The body of a request from Event Streams, any bytes.
pub fn envelope(data: &[u8]) {
    let scope = Scope {
        account: "AC00000000000000000000000000000001".parse().ok(),
        workspace: "WS00000000000000000000000000000002".parse().ok(),
        ..Scope::default()
    };
    let parking = Scope {
        pairs: pairs(),
        ..Scope::default()
    };
    for scope in [Scope::default(), parking, scope] {
        let batch = read_recording(data, &scope);
        whole(&batch);
        silent(&batch);
        order_free(&batch.facts);
        beside_a_good_one(data, &batch, &scope);
    }
    whole(&read_log(data, &Scope::default()));
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(task) = read_task(text)
    {
        assert!(text.contains(task.sid.as_str()) || text.contains('\\'));
    }
}

/// A pair of TaskChannels, between which tasks are parked.
pub(crate) fn pairs() -> Pairs {
    let pair = Pair {
        active: format!("TC{:032x}", 1).parse().unwrap(),
        inactive: format!("TC{:032x}", 2).parse().unwrap(),
    };
    Pairs::new(vec![pair]).unwrap()
}

/// A task's attributes, any text: which channel they name is compared with what a reader of
/// whole values makes of them.
pub fn task_attributes(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let quoted = serde_json::to_string(text).unwrap();
    let batch = read_recording(
        event(&quoted, "1767603600412").as_bytes(),
        &Scope::default(),
    );
    whole(&batch);
    silent(&batch);
    assert_eq!(batch.received, 1);
    assert!(
        batch.rejected.is_empty(),
        "attributes are the customer's own"
    );
    if serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object()) {
        let inline = text.trim_matches([' ', '\t', '\n', '\r']);
        let inline = read_recording(event(inline, "1767603600412").as_bytes(), &Scope::default());
        assert_eq!(inline.facts, batch.facts, "written as a text or as it is");
    }

    // The other reader knows no number beyond a float and no half of a surrogate pair.
    let named = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(attributes)) => {
            let sid = |key: &str| sid(attributes.get(key), "CH");
            sid("conversationSid").or(sid("channelSid"))
        }
        Ok(_) => {
            assert_eq!(batch.ignored.get(&Ignored::AttributesUnreadable), Some(&1));
            None
        }
        Err(_) => return,
    };
    let found = batch.facts.first().map(|fact| fact.channel.to_string());
    assert_eq!(found, named);
}

/// The time of an event, any text.
pub fn times(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let attributes = format!(r#"{{"channelSid":"{CHANNEL}"}}"#);
    let read = |written: &str| {
        let body = event(&attributes, written);
        let batch = read_recording(body.as_bytes(), &Scope::default());
        whole(&batch);
        batch.facts.first().map(|fact| fact.at.as_millis())
    };
    let quoted = read(&serde_json::to_string(text).unwrap());
    if let Some(millis) = quoted {
        assert!(BELIEVABLE.contains(&millis), "{text:?} is {millis}");
    }
    if let Ok(millis) = text.parse::<i64>()
        && text.len() <= 64
    {
        assert_eq!(quoted, Some(millis).filter(|at| BELIEVABLE.contains(at)));
        if text == millis.to_string() {
            assert_eq!(read(text), quoted, "as a number");
        }
    }
    if let Some(millis) = canonical(text) {
        assert_eq!(quoted, Some(millis).filter(|at| BELIEVABLE.contains(at)));
    }
}

/// `2026-01-05T09:00:00.412Z`, and nothing else, by the proleptic Gregorian calendar.
fn canonical(text: &str) -> Option<i64> {
    let form = text.bytes().map(|byte| match byte {
        b'0'..=b'9' => b'9',
        other => other,
    });
    if !form.eq(*b"9999-99-99T99:99:99.999Z") {
        return None;
    }
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let (hour, minute, second) = (part(11..13)?, part(14..16)?, part(17..19)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of_month = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // A leap second has no place of its own among milliseconds; it is left to the reader.
    if !(1..=days_of_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // Counted from March, so that a leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + part(20..23)?)
}

/// Every element is accounted for exactly once.
fn whole(batch: &Batch) {
    let ignored: usize = batch.ignored.values().sum();
    let told = batch.tasks + batch.messages;
    let sorted = told + ignored + batch.rejected.len() + batch.tests.len();
    assert_eq!(batch.received, sorted);
    // An event of a task tells its state, and at most where the task is and whose it is.
    let states = batch.facts.iter().filter_map(Fact::state).count();
    assert_eq!(states, batch.tasks);
    assert!(batch.facts.len() <= batch.messages + 3 * batch.tasks);
    assert!(batch.torn <= batch.tasks);
    assert!(
        batch
            .rejected
            .is_sorted_by_key(|rejected| rejected.position)
    );
    for rejected in &batch.rejected {
        assert!(rejected.position < batch.received);
    }
    for fact in &batch.facts {
        assert!(BELIEVABLE.contains(&fact.at.as_millis()));
        if let FactKind::Task(told) = fact.kind {
            assert!(told.opened_at.is_none_or(|opened| opened <= fact.at));
        }
    }
}

/// Checks that a report of events that cannot be read holds nothing but ids.
fn silent(batch: &Batch) {
    let plain = |id: &String| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=64).contains(&id.len()) && id.bytes().all(plain)
    };
    for rejected in &batch.rejected {
        assert!(rejected.event_id.as_ref().is_none_or(plain));
        assert!(rejected.sid.as_ref().is_none_or(plain));
    }
    assert!(batch.tests.iter().all(plain));
}

/// The record is a function of the set of facts.
fn order_free(facts: &[Fact]) {
    for fact in facts.iter().take(3) {
        let fold = |facts: &mut dyn Iterator<Item = &Fact>| {
            let mut channel = Channel::new(fact.channel, fact.platform);
            facts.for_each(|fact| channel.absorb(fact));
            channel
        };
        let forwards = fold(&mut facts.iter());
        assert_eq!(forwards, fold(&mut facts.iter().rev()));
        assert_eq!(forwards, fold(&mut facts.iter().chain(facts)));
    }
}

/// In a list, whatever it holds, an event that can be read is read.
fn beside_a_good_one(data: &[u8], batch: &Batch, scope: &Scope) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let list = text.trim_start_matches('\u{feff}').trim_ascii();
    let attributes = format!(r#"{{"channelSid":"{CHANNEL}"}}"#);
    let good = event(&attributes, "1767603600412");
    let Some(inner) = list.strip_prefix('[') else {
        if !batch.facts.is_empty() {
            let both = read_recording(format!("[{list},{good}]").as_bytes(), scope);
            assert_eq!(both.facts.len(), batch.facts.len() + 1);
        }
        return;
    };
    let first = if inner.trim_ascii() == "]" { "" } else { "," };
    let both = read_recording(format!("[{good}{first}{inner}").as_bytes(), scope);
    assert_eq!(both.facts.len(), batch.facts.len() + 1);
    assert_eq!(both.rejected.len(), batch.rejected.len());
}

/// A `task.created` with these attributes, and with this time as its only one.
fn event(attributes: &str, time: &str) -> String {
    let around = json!({ "type": "com.twilio.taskrouter.task.created", "id": "EZ1" }).to_string();
    let open = around.strip_suffix('}').unwrap();
    format!(
        r#"{open},"data":{{"payload":{{"eventtype":"task.created","task_sid":"{TASK}","task_attributes":{attributes},"timestamp":{time}}}}}}}"#
    )
}

fn sid(value: Option<&Value>, prefix: &str) -> Option<String> {
    let text = value?.as_str()?;
    let digits = text.strip_prefix(prefix)?;
    let hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex && digits.bytes().any(|byte| byte != b'0')).then(|| text.to_owned())
}
