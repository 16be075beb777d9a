//! The figures that are promised, each measured and printed.

use std::time::Duration;

use domain::Policy;
use world::{POLL, World, moment};

fn park_after() -> Duration {
    Policy::default().park_after
}

#[tokio::test(start_paused = true)]
async fn a_chat_is_parked_no_earlier_than_its_time_and_no_later_than_one_poll_after() {
    for late in [0, 1, 999, 4_321, 9_999] {
        let world = World::that_parks().await;
        world.park().check(world.now()).await.unwrap();
        world.time_passes(Duration::from_millis(late)).await;
        let chat = world.answered_conversation("+15550100123").await;
        let spoke = moment();
        world.twilio.reset_calls();
        let mut polls = 0;
        // One millisecond before its time, and then at each moment of the polls' grid.
        world
            .time_passes(park_after() - Duration::from_millis(1))
            .await;
        assert_eq!(world.parking_poll().await.parked, 0);
        assert_eq!(world.twilio.calls().total(), 0);
        while !world.is_parked(chat) {
            let now = world.now().as_millis();
            let rest = 10_000 - now.rem_euclid(10_000);
            world
                .time_passes(Duration::from_millis(rest.unsigned_abs()))
                .await;
            world.parking_poll().await;
            polls += 1;
        }
        let after = spoke.elapsed() - park_after();
        println!("parked {after:?} after PARK_AFTER, at poll {polls} of it");
        assert!(after <= POLL, "{after:?}");
        assert_eq!(world.twilio.calls().total(), 2, "one look and one move");
        world.deliver_all().await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_brings_a_chat_back_within_a_second_by_the_bus_and_within_a_poll_without() {
    for by_bus in [true, false] {
        let world = World::that_parks().await;
        let chat = world.answered_conversation("+15550100123").await;
        world.time_passes(park_after() + POLL).await;
        assert_eq!(world.parking_poll().await.parked, 1);
        world.deliver_all().await;
        world.twilio_takes(Duration::from_millis(150));
        world.twilio.reset_calls();

        world.customer_converses("+15550100123");
        let wrote = moment();
        world.deliver_all().await;
        if by_bus {
            assert_eq!(world.bus_wakes_park().await, 1);
        } else {
            assert_eq!(world.bus_loses(), 1);
            let summary = world.parking_minute().await;
            assert_eq!(summary.returned, 1);
        }
        assert!(!world.is_parked(chat));
        let task = world.twilio.state().task(chat.task).unwrap().updated;
        let back = task.as_millisecond();
        let took = Duration::from_millis((back - world.now().as_millis()).unsigned_abs());
        let took = wrote.elapsed().checked_sub(took).unwrap();
        println!("by bus {by_bus}: back {took:?} after the reply");
        let most = if by_bus { Duration::from_secs(1) } else { POLL };
        assert!(took <= most, "{took:?}");
        let calls = world.twilio.calls();
        let look = calls.count("taskrouter", "GET", "Tasks/{Sid}");
        let moved = calls.count("taskrouter", "POST", "Tasks/{Sid}");
        println!("calls for the move: {look} + {moved}");
        assert_eq!((look, moved), (1, 1));
        world.deliver_all().await;
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_minute_with_nothing_due_asks_twilio_nothing() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    world.twilio.reset_calls();
    let summary = world.parking_minute().await;
    println!(
        "{} polls, {} calls",
        summary.polls,
        world.twilio.calls().total()
    );
    assert_eq!(summary.polls, 6);
    assert_eq!((summary.due, summary.calls), (0, 0));
    assert_eq!(world.twilio.calls().total(), 0);
    assert!(!world.is_parked(chat));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn messages_cost_a_write_only_when_they_change_something() {
    let world = World::that_parks().await;
    let chat = world.answered_conversation("+15550100123").await;
    world.aws.forget_calls();
    let writes = |world: &World| world.aws.tally("PutItem").requests;
    // The same agent, the same ten seconds.
    world.agent_writes(chat);
    world.deliver_all().await;
    assert_eq!(writes(&world), 0);
    // An answer, and its further lines.
    for _ in 0..5 {
        world.time_passes(Duration::from_secs(3)).await;
        world.customer_converses("+15550100123");
        world.deliver_all().await;
    }
    // The very next one of the same customer is not; then one may lie between.
    assert_eq!(writes(&world), 3);
    // A bot says something in between.
    let said = world.twilio.state().say(
        chat.channel,
        "system",
        "Your call is important to us.",
        "{}",
        simulator::Source::Api,
    );
    said.unwrap();
    world.deliver_all().await;
    assert_eq!(writes(&world), 3);
    println!("7 messages of three parties: {} writes", writes(&world));
    assert_eq!(world.bus_loses(), 0);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_parked_talk_costs_no_write() {
    let world = World::new().await;
    let chat = world.customer_converses("+15550100123");
    world.agent_accepts(chat);
    world.deliver().await;
    world.aws.forget_calls();
    world.agent_writes(chat);
    world.deliver().await;
    assert_eq!(world.aws.tally("PutItem").requests, 0);
    let record = world.record(chat.channel).await.unwrap();
    assert_eq!(record.queue_entry(), None);
    assert_eq!(record.activity(), &domain::Activity::default());
    world.finish().await;
}
