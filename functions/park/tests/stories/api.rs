//! Agents who park a chat, or take it up again, in Flex.

use std::time::Duration;

use domain::Policy;
use park::Park;
use serde_json::{Value, json};
use simulator::{At, Fault, FaultKind, Sid};
use world::{Chat, PARK_TIME, POLL, World};

pub(crate) const FLEX: &str = "https://flex.twilio.com";

/// An answer: the status, the body and the headers.
struct Said {
    status: u64,
    body: Value,
    headers: Value,
}

impl Said {
    fn expect(self, status: u64, why: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["success"], status == 200);
        let error = self.body["error"].as_str().unwrap_or_default();
        assert!(error.contains(why), "{error}");
    }
}

pub(crate) fn url_event(method: &str, path: &str, headers: Value, body: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "x",
            "domainName": "x.lambda-url.us-east-1.on.aws",
            "domainPrefix": "x",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test" },
            "requestId": "1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "05/Jan/2026:09:00:00 +0000",
            "timeEpoch": 1_767_603_600_000_u64,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

async fn send(world: &World, event: Value) -> Said {
    send_to(world.park(), world, event).await
}

async fn send_to(park: &Park, world: &World, event: Value) -> Said {
    let handled = park.handle(event, world.now(), PARK_TIME).await;
    let answer = handled.unwrap();
    let body = answer["body"].as_str().unwrap_or_default();
    Said {
        status: answer["statusCode"].as_u64().unwrap(),
        body: serde_json::from_str(body).unwrap_or_default(),
        headers: answer["headers"].clone(),
    }
}

async fn ask(world: &World, path: &str, chat: Chat, task_channel: Sid, token: &str) -> Said {
    let form = format!(
        "taskSid={}&taskChannelSid={task_channel}&Token={token}",
        chat.task
    );
    let headers = json!({
        "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
        "origin": FLEX,
    });
    send(world, url_event("POST", path, headers, &form)).await
}

async fn park_it(world: &World, chat: Chat, token: &str) -> Said {
    let active = world.project.chat_task_channel;
    ask(world, "/set-chat-to-inactive", chat, active, token).await
}

async fn resume(world: &World, chat: Chat, token: &str) -> Said {
    ask(world, "/set-chat-to-active", chat, world.inactive(), token).await
}

fn token(world: &World, roles: &[&str], worker: Option<Sid>) -> String {
    world.twilio.state().issue_token("somebody", roles, worker)
}

#[tokio::test(start_paused = true)]
async fn an_agent_parks_a_chat_and_takes_it_up_again() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    let token = token(&world, &["agent"], Some(world.agent));
    world.park().check(world.now()).await.unwrap();
    world.twilio.reset_calls();
    let said = park_it(&world, chat, &token).await;
    assert_eq!(said.body, json!({ "success": true }));
    assert_eq!(said.headers["access-control-allow-origin"], FLEX);
    assert_eq!(said.headers["content-type"], "application/json");
    said.expect(200, "");
    assert!(world.is_parked(chat));
    assert_eq!(
        world.twilio.calls().total(),
        4,
        "token, holder, look and move"
    );
    park_it(&world, chat, &token).await.expect(200, "");

    // As JSON, and the other way round.
    let body = json!({ "taskSid": chat.task, "taskChannelSid": world.inactive(), "Token": token });
    let headers = json!({ "content-type": "application/json" });
    let event = url_event("POST", "/set-chat-to-active", headers, &body.to_string());
    send(&world, event).await.expect(200, "");
    assert!(!world.is_parked(chat));
    world.deliver_all().await;

    // The agent spoke last and long ago, but has just taken the chat up again.
    world.time_passes(Policy::default().park_after - POLL).await;
    assert_eq!(world.parking_poll().await.parked, 0);
    world.time_passes(POLL + POLL).await;
    assert_eq!(world.parking_poll().await.parked, 1);
    world.deliver_all().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_chat_parked_manually_comes_back_by_what_is_written_after_it() {
    let world = World::that_parks().await;
    let token = token(&world, &["agent"], Some(world.agent));
    // On Chat, and before anybody listened to it.
    let chat = world.customer_writes("+15550100123");
    world.agent_accepts(chat);
    world.deliver_all().await;
    park_it(&world, chat, &token).await.expect(200, "");
    world.deliver_all().await;
    assert_eq!(world.parking_poll().await.returned, 0, "read by the agent");
    assert!(world.is_parked(chat));
    world.time_passes(Duration::from_secs(1)).await;
    world.customer_writes("+15550100123");
    world.deliver_all().await;
    assert_eq!(world.bus_wakes_park().await, 1);
    assert!(!world.is_parked(chat));
    world.deliver_all().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn only_who_holds_a_task_or_supervises_may_move_it() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    let workspace = world.project.workspace;
    let other = world
        .twilio
        .state()
        .hire_agent(workspace, "other@example.com");
    let other = other.unwrap();
    for (roles, worker, status, why) in [
        (&["guest"][..], None, 403, "only users of Flex"),
        (&["guest"], Some(world.agent), 403, "only users of Flex"),
        (&["agent"], None, 403, "only users of Flex"),
        (&["agent"], Some(other), 403, "another worker"),
        (&["supervisor"], Some(other), 200, ""),
        (&["admin"], Some(other), 200, ""),
        (&["agent"], Some(world.agent), 200, ""),
    ] {
        let token = token(&world, roles, worker);
        park_it(&world, chat, &token).await.expect(status, why);
        assert_eq!(world.is_parked(chat), status == 200);
        if status == 200 {
            resume(&world, chat, &token).await.expect(200, "");
        }
    }
    let expired = token(&world, &["agent"], Some(world.agent));
    world.time_passes(Duration::from_secs(13 * 3600)).await;
    let why = "expired or is not valid";
    park_it(&world, chat, &expired).await.expect(401, why);
    park_it(&world, chat, "made-up").await.expect(401, why);
    assert!(!world.is_parked(chat));
    world.lose_events();
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_said_and_changes_nothing() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    let agent = token(&world, &["agent"], Some(world.agent));
    let boss = token(&world, &["admin"], Some(world.agent));
    let voice = {
        let state = world.twilio.state();
        state
            .find_task_channel(world.project.workspace, "voice")
            .unwrap()
            .sid
    };
    let there = "/set-chat-to-inactive";
    ask(&world, there, chat, voice, &agent)
        .await
        .expect(400, "TaskChannel is not mapped");
    ask(&world, there, chat, world.inactive(), &agent)
        .await
        .expect(400, "not mapped");
    let active = world.project.chat_task_channel;
    ask(&world, "/set-chat-to-active", chat, active, &agent)
        .await
        .expect(400, "not mapped");
    ask(&world, "/elsewhere", chat, active, &agent)
        .await
        .expect(404, "no such path");
    let nobody = Chat {
        task: format!("WT{}", "9".repeat(32)).parse().unwrap(),
        ..chat
    };
    for token in [&agent, &boss] {
        park_it(&world, nobody, token)
            .await
            .expect(404, "does not know");
    }
    let fault = |kind| Fault {
        at: At::default(),
        kind,
        times: None,
    };
    world.twilio.fail(fault(FaultKind::Status(503)));
    let said = park_it(&world, chat, &agent).await;
    assert_eq!(said.headers["retry-after"], "5");
    said.expect(503, "try again");
    world.twilio.clear_faults();
    world.tab_is_closed(chat);
    park_it(&world, chat, &boss).await.expect(409, "has ended");
    resume(&world, chat, &boss).await.expect(409, "has ended");
    assert!(!world.is_parked(chat));
    world.deliver_all().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_chat_whose_replies_nobody_would_hear_is_not_parked_and_may_be_later() {
    let world = World::that_parks().await;
    let chat = world.customer_writes("+15550100123");
    world.agent_accepts(chat);
    world.deliver_all().await;
    let active = world.project.chat_task_channel;
    let pairs = format!("{active}:{}", world.inactive());
    let token = token(&world, &["agent"], Some(world.agent));
    let body = json!({ "taskSid": chat.task, "taskChannelSid": active, "Token": token });
    let body = body.to_string();
    let event = url_event("POST", "/set-chat-to-inactive", json!({}), &body);

    let before = world.record(chat.channel).await;
    let unconnected = world.parking_function(&pairs, &[("WEBHOOK_URL", "")]);
    let said = send_to(&unconnected, &world, event.clone()).await;
    said.expect(503, "does not work at the moment");
    assert_eq!(world.record(chat.channel).await, before);
    assert_eq!(world.twilio.calls().writes(), 1, "the token, and no more");

    send(&world, event).await.expect(200, "");
    assert!(world.is_parked(chat));
    world.deliver_all().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn browsers_are_answered_from_one_origin_only() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    let path = "/set-chat-to-inactive";
    let preflight = |origin: &str| {
        let headers = json!({
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        });
        url_event("OPTIONS", path, headers, "")
    };
    let said = send(&world, preflight(FLEX)).await;
    assert_eq!(said.status, 204);
    assert_eq!(said.headers["access-control-allow-origin"], FLEX);
    assert_eq!(
        said.headers["access-control-allow-methods"],
        "POST, OPTIONS"
    );
    assert_eq!(said.headers["access-control-allow-headers"], "Content-Type");
    assert_eq!(said.headers["vary"], "Origin");
    let said = send(&world, preflight("https://evil.example.com")).await;
    assert_eq!(said.headers["access-control-allow-origin"], Value::Null);

    let token = token(&world, &["agent"], Some(world.agent));
    let active = world.project.chat_task_channel;
    let form = format!(
        "taskSid={}&taskChannelSid={active}&Token={token}",
        chat.task
    );
    world.twilio.reset_calls();
    let headers = json!({ "origin": "https://evil.example.com" });
    let said = send(&world, url_event("POST", path, headers, &form)).await;
    assert_eq!(said.headers["access-control-allow-origin"], Value::Null);
    said.expect(403, "origin");
    let said = send(&world, url_event("GET", path, json!({}), "")).await;
    assert_eq!(said.headers["allow"], "POST, OPTIONS");
    said.expect(405, "only POST");
    let large = "x".repeat(70_000);
    let said = send(&world, url_event("POST", path, json!({}), &large)).await;
    said.expect(413, "too large");
    let said = send(&world, url_event("POST", path, json!({}), "taskSid=WTx")).await;
    said.expect(400, "taskSid is no SID");
    assert_eq!(world.twilio.calls().total(), 0, "nobody was asked");
    assert!(!world.is_parked(chat));
    world.finish().await;
}
