//! A rescue that meets something else on its way: there is one task at most, and the customer is
//! heard or told of.

use domain::RescueState;
use futures::join;
use simulator::state::taskrouter::task::{Expect, NewTask, TaskChange};
use simulator::{At, Fault, FaultKind};
use world::Crash;

use crate::MINUTE;
use crate::rescues::{expect_rescued, expect_told, open_tasks, tasks_made, unheard};

/// The rescue was announced, and TaskRouter refuses the last look before the task.
#[tokio::test(start_paused = true)]
async fn without_the_last_look_no_task_is_made_until_the_next_sweep() {
    for platform in ["chat", "conversation"] {
        let (world, chat) = unheard(platform).await;
        let gate = world.gate_after("GET", "/Events");
        let meanwhile = async {
            gate.reached().await;
            world.twilio.fail(Fault {
                at: At::product("taskrouter").method("GET").path("/Tasks"),
                kind: FaultKind::Status(400),
                times: None,
            });
            gate.open();
        };
        let (summary, ()) = join!(world.sweep(), meanwhile);
        assert_eq!((summary.deferred, summary.rescued), (1, 0), "{summary:?}");
        assert_eq!(tasks_made(&world, chat.channel), 1, "{platform}");
        let record = world.record(chat.channel).await.unwrap();
        assert_eq!(record.rescue().unwrap().state, RescueState::Withdrawn);
        world.twilio.clear_faults();
        world.time_passes(5 * MINUTE).await;
        let summary = world.sweep().await;
        expect_rescued(&world, &summary, chat);
        world.lose_events();
        world.finish().await;
    }
}

/// A supervisor cancels the task in the moment in which it is made.
#[tokio::test(start_paused = true)]
async fn a_task_that_ends_at_once_is_told_and_not_made_again() {
    for (platform, path) in [("chat", "/Tasks"), ("conversation", "/Invites")] {
        let (world, chat) = unheard(platform).await;
        let gate = world.gate_after("POST", path);
        let meanwhile = async {
            gate.reached().await;
            let task = open_tasks(&world, chat.channel).remove(0).sid;
            let mut state = world.twilio.state();
            state.task_canceled_by_supervisor(task).unwrap();
            drop(state);
            gate.open();
        };
        let (summary, ()) = join!(world.sweep(), meanwhile);
        assert_eq!((summary.rescued, summary.unheard), (0, 1), "{summary:?}");
        assert_eq!(summary.not_rescued["ended-at-once"], 1, "{summary:?}");
        world.expect_notices(&[("CustomerUnheard", chat.channel)]);
        let record = world.record(chat.channel).await.unwrap();
        assert_eq!(record.rescue().unwrap().state, RescueState::NotMade);
        for _ in 0..4 {
            world.time_passes(5 * MINUTE).await;
            world.sweep().await;
        }
        assert_eq!(tasks_made(&world, chat.channel), 2, "{platform}");
        world.expect_notices(&[("ChannelClosed", chat.channel)]);
        world.lose_events();
        world.finish().await;
    }
}

/// Other software takes the channel out of the new task's attributes. The log shows that the
/// task was made, so that there is no second one.
#[tokio::test(start_paused = true)]
async fn a_task_that_is_taken_off_its_channel_is_found_in_the_log() {
    let (world, chat) = unheard("chat").await;
    let gate = world.gate_after("POST", "/Tasks");
    let meanwhile = async {
        gate.reached().await;
        let task = open_tasks(&world, chat.channel).remove(0).sid;
        let change = TaskChange {
            attributes: Some("{}".to_owned()),
            ..TaskChange::default()
        };
        let mut state = world.twilio.state();
        state.update_task(task, Expect::Any, change).unwrap();
        drop(state);
        gate.open();
    };
    let (summary, ()) = join!(world.sweep(), meanwhile);
    assert_eq!((summary.deferred, summary.rescued), (1, 0), "{summary:?}");
    world.lose_events();
    for _ in 0..4 {
        world.time_passes(5 * MINUTE).await;
        world.sweep().await;
    }
    assert_eq!(tasks_made(&world, chat.channel), 2);
    world.lose_events();
    world.notices();
    world.finish().await;
}

/// The sweep dies before the task is made, and in the same minutes so many others are made that the
/// log does not fit on a page.
#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_say_makes_no_task() {
    for platform in ["chat", "conversation"] {
        let mut steps = 0;
        let (world, chat) = loop {
            let (world, chat) = unheard(platform).await;
            assert!(
                world.sweep_and_die(Crash::Before(steps)).await,
                "{platform}"
            );
            let record = world.record(chat.channel).await.unwrap();
            if record.rescue().is_some() {
                break (world, chat);
            }
            steps += 1;
        };
        assert_eq!(tasks_made(&world, chat.channel), 1, "{platform}");
        {
            let mut state = world.twilio.state();
            let project = state.project().unwrap();
            for _ in 0..1001 {
                let other = NewTask {
                    workflow: Some(project.workflow),
                    ..NewTask::default()
                };
                state.create_task(project.workspace, other).unwrap();
            }
        }
        world.lose_events();
        world.time_passes(15 * MINUTE).await;
        let summary = world.sweep().await;
        expect_told(&world, &summary, chat, "unclear");
        assert_eq!(tasks_made(&world, chat.channel), 1, "{platform}");
        world.lose_events();
        world.finish().await;
    }
}
