//! A contact centre whose silent chats are parked.

use std::sync::Arc;
use std::time::Duration;

use embedded::Embedded;
use http::{Request, StatusCode};
use ingest::Ingest;
use park::{Park, Summary};
use runtime::Aws;
use serde_json::json;
use simulator::{Contact, Sid};

use super::{Chat, Functions, WEBHOOK, WORDS, World};

/// The interval at which the function looks for chats to move.
pub const POLL: Duration = Duration::from_secs(10);

/// The time that one run of the schedule may take, as deployed.
pub const PARK_TIME: Duration = Duration::from_secs(90);

/// The additions to a world in which chats are parked.
pub struct Parking {
    /// Where parked tasks stand.
    pub inactive: Sid,
    park: Park,
}

impl World {
    /// A day on which silent chats are parked: the agent takes two at a time.
    pub async fn that_parks() -> Self {
        Self::that_parks_on(Embedded::memory().unwrap()).await
    }

    async fn that_parks_on(aws: Embedded) -> Self {
        let mut world = Self::on(aws).await;
        let chat = world.project.chat_task_channel;
        let inactive = {
            let mut state = world.twilio.state();
            let workspace = world.project.workspace;
            let inactive = state.create_task_channel(workspace, "Inactive chat", "inactive_chat");
            let inactive = inactive.unwrap();
            state.set_capacity(world.agent, chat, 2).unwrap();
            state.set_capacity(world.agent, inactive, 20).unwrap();
            inactive
        };
        let clients = Aws::with_http_client(world.aws.http_client());
        let (twilio, project) = (world.twilio.clone(), world.project);
        world.functions = Functions::new(twilio, project, clients, Some(inactive));
        world.ingest = Ingest::new(world.functions.ingest());
        let park = world.parking_function(&world.functions.pair_with(inactive), &[]);
        world.parking = Some(Parking { inactive, park });
        world
    }

    /// Another parking function, with these pairs and other settings.
    pub fn parking_function(&self, pairs: &str, others: &[(&str, &str)]) -> Park {
        Park::new(
            self.functions.park(pairs, others),
            Arc::clone(&self.calls) as _,
        )
    }

    /// The parking function.
    pub fn park(&self) -> &Park {
        &self.parking.as_ref().unwrap().park
    }

    /// Where parked tasks stand.
    pub fn inactive(&self) -> Sid {
        self.parking.as_ref().unwrap().inactive
    }

    /// Lets the schedule's minute pass.
    pub async fn parking_minute(&self) -> Summary {
        let summary = self.park().tick(self.now(), PARK_TIME).await.unwrap();
        self.calls.keep_time();
        summary
    }

    /// Looks for chats to move once.
    pub async fn parking_poll(&self) -> Summary {
        let summary = self.park().tick(self.now(), Duration::ZERO).await.unwrap();
        assert_eq!(summary.polls, 1);
        summary
    }

    /// Parks, and dies at a step. False if it was over before it got there.
    pub async fn park_and_die(&self, crash: super::Crash) -> bool {
        let died = self.calls.die_at(crash, &self.aws);
        let finished = tokio::select! {
            biased;
            () = died.notified() => false,
            summary = self.park().tick(self.now(), Duration::ZERO) => {
                summary.unwrap();
                true
            }
        };
        self.calls.live_on();
        self.aws.end_faults();
        !finished
    }

    /// Hands the bus's notices of replies to the parking function, as its rule does, and says
    /// how many there were.
    pub async fn bus_wakes_park(&self) -> usize {
        let entries = self.aws.bus.take_entries();
        for entry in &entries {
            assert_eq!(entry.detail_type, "ReplyReceived");
            let event = json!({
                "version": "0",
                "source": entry.source,
                "detail-type": entry.detail_type,
                "detail": entry.detail,
            });
            let handled = self.park().handle(event, self.now(), PARK_TIME).await;
            handled.unwrap();
        }
        entries.len()
    }

    /// The bus loses what it was given.
    pub fn bus_loses(&self) -> usize {
        self.aws.bus.take_entries().len()
    }

    /// Delivers what happened, by both ways: events, and Chat channels' own webhooks.
    pub async fn deliver_all(&self) {
        self.deliver().await;
        let calls = self.twilio.state().take_webhook_calls();
        for call in calls {
            assert_eq!((call.url.as_str(), call.method.as_str()), (WEBHOOK, "POST"));
            let request = self.form(&call.parameters);
            assert_eq!(self.webhook(request).await, StatusCode::NO_CONTENT);
        }
    }

    /// A form that Twilio signs and sends.
    pub fn form(&self, parameters: &[(String, String)]) -> Request<Vec<u8>> {
        let pairs: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let signed = simulator::sign::form(&self.auth_token(), WEBHOOK, &pairs);
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&pairs)
            .finish();
        Request::post(signed.url)
            .header(
                "content-type",
                "application/x-www-form-urlencoded; charset=UTF-8",
            )
            .header(simulator::sign::HEADER, signed.signature)
            .body(body.into_bytes())
            .unwrap()
    }

    /// A customer writes on Conversations, and an agent will see it.
    pub fn customer_converses(&self, address: &str) -> Chat {
        self.calls.keep_time();
        let contact = self.twilio.state().customer_converses(address, WORDS);
        match contact {
            Contact::Started { channel, task }
            | Contact::Delivered { channel, task }
            | Contact::Reopened { channel, task } => Chat { channel, task },
            Contact::Kept { .. } | Contact::Lost { .. } | Contact::Unanswered => {
                panic!("{contact:?}")
            }
        }
    }

    /// The agent writes.
    pub fn agent_writes(&self, chat: Chat) {
        self.calls.keep_time();
        self.twilio
            .state()
            .agent_writes(chat.task, "One moment, please.")
            .unwrap();
    }

    /// A chat that its agent accepted and answered, all told to us.
    pub async fn answered_conversation(&self, address: &str) -> Chat {
        let chat = self.customer_converses(address);
        self.agent_accepts(chat);
        self.deliver_all().await;
        self.agent_writes(chat);
        self.deliver_all().await;
        chat
    }

    /// The same on Chat, whose messages are only heard once we listen.
    pub async fn answered_chat(&self, address: &str) -> Chat {
        let chat = self.customer_writes(address);
        self.agent_accepts(chat);
        self.deliver_all().await;
        assert_eq!(self.parking_poll().await.installed, 1);
        self.agent_writes(chat);
        self.deliver_all().await;
        chat
    }

    /// Returns true if a task stands in the inactive TaskChannel and says so.
    pub fn is_parked(&self, chat: Chat) -> bool {
        let state = self.twilio.state();
        let task = state.task(chat.task).unwrap();
        // Not every number in it is one that a reader of whole values knows.
        let says = task.attributes.contains("\"inactive\":1");
        let there = task.task_channel == self.inactive();
        assert_eq!(there, says, "{}", task.attributes);
        there
    }

    /// Returns the number of chats that the agent has, and the number that the agent can take.
    pub fn load(&self) -> (i64, i64) {
        let state = self.twilio.state();
        let chat = self.project.chat_task_channel;
        let channel = state.worker_channel(self.agent, chat).unwrap();
        (channel.assigned_tasks, channel.capacity)
    }
}
