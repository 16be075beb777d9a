//! Every order of the events of two tasks, which takes seconds. The fast tier leaves it out.

use serde_json::Value;
use world::World;

use crate::MINUTE;

#[tokio::test(start_paused = true)]
async fn row_02_six_events_in_each_of_their_720_orders_make_the_same_record() {
    let world = World::new().await;
    let chat = world.customer_writes("whatsapp:+15550000001");
    world.agent_accepts(chat);
    world.time_passes(MINUTE).await;
    world.twilio.state().agent_wraps_up(chat.task).unwrap();
    world.agent_completes(chat);
    world.time_passes(MINUTE).await;
    let again = world.customer_writes("whatsapp:+15550000001");
    assert_eq!(again.channel, chat.channel);
    let events = world.take_events();
    assert_eq!(events.len(), 6);

    let mut records = std::collections::BTreeSet::new();
    for (number, order) in orders(6).into_iter().enumerate() {
        // A channel of its own for every order, in one table.
        let channel = format!("CH{number:031x}f");
        let renamed = |event: &Value| -> Value {
            let text = event.to_string().replace(chat.channel.as_str(), &channel);
            serde_json::from_str(&text).unwrap()
        };
        // In two requests, cut in a different place each time.
        let (first, second) = order.split_at(number % 7);
        for part in [first, second] {
            let part: Vec<Value> = part.iter().map(|index| renamed(&events[*index])).collect();
            world.deliver_these(&part).await;
        }
        let record = world.record(channel.parse().unwrap()).await.unwrap();
        let text = serde_json::to_string(&record).unwrap();
        records.insert(text.replace(&channel, "the channel"));
    }
    assert_eq!(records.len(), 1, "{records:#?}");
    world.finish().await;
}

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(count - 1) {
        for place in 0..count {
            let mut order = shorter.clone();
            order.insert(place, count - 1);
            all.push(order);
        }
    }
    all
}
