//! The HTTP door: who asks, for what, in which words; the state behind it knows nothing of this.

mod addresses;
mod answer;
mod call;
mod chat;
mod chat_parts;
mod conversation_parts;
mod conversations;
mod events;
mod flex;
mod flex_flows;
mod iam;
mod interaction_forms;
mod interactions;
mod messaging;
mod numbers;
mod page;
mod pool;
mod proxy;
mod studio;
mod sync;
mod task_events;
mod taskrouter;
mod tasks;
mod workers;

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
        "api" => numbers::route(&mut call, method, rest),
        "messaging" => messaging::route(&mut call, method, rest),
        "studio" => studio::route(&mut call, method, rest),
        "sync" => sync::route(&mut call, method, rest),
        "iam" => iam::route(&mut call, method, rest),
        "flex-api" => flex::route(&mut call, method, rest),
        _ => Err(call.no_route()),
    }
}
