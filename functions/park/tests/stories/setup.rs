//! Pairs of TaskChannels that are none.

use std::time::Duration;

use domain::Policy;
use park::ParkError;
use world::{PARK_TIME, POLL, World};

#[tokio::test(start_paused = true)]
async fn a_wrong_set_up_is_named_and_nothing_is_moved() {
    for case in ["unknown", "hyphen", "single", "right"] {
        let world = World::that_parks().await;
        let chat = world.answered_conversation("+15550100123").await;
        let active = world.project.chat_task_channel;
        let mut inactive = world.inactive().to_string();
        match case {
            "unknown" => inactive = format!("TC{}", "9".repeat(32)),
            "hyphen" => {
                let mut state = world.twilio.state();
                let channel = state.task_channel_mut(world.inactive()).unwrap();
                channel.unique_name = "inactive-chat".to_owned();
            }
            "single" => {
                let mut state = world.twilio.state();
                let workspace = state.workspace_mut(world.project.workspace).unwrap();
                workspace.multi_task_enabled = false;
            }
            _ => {}
        }
        let park = world.parking_function(&format!("{active}:{inactive}"), &[]);
        drop(park.check(world.now()).await);
        world.time_passes(Policy::default().park_after + POLL).await;
        world.twilio.reset_calls();
        let run = park.tick(world.now(), PARK_TIME).await;
        let said = match (case, run) {
            ("right", Ok(summary)) => {
                assert_eq!(summary.parked, 1);
                continue;
            }
            (_, Err(error @ ParkError::Pairs(_))) => error.to_string(),
            (_, other) => panic!("{case}: {other:?}"),
        };
        let expected = match case {
            "unknown" => "the workspace has no TaskChannel TC999",
            "hyphen" => "holds a hyphen",
            _ => "multi-tasking switched off",
        };
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("nothing was moved"), "{said}");
        assert_eq!(world.twilio.calls().writes(), 0, "{case}");
        assert!(!world.is_parked(chat));
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_is_looked_up_where_the_settings_do_not_say() {
    let world = World::that_parks().await;
    let (active, inactive) = (world.project.chat_task_channel, world.inactive());
    let pairs = format!("{active}:{inactive}");
    let empty = [("TASKROUTER_WORKSPACE_SID", ""), ("CHAT_SERVICE_SID", "")];
    let park = world.parking_function(&pairs, &empty);
    park.check(world.now()).await.unwrap();
    assert_eq!(world.twilio.calls().total(), 3);
    park.check(world.now()).await.unwrap();
    assert_eq!(world.twilio.calls().total(), 3, "once");
    let chat = world.answered_conversation("+15550100123").await;
    world.time_passes(Policy::default().park_after + POLL).await;
    let summary = park.tick(world.now(), Duration::ZERO).await.unwrap();
    assert_eq!(summary.parked, 1);
    assert!(world.is_parked(chat));
    world.deliver_all().await;
    world.finish().await;
}
