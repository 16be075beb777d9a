//! Answers: counts, states and texts of our own, and nothing else that came from Twilio.

use serde::Serialize;
use twilio::rest::TwilioError;

/// The answer to one probe. No type in it can hold a SID, a name, a number or a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// Everything that was looked at is as we believe.
    AsExpected {
        /// The number of things that were looked at.
        seen: usize,
    },
    /// Something is otherwise.
    Differs {
        /// The number of things that were looked at.
        seen: usize,
        /// The number of those that are otherwise.
        differing: usize,
        /// The consequence for Channel Janitor.
        changes: &'static str,
    },
    /// The question could not be asked.
    NotAsked {
        /// The reason.
        why: &'static str,
        /// The HTTP status, if Twilio refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Twilio's own error code, if it gave one.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<u32>,
    },
}

impl Answer {
    /// Judges things that were looked at, each of which is as expected or is not. `nothing` says
    /// what the project lacks if there is none.
    pub(crate) fn of(
        things: impl IntoIterator<Item = bool>,
        changes: &'static str,
        nothing: &'static str,
    ) -> Self {
        let (mut seen, mut differing) = (0, 0);
        for is_as_expected in things {
            seen += 1;
            differing += usize::from(!is_as_expected);
        }
        match (seen, differing) {
            (0, _) => Self::no_data(nothing),
            (seen, 0) => Self::AsExpected { seen },
            (seen, differing) => Self::Differs {
                seen,
                differing,
                changes,
            },
        }
    }

    /// Returns the answer to a question for which the project has no data.
    pub(crate) const fn no_data(why: &'static str) -> Self {
        Self::NotAsked {
            why,
            status: None,
            code: None,
        }
    }
}

impl From<&TwilioError> for Answer {
    fn from(error: &TwilioError) -> Self {
        let (why, status, code) = match error {
            TwilioError::Gone => ("Twilio does not know the resource", Some(404), None),
            TwilioError::Unauthorized { status, code } => {
                ("the key may not read it", Some(*status), *code)
            }
            TwilioError::Refused { status, code } => {
                ("Twilio refuses the question", Some(*status), *code)
            }
            TwilioError::Throttled { .. } => ("Twilio asks to slow down", Some(429), None),
            TwilioError::Conflict | TwilioError::Unreachable { .. } => {
                ("Twilio gives no answer that can be read", None, None)
            }
        };
        Self::NotAsked { why, status, code }
    }
}

/// An answer, or the reason why there is none: the form that lets a probe use `?` on a reading.
pub(crate) type Judged = Result<Answer, Answer>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted_and_their_absence_is_said() {
        let of = |things: &[bool]| Answer::of(things.iter().copied(), "changes", "nothing");
        assert_eq!(of(&[]), Answer::no_data("nothing"));
        assert_eq!(of(&[true, true]), Answer::AsExpected { seen: 2 });
        let differs = Answer::Differs {
            seen: 3,
            differing: 1,
            changes: "changes",
        };
        assert_eq!(of(&[true, false, true]), differs);
    }
}
