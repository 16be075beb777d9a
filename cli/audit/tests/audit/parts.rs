//! Each thing that cannot be read silences its part of the report, by name, and no other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use audit::{Audit, AuditError, Class, Phase, Report};
use bytes::Bytes;
use http::Request;
use simulator::{At, Fault, FaultKind};
use world::World;

use super::{DAY, HOUR, audit, audit_by, chats_left_behind, order};

fn fail(world: &World, at: At, kind: FaultKind) {
    world.twilio.clear_faults();
    world.twilio.fail(Fault {
        at,
        kind,
        times: None,
    });
}

#[tokio::test(start_paused = true)]
async fn missing_rights_on_one_product_silence_that_part() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550100001");
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    let agent_less = world.conversation_with_agent("+15550100002");
    world.twilio.state().agent_removed(agent_less.task).unwrap();
    world.time_passes(HOUR).await;
    for (at, part, silent) in [
        (At::product("studio"), "the Studio flows", None),
        (At::product("proxy"), "Proxy sessions", None),
        (
            At::product("chat").path("Users"),
            "the users of the chat service",
            None,
        ),
        (
            At::product("chat").path("Channels"),
            "Programmable Chat channels",
            Some(chat),
        ),
        (
            At::product("conversations").path("Webhooks"),
            "single Conversations",
            Some(agent_less),
        ),
        (
            At::product("taskrouter").path("Events"),
            "TaskRouter's log of events",
            Some(agent_less),
        ),
    ] {
        fail(&world, at, FaultKind::Status(403));
        let report = audit(&world).await;
        let parts: Vec<&str> = report.silent_parts.iter().map(|one| &*one.part).collect();
        assert!(parts.contains(&part), "{part}: {parts:?}");
        assert!(!report.whole && !report.interrupted);
        for one in [chat, agent_less] {
            let class = report
                .channels
                .iter()
                .find(|seen| seen.channel_sid.as_str() == one.channel.as_str());
            let is_told = class.is_some_and(|seen| seen.class == Class::Unattended);
            let expected = silent != Some(one) && !(part.contains("log") && one == chat);
            assert_eq!(is_told, expected, "{part}: {class:?}");
        }
    }
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn without_the_open_tasks_no_channel_is_judged() {
    let world = World::new().await;
    let chat = world.customer_writes("+15550100001");
    world.agent_accepts(chat);
    world.tab_is_closed(chat);
    world.time_passes(HOUR).await;
    fail(
        &world,
        At::product("taskrouter").path("/Tasks"),
        FaultKind::Status(403),
    );
    let report = audit(&world).await;
    assert_eq!(report.unattended.channels, 0);
    let mut parts = report.silent_parts.iter();
    assert!(
        parts.any(|one| one.part == "TaskRouter's open tasks"),
        "{report:#?}"
    );
    assert_eq!(report.listed.sessions, 1, "what can be listed is");
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn a_twilio_that_falls_silent_ends_the_looks_and_keeps_what_was_found() {
    let world = chats_left_behind(60).await;
    fail(
        &world,
        At::product("chat").path("Channels"),
        FaultKind::Status(500),
    );
    let report = audit(&world).await;
    let sample = report.sample.expect("not all were looked at");
    assert_eq!(sample.candidates, 60);
    assert!(sample.looked_at < 30, "{sample:?}");
    assert!(!report.whole);
    let mut parts = report.silent_parts.iter();
    assert!(
        parts.any(|one| one.part == "the other channels"),
        "{report:#?}"
    );
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn a_sample_looks_at_so_many_and_says_of_how_many() {
    let world = chats_left_behind(50).await;
    let mut order = order(&world);
    order.sample = Some(20);
    let report = audit_by(&world, order).await;
    let sample = report.sample.unwrap();
    assert_eq!((sample.looked_at, sample.candidates), (20, 50));
    assert_eq!(report.unattended.channels, 20);
    world.lose_events();
}

/// The place of a phase in the order of phases.
const fn place(phase: Phase) -> usize {
    match phase {
        Phase::Log => 0,
        Phase::Lists => 1,
        Phase::Tasks => 2,
        Phase::Looks { .. } => 3,
        Phase::Finished => 4,
    }
}

#[tokio::test(start_paused = true)]
async fn an_audit_that_is_dropped_keeps_what_was_found_in_whatever_phase() {
    let world = chats_left_behind(50).await;
    world.twilio_takes(Duration::from_millis(150));
    let (mut phases, mut found) = ([0; 5], 0);
    for step in 1.. {
        let audit = Audit::new(world.client(10), order(&world), world.now());
        let time = Duration::from_millis(100) * step;
        let is_over = tokio::time::timeout(time, audit.run()).await.is_ok();
        let (phase, report) = (audit.phase(), audit.report());
        phases[place(phase)] += 1;
        assert_eq!(report.interrupted, !is_over);
        assert_eq!(is_over, phase == Phase::Finished);
        assert!(found <= report.unattended.channels, "less in more time");
        found = report.unattended.channels;
        if let Phase::Looks { looked_at, of } = phase {
            let sample = report.sample.unwrap();
            assert_eq!((sample.looked_at, sample.candidates), (looked_at, of));
        }
        if is_over {
            break;
        }
    }
    let [log, lists, _, looks, _] = phases;
    assert!(log > 0 && lists > 0 && looks > 0, "{phases:?}");
    assert_eq!(found, 50);
    world.lose_events();
}

/// A project whose log takes two pages, with a wrap-up that is stuck and a task that ends soon.
async fn busy_world() -> World {
    let world = World::new().await;
    for number in 0..400 {
        let chat = world.conversation_with_agent(&format!("+1666{number:07}"));
        world.agent_completes(chat);
    }
    let stuck = world.customer_writes("+15550100001");
    world.agent_accepts(stuck);
    world.twilio.state().agent_wraps_up(stuck.task).unwrap();
    let ending = world.customer_writes("+15550100002");
    world.agent_accepts(ending);
    world.time_passes(21 * HOUR).await;
    world
}

/// The query of the second page of a list. Only the log has one in these worlds.
const SECOND_PAGE: &str = "Page=1&PageToken=PT";

#[tokio::test(start_paused = true)]
async fn an_audit_that_is_dropped_while_it_reads_the_log_keeps_what_it_has() {
    let world = busy_world().await;
    let _never = world.gate_after("GET", SECOND_PAGE);
    let audit = Audit::new(world.client(10), order(&world), world.now());
    let ended = tokio::time::timeout(Duration::from_secs(5), audit.run()).await;
    assert!(ended.is_err(), "the second page does not come");
    assert_eq!(audit.phase(), Phase::Log);
    let report = audit.report();
    assert!(report.interrupted && !report.whole);
    assert_eq!((report.listed.events, report.listed.open_tasks), (1_000, 2));
    let tasks = (report.stuck_wrap_ups.len(), report.ending_tasks.len());
    assert_eq!(tasks, (1, 1));
    assert_eq!(report.listed.users, 3, "they are listed beside");
    let checkup = report.checkup.as_ref();
    assert!(checkup.is_some_and(|checkup| !checkup.findings.is_empty()));
    assert!(report.looked_at_none(), "0 unattended means nothing here");
    world.lose_events();
}

/// The number of second pages that Twilio will not know.
static FORGOTTEN: AtomicUsize = AtomicUsize::new(0);

fn forget_second_pages(request: &mut Request<Bytes>) {
    let uri = request.uri().to_string();
    let forgets = || {
        let left = |left: usize| left.checked_sub(1);
        let before = FORGOTTEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        before.is_ok()
    };
    if uri.contains(SECOND_PAGE) && forgets() {
        let other = uri.replace("PageToken=PT", "PageToken=gone");
        *request.uri_mut() = other.parse().unwrap();
    }
}

async fn audit_that_forgets(world: &World, times: usize) -> Report {
    FORGOTTEN.store(times, Ordering::Relaxed);
    let report = audit(world).await;
    FORGOTTEN.store(0, Ordering::Relaxed);
    report
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_place_is_forgotten_is_begun_again_and_a_lost_end_is_said() {
    let world = busy_world().await;
    world.tamper(forget_second_pages);
    let whole = audit_that_forgets(&world, 0).await;
    assert!(whole.whole && whole.listed.events > 1_000, "{whole:#?}");
    let again = audit_that_forgets(&world, 1).await;
    assert_eq!(
        (again.listed, &again.classes),
        (whole.listed, &whole.classes)
    );
    assert!(again.whole && again.requests == whole.requests + 2);
    let cut = audit_that_forgets(&world, usize::MAX).await;
    assert_eq!(cut.listed.events, 1_000, "what came before counts");
    assert!(cut.classes[&Class::Clean] > 100, "and is looked at");
    let [silent] = cut.silent_parts.as_slice() else {
        panic!("{:?}", cut.silent_parts);
    };
    assert_eq!(silent.part, "TaskRouter's log of events");
    assert!(silent.why.starts_with("only the first 1000 were read: "));
    assert!(!cut.whole && !cut.looked_at_none());
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn no_more_of_the_log_is_read_than_taskrouter_keeps() {
    let world = chats_left_behind(1).await;
    for (days, read) in [(45, 30), (30, 30), (3, 3)] {
        let mut order = order(&world);
        order.since = days * DAY;
        let report = audit_by(&world, order).await;
        let window = report.at_ms.since(report.log_from_ms);
        assert_eq!(window, read * DAY);
    }
    world.lose_events();
}

#[tokio::test(start_paused = true)]
async fn what_keeps_an_audit_from_beginning_is_told_with_the_remedy() {
    let world = World::new().await;
    let flex = || At::product("flex-api").path("Configuration");
    for (kind, remedy) in [
        (FaultKind::Status(401), "TWILIO_AUTH_TOKEN"),
        (FaultKind::Status(403), "Standard API key"),
        (FaultKind::Status(404), "no Flex project"),
        (FaultKind::Status(500), "check the network"),
        (FaultKind::DropBefore, "check the network"),
        (FaultKind::Status(400), "TWILIO_REGION"),
    ] {
        fail(&world, flex(), kind.clone());
        let audit = Audit::new(world.client(10), order(&world), world.now());
        let error = audit.run().await.unwrap_err();
        assert!(error.to_string().contains(remedy), "{kind:?}: {error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    // With both SIDs set, the first requests are TaskRouter's.
    let mut order = order(&world);
    order.workspace = Some(world.project.workspace.as_str().parse().unwrap());
    order.chat_service = Some(world.project.chat_service.as_str().parse().unwrap());
    fail(&world, At::anything(), FaultKind::Status(401));
    let audit = Audit::new(world.client(10), order, world.now());
    let error = audit.run().await.unwrap_err();
    assert!(matches!(error, AuditError::Unauthorized), "{error:?}");
}
