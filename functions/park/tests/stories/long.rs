//! A crash at any step, which takes seconds. The fast tier leaves it out.

use world::{Crash, POLL, World};

use crate::races::silence;

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_step_leaves_no_customer_waiting() {
    let mut crashes = 0;
    // The reply comes before or after the next poll; our own echoes come or are lost.
    for (polled, echoes) in [(false, false), (false, true), (true, false), (true, true)] {
        for step in 0.. {
            let mut over = true;
            for crash in [Crash::Before(step), Crash::After(step)] {
                let world = World::that_parks().await;
                let chat = world.answered_conversation("+15550100123").await;
                world.park().check(world.now()).await.unwrap();
                world.time_passes(silence()).await;
                let died = world.park_and_die(crash).await;
                over &= !died;
                crashes += usize::from(died);
                if echoes {
                    world.deliver_all().await;
                } else {
                    world.lose_events();
                }
                if polled {
                    world.time_passes(POLL).await;
                    world.parking_poll().await;
                    assert!(world.is_parked(chat), "{crash:?}: it is parked in the end");
                    world.lose_events();
                }
                world.time_passes(POLL).await;
                world.customer_converses("+15550100123");
                world.deliver_all().await;
                world.bus_loses();
                world.parking_poll().await;
                assert!(!world.is_parked(chat), "{crash:?} {polled} {echoes}");
                world.deliver_all().await;
                world.finish().await;
            }
            if over {
                break;
            }
        }
    }
    println!("{crashes} crashes");
    assert!(crashes > 40, "{crashes}");
}
