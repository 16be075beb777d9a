//! Event Streams' way of delivering: in batches, out of order, more than once, in several shapes.

use serde_json::Value;

/// Says how badly events are delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The most events that one body holds.
    pub max_batch: usize,
    /// The chance that an event is delivered a second time, from 0 to 1.
    pub duplicates: f64,
    /// The order in which events go out.
    pub order: Order,
    /// True if bodies may take the rarer shapes that receivers must accept.
    pub shapes: Shapes,
}

/// Says in which order events go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they happened.
    Kept,
    /// In any order at all.
    Shuffled,
}

/// Says which shapes bodies take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shapes {
    /// Always an array of events whose `data` is an object.
    Documented,
    /// Sometimes a bare event, sometimes `data` as a JSON string.
    Mixed,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            max_batch: 5,
            duplicates: 0.1,
            order: Order::Shuffled,
            shapes: Shapes::Mixed,
        }
    }
}

/// The chance of each rarer shape.
const RARE: f64 = 0.2;

/// Turns events into the bodies of the requests that deliver them; every event is in at least one.
pub fn batches(events: &[Value], rng: &mut fastrand::Rng, delivery: &Delivery) -> Vec<Value> {
    let mut queue: Vec<Value> = Vec::with_capacity(events.len());
    for event in events {
        queue.push(event.clone());
        if rng.f64() < delivery.duplicates {
            queue.push(event.clone());
        }
    }
    if delivery.order == Order::Shuffled {
        rng.shuffle(&mut queue);
    }
    let rare = |rng: &mut fastrand::Rng| delivery.shapes == Shapes::Mixed && rng.f64() < RARE;
    for event in &mut queue {
        if rare(rng) {
            let data = event["data"].to_string();
            event["data"] = Value::String(data);
        }
    }
    let mut bodies = Vec::new();
    let mut queue = queue.into_iter().peekable();
    while queue.peek().is_some() {
        let size = rng.usize(1..=delivery.max_batch.max(1));
        let mut batch: Vec<Value> = queue.by_ref().take(size).collect();
        let bare = if batch.len() == 1 && rare(rng) {
            batch.pop()
        } else {
            None
        };
        bodies.push(bare.unwrap_or(Value::Array(batch)));
    }
    bodies
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ids(bodies: &[Value]) -> Vec<u64> {
        let events = bodies.iter().flat_map(|body| {
            body.as_array()
                .cloned()
                .unwrap_or_else(|| vec![body.clone()])
        });
        events.filter_map(|event| event["id"].as_u64()).collect()
    }

    #[test]
    fn every_event_arrives_whatever_the_delivery_does() {
        let events: Vec<Value> = (0..200)
            .map(|id| json!({ "id": id, "data": { "n": id } }))
            .collect();
        let bodies = batches(
            &events,
            &mut fastrand::Rng::with_seed(3),
            &Delivery::default(),
        );
        let mut ids = ids(&bodies);
        assert!(!ids.is_sorted(), "shuffled");
        ids.sort_unstable();
        assert!(ids.len() > 200, "some arrive twice");
        ids.dedup();
        assert_eq!(ids, (0..200).collect::<Vec<u64>>());
        assert!(bodies.iter().any(Value::is_object), "some come bare");
        assert!(
            bodies.iter().any(|body| body[0]["data"].is_string()),
            "some carry data as a string"
        );
    }

    #[test]
    fn a_good_day_keeps_order_and_shape() {
        let events: Vec<Value> = (0..20).map(|id| json!({ "id": id, "data": {} })).collect();
        let calm = Delivery {
            max_batch: 3,
            duplicates: 0.0,
            order: Order::Kept,
            shapes: Shapes::Documented,
        };
        let bodies = batches(&events, &mut fastrand::Rng::with_seed(3), &calm);
        assert_eq!(ids(&bodies), (0..20).collect::<Vec<u64>>());
        assert!(bodies.iter().all(|body| {
            body.as_array()
                .is_some_and(|batch| (1..=3).contains(&batch.len()))
        }));
    }
}
