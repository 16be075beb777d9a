//! The door for Flex: `POST /set-chat-to-inactive` and `POST /set-chat-to-active`, with
//! `taskSid`, `taskChannelSid` (where the task stands now) and `Token`, answered with
//! `{"success":true}`.
//!
//! # Who may ask
//!
//! The token is Flex's own and Twilio says whose it is. A customer in a web chat has a good
//! token too, so a worker's is asked for; and a worker may move the tasks that they hold and
//! no others, unless they are a supervisor. Browsers ask from one origin only. The function's
//! URL itself asks for nothing, since browsers cannot sign for AWS.

use domain::ManualRequest;
use domain::Timestamp;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use runtime::function_url::{self, Request};
use serde_json::{Value, json};
use twilio::rest::{FlexUser, Role, TokenBearer};

use crate::Park;
use crate::body::{Asked, Unreadable};
use crate::error::ParkError;
use crate::manual::{NotMoved, not_asked};

/// A request is no longer than this: a token takes a few kilobytes.
const LARGEST_BODY: usize = 64 * 1024;

/// How long a browser may remember what it was told about the door, in seconds.
const PREFLIGHT_AGE: &str = "600";

/// How long whoever is told to come back should wait, in seconds.
const COME_BACK: &str = "5";

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
    NotMoved(NotMoved),
}

impl<E: Into<NotMoved>> From<E> for Denial {
    fn from(error: E) -> Self {
        Self::NotMoved(error.into())
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
            Self::Guest => say(StatusCode::FORBIDDEN, "only who works in Flex may ask"),
            Self::Foreign => say(StatusCode::FORBIDDEN, "the task is somebody else's"),
            Self::NotMoved(why) => (status_of(why), said_of(why)),
        }
    }
}

fn status_of(why: &NotMoved) -> StatusCode {
    match why {
        NotMoved::Unmapped => StatusCode::BAD_REQUEST,
        NotMoved::Gone => StatusCode::NOT_FOUND,
        NotMoved::NobodyTalks | NotMoved::Deaf | NotMoved::Changing => StatusCode::CONFLICT,
        NotMoved::Unfit(_) => StatusCode::UNPROCESSABLE_ENTITY,
        NotMoved::Earless | NotMoved::Busy | NotMoved::Store(_) | NotMoved::Park(_) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// What is wrong with us is for our logs.
fn said_of(why: &NotMoved) -> String {
    match why {
        NotMoved::Earless | NotMoved::Store(_) | NotMoved::Park(_) => {
            "parking does not work at the moment: its log says why".to_owned()
        }
        NotMoved::Unmapped
        | NotMoved::Gone
        | NotMoved::NobodyTalks
        | NotMoved::Deaf
        | NotMoved::Changing
        | NotMoved::Unfit(_)
        | NotMoved::Busy => why.to_string(),
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
        if status == StatusCode::SERVICE_UNAVAILABLE {
            set(header::RETRY_AFTER, COME_BACK);
        }
        Answer {
            status,
            headers,
            body: said.to_string(),
        }
    }

    async fn serve(&self, request: &Request, now: Timestamp) -> Result<(), Denial> {
        let path = request.path.trim_end_matches('/');
        let wish = match path.rsplit('/').next() {
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
        if body.len() > LARGEST_BODY {
            return Err(Denial::TooLarge);
        }
        let kind = request.headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let asked = Asked::read(kind, body).map_err(Denial::Unreadable)?;
        self.grant(asked, wish, now).await
    }

    async fn grant(&self, asked: Asked, wish: ManualRequest, now: Timestamp) -> Result<(), Denial> {
        let tender = self.tender(now).await?;
        let account = self.settings().account.sid;
        let bearer = tender.twilio.flex_token(account, &asked.token).await;
        let user = match bearer.map_err(not_asked)? {
            TokenBearer::Nobody => return Err(Denial::TokenNotValid),
            TokenBearer::Guest => return Err(Denial::Guest),
            TokenBearer::User(user) => user,
        };
        let pairs = &self.settings().pairs;
        let pair = match wish {
            ManualRequest::Park => pairs.of_active(asked.task_channel),
            ManualRequest::Resume => pairs.of_inactive(asked.task_channel),
        };
        pair.ok_or(NotMoved::Unmapped)?;
        let FlexUser { worker, role } = user;
        if role != Role::Supervisor {
            let workspace = tender.place.workspace;
            let holds = tender.twilio.holds_task(workspace, asked.task, worker);
            match holds.await.map_err(not_asked)? {
                Some(true) => {}
                Some(false) => return Err(Denial::Foreign),
                None => return Err(NotMoved::Gone.into()),
            }
        }
        self.fulfil(&tender, asked.task, wish).await?;
        Ok(())
    }

    /// Browsers say where a page comes from; whoever does not is no browser, and has to have a
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
        Denial::NotMoved(NotMoved::Park(error)) => {
            let name = ParkError::name(error);
            tracing::error!(status, name, %error, "a request from Flex was not fulfilled");
        }
        Denial::NotMoved(error @ (NotMoved::Store(_) | NotMoved::Earless)) => {
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
        | Denial::NotMoved(_) => {
            tracing::warn!(status, why, "a request from Flex was not fulfilled");
        }
    }
}
