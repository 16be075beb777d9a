//! Many channels: tracked, due, or due at a Twilio that hangs.

use simulator::{At, Fault, FaultKind};
use world::{SWEEP_TIME, World, moment};

use crate::{HOUR, MINUTE};

#[tokio::test(start_paused = true)]
async fn row_18_a_twilio_that_hangs_does_not_make_a_sweep_outlive_its_time() {
    for (budget, count) in [(MINUTE, 300), (SWEEP_TIME, 700)] {
        let world = World::new().await;
        let chats = world.chats_left_behind(count).await;
        world.everything_falls_due().await;
        // Every other write is never answered, so that the sweep goes on and each takes long.
        for chat in chats.iter().step_by(2) {
            world.twilio.fail(Fault {
                at: At::product("chat")
                    .method("POST")
                    .path(chat.channel.as_str()),
                kind: FaultKind::HangBefore,
                times: None,
            });
        }
        let began = moment();
        let summary = world.attempt_sweep(budget).await.unwrap();
        assert!(began.elapsed() <= budget, "{:?}", began.elapsed());
        assert!(summary.not_started > 0, "{summary:?}");
        world.notices();
        world.finish().await;
    }
}

/// Returns the requests of a sweep to DynamoDB and Twilio, with ten channels due among so many.
async fn cost(tracked: usize) -> (f64, u64, u64, u64) {
    let world = World::new().await;
    world.plan(|plan| plan.max_closes = tracked);
    let rest = tracked - 10;
    // Most of them wait for a reset that is not due; some wait for nothing at all.
    for number in 0..rest {
        let chat = world.customer_writes(&format!("whatsapp:+1555{number:07}"));
        if number % 10 > 0 {
            world.agent_accepts(chat);
            world.tab_is_closed(chat);
        }
        if number % 100 == 99 {
            world.deliver().await;
        }
    }
    world.deliver().await;
    world.everything_falls_due().await;
    world.sweep().await;
    world.time_passes(12 * HOUR).await;
    world.chats_left_behind(10).await;
    world.everything_falls_due().await;
    world.notices();

    world.aws.forget_calls();
    world.twilio.reset_calls();
    let summary = world.sweep().await;
    assert_eq!((summary.due, summary.closed), (10, 10));
    assert_eq!(world.notices().len(), 10);
    let reads = world.aws.tally("Query").units + world.aws.tally("GetItem").units;
    let writes = world.aws.tally("PutItem").requests;
    // The fuse before the portion and at the end, and the run.
    assert_eq!(world.aws.tally("PutItem of notes").requests, 3);
    let queries = world.aws.tally("Query").requests;
    let calls = world.twilio.calls().of_product("chat");
    world.finish().await;
    (reads, queries, writes, calls)
}

#[tokio::test(start_paused = true)]
async fn row_47_what_a_sweep_costs_grows_with_what_is_due_and_not_with_what_is_tracked() {
    let few = cost(30).await;
    assert_eq!(few, cost(1_500).await);
    let (_, _, writes, calls) = few;
    // Channel, newest message, webhooks and the write.
    assert_eq!((writes, calls), (10, 40));
}
