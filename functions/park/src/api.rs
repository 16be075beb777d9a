//! The API for Flex: `POST /set-chat-to-inactive` and `POST /set-chat-to-active`, with
//! `taskSid`, `taskChannelSid` (where the task is now) and `Token`, answered with
//! `{"success":true}`.
//!
//! # Authorization
//!
//! The token is Flex's own and Twilio says whose it is. A customer in a web chat has a good
//! token too, so a worker's is asked for; and a worker may move the tasks that they hold and
//! no others, unless they are a supervisor. Browsers ask from one origin only. The function's
//! URL itself asks for nothing, since browsers cannot sign for AWS: see `tokens` for what a token
//! that proves nothing may cost.

use domain::ManualRequest;
use domain::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use runtime::function_url::{self, Request};
use serde_json::{Value, json};
use twilio::rest::{FlexUser, Role, TokenBearer};

use crate::Park;
use crate::body::{Asked, Unreadable};
use crate::error::ParkError;
use crate::manual::MoveError;
use crate::tokens::Unknown;

/// The most bytes of a request: a token takes a few kilobytes.
const MAX_BODY: usize = 64 * 1024;

/// The time for which a browser may remember the answer to a preflight, in seconds.
const PREFLIGHT_AGE: &str = "600";

/// The time after which a client that is told to come back does so, in seconds.
const RETRY_AFTER: &str = "5";

/// The same after too many requests, in seconds: the span of the quota.
const RETRY_AFTER_TOO_MANY: &str = "10";

/// Why a request is not fulfilled.
enum Denial {
    NoSuchPath,
    Method,
    Origin,
    TooLarge,
    Unreadable(Unreadable),
    TokenNotValid,
    Guest,
    Foreign,
    TooMany,
    Move(MoveError),
}

impl<E: Into<MoveError>> From<E> for Denial {
    fn from(error: E) -> Self {
        Self::Move(error.into())
    }
}

impl Denial {
    /// The answer's status, and what it says. Nothing in it repeats what was sent.
    fn answer(&self) -> (StatusCode, String) {
        let say = |status, text: &str| (status, text.to_owned());
        match self {
            Self::NoSuchPath => say(StatusCode::NOT_FOUND, "no such path"),
            Self::Method => say(StatusCode::METHOD_NOT_ALLOWED, "only POST"),
            Self::Origin => say(StatusCode::FORBIDDEN, "not from this origin"),
            Self::TooLarge => say(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
            Self::Unreadable(why) => (StatusCode::BAD_REQUEST, why.to_string()),
            Self::TokenNotValid => say(
                StatusCode::UNAUTHORIZED,
                "the token has expired or is not valid",
            ),
            Self::Guest => say(StatusCode::FORBIDDEN, "only users of Flex may ask"),
            Self::Foreign => say(StatusCode::FORBIDDEN, "another worker has the task"),
            Self::TooMany => say(
                StatusCode::TOO_MANY_REQUESTS,
                "too many requests: try again",
            ),
            Self::Move(why) => (status_of(why), said_of(why)),
        }
    }
}

fn status_of(why: &MoveError) -> StatusCode {
    match why {
        MoveError::Unmapped => StatusCode::BAD_REQUEST,
        MoveError::Gone => StatusCode::NOT_FOUND,
        MoveError::NotAssigned | MoveError::NoRoom | MoveError::Changing => StatusCode::CONFLICT,
        MoveError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        MoveError::NoWebhookUrl | MoveError::Busy | MoveError::Store(_) | MoveError::Park(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Answers 500. The cause is for our logs.
fn said_of(why: &MoveError) -> String {
    match why {
        MoveError::NoWebhookUrl | MoveError::Store(_) | MoveError::Park(_) => {
            "parking does not work at the moment: its log says why".to_owned()
        }
        MoveError::Unmapped
        | MoveError::Gone
        | MoveError::NotAssigned
        | MoveError::NoRoom
        | MoveError::Changing
        | MoveError::Refused(_)
        | MoveError::Busy => why.to_string(),
    }
}

/// An answer, before it is written in the way that its carrier wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, a JSON text; empty for a preflight.
    pub body: String,
}

impl Park {
    /// Answers a request of the function's URL, in the form that Lambda takes. An event that is
    /// no request is answered 400.
    pub(crate) async fn answer_url(&self, event: Value, now: Timestamp) -> Value {
        match Request::from_event(event) {
            Ok(request) => {
                let answer = self.answer(&request, now).await;
                function_url::answer(answer.status, &answer.headers, &answer.body)
            }
            Err(error) => {
                tracing::warn!(%error, "the event is no request");
                function_url::answer(StatusCode::BAD_REQUEST, &HeaderMap::new(), "")
            }
        }
    }

    /// Answers one request from Flex.
    pub async fn answer(&self, request: &Request, now: Timestamp) -> Answer {
        let mut headers = self.cors(request);
        if request.method == Method::OPTIONS {
            return Answer {
                status: StatusCode::NO_CONTENT,
                headers,
                body: String::new(),
            };
        }
        let (status, said) = match self.serve(request, now).await {
            Ok(()) => (StatusCode::OK, json!({ "success": true })),
            Err(denial) => {
                log(&denial);
                let (status, why) = denial.answer();
                (status, json!({ "success": false, "error": why }))
            }
        };
        let mut set = |name: HeaderName, value: &'static str| {
            headers.insert(name, HeaderValue::from_static(value));
        };
        set(header::CONTENT_TYPE, "application/json");
        set(header::CACHE_CONTROL, "no-store");
        if status == StatusCode::METHOD_NOT_ALLOWED {
            set(header::ALLOW, "POST, OPTIONS");
        }
        match status {
            StatusCode::SERVICE_UNAVAILABLE => set(header::RETRY_AFTER, RETRY_AFTER),
            StatusCode::TOO_MANY_REQUESTS => set(header::RETRY_AFTER, RETRY_AFTER_TOO_MANY),
            _ => {}
        }
        Answer {
            status,
            headers,
            body: said.to_string(),
        }
    }

    async fn serve(&self, request: &Request, now: Timestamp) -> Result<(), Denial> {
        let path = request.path.trim_end_matches('/');
        let wanted = match path.rsplit('/').next() {
            Some("set-chat-to-inactive") => ManualRequest::Park,
            Some("set-chat-to-active") => ManualRequest::Resume,
            _ => return Err(Denial::NoSuchPath),
        };
        if request.method != Method::POST {
            return Err(Denial::Method);
        }
        if self.is_from_elsewhere(request) {
            return Err(Denial::Origin);
        }
        let body = request.body.as_slice();
        if body.len() > MAX_BODY {
            return Err(Denial::TooLarge);
        }
        let kind = request.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let asked = Asked::read(kind, body).map_err(Denial::Unreadable)?;
        self.grant(asked, wanted, now).await
    }

    async fn grant(
        &self,
        asked: Asked,
        wanted: ManualRequest,
        now: Timestamp,
    ) -> Result<(), Denial> {
        let pairs = &self.settings().pairs;
        let pair = match wanted {
            ManualRequest::Park => pairs.of_active(asked.task_channel),
            ManualRequest::Resume => pairs.of_inactive(asked.task_channel),
        };
        pair.ok_or(MoveError::Unmapped)?;
        let user = match self.bearer(&asked.token, now).await {
            Ok(TokenBearer::User(user)) => user,
            Ok(TokenBearer::Guest) => return Err(Denial::Guest),
            Ok(TokenBearer::Invalid) => return Err(Denial::TokenNotValid),
            Err(Unknown::TooMany) => return Err(Denial::TooMany),
            Err(Unknown::Failed(why)) => return Err(Denial::Move(why)),
        };
        let channel_worker = self.worker(now).await?;
        let FlexUser { worker, role } = user;
        if role != Role::Supervisor {
            let workspace = channel_worker.ids.workspace;
            let holds = channel_worker
                .twilio
                .holds_task(workspace, asked.task, worker);
            match holds.await.map_err(MoveError::from)? {
                Some(true) => {}
                Some(false) => return Err(Denial::Foreign),
                None => return Err(MoveError::Gone.into()),
            }
        }
        self.move_manually(&channel_worker, asked.task, wanted)
            .await?;
        Ok(())
    }

    /// Browsers say where a page comes from; a client that does not is no browser, and has to have a
    /// token like everybody else.
    fn is_from_elsewhere(&self, request: &Request) -> bool {
        let origin = request.headers.get(header::ORIGIN);
        origin.is_some_and(|origin| origin != self.settings().origin.as_header())
    }

    fn cors(&self, request: &Request) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        let origin = self.settings().origin.as_header();
        if self.is_from_elsewhere(request) {
            return headers;
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if request.method == Method::OPTIONS {
            for (name, value) in [
                (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, OPTIONS"),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, "Content-Type"),
                (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_AGE),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        headers
    }
}

fn log(denial: &Denial) {
    let (status, why) = denial.answer();
    let status = status.as_u16();
    match denial {
        Denial::Move(MoveError::Park(error)) => {
            let name = ParkError::name(error);
            tracing::error!(status, name, %error, "a request from Flex was not fulfilled");
        }
        Denial::Move(error @ (MoveError::Store(_) | MoveError::NoWebhookUrl)) => {
            tracing::error!(status, %error, "a request from Flex was not fulfilled");
        }
        Denial::NoSuchPath
        | Denial::Method
        | Denial::Origin
        | Denial::TooLarge
        | Denial::Unreadable(_)
        | Denial::TokenNotValid
        | Denial::Guest
        | Denial::Foreign
        | Denial::TooMany
        | Denial::Move(_) => {
            tracing::warn!(status, why, "a request from Flex was not fulfilled");
        }
    }
}
