//! A scheduled run leaves its settings in the table, and its counts or its failure.

use std::time::Duration;

use embedded::Fault;
use store::Job;
use sweep::Mode;
use world::{SWEEP_TIME, World};

use crate::MINUTE;

#[tokio::test(start_paused = true)]
async fn a_sweep_notes_its_settings_and_what_it_came_to() {
    let world = World::new().await;
    world.plan(|plan| {
        plan.mode = Mode::Observe;
        plan.policy.ended_cutoff = 10 * 60 * MINUTE;
        plan.max_closes = 7;
    });
    assert_eq!(world.table.last_run(Job::Sweep).await.unwrap(), None);
    let began = world.now();
    world.sweep().await;
    let run = world.table.last_run(Job::Sweep).await.unwrap().unwrap();
    assert_eq!(run.at, began);
    assert_eq!(run.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(run.result["due"], 0);
    for (name, value) in [
        ("SWEEP_MODE", "observe"),
        ("SWEEP_ACTION", "inactivate"),
        ("SWEEP_CONCURRENCY", "10"),
        ("MAX_CLOSES_PER_SWEEP", "7"),
        ("ABANDONED_CUTOFF", "5m"),
        ("ENDED_CUTOFF", "10h"),
        ("PUT_ASIDE_CUTOFF", "never"),
        ("PROXY_SERVICE_SID", ""),
    ] {
        assert_eq!(run.settings[name], value, "{name}");
    }
    // What the sweep does not act by is for its own function to tell.
    assert!(!run.settings.contains_key("PARK_AFTER"));
    let text = format!("{run:?}");
    for secret in [world.auth_token(), world.twilio.account().api_secret] {
        assert!(!text.contains(&secret));
    }
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_failed_is_noted_by_the_failures_name() {
    let world = World::new().await;
    world.chats_left_behind(1).await;
    world.everything_falls_due().await;
    world.twilio.fail(simulator::Fault {
        at: simulator::At::product("taskrouter"),
        kind: simulator::FaultKind::Status(503),
        times: None,
    });
    world.attempt_sweep(SWEEP_TIME).await.unwrap_err();
    let run = world.table.last_run(Job::Sweep).await.unwrap().unwrap();
    assert_eq!(run.result["error"], "TaskRouterUnavailable");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_note_that_cannot_be_written_sinks_no_run() {
    let world = World::new().await;
    world
        .aws
        .plan_faults(|call| (call.operation == "PutItem").then_some(Fault::InternalError));
    world.sweep().await;
    world.aws.end_faults();
    assert_eq!(world.table.last_run(Job::Sweep).await.unwrap(), None);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_reconciliation_is_noted_too_and_what_a_person_runs_is_not() {
    let world = World::new().await;
    let sweeper = world.sweeper();
    let now = world.now();
    sweeper.run(now, SWEEP_TIME).await.unwrap();
    let order = sweep::Order::since(Duration::from_secs(3600));
    let (report, _) = world.attempt_reconcile(order, SWEEP_TIME).await;
    report.unwrap();
    for job in [Job::Sweep, Job::Reconcile] {
        assert_eq!(world.table.last_run(job).await.unwrap(), None);
    }
    let event = serde_json::json!({ "job": "reconcile" });
    sweeper.work(&event, now, SWEEP_TIME).await.unwrap();
    let run = world.table.last_run(Job::Reconcile).await.unwrap().unwrap();
    assert_eq!(run.result["whole"], true);
    world.finish().await;
}
