//! The answers of Twilio's REST API, through the real client: bounded in time, sorted into what
//! to do next, and never a way to another host.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use domain::{
    ChannelSid, ChatServiceSid, Interaction, ProxyServiceSid, ProxySessionSid, TaskSid, Timestamp,
    WorkspaceSid,
};
use futures::future::{BoxFuture, FutureExt as _};
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::time::Instant;
use twilio::events::{Scope, TaskSeen, TaskStatus};
use twilio::rest::{
    Client, ConversationFilter, Credentials, Hosts, Limits, ListFailure, LogQuery,
    RefusedOperators, Transport, TransportError, TwilioError,
};

use super::{CUSTOMER, lines, number};

const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Status, `Retry-After`, `Date` and body of every answer, any bytes.
pub fn answers(data: &[u8]) {
    let ([status, retry_after, date], body) = lines(data);
    let status = StatusCode::from_u16(u16::try_from(number(status)).unwrap_or(200))
        .unwrap_or(StatusCode::OK);
    let mut response = Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = status;
    let given = [(header::RETRY_AFTER, retry_after), (header::DATE, date)];
    for (name, value) in given {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            response.headers_mut().insert(name, value);
        }
    }
    thread_local! {
        static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
    }
    RUNTIME.with_borrow_mut(|runtime| {
        let runtime = runtime.get_or_insert_with(|| {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .start_paused(true)
                .build()
                .unwrap()
        });
        runtime.block_on(every_call(response));
    });
}

/// Gives every request the same answer, and remembers which there were.
struct Always {
    answer: Response<Bytes>,
    asked: Mutex<Vec<Uri>>,
}

impl Transport for Always {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.asked.lock().unwrap().push(request.uri().clone());
        std::future::ready(Ok(self.answer.clone())).boxed()
    }
}

async fn every_call(answer: Response<Bytes>) {
    let body = String::from_utf8_lossy(answer.body()).into_owned();
    let readable = std::str::from_utf8(answer.body()).is_ok();
    let ok = answer.status().is_success() && readable;
    let transport = Arc::new(Always {
        answer,
        asked: Mutex::default(),
    });
    chat(&transport, ok).await;
    conversations(&transport, ok).await;
    proxy(&transport).await;
    taskrouter(&transport, ok, &body).await;
    check_addresses(&transport.asked.lock().unwrap());
}

impl Always {
    /// A client of its own for every call: what one learnt must not help the next.
    fn client(self: &Arc<Self>) -> Client {
        let key = format!("SK{}", "0".repeat(32));
        let limits = Limits {
            attempts: 2,
            call_timeout: CALL_TIMEOUT,
            jitter_seed: Some(1),
            ..Limits::default()
        };
        let credentials = Credentials::api_key(&key, &"secret".into()).unwrap();
        Client::new(credentials, Hosts::default(), limits, Arc::clone(self) as _)
    }
}

async fn chat(twilio: &Arc<Always>, ok: bool) {
    let (service, channel): (ChatServiceSid, ChannelSid) = (sid("IS"), sid("CH"));
    let seen = timed(twilio.client().chat_channel(service, channel)).await;
    assert!(seen.is_none_or(|seen| ok && seen.sid == channel));
    let set = timed(twilio.client().set_chat_attributes(service, channel, "{}")).await;
    assert!(set.is_none_or(|seen| ok && seen.sid == channel));
    let deleted = timed(twilio.client().delete_chat_channel(service, channel)).await;
    // The service is asked for first, and its answer may be no answer.
    assert!(ok || deleted.is_none());
    let exists = timed(twilio.client().chat_service_exists(service)).await;
    assert!(ok || exists.is_none());
}

async fn conversations(twilio: &Arc<Always>, ok: bool) {
    let (service, conversation): (ChatServiceSid, ChannelSid) = (sid("IS"), sid("CH"));
    let seen = timed(twilio.client().conversation(service, conversation)).await;
    assert!(seen.is_none_or(|seen| ok && seen.sid == conversation));
    timed(twilio.client().close_conversation(service, conversation)).await;
    let exists = timed(twilio.client().conversation_service_exists(service)).await;
    assert!(ok || exists.is_none());
    let filter = ConversationFilter::default();
    let client = twilio.client();
    if let Some(page) = listed(client.conversations(service, filter, None)).await {
        listed(client.conversations(service, filter, page.next.as_ref())).await;
    }
    let interaction = Interaction {
        sid: sid("KD"),
        channel: sid("UO"),
    };
    timed(twilio.client().interaction_channel(interaction)).await;
    timed(twilio.client().close_interaction_channel(interaction)).await;
    timed(twilio.client().flex_configuration()).await;
}

async fn proxy(twilio: &Arc<Always>) {
    let (service, session): (ProxyServiceSid, ProxySessionSid) = (sid("KS"), sid("KC"));
    timed(twilio.client().proxy_session(service, session)).await;
    timed(twilio.client().delete_proxy_session(service, session)).await;
    listed(twilio.client().proxy_service_of(sid("IS"))).await;
    let client = twilio.client();
    if let Some(page) = listed(client.open_proxy_sessions(service, None)).await {
        listed(client.open_proxy_sessions(service, page.next.as_ref())).await;
    }
}

async fn taskrouter(twilio: &Arc<Always>, ok: bool, body: &str) {
    let (workspace, task): (WorkspaceSid, TaskSid) = (sid("WS"), sid("WT"));
    let seen = timed(twilio.client().task(workspace, task)).await.flatten();
    assert!(seen.is_none_or(|seen| ok && seen.sid == task));
    let query = LogQuery {
        from: Timestamp::from_millis(1_767_603_600_000),
        to: Timestamp::from_millis(1_767_603_700_000),
        event_type: None,
    };
    let scope = Scope::default();
    let client = twilio.client();
    if let Some(page) = listed(client.event_log(workspace, query, &scope, None)).await {
        listed(client.event_log(workspace, query, &scope, page.next.as_ref())).await;
    }
    // Lists may have many pages: each is bounded, and so is their number.
    let all = twilio.client().open_tasks(workspace).await;
    check_list(&all, body);
    let refused = RefusedOperators::default();
    let some = twilio
        .client()
        .open_tasks_on(workspace, &[sid("CH")], &refused)
        .await;
    assert_eq!(some.is_ok(), all.is_ok());
    for error in [all.err(), some.err()].into_iter().flatten() {
        check_error(&error);
    }
}

async fn timed<T>(call: impl Future<Output = Result<T, TwilioError>>) -> Option<T> {
    let began = Instant::now();
    let answer = call.await;
    assert!(began.elapsed() <= CALL_TIMEOUT);
    answer.map_err(|error| check_error(&error)).ok()
}

/// A list, or a page of one.
async fn listed<T>(call: impl Future<Output = Result<T, ListFailure>>) -> Option<T> {
    let failure = match call.await {
        Ok(page) => return Some(page),
        Err(failure) => failure,
    };
    assert!(failure != ListFailure::OtherList, "a cursor of our own");
    if let ListFailure::Twilio(error) = failure {
        check_error(&error);
    }
    None
}

fn check_error(error: &TwilioError) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(CUSTOMER), "{shown}");
    if let TwilioError::Throttled {
        retry_after: Some(wait),
    } = error
    {
        assert!(*wait <= Duration::from_secs(24 * 60 * 60), "{wait:?}");
    }
}

/// A list is whole or an error: no entry of a page that was believed is missing.
fn check_list(list: &Result<Vec<TaskSeen>, TwilioError>, body: &str) {
    let Ok(tasks) = list else { return };
    assert!(
        tasks
            .iter()
            .all(|task| matches!(task.status, TaskStatus::Open(_)))
    );
    let Ok(page) = serde_json::from_str::<Value>(body) else {
        return;
    };
    let entries = page["tasks"].as_array().unwrap();
    let ended = |task: &&Value| {
        let status = task["assignment_status"].as_str();
        matches!(status, Some("completed" | "canceled"))
    };
    assert_eq!(
        tasks.len(),
        entries.len() - entries.iter().filter(ended).count()
    );
}

/// Whatever an answer says, requests go to Twilio's own hosts, to the resources we know.
fn check_addresses(asked: &[Uri]) {
    for uri in asked {
        assert_eq!(uri.scheme_str(), Some("https"));
        let known = [
            ("chat.twilio.com", "/v2/Services/IS"),
            ("conversations.twilio.com", "/v1/Services/IS"),
            ("flex-api.twilio.com", "/v1/Configuration"),
            ("flex-api.twilio.com", "/v1/Interactions/KD"),
            ("proxy.twilio.com", "/v1/Services"),
            ("taskrouter.twilio.com", "/v1/Workspaces/WS"),
        ];
        let host = uri.authority().unwrap().as_str();
        assert!(
            known
                .iter()
                .any(|(known, path)| host == *known && uri.path().starts_with(path)),
            "{uri}"
        );
        assert!(!uri.path().contains(".."), "{uri}");
    }
}

fn sid<T: std::str::FromStr<Err: std::fmt::Debug>>(prefix: &str) -> T {
    format!("{prefix}{:032}", 1).parse().unwrap()
}
