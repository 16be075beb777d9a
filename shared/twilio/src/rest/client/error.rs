//! Errors of a call, sorted by what to do next.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use jiff::fmt::rfc2822;
use serde_json::value::RawValue;

use super::transport::TransportError;
use crate::json;

/// More than this is not believed of a `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Codes of a 403 that are about how many things there are and not about who asks: members
/// of a channel, channels of a user, conversations of a user (Twilio, error dictionary).
const COUNTER_LIMITS: [u32; 3] = [50403, 50208, 50214];

/// Why a call failed. What Twilio says in words is left out: it may repeat what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TwilioError {
    /// Twilio does not know the thing (any more). Done with it.
    #[error("twilio does not know it")]
    Gone,
    /// Too much at once. Slow down, and try later.
    #[error("twilio asks to slow down")]
    Throttled {
        /// The time for which it asks to be left alone, a day at most.
        retry_after: Option<Duration>,
    },
    /// The credentials are wrong or not enough. No other call will fare better.
    #[error("twilio refuses the credentials (status {status}{})", said(.code))]
    Unauthorized {
        /// The HTTP status, 401 or 403.
        status: u16,
        /// Twilio's own code.
        code: Option<u32>,
    },
    /// It changed since it was read. Read it again.
    #[error("it changed since it was read")]
    Conflict,
    /// Twilio will not have this call. Repeating it is of no use.
    #[error("twilio refuses the call (status {status}{})", said(.code))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Twilio's own code.
        code: Option<u32>,
    },
    /// No answer, or none of use. Whether the call had an effect is not known.
    #[error("twilio gives no answer: {why}")]
    Unreachable {
        /// The thing that came instead.
        why: Why,
    },
}

/// The thing that came instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Nothing, in the time there was.
    #[error("the time is up")]
    TimeUp,
    /// Nothing, because of the network.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An error of Twilio's own.
    #[error("status {0}")]
    Status(u16),
    /// A success that cannot be read.
    #[error("an answer that is not what was asked for")]
    Garbage,
    /// A list that does not end.
    #[error("a list without an end")]
    Endless,
    /// The request itself could not be written.
    #[error("the request cannot be written")]
    Request,
}

/// Twilio's own code, as an error's text names it.
fn said(code: &Option<u32>) -> String {
    code.map_or_else(String::new, |code| format!(", code {code}"))
}

impl TwilioError {
    /// Returns true if the same call may fare better in a moment.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Throttled { .. } => true,
            Self::Unreachable { why } => match why {
                Why::TimeUp | Why::Transport(_) | Why::Status(_) | Why::Garbage => true,
                Why::Endless | Why::Request => false,
            },
            Self::Gone | Self::Unauthorized { .. } | Self::Conflict | Self::Refused { .. } => false,
        }
    }

    /// Twilio's own code, where it gave one with its refusal.
    pub(in crate::rest) fn code(&self) -> Option<u32> {
        match self {
            Self::Unauthorized { code, .. } | Self::Refused { code, .. } => *code,
            Self::Gone | Self::Throttled { .. } | Self::Conflict | Self::Unreachable { .. } => None,
        }
    }

    /// Returns the error for an answer that cannot be read as what was asked for.
    pub fn garbage() -> Self {
        Self::Unreachable { why: Why::Garbage }
    }
}

/// Takes a success, or sorts the failure.
pub(in crate::rest) fn judge(response: Response<Bytes>) -> Result<Response<Bytes>, TwilioError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers());
    let code = code(response.body());
    let refused = TwilioError::Refused {
        status: status.as_u16(),
        code,
    };
    Err(match status {
        StatusCode::TOO_MANY_REQUESTS => TwilioError::Throttled { retry_after },
        StatusCode::SERVICE_UNAVAILABLE if retry_after.is_some() => {
            TwilioError::Throttled { retry_after }
        }
        StatusCode::FORBIDDEN if code.is_some_and(|code| COUNTER_LIMITS.contains(&code)) => refused,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => TwilioError::Unauthorized {
            status: status.as_u16(),
            code,
        },
        // A 404 without a code of Twilio's is another server's page: a wrong address of our
        // own must not look like channels that are gone.
        StatusCode::NOT_FOUND if code.is_none() => refused,
        StatusCode::NOT_FOUND | StatusCode::GONE => TwilioError::Gone,
        StatusCode::PRECONDITION_FAILED => TwilioError::Conflict,
        _ if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            TwilioError::Unreachable {
                why: Why::Status(status.as_u16()),
            }
        }
        _ => refused,
    })
}

/// Twilio's own code of an error (`{"code": 20404, "message": …}`).
fn code(body: &[u8]) -> Option<u32> {
    let [code] = json::members(std::str::from_utf8(body).ok()?, ["code"]).ok()?;
    code.map(RawValue::get)?.trim_matches('"').parse().ok()
}

/// `Retry-After`, in seconds or as a date. A date is compared with the answer's own date, so
/// that it makes no difference what our clock says; without one it says nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok();
    let asked: &str = text(header::RETRY_AFTER)?.trim();
    let seconds = match asked.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) if !asked.is_empty() && asked.bytes().all(|byte| byte.is_ascii_digit()) => u64::MAX,
        Err(_) => {
            let date = |text: &str| rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
            let wait = date(asked)?.as_second() - date(text(header::DATE)?)?.as_second();
            u64::try_from(wait).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &'static str) -> TwilioError {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        judge(response.body(Bytes::from(body)).unwrap()).unwrap_err()
    }

    #[test]
    fn answers_are_sorted_by_what_to_do_next() {
        use TwilioError::{Conflict, Gone, Refused, Unauthorized, Unreachable};
        let not_found = r#"{"code":20404,"message":"+15550100123 was not found","status":404}"#;
        assert_eq!(answer(404, &[], not_found), Gone);
        assert_eq!(answer(404, &[], r#"{"code":"50300"}"#), Gone);
        assert_eq!(
            answer(404, &[], "<html>"),
            Refused {
                status: 404,
                code: None
            }
        );
        assert_eq!(answer(410, &[], ""), Gone);
        assert_eq!(answer(412, &[], r#"{"code":20412}"#), Conflict);
        let unauthorized = Unauthorized {
            status: 401,
            code: Some(20003),
        };
        assert_eq!(answer(401, &[], r#"{"code":20003}"#), unauthorized);
        let text = "twilio refuses the credentials (status 401, code 20003)";
        assert_eq!(unauthorized.to_string(), text);
        let text = "twilio refuses the call (status 404)";
        assert_eq!(answer(404, &[], "<html>").to_string(), text);
        assert_eq!(
            answer(403, &[], ""),
            Unauthorized {
                status: 403,
                code: None
            }
        );
        assert_eq!(
            answer(403, &[], r#"{"code":50403}"#),
            Refused {
                status: 403,
                code: Some(50403)
            }
        );
        for status in [301, 302, 400, 409, 422] {
            assert_eq!(
                answer(status, &[("location", "/")], ""),
                Refused { status, code: None }
            );
        }
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(
                answer(status, &[], ""),
                Unreachable {
                    why: Why::Status(status)
                }
            );
        }
    }

    #[test]
    fn what_twilio_says_in_words_is_not_repeated() {
        let error = answer(
            400,
            &[],
            r#"{"code":50303,"message":"+15550100123 is too long"}"#,
        );
        assert_eq!(
            error.to_string(),
            "twilio refuses the call (status 400, code 50303)"
        );
        assert!(!format!("{error:?}").contains("555"));
    }

    #[test]
    fn every_way_of_writing_a_retry_after_is_read() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (asked, seconds) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("1000000000", Some(86_400)),
            ("99999999999999999999999", Some(86_400)),
            ("Sun, 06 Nov 1994 08:49:49 GMT", Some(12)),
            ("Sun, 06 Nov 1994 08:49:07 GMT", Some(0)),
            ("Mon, 06 Nov 2094 08:49:37 GMT", None),
            ("Sat, 06 Nov 2094 08:49:37 GMT", Some(86_400)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ] {
            let error = answer(429, &[("retry-after", asked), date], "");
            let retry_after = seconds.map(Duration::from_secs);
            assert_eq!(error, TwilioError::Throttled { retry_after }, "{asked}");
        }
        let without_date = [("retry-after", "Sun, 06 Nov 1994 08:49:49 GMT")];
        let nothing = TwilioError::Throttled { retry_after: None };
        assert_eq!(answer(429, &without_date, ""), nothing);
        assert_eq!(
            answer(503, &[("retry-after", "3")], ""),
            TwilioError::Throttled {
                retry_after: Some(Duration::from_secs(3))
            }
        );
    }
}
