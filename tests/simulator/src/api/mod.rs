//! Twilio's REST API over the state: authentication, routes, parameters, answers and errors, a folder for each product.

mod answer;
mod call;
mod chat;
mod conversations;
mod events;
mod flex;
mod page;
mod proxy;
mod setup;
mod taskrouter;

use crate::state::State;
use crate::state::faults::FaultKind;
use answer::{Failure, Outcome};
use bytes::Bytes;
use call::{Call, Target};
use http::{Request, Response};

/// Is what a client sees of its request.
#[derive(Debug)]
pub enum Reply {
    /// An answer.
    Answer(Response<Bytes>),
    /// Nothing, for as long as the client waits; the effect may have happened.
    Hang,
    /// A closed connection; the effect may have happened.
    Drop,
}

impl Reply {
    /// Returns the answer, if there is one.
    pub fn answer(self) -> Option<Response<Bytes>> {
        match self {
            Self::Answer(response) => Some(response),
            Self::Hang | Self::Drop => None,
        }
    }
}

pub(crate) fn handle(state: &mut State, request: &Request<Bytes>) -> Reply {
    let target = Target::of(request.uri().path());
    let (product, method, path) = (
        target.product(),
        request.method().as_str(),
        request.uri().path(),
    );
    let line = format!(
        "{method} {}",
        request
            .uri()
            .path_and_query()
            .map_or(path, |asked| asked.as_str())
    );
    state
        .calls
        .add(product, method, target.kind(), line.clone());
    let fault = state.faults.strike(product, method, path);
    let refuse = |failure: Failure| Reply::Answer(failure.into_response());
    match fault {
        Some(FaultKind::TooManyRequests { retry_after }) => {
            refuse(Failure::too_many_requests(retry_after))
        }
        Some(FaultKind::Status(status)) => refuse(Failure::of_status(status)),
        Some(FaultKind::Garbage) => Reply::Answer(answer::garbage()),
        Some(FaultKind::HangBefore) => Reply::Hang,
        Some(FaultKind::DropBefore) => Reply::Drop,
        Some(FaultKind::HangAfter) => {
            answer(state, request, &target, line);
            Reply::Hang
        }
        Some(FaultKind::DropAfter) => {
            answer(state, request, &target, line);
            Reply::Drop
        }
        None => Reply::Answer(answer(state, request, &target, line)),
    }
}

fn answer(
    state: &mut State,
    request: &Request<Bytes>,
    target: &Target,
    line: String,
) -> Response<Bytes> {
    match route(state, request, target) {
        Ok(answer) => answer.into_response(),
        Err(failure) => {
            let (status, code) = failure.status();
            state.calls.refuse(status, code, line);
            failure.into_response()
        }
    }
}

fn route(state: &mut State, request: &Request<Bytes>, target: &Target) -> Outcome {
    call::authenticate(state, request)?;
    let mut call = Call::new(state, request)?;
    let segments = target.segments();
    let (product, rest) = segments.split_first().ok_or_else(|| call.no_route())?;
    let method = request.method().as_str();
    match *product {
        "chat" => chat::route(&mut call, method, rest),
        "taskrouter" => taskrouter::route(&mut call, method, rest),
        "proxy" => proxy::route(&mut call, method, rest),
        "conversations" => conversations::route(&mut call, method, rest),
        "events" => events::route(&mut call, method, rest),
        "api" => setup::numbers::route(&mut call, method, rest),
        "messaging" => setup::messaging::route(&call, method, rest),
        "studio" => setup::studio::route(&call, method, rest),
        "sync" => setup::sync::route(&mut call, method, rest),
        "iam" => setup::iam::route(&mut call, method, rest),
        "flex-api" => flex::route(&mut call, method, rest),
        _ => Err(call.no_route()),
    }
}
