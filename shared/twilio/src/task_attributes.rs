//! A task's attributes: a JSON text of other people's, in which we change one value.
//!
//! Like a channel's (see [`crate::attributes`]), they are replaced as a whole, and every byte
//! but ours must survive. Unlike a channel's, they may not be longer than so many characters,
//! white space included, and no setting raises that.

use std::fmt;
use std::ops::Range;

use domain::Timestamp;

use crate::attributes::NotAnObject;
use crate::events::says_inactive;
use crate::json;
use crate::splice::{Change, Members, span_of, splice};
use crate::when::millis_text;

/// The most characters that a task's attributes may have (Twilio, TaskRouter limits).
pub const LONGEST: usize = 4_096;

/// The value of `rescued_by`, as JSON.
const RESCUER: &str = "\"channel-janitor\"";

/// Attributes that have no room for another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("attributes would have {characters} characters, and TaskRouter takes {LONGEST}")]
pub struct TooLong {
    /// The number of characters that they would have.
    pub characters: usize,
}

/// The attributes of a task, as written.
#[derive(Clone, PartialEq, Eq)]
pub struct TaskAttributes {
    text: String,
    /// Where the values of `inactive` stand.
    spans: Vec<Range<usize>>,
    inactive: bool,
    /// Where the closing brace stands.
    end: usize,
    members: Members,
}

impl TaskAttributes {
    /// Reads the one attribute that matters and remembers where it stands.
    ///
    /// # Errors
    ///
    /// Fails if the text is not a JSON object.
    pub fn parse(text: &str) -> Result<Self, NotAnObject> {
        let mut attributes = Self {
            text: text.to_owned(),
            spans: Vec::new(),
            inactive: false,
            end: text.rfind('}').ok_or(NotAnObject)?,
            members: Members::None,
        };
        json::each_member(text, |key, value| {
            attributes.members = Members::Some;
            if json::is_named(key, "inactive") {
                attributes.spans.push(span_of(text, value));
                attributes.inactive = says_inactive(value);
            }
        })
        .map_err(|_| NotAnObject)?;
        Ok(attributes)
    }

    /// Returns true if `inactive` says that the task is parked.
    pub fn is_inactive(&self) -> bool {
        self.inactive
    }

    /// The text with `inactive` set to 1 or 0 and nothing else changed.
    ///
    /// # Errors
    ///
    /// Fails where TaskRouter would refuse so long a text.
    pub fn with_inactive(&self, inactive: bool) -> Result<String, TooLong> {
        let change = Change {
            key: "inactive",
            value: if inactive { "1" } else { "0" },
            spans: &self.spans,
        };
        let text = splice(&self.text, self.end, self.members, &[change]);
        let characters = text.chars().count();
        if characters > LONGEST {
            return Err(TooLong { characters });
        }
        Ok(text)
    }
}

/// Returns the attributes of a task that is made anew for a customer who was not heard since
/// this time: the same text with `rescued_by`, `unheard_since` and, where it says that the task
/// is parked, `inactive` set to 0. Without the first two where they have no room.
///
/// # Errors
///
/// Fails if the text is not a JSON object.
pub fn for_rescue(text: &str, unheard_since: Timestamp) -> Result<String, NotAnObject> {
    let end = text.rfind('}').ok_or(NotAnObject)?;
    let mut members = Members::None;
    let mut spans: [Vec<Range<usize>>; 3] = Default::default();
    let mut parked = false;
    json::each_member(text, |key, value| {
        members = Members::Some;
        for (name, spans) in ["rescued_by", "unheard_since", "inactive"]
            .iter()
            .zip(&mut spans)
        {
            if json::is_named(key, name) {
                spans.push(span_of(text, value));
            }
        }
        if json::is_named(key, "inactive") {
            parked = says_inactive(value);
        }
    })
    .map_err(|_| NotAnObject)?;
    let [rescued_by, since_spans, inactive] = &spans;
    let since = format!("\"{}\"", millis_text(unheard_since));
    let active = parked.then_some(Change {
        key: "inactive",
        value: "0",
        spans: inactive,
    });
    let ours = [
        Change {
            key: "rescued_by",
            value: RESCUER,
            spans: rescued_by,
        },
        Change {
            key: "unheard_since",
            value: &since,
            spans: since_spans,
        },
    ];
    let all: Vec<Change<'_>> = ours.into_iter().chain(active).collect();
    let whole = splice(text, end, members, &all);
    if whole.chars().count() <= LONGEST {
        return Ok(whole);
    }
    let (_, without) = all.split_at(2);
    Ok(splice(text, end, members, without))
}

/// Shows what was read and not the text, which holds customers' names and numbers.
impl fmt::Debug for TaskAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskAttributes")
            .field("bytes", &self.text.len())
            .field("inactive", &self.inactive)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str =
        r#"{ "big":9007199254740993, "far" : 1e400,"e":"\u00e9","n":{"inactive":7} }"#;

    #[test]
    fn parking_and_taking_up_again_changes_one_value_and_no_other_byte() {
        let fresh = TaskAttributes::parse(HOSTILE).unwrap();
        assert!(!fresh.is_inactive());
        let parked = fresh.with_inactive(true).unwrap();
        assert_eq!(parked, HOSTILE.replace("} }", "} ,\"inactive\":1}"));
        let parked = TaskAttributes::parse(&parked).unwrap();
        assert!(parked.is_inactive());
        let active = parked.with_inactive(false).unwrap();
        assert_eq!(active, HOSTILE.replace("} }", "} ,\"inactive\":0}"));
        let again = TaskAttributes::parse(&active).unwrap();
        assert!(!again.is_inactive());
        assert_eq!(again.with_inactive(true).unwrap(), parked.text);
    }

    #[test]
    fn every_way_of_writing_it_is_understood_and_every_one_of_several_is_changed() {
        for (text, inactive) in [
            (r#"{"inactive":1}"#, true),
            (r#"{"inactive":"1"}"#, true),
            (r#"{"inactive":true}"#, true),
            (r#"{"\u0069nactive":1}"#, true),
            (r#"{"inactive":0,"inactive":1}"#, true),
            (r#"{"inactive":1,"inactive":0}"#, false),
            (r#"{"inactive":null}"#, false),
            (r#"{"inactive":11}"#, false),
            ("{}", false),
        ] {
            let attributes = TaskAttributes::parse(text).unwrap();
            assert_eq!(attributes.is_inactive(), inactive, "{text}");
        }
        let twice = TaskAttributes::parse(r#"{"inactive":0,"a":2,"inactive":1}"#).unwrap();
        let active = twice.with_inactive(false).unwrap();
        assert_eq!(active, r#"{"inactive":0,"a":2,"inactive":0}"#);
    }

    #[test]
    fn what_is_no_object_or_has_no_room_is_left_alone() {
        for text in ["", "null", "[]", "\"{}\"", "{", "{}x"] {
            assert!(TaskAttributes::parse(text).is_err(), "{text}");
        }
        // `{"a":"…"}` and `,"inactive":1`, of characters that take two bytes each.
        let of = |characters: usize| format!(r#"{{"a":"{}"}}"#, "é".repeat(characters - 8 - 13));
        let fits = TaskAttributes::parse(&of(LONGEST)).unwrap();
        assert_eq!(fits.with_inactive(true).unwrap().chars().count(), LONGEST);
        let full = TaskAttributes::parse(&of(LONGEST + 1)).unwrap();
        let characters = LONGEST + 1;
        assert_eq!(full.with_inactive(true), Err(TooLong { characters }));
        assert!(!format!("{full:?}").contains('é'));
    }

    #[test]
    fn a_rescue_adds_its_mark_and_changes_no_other_byte() {
        let since = Timestamp::from_millis(1_767_603_600_412);
        let mark = r#""rescued_by":"channel-janitor","unheard_since":"2026-01-05T09:00:00.412Z""#;
        let marked = for_rescue(HOSTILE, since).unwrap();
        assert_eq!(marked, HOSTILE.replace("} }", &format!("}} ,{mark}}}")));
        assert_eq!(for_rescue("{}", since).unwrap(), format!("{{{mark}}}"));
        // Rescued before, and parked: the values are replaced.
        let before = r#"{"rescued_by":1,"inactive":1,"unheard_since":"long ago"}"#;
        let again = r#"{"rescued_by":"channel-janitor","inactive":0,"unheard_since":"2026-01-05T09:00:00.412Z"}"#;
        assert_eq!(for_rescue(before, since).unwrap(), again);
        for text in ["", "null", "[]", "\"{}\"", "{", "{}x"] {
            assert_eq!(for_rescue(text, since), Err(NotAnObject), "{text}");
        }
    }

    #[test]
    fn a_mark_without_room_is_left_out() {
        let since = Timestamp::from_millis(1_767_603_600_412);
        let mark = for_rescue("{}", since).unwrap().len() - 2;
        let of = |characters: usize| format!(r#"{{"a":"{}"}}"#, "é".repeat(characters - 8));
        let fits = for_rescue(&of(LONGEST - mark - 1), since).unwrap();
        assert_eq!(fits.chars().count(), LONGEST);
        assert!(fits.contains("rescued_by"));
        let full = of(LONGEST - mark);
        assert_eq!(for_rescue(&full, since).unwrap(), full);
        let parked = full.replace("\"a\"", "\"inactive\"");
        assert_eq!(for_rescue(&parked, since).unwrap(), parked);
    }
}
