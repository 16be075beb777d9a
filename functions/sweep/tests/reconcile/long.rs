//! Lists of several pages, and runs that end between them: seconds for each test. The fast tier
//! leaves them out.

use std::time::Duration;

use simulator::{At, Fault, FaultKind};
use sweep::{Order, Stop};
use world::{Chat, World};

use super::{DAY, HOUR};

/// So many chats, all left behind, of which no event told us.
fn left_behind(world: &World, count: usize) {
    for number in 0..count {
        let chat = world.customer_writes(&format!("+1555{number:07}"));
        world.agent_accepts(chat);
        world.tab_is_closed(chat);
    }
    world.lose_events();
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn it_asks_for_pages_and_not_for_every_chat() {
    let world = World::new().await;
    for number in 0..667 {
        let chat = world.customer_writes(&format!("+1556{number:07}"));
        world.agent_accepts(chat);
        world.agent_completes(chat);
    }
    left_behind(&world, 1_000);
    world.time_passes(HOUR).await;
    let report = world.reconcile().await;
    println!(
        "{} events and {} open sessions: {} pages, {} requests",
        report.events, report.sessions, report.pages, report.calls
    );
    assert!(report.events >= 5_000, "{report:?}");
    assert_eq!(
        (report.new_from_log, report.sessions),
        (1_667, 1_000),
        "{report:?}"
    );
    // And an empty page of each of the two lists of Conversations.
    let pages = report.events.div_ceil(1_000) + report.sessions.div_ceil(1_000) + 2;
    assert_eq!(report.pages, pages, "{report:?}");
    // One page of open tasks, of which there are none, and one of Proxy services.
    assert_eq!(
        report.calls,
        u64::try_from(pages).unwrap() + 2,
        "{report:?}"
    );

    // The next run knows all of that.
    world.time_passes(7 * HOUR).await;
    let next = world.reconcile().await;
    assert_eq!(
        (next.new_from_log, next.skipped["tracked"]),
        (0, 1_000),
        "{next:?}"
    );
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_run_that_is_out_of_time_is_gone_on_with_by_the_next() {
    let world = World::new().await;
    left_behind(&world, 1_200);
    for number in 0..150 {
        let Chat { task, .. } = world.customer_converses(&format!("+1556{number:07}"));
        world
            .twilio
            .state()
            .task_canceled_by_supervisor(task)
            .unwrap();
    }
    world.lose_events();
    world.time_passes(2 * DAY).await;
    world.twilio_takes(Duration::from_secs(2));
    let (mut new_from_log, mut sessions, mut conversations, mut runs) = (0, 0, 0, 0);
    loop {
        let time = Duration::from_secs(12);
        let (report, _) = world.attempt_reconcile(Order::scheduled(), time).await;
        let report = report.unwrap();
        new_from_log += report.new_from_log;
        sessions += report.sessions;
        conversations += report.conversations;
        runs += 1;
        if report.whole {
            break;
        }
        assert_eq!(report.stopped, Some(Stop::OutOfTime), "{report:?}");
        assert!(runs < 20, "it gets nowhere: {report:?}");
    }
    assert!(runs > 2, "{runs}");
    assert_eq!((new_from_log, sessions, conversations), (1_350, 1_200, 150));
    // The next one begins anew.
    world.time_passes(HOUR).await;
    let next = world.reconcile().await;
    assert_eq!(next.sessions, 1_200, "{next:?}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_place_that_twilio_forgot_is_begun_again() {
    let world = World::new().await;
    left_behind(&world, 1_200);
    world.time_passes(HOUR).await;
    world.twilio_takes(Duration::from_secs(2));
    let time = Duration::from_secs(4);
    let (first, _) = world.attempt_reconcile(Order::scheduled(), time).await;
    assert_eq!(first.unwrap().stopped, Some(Stop::OutOfTime));
    world.twilio.fail(Fault {
        at: At::product("taskrouter").path("/Events"),
        kind: FaultKind::Status(400),
        times: Some(1),
    });
    let report = world.reconcile().await;
    assert_eq!(report.restarted, 1, "{report:?}");
    assert_eq!((report.events, report.whole), (3_600, true), "{report:?}");
}
