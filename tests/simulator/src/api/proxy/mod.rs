//! `proxy.twilio.com/v1`.

mod pool;

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::page::{maybe, place, seconds};
use crate::state::clock::later;
use crate::state::proxy::{NewSession, ProxyService, Session, SessionStatus};
use crate::state::refusal::Refusal;
use crate::state::sid::Sid;
use serde_json::{Value, json};
use std::time::Duration;

/// The largest page: twilio_proxy_v1.json.
const MAX_PAGE: usize = 1_000;

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    let ["v1", "Services", rest @ ..] = path else {
        return Err(call.no_route());
    };
    match (method, rest) {
        ("GET", []) => services(call),
        (_, [service, rest @ ..]) => {
            let service = call.sid(service)?;
            if call.state.proxy.services.get(service).is_none() {
                return Err(call.no_route());
            }
            of_service(call, method, service, rest)
        }
        _ => Err(call.no_route()),
    }
}

fn of_service(call: &mut Call<'_>, method: &str, service: Sid, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", []) => {
            call.bare()?;
            show_service(call, service).map(Answer::ok)
        }
        (_, ["PhoneNumbers", rest @ ..]) => pool::route(call, method, service, rest),
        ("GET", ["Sessions"]) => sessions(call, service),
        ("POST", ["Sessions"]) => create_session(call, service),
        (_, ["Sessions", session]) => {
            // That a session can be found by its unique name is not documented, so it cannot.
            let sid = call.sid(session)?;
            if call
                .state
                .session(sid)
                .is_none_or(|session| session.service != service)
            {
                return Err(call.no_route());
            }
            of_session(call, method, sid)
        }
        _ => Err(call.no_route()),
    }
}

fn of_session(call: &mut Call<'_>, method: &str, session: Sid) -> Outcome {
    match method {
        "GET" => {
            call.bare()?;
            show_session(call, session).map(Answer::ok)
        }
        "POST" => update_session(call, session),
        "DELETE" => {
            call.bare()?;
            call.state.delete_session(session)?;
            Ok(Answer::nothing())
        }
        _ => Err(call.no_route()),
    }
}

fn services(call: &Call<'_>) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call
        .state
        .proxy
        .services
        .after(paging.after())
        .map(|(at, service)| (place(at), service_json(call, service)));
    call.page("services", &paging, entries)
}

fn sessions(call: &Call<'_>, service: Sid) -> Outcome {
    let (_, paging) = call.list(&[], MAX_PAGE)?;
    let entries = call
        .state
        .proxy
        .sessions
        .after(paging.after())
        .filter(|(_, session)| session.service == service)
        .map(|(at, session)| (place(at), session_json(call, session)));
    call.page("sessions", &paging, entries)
}

fn create_session(call: &mut Call<'_>, service: Sid) -> Outcome {
    let form = call.form(&["UniqueName", "Ttl", "Mode"])?;
    let modes = ["message-only", "voice-only", "voice-and-message"];
    let mode = form.parsed("Mode", "a session mode", |mode| {
        modes.contains(&mode).then(|| mode.to_owned())
    })?;
    let ttl = form.integer("Ttl")?.map(i64::unsigned_abs);
    let session = call.state.open_session(
        service,
        NewSession {
            unique_name: form.text("UniqueName"),
            ttl,
            mode,
            address: None,
        },
    )?;
    show_session(call, session).map(Answer::created)
}

fn update_session(call: &mut Call<'_>, session: Sid) -> Outcome {
    let form = call.form(&["Status"])?;
    call.state.open_or_refuse(session)?;
    match form.get("Status") {
        Some("closed") => call.state.close_session(session, "api")?,
        Some(other) => {
            return Err(Failure::invalid(format!(
                "Status can only become closed, not {other:?}"
            )));
        }
        None => {}
    }
    show_session(call, session).map(Answer::ok)
}

fn show_service(call: &Call<'_>, service: Sid) -> Result<Value, Failure> {
    let stored = call
        .state
        .proxy
        .services
        .get(service)
        .ok_or_else(|| Refusal::absent(service))?;
    Ok(service_json(call, stored))
}

fn show_session(call: &Call<'_>, session: Sid) -> Result<Value, Failure> {
    let stored = call
        .state
        .session(session)
        .ok_or_else(|| Refusal::absent(session))?;
    Ok(session_json(call, stored))
}

fn service_json(call: &Call<'_>, service: &ProxyService) -> Value {
    let url = call.url(format_args!("proxy/v1/Services/{}", service.sid));
    json!({
        "sid": service.sid,
        "unique_name": service.unique_name,
        "account_sid": call.state.account.sid,
        "chat_instance_sid": service.chat_instance,
        "callback_url": service.callback_url,
        "default_ttl": service.default_ttl,
        "number_selection_behavior": "prefer-sticky",
        "geo_match_level": "country",
        "intercept_callback_url": service.intercept_callback_url,
        "out_of_session_callback_url": service.out_of_session_callback_url,
        "date_created": seconds(service.created),
        "date_updated": seconds(service.updated),
        "links": {
            "sessions": format!("{url}/Sessions"),
            "phone_numbers": format!("{url}/PhoneNumbers"),
            "short_codes": format!("{url}/ShortCodes"),
        },
        "url": url,
    })
}

fn session_json(call: &Call<'_>, session: &Session) -> Value {
    let url = call.url(format_args!(
        "proxy/v1/Services/{}/Sessions/{}",
        session.service, session.sid
    ));
    let status = match session.status {
        SessionStatus::Open => "open",
        SessionStatus::InProgress => "in-progress",
        SessionStatus::Closed => "closed",
    };
    let expiry = (session.ttl > 0).then(|| {
        later(
            session.last_interaction.unwrap_or(session.created),
            Duration::from_secs(session.ttl),
        )
    });
    json!({
        "sid": session.sid,
        "service_sid": session.service,
        "account_sid": call.state.account.sid,
        "date_started": maybe(session.last_interaction.map(|_| session.created)),
        "date_ended": maybe(session.ended),
        "date_last_interaction": maybe(session.last_interaction),
        "date_expiry": maybe(expiry),
        "unique_name": session.unique_name,
        "status": status,
        "closed_reason": session.closed_reason,
        "ttl": session.ttl,
        "mode": session.mode,
        "date_created": seconds(session.created),
        "date_updated": seconds(session.updated),
        "links": { "interactions": format!("{url}/Interactions"), "participants": format!("{url}/Participants") },
        "url": url,
    })
}
