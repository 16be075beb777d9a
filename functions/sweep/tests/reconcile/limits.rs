//! The number of its requests, its interruptions, and answers that it cannot read.

use simulator::{At, Fault, FaultKind};
use sweep::{Order, Stop, SweepError};
use world::{Chat, SWEEP_TIME, World};

use super::{DAY, HOUR, chat_of_old};

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_task_of_which_nobody_told_is_fetched_once() {
    let world = World::new().await;
    let agent = world
        .twilio
        .state()
        .hire_agent(world.project.workspace, "agent.jones@example.com")
        .unwrap();
    for number in 0..30 {
        let chat = world.customer_writes(&format!("+1555{number:07}"));
        world
            .twilio
            .state()
            .agent_accepts(chat.task, agent)
            .unwrap();
    }
    world.lose_events();
    // Old enough to be looked at; the log that is read does not go back as far.
    world.time_passes(23 * HOUR).await;
    world.plan(|plan| plan.policy.orphan_grace = HOUR);
    let (report, _) = world
        .attempt_reconcile(Order::since(HOUR), SWEEP_TIME)
        .await;
    let report = report.unwrap();
    assert_eq!(report.found_open, 30, "{report:?}");
    let fetched = world
        .twilio
        .calls()
        .count("taskrouter", "GET", "Tasks/{Sid}");
    assert_eq!(fetched, 30);
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_product_that_is_switched_off_is_said_and_the_rest_goes_on() {
    let world = World::new().await;
    chat_of_old(&world, "+15550100001").await;
    let Chat { task, .. } = world.customer_converses("+15550100002");
    world
        .twilio
        .state()
        .task_canceled_by_supervisor(task)
        .unwrap();
    world.lose_events();
    world.time_passes(40 * DAY).await;
    for status in [403, 404] {
        world.twilio.fail(Fault {
            at: At::product("proxy"),
            kind: FaultKind::Status(status),
            times: None,
        });
        let report = world.reconcile().await;
        assert_eq!(report.unavailable.len(), 1, "{report:?}");
        assert_eq!(report.unavailable[0].what, "Proxy sessions");
        assert_eq!(report.conversations, 1, "{report:?}");
        assert!(report.whole, "{report:?}");
        world.twilio.clear_faults();
    }
    // And one that does not answer is gone on with later.
    world.twilio.fail(Fault {
        at: At::product("conversations"),
        kind: FaultKind::Status(503),
        times: None,
    });
    let report = world.reconcile().await;
    assert_eq!(report.stopped, Some(Stop::TwilioIsDown), "{report:?}");
    assert_eq!(report.sessions, 1, "{report:?}");
    world.twilio.clear_faults();
    let report = world.reconcile().await;
    assert_eq!((report.sessions, report.whole), (0, true), "{report:?}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn without_taskrouter_or_with_wrong_credentials_nothing_is_taken_up() {
    let world = World::new().await;
    let channel = chat_of_old(&world, "+15550100001").await;
    for (at, status) in [
        (At::product("taskrouter").path("/Tasks"), 503),
        (At::product("taskrouter").path("/Events"), 403),
        (At::product("proxy"), 401),
    ] {
        world.twilio.fail(Fault {
            at,
            kind: FaultKind::Status(status),
            times: None,
        });
        let (report, _) = world
            .attempt_reconcile(Order::scheduled(), SWEEP_TIME)
            .await;
        assert!(
            matches!(report, Err(SweepError::LookupFailed(_))),
            "{report:?}"
        );
        world.twilio.clear_faults();
    }
    assert!(world.record(channel).await.is_none());
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_service_that_is_not_there_says_nothing_of_its_channels() {
    let world = World::new().await;
    world.end_sessions();
    let channel = chat_of_old(&world, "+15550100001").await;
    world.twilio.fail(Fault {
        at: At::product("chat"),
        kind: FaultKind::Status(404),
        times: None,
    });
    let report = world.reconcile().await;
    assert_eq!(
        (report.sessions_to_end, report.orphans),
        (0, 1),
        "{report:?}"
    );
    // The sweep does not believe what is said of its channels, and stops.
    world.everything_falls_due().await;
    let error = world.attempt_sweep(SWEEP_TIME).await.unwrap_err();
    assert!(matches!(error, SweepError::Stopped(_)), "{error:?}");
    let record = world.record(channel).await.unwrap();
    assert!(record.cleanup().is_none(), "{record:?}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_bad_channel_holds_up_no_other() {
    let world = World::new().await;
    let refused = chat_of_old(&world, "+15550100001").await;
    let fine = world.customer_writes("+15550100002").channel;
    let task = world.twilio.state().open_tasks_on(fine).next().unwrap().sid;
    world
        .twilio
        .state()
        .task_canceled_by_supervisor(task)
        .unwrap();
    let unreadable = world.chat_left_behind("+15550100003").await.channel;
    world.record_is_written_by_a_later_version(unreadable).await;
    world.lose_events();
    world.time_passes(2 * DAY).await;
    world.twilio.fail(Fault {
        at: At::product("chat").path(refused.as_str()),
        kind: FaultKind::Status(400),
        times: None,
    });
    let (report, _) = world
        .attempt_reconcile(Order::since(3 * DAY), SWEEP_TIME)
        .await;
    let report = report.unwrap();
    // The record that only a later version can read is met in the log and among the sessions.
    assert_eq!(
        (report.deferred, report.skipped["tracked"]),
        (2, 1),
        "{report:?}"
    );
    // What was put off is not passed over in silence.
    assert!(!report.whole && report.unavailable.is_empty(), "{report:?}");
    // What Twilio refuses about a channel itself is the sweep's to find out.
    assert!(world.record(refused).await.is_some());
}
