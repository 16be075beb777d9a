//! Sweeps that die, overlap or hear no answer while they give an unheard customer an agent: there
//! is one task for one message.

use std::time::Duration;

use futures::join;
use simulator::{At, Fault, FaultKind};
use world::{Chat, Crash};

use crate::MINUTE;
use crate::rescues::{open_tasks, tasks_made, unheard};

#[tokio::test(start_paused = true)]
async fn sweeps_that_overlap_in_any_way_make_one_task() {
    for platform in ["chat", "conversation"] {
        for offset in (0..1_000).step_by(25) {
            let (world, chat) = unheard(platform).await;
            world.twilio_takes(Duration::from_millis(40));
            let late = async {
                world
                    .time_passes_for_others(Duration::from_millis(offset))
                    .await;
                world.sweep().await
            };
            let (first, second) = join!(world.sweep(), late);
            assert_eq!(
                first.rescued + second.rescued,
                1,
                "{platform} {offset}: {first:?} {second:?}"
            );
            assert_eq!(tasks_made(&world, chat.channel), 2, "{platform} {offset}");
            assert_eq!(first.closed + second.closed, 0);
            world.expect_notices(&[("CustomerRescued", chat.channel)]);
            world.lose_events();
            world.finish().await;
        }
    }
}

/// Every request of a sweep is where it dies once before the request got there and once after.
/// The customer has a task within an hour, and never two.
#[tokio::test(start_paused = true)]
async fn wherever_a_sweep_dies_the_customer_is_given_one_task() {
    for platform in ["chat", "conversation"] {
        for kind in [Crash::Before, Crash::After] {
            let mut steps = 0;
            while dies_and_is_made_up_for(platform, kind(steps)).await {
                steps += 1;
            }
            assert!(steps > 15, "{platform}: only {steps} steps");
        }
    }
}

async fn dies_and_is_made_up_for(platform: &str, crash: Crash) -> bool {
    let (world, chat) = unheard(platform).await;
    let died = world.sweep_and_die(crash).await;
    for _ in 0..4 {
        world.time_passes(5 * MINUTE).await;
        world.sweep().await;
    }
    assert_eq!(tasks_made(&world, chat.channel), 2, "{platform} {crash:?}");
    assert_eq!(
        open_tasks(&world, chat.channel).len(),
        1,
        "{platform} {crash:?}"
    );
    let record = world.record(chat.channel).await.unwrap();
    assert!(record.idle().is_none(), "{platform} {crash:?}");
    let told = world.notices();
    assert!(
        told.iter().all(|told| told.kind == "CustomerRescued"),
        "{platform} {crash:?}: {told:?}"
    );
    world.lose_events();
    world.finish().await;
    died
}

/// The sweep dies after the task was made, its events are lost, and the agent ends it before
/// anybody looks again: TaskRouter's log shows it, and no second one is made.
#[tokio::test(start_paused = true)]
async fn a_task_that_came_and_went_unseen_is_found_in_the_log() {
    for platform in ["chat", "conversation"] {
        let mut steps = 0;
        loop {
            let (world, chat) = unheard(platform).await;
            let died = world.sweep_and_die(Crash::After(steps)).await;
            if let Some(task) = open_tasks(&world, chat.channel).pop() {
                let rescued = Chat {
                    task: task.sid,
                    ..chat
                };
                world.agent_accepts(rescued);
                match platform {
                    "chat" => world.tab_is_closed(rescued),
                    _ => world.twilio.state().agent_removed(task.sid).unwrap(),
                }
            }
            world.lose_events();
            world.time_passes(20 * MINUTE).await;
            world.sweep().await;
            world.lose_events();
            world.time_passes(20 * MINUTE).await;
            world.sweep().await;
            assert_eq!(tasks_made(&world, chat.channel), 2, "{platform} {steps}");
            world.lose_events();
            world.notices();
            if !died {
                break;
            }
            steps += 1;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_and_a_busy_twilio_make_one_task() {
    for platform in ["chat", "conversation"] {
        let product = if platform == "chat" {
            "taskrouter"
        } else {
            "flex-api"
        };
        for kind in [
            FaultKind::DropBefore,
            FaultKind::DropAfter,
            FaultKind::HangBefore,
            FaultKind::HangAfter,
            FaultKind::Garbage,
            FaultKind::Status(500),
            FaultKind::TooManyRequests { retry_after: None },
        ] {
            let (world, chat) = unheard(platform).await;
            world.twilio.fail(Fault {
                at: At::product(product).method("POST"),
                kind: kind.clone(),
                times: Some(1),
            });
            for _ in 0..4 {
                world.sweep().await;
                assert!(tasks_made(&world, chat.channel) <= 2, "{platform} {kind:?}");
                world.time_passes(5 * MINUTE).await;
            }
            assert_eq!(
                open_tasks(&world, chat.channel).len(),
                1,
                "{platform} {kind:?}"
            );
            world.expect_notices(&[("CustomerRescued", chat.channel)]);
            world.lose_events();
            world.finish().await;
        }
    }
}
