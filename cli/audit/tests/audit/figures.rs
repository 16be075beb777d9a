//! The number of requests. The pace is measured with larger numbers, in `tests/bench`.

use world::World;

use super::{MINUTE, audit};

#[tokio::test(start_paused = true)]
async fn requests_are_bounded_by_the_lists_and_the_candidates() {
    let world = World::new().await;
    let nothing = audit(&world).await.requests;
    for number in 0..120 {
        let chat = world.customer_writes(&format!("+1555{number:07}"));
        world.agent_accepts(chat);
        if number >= 40 {
            world.tab_is_closed(chat);
        }
    }
    for number in 0..150 {
        world.conversation_with_agent(&format!("+1666{number:07}"));
    }
    world.time_passes(20 * MINUTE).await;
    let report = audit(&world).await;
    assert_eq!(report.unattended.channels, 80);
    // Beside what an empty project costs: the second page of 150 Conversations and those of the
    // log, two questions to TaskRouter about 80 channels, and three requests for each of them.
    let log_pages = u64::try_from(report.listed.events.div_ceil(1_000)).unwrap();
    let made = report.requests - nothing;
    let calls = world.twilio.calls();
    let calls: Vec<_> = calls.iter().collect();
    assert!(
        made <= 1 + log_pages + 2 + 3 * 80,
        "{made} requests: {calls:#?}"
    );
    world.lose_events();
}
