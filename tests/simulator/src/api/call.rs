//! One request, understood: where it goes, who sends it, and parameters that are known by name or refused.

use crate::api::answer::Failure;
use crate::state::State;
use crate::state::chat::Webhooks;
use crate::state::sid::Sid;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use jiff::Timestamp;
use std::borrow::Cow;

/// Is the path of a request, taken apart.
#[derive(Debug)]
pub(crate) struct Target(Vec<String>);

impl Target {
    pub(crate) fn of(path: &str) -> Self {
        Self(
            path.split('/')
                .skip(1)
                .map(|segment| decode(segment).into_owned())
                .collect(),
        )
    }

    pub(crate) fn segments(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    pub(crate) fn product(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Names the kind of resource: `Channels` is the list, `Channels/{Sid}` one of them.
    pub(crate) fn kind(&self) -> String {
        let rest: Vec<&str> = self.0.iter().skip(2).map(String::as_str).collect();
        match rest.as_slice() {
            [
                ..,
                last @ ("Configuration" | "Test" | "Validate" | "Addresses" | "validate"),
            ] => (*last).to_owned(),
            [.., "Configuration", "Addresses", _] => "Addresses/{Sid}".to_owned(),
            [.., last] if rest.len() % 2 == 1 => last.trim_end_matches(".json").to_owned(),
            [.., collection, _] => format!("{collection}/{{Sid}}"),
            _ => String::new(),
        }
    }
}

/// Is a request with everything a handler needs.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) base: String,
    pub(crate) path: String,
    pub(crate) body: Bytes,
    pub(crate) webhooks: Webhooks,
    pub(crate) if_match: Option<String>,
    query: Vec<(String, String)>,
    content_type: String,
}

impl<'a> Call<'a> {
    pub(crate) fn new(state: &'a mut State, request: &Request<Bytes>) -> Result<Self, Failure> {
        let text = |name| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let host = request
            .uri()
            .authority()
            .map(ToString::to_string)
            .or_else(|| text("host"))
            .unwrap_or_else(|| "localhost".to_owned());
        let scheme = request.uri().scheme_str().unwrap_or("http");
        let webhooks = match text("x-twilio-webhook-enabled").as_deref() {
            Some("true") => Webhooks::Enabled,
            Some("false") | None => Webhooks::Disabled,
            Some(other) => {
                return Err(Failure::invalid(format!(
                    "X-Twilio-Webhook-Enabled must be true or false, not {other}"
                )));
            }
        };
        Ok(Self {
            state,
            base: format!("{scheme}://{host}"),
            path: request.uri().path().to_owned(),
            body: request.body().clone(),
            webhooks,
            if_match: text("if-match"),
            query: pairs(request.uri().query().unwrap_or_default().as_bytes()),
            content_type: text("content-type").unwrap_or_default(),
        })
    }

    /// Takes the query of a request that knows these parameters and no others.
    pub(crate) fn query(&self, known: &[&str]) -> Result<Params, Failure> {
        Params::known(self.query.clone(), known)
    }

    /// Takes the form of a request that knows these parameters and no others.
    pub(crate) fn form(&self, known: &[&str]) -> Result<Params, Failure> {
        self.query(&[])?;
        if !self.body.is_empty()
            && !self
                .content_type
                .starts_with("application/x-www-form-urlencoded")
        {
            let message = format!(
                "Content-Type must be application/x-www-form-urlencoded, not {:?}",
                self.content_type
            );
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                20415,
                message,
            ));
        }
        Params::known(pairs(&self.body), known)
    }

    /// Takes the JSON body of a request, one of the few that have one.
    pub(crate) fn json(&self) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
        self.query(&[])?;
        if !self.content_type.starts_with("application/json") {
            let message = format!(
                "Content-Type must be application/json, not {:?}",
                self.content_type
            );
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                20415,
                message,
            ));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::invalid(format!("The body is not a JSON object: {error}")))
    }

    /// Refuses parameters where there are none.
    pub(crate) fn bare(&self) -> Result<(), Failure> {
        self.query(&[]).map(drop)
    }

    pub(crate) fn no_route(&self) -> Failure {
        Failure::new(
            StatusCode::NOT_FOUND,
            20404,
            format!("The requested resource {} was not found", self.path),
        )
    }

    /// Understands a path segment as the SID of something; whatever is not one does not exist.
    pub(crate) fn sid(&self, segment: &str) -> Result<Sid, Failure> {
        segment.parse().map_err(|_| self.no_route())
    }

    pub(crate) fn query_pairs(&self) -> &[(String, String)] {
        &self.query
    }

    pub(crate) fn url(&self, rest: impl std::fmt::Display) -> String {
        format!("{}/{rest}", self.base)
    }
}

/// Holds parameters whose names are all known.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    fn known(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Failure> {
        match pairs
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            Some((name, _)) => Err(Failure::invalid(format!("Unknown parameter: {name}"))),
            None => Ok(Self(pairs)),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Returns every value of a parameter that may be repeated.
    pub(crate) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn need(&self, name: &str) -> Result<&str, Failure> {
        self.get(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                Failure::invalid(format!(
                    "Missing required parameter {name} in the post body"
                ))
            })
    }

    /// Understands a parameter, naming it when it makes no sense.
    pub(crate) fn parsed<T>(
        &self,
        name: &str,
        what: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        parse(value)
            .map(Some)
            .ok_or_else(|| Failure::invalid(format!("{name} must be {what}, not {value:?}")))
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, Failure> {
        self.parsed(name, "an integer", |value| value.parse().ok())
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.parsed(name, "true or false", |value| {
            value.to_ascii_lowercase().parse().ok()
        })
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        self.parsed(name, "an ISO 8601 time", |value| value.parse().ok())
    }

    pub(crate) fn sid(&self, name: &str) -> Result<Option<Sid>, Failure> {
        self.parsed(name, "a SID", |value| value.parse().ok())
    }
}

/// Lets in who knows the account's auth token or the secret of its API key.
pub(crate) fn authenticate(state: &State, request: &Request<Bytes>) -> Result<(), Failure> {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| STANDARD.decode(value).ok());
    let account = &state.account;
    let known = [
        format!("{}:{}", account.sid, account.auth_token),
        format!("{}:{}", account.api_key, account.api_secret),
    ];
    if given.is_some_and(|given| known.iter().any(|known| known.as_bytes() == given)) {
        Ok(())
    } else {
        Err(Failure::new(
            StatusCode::UNAUTHORIZED,
            20003,
            "Authenticate",
        ))
    }
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

fn decode(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    // The form decoder is the one at hand; these three signs mean something to it and nothing in a path.
    let shielded = segment
        .replace('+', "%2B")
        .replace('&', "%26")
        .replace('=', "%3D");
    let decoded = form_urlencoded::parse(shielded.as_bytes())
        .next()
        .map(|(text, _)| text.into_owned());
    Cow::Owned(decoded.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_the_kind_of_resource() {
        for (path, kind) in [
            ("/chat/v2/Services/IS1/Channels", "Channels"),
            ("/chat/v2/Services/IS1/Channels/CH1", "Channels/{Sid}"),
            ("/flex-api/v1/Configuration", "Configuration"),
            ("/conversations/v1/Configuration/Addresses", "Addresses"),
            ("/events/v1/Sinks/DG1/Test", "Test"),
            (
                "/api/2010-04-01/Accounts/AC1/IncomingPhoneNumbers.json",
                "IncomingPhoneNumbers",
            ),
            (
                "/api/2010-04-01/Accounts/AC1/IncomingPhoneNumbers/PN1.json",
                "IncomingPhoneNumbers/{Sid}",
            ),
            ("/", ""),
        ] {
            assert_eq!(Target::of(path).kind(), kind, "{path}");
        }
    }

    #[test]
    fn a_path_is_decoded_as_a_path() {
        assert_eq!(
            Target::of("/a/b%20c+d%2F=e&f").segments(),
            ["a", "b c+d/=e&f"]
        );
    }
}
