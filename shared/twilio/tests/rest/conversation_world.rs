//! Closing a Conversation in a small world that fails in every way it can: whatever happens,
//! the calls are bounded, nothing is written that was not to be, what is said to be closed is
//! closed, and who keeps trying gets there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use http::{Method, Request, Response};
use proptest::prelude::*;
use twilio::rest::conversation_closer::{
    ConversationClosed, ConversationFailure, ConversationOrder, StillActive,
};
use twilio::rest::{Client, Limits, Transport, TransportError};

use crate::conversation_closer::{close_it, conversation, interaction, order, service};
use crate::scripted::client_over;
use domain::{LastStep, Outcome};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Nothing.
    None,
    /// It is refused with this status, without effect.
    Refused(u16),
    /// It has its effect, and the answer is lost.
    AnswerLost,
    /// It is answered by something that is no answer, without effect.
    Garbage,
}

#[derive(Debug)]
struct World {
    /// The status of the interaction channel, or nothing if there is none.
    channel: Option<&'static str>,
    /// The state of the conversation, or nothing if there is none.
    state: Option<&'static str>,
    /// Whether Flex closes the conversation along with its channel.
    closes_both: bool,
    service_is_there: bool,
    faults: VecDeque<Fault>,
    writes: Vec<&'static str>,
}

impl World {
    fn answer(&mut self, request: &Request<Bytes>) -> (u16, String) {
        let path = request.uri().path();
        let post = request.method() == Method::POST;
        let resource = path.rsplit('/').next().unwrap_or_default();
        let absent = (404, r#"{"code":20404}"#.to_owned());
        match &resource[..2] {
            "UO" => {
                let Some(status) = &mut self.channel else {
                    return absent;
                };
                if post {
                    self.writes.push("UO");
                    if ["closed", "failed"].contains(status) {
                        return (400, r#"{"code":20001}"#.to_owned());
                    }
                    *status = "closed";
                    if self.closes_both && self.state.is_some() {
                        self.state = Some("closed");
                    }
                }
                let status = self.channel.unwrap_or_default();
                (
                    200,
                    format!(r#"{{"sid":"{resource}","status":"{status}"}}"#),
                )
            }
            "CH" => {
                let Some(state) = &mut self.state else {
                    return absent;
                };
                if post {
                    self.writes.push("CH");
                    match *state {
                        "closed" => return (400, r#"{"code":50377}"#.to_owned()),
                        "initializing" => return (400, r#"{"code":50386}"#.to_owned()),
                        _ => *state = "closed",
                    }
                }
                (200, format!(r#"{{"sid":"{resource}","state":"{state}"}}"#))
            }
            "IS" if self.service_is_there => (200, format!(r#"{{"sid":"{resource}"}}"#)),
            _ => absent,
        }
    }
}

struct Shared(Mutex<World>);

impl Transport for Shared {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        async move {
            let mut world = self.0.lock().unwrap();
            let (status, body) = match world.faults.pop_front().unwrap_or(Fault::None) {
                Fault::None => world.answer(&request),
                Fault::Refused(status) => (status, r#"{"code":20001}"#.to_owned()),
                Fault::Garbage => (200, "<html>".to_owned()),
                Fault::AnswerLost => {
                    world.answer(&request);
                    return Err(TransportError::Broken("reset".to_owned()));
                }
            };
            Ok(Response::builder()
                .status(status)
                .body(Bytes::from(body))
                .unwrap())
        }
        .boxed()
    }
}

fn faults() -> impl Strategy<Value = VecDeque<Fault>> {
    let fault = prop_oneof![
        4 => Just(Fault::None),
        1 => prop::sample::select(vec![400, 401, 403, 409, 429, 500, 503]).prop_map(Fault::Refused),
        1 => Just(Fault::AnswerLost),
        1 => Just(Fault::Garbage),
    ];
    prop::collection::vec(fault, 0..10).prop_map(VecDeque::from)
}

fn world() -> impl Strategy<Value = World> {
    let statuses = vec![
        "setup", "active", "transfer", "inactive", "pause", "closed", "failed", "on-hold",
    ];
    let states = vec!["active", "inactive", "closed", "initializing", "archived"];
    (
        prop::option::weighted(0.9, prop::sample::select(statuses)),
        prop::option::weighted(0.9, prop::sample::select(states)),
        any::<bool>(),
        prop::bool::weighted(0.9),
        faults(),
    )
        .prop_map(
            |(channel, state, closes_both, service_is_there, faults)| World {
                channel,
                // What is in a service that is not there is not there.
                state: state.filter(|_| service_is_there),
                closes_both,
                service_is_there,
                faults,
                writes: Vec::new(),
            },
        )
}

fn orders() -> impl Strategy<Value = ConversationOrder> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(known, last, parked)| {
        let last_step = if last { LastStep::Yes } else { LastStep::No };
        let mut order = order(known.then(interaction), last_step);
        if parked {
            order.still_active = StillActive::MayBeParked;
        }
        order
    })
}

/// One try, and how many calls it took.
async fn attempt(
    client: &Client,
    order: ConversationOrder,
) -> (Result<ConversationClosed, ConversationFailure>, u64) {
    let before = client.stats().calls;
    let closed = close_it(client, order).await;
    (closed, client.stats().calls - before)
}

proptest! {
    #[test]
    fn whatever_fails_a_conversation_is_closed_by_the_rules(world in world(), order in orders()) {
        prop_assert_eq!((order.service, order.conversation), (service(), conversation()));
        let aside = ["inactive", "pause", "on-hold"];
        let may_be_parked = order.interaction.is_some()
            && order.last_step == LastStep::No
            && world.channel.is_some_and(|status| {
                let active = status == "active" && order.still_active == StillActive::MayBeParked;
                active || aside.contains(&status)
            });
        let before = world.state;
        let channel_before = world.channel;
        let shared = Arc::new(Shared(Mutex::new(world)));
        let client = client_over(Arc::clone(&shared) as _, Limits::default());
        // And the question whether the service is there, until it was answered.
        let most = if order.interaction.is_some() { 3 } else { 2 } + 1;

        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut last = None;
            // More tries than there are faults.
            for _ in 0..12 {
                let (closed, calls) = attempt(&client, order).await;
                prop_assert!(calls <= most, "{calls} calls");
                let world = shared.0.lock().unwrap();
                if let Ok(closed) = closed {
                    let over = world.channel.is_none_or(|status| ["closed", "failed"].contains(&status));
                    match closed.outcome {
                        Outcome::Written | Outcome::AlreadyClean => prop_assert_eq!(world.state, Some("closed")),
                        Outcome::Gone => prop_assert!(world.state.is_none() && world.service_is_there),
                        Outcome::LeftAlone => prop_assert!(may_be_parked),
                        Outcome::Deleted => prop_assert!(false),
                    }
                    if closed.outcome == Outcome::Written && order.interaction.is_some() {
                        prop_assert!(over, "{world:?}");
                    }
                }
                drop(world);
                last = Some(closed);
            }
            let world = shared.0.lock().unwrap();
            if may_be_parked {
                prop_assert_eq!(&world.writes, &Vec::<&str>::new());
            }
            if order.interaction.is_none() {
                prop_assert_eq!(world.channel, channel_before);
            }
            if let Some(write) = world.writes.first() {
                let open = channel_before.is_some_and(|status| !["closed", "failed"].contains(&status));
                prop_assert_eq!(*write == "UO", open && order.interaction.is_some());
            }
            // When nothing fails any more, the last try has the last word.
            match (last.unwrap(), before) {
                (Ok(_), _) => {}
                (Err(ConversationFailure::NotNow), Some("initializing" | "archived")) => {}
                (Err(ConversationFailure::NoSuchService(_)), None) => {
                    prop_assert!(!world.service_is_there);
                }
                (Err(failure), _) => prop_assert!(false, "{failure}"),
            }
            Ok(())
        })?;
    }
}
