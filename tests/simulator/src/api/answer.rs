//! Answers: resources, and errors in the form that Twilio's clients understand.

use crate::state::refusal::Refusal;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

pub(crate) type Outcome = Result<Answer, Failure>;

/// Is a good answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Option<Value>,
    version: Option<u64>,
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self {
            status: StatusCode::OK,
            body: Some(body),
            version: None,
        }
    }

    pub(crate) fn created(body: Value) -> Self {
        Self {
            status: StatusCode::CREATED,
            body: Some(body),
            version: None,
        }
    }

    pub(crate) fn nothing() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            body: None,
            version: None,
        }
    }

    /// Adds the ETag; clients send it back as If-Match, quotes and all.
    pub(crate) fn versioned(self, version: u64) -> Self {
        Self {
            version: Some(version),
            ..self
        }
    }

    pub(crate) fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status;
        if let Some(body) = self.body {
            write_json(&mut response, &body);
        }
        if let Some(etag) = self
            .version
            .and_then(|version| HeaderValue::from_str(&format!("\"{version}\"")).ok())
        {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}

/// Is a Twilio error.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: u32,
    message: String,
    retry_after: Option<String>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 20001, message)
    }

    /// Returns the HTTP status and Twilio's error code.
    pub(crate) fn status(&self) -> (u16, u32) {
        (self.status.as_u16(), self.code)
    }

    pub(crate) fn too_many_requests(retry_after: Option<String>) -> Self {
        Self {
            retry_after,
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests")
        }
    }

    /// Makes a proper error of any status, with the code that belongs to it.
    pub(crate) fn of_status(status: u16) -> Self {
        let code = match status {
            400 => 20001,
            401 => 20003,
            _ => 20_000 + u32::from(status),
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(
            status,
            code,
            status.canonical_reason().unwrap_or("Internal Server Error"),
        )
    }

    pub(crate) fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status;
        let body = json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status.as_u16(),
        });
        write_json(&mut response, &body);
        if let Some(value) = self
            .retry_after
            .and_then(|value| HeaderValue::from_str(&value).ok())
        {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (status, code) = match &refusal {
            Refusal::NotFound(_) => (StatusCode::NOT_FOUND, 20404),
            Refusal::ChannelNotFound(_) => (StatusCode::NOT_FOUND, 50300),
            Refusal::AttributesNotJson => (StatusCode::BAD_REQUEST, 50304),
            Refusal::AttributesTooLong => (StatusCode::BAD_REQUEST, 50303),
            Refusal::NameTaken {
                kind: "Session", ..
            } => (StatusCode::BAD_REQUEST, 80603),
            Refusal::NameTaken { .. } => (StatusCode::CONFLICT, 20409),
            Refusal::Invalid(_) | Refusal::SinkInUse(_) => (StatusCode::BAD_REQUEST, 20001),
            Refusal::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, 20429),
            Refusal::VersionMismatch(_) => (StatusCode::PRECONDITION_FAILED, 20412),
            Refusal::ConversationClosed(_) => (StatusCode::BAD_REQUEST, 50377),
            Refusal::ConversationStartsClosed => (StatusCode::BAD_REQUEST, 50384),
            Refusal::TimerWithoutState => (StatusCode::BAD_REQUEST, 50382),
            Refusal::SessionClosed(_) => (StatusCode::BAD_REQUEST, 80607),
            Refusal::AddressPairTaken(_) => (StatusCode::CONFLICT, 50416),
            Refusal::TooManyWebhooks => (StatusCode::BAD_REQUEST, 50505),
        };
        Self::new(status, code, refusal.to_string())
    }
}

/// Is an answer that only looks like one, as from a proxy in between.
pub(crate) fn garbage() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"<html><body>upstream \xff"));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

fn write_json(response: &mut Response<Bytes>, body: &Value) {
    *response.body_mut() = Bytes::from(body.to_string());
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
}
