//! A task's attributes: a JSON text of other people's, in which we change one value.
//!
//! Like a channel's (see [`crate::attributes`]), they are replaced as a whole, and every byte
//! but ours must survive. Unlike a channel's, they may not be longer than so many characters,
//! white space included, and no setting raises that.

use std::fmt;
use std::ops::Range;

use crate::attributes::NotAnObject;
use crate::events::says_inactive;
use crate::json;
use crate::splice::{Change, Members, span_of, splice};

/// The most characters that a task's attributes may have (Twilio, TaskRouter limits).
pub const LONGEST: usize = 4_096;

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
}
