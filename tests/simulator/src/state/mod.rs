//! The pretend Twilio itself: what exists, what may happen to it and what follows, without a word of HTTP.

pub mod attributes;
pub mod calls;
pub mod chat;
pub mod clock;
pub mod conversations;
pub(crate) mod events;
pub mod faults;
pub mod interactions;
pub mod programs;
pub mod proxy;
pub mod refusal;
pub mod setup;
mod shelf;
pub mod sid;
pub mod snapshot;
pub mod taskrouter;
pub mod webhooks;

pub use chat::story;
pub use setup::{flows, studio};

use crate::state::calls::Calls;
use crate::state::chat::Chat;
use crate::state::chat::story::LostMessage;
use crate::state::clock::Agenda;
use crate::state::conversations::Conversations;
use crate::state::events::Sinks;
use crate::state::events::cloud_event::Emission;
use crate::state::faults::Faults;
use crate::state::interactions::{Interactions, PauseReading};
use crate::state::proxy::Proxy;
use crate::state::setup::documents::Document;
use crate::state::setup::flex::Flex;
use crate::state::setup::messaging::MessagingService;
use crate::state::setup::numbers::Numbers;
use crate::state::setup::studio::StudioFlow;
use crate::state::setup::tokens::Claims;
use crate::state::shelf::Shelf;
use crate::state::sid::Sid;
use crate::state::taskrouter::TaskRouter;
use crate::state::webhooks::WebhookCall;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Identifies the pretend account and what proves to be it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// The account, AC….
    pub sid: Sid,
    /// The primary auth token: signs webhooks and opens the REST API.
    pub auth_token: String,
    /// An API key, SK….
    pub api_key: Sid,
    /// The secret of the API key.
    pub api_secret: String,
    /// The account's name, as events show it.
    pub friendly_name: String,
}

/// Holds what Twilio leaves undocumented, so that a test may choose.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Knobs {
    /// Flex's server never reacts to a channel that became INACTIVE.
    pub flex_deaf: bool,
    /// The time that Flex's server takes to react.
    pub flex_delay: Duration,
    /// Flex's server reacts only if the status was not INACTIVE before; webhooks show just the new value, hence off.
    pub flex_needs_turn: bool,
    /// Lists of tasks carry attributes, which Twilio does not promise.
    pub list_attributes: bool,
    /// The number of lists of tasks with `EvaluateTaskAttributes` that TaskRouter answers in one second of the world's time; any
    /// number where absent. Twilio answers [`EVALUATIONS_PER_SECOND`]: a test whose time stands still turns it on only
    /// if its client waits in the same time.
    pub evaluations_per_second: Option<usize>,
    /// `EvaluateTaskAttributes` understands `IN`; `==` and `OR` are always understood.
    pub evaluates_in: bool,
    /// `EvaluateTaskAttributes` understands anything at all; otherwise each expression is refused.
    pub evaluates: bool,
    /// The time for which a task can be read after its end.
    pub finished_task_life: Duration,
    /// The time for which a task may be assigned before TaskRouter deletes it; without a limit where absent.
    pub assigned_life: Option<Duration>,
    /// The time for which a task may be in wrap-up before it counts as completed; without a limit where absent.
    pub wrap_up_life: Option<Duration>,
    /// The time for which TaskRouter's log keeps an event.
    pub log_life: Duration,
    /// A page above the maximum of its list is refused; otherwise it is cut to the maximum.
    pub refuses_long_pages: bool,
    /// The end of an interaction channel closes its conversation.
    pub interactions_close_conversations: bool,
    /// Leave closes the conversation at once; otherwise Twilio does so after 90 days.
    pub leave_closes: bool,
    /// Participants of interaction channels carry the task of their agent, which only an example of Twilio's shows.
    pub participants_name_tasks: bool,
    /// Reading of Twilio's page on Pause.
    pub pause: PauseReading,
    /// A message moves `date_updated` of its conversation.
    pub messages_move_date_updated: bool,
    /// Lists of messages come newest first where that is asked for; otherwise always oldest first.
    pub orders_messages: bool,
    /// Version of the schema of message events in [`State::take_events`], 1 or 2.
    pub message_schema: u32,
    /// `joined_channels_count` of a user counts Conversations that are closed, too.
    pub joined_channels_count_closed: bool,
}

/// Number of lists of tasks with `EvaluateTaskAttributes` that TaskRouter answers in a second:
/// <https://www.twilio.com/docs/taskrouter/limits>.
pub const EVALUATIONS_PER_SECOND: usize = 3;

/// Holds everything the pretend Twilio knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct State {
    /// The account.
    pub account: Account,
    /// The choices of a test.
    pub knobs: Knobs,
    pub(crate) now: Timestamp,
    #[serde(skip)]
    pub(crate) rng: fastrand::Rng,
    pub(crate) agenda: Agenda,
    pub(crate) chat: Chat,
    pub(crate) proxy: Proxy,
    pub(crate) router: TaskRouter,
    pub(crate) flex: Flex,
    pub(crate) conversations: Conversations,
    pub(crate) interactions: Interactions,
    pub(crate) streams: Sinks,
    pub(crate) numbers: Numbers,
    pub(crate) messaging: Shelf<MessagingService>,
    pub(crate) studio: Shelf<StudioFlow>,
    pub(crate) tokens: HashMap<String, Claims>,
    pub(crate) documents: Vec<Document>,
    pub(crate) webhook_calls: Vec<WebhookCall>,
    /// The webhooks behind which a program of this world listens and answers.
    pub(crate) programs: HashSet<Sid>,
    pub(crate) outbox: Vec<Emission>,
    pub(crate) lost: Vec<LostMessage>,
    #[serde(skip)]
    pub(crate) faults: Faults,
    #[serde(skip)]
    pub(crate) calls: Calls,
}

impl State {
    /// Makes an empty account; the same seed makes the same one, with the same SIDs to come.
    pub fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let secret = |rng: &mut fastrand::Rng| format!("{:032x}", rng.u128(1..));
        let account = Account {
            sid: Sid::draw(b"AC", &mut rng),
            auth_token: secret(&mut rng),
            api_key: Sid::draw(b"SK", &mut rng),
            api_secret: secret(&mut rng),
            friendly_name: "Example Support".to_owned(),
        };
        // Faults draw from a stream of their own: the same story keeps its SIDs, whatever storm it goes through.
        let faults = Faults::new(rng.fork());
        Self {
            account,
            knobs: Knobs {
                flex_deaf: false,
                flex_delay: Duration::ZERO,
                flex_needs_turn: false,
                list_attributes: false,
                evaluations_per_second: None,
                evaluates_in: true,
                evaluates: true,
                finished_task_life: taskrouter::FINISHED_TASK_LIFE,
                assigned_life: Some(taskrouter::ASSIGNED_LIFE),
                wrap_up_life: None,
                log_life: taskrouter::LOG_LIFE,
                refuses_long_pages: true,
                interactions_close_conversations: true,
                leave_closes: false,
                participants_name_tasks: true,
                pause: PauseReading::KeepsTask,
                messages_move_date_updated: false,
                orders_messages: true,
                message_schema: events::cloud_event::NEWEST_MESSAGE_SCHEMA,
                joined_channels_count_closed: false,
            },
            now: clock::OPENING,
            rng,
            agenda: Agenda::default(),
            chat: Chat::default(),
            proxy: Proxy::default(),
            router: TaskRouter::default(),
            flex: Flex::default(),
            conversations: Conversations::default(),
            interactions: Interactions::default(),
            streams: Sinks::default(),
            numbers: Numbers::default(),
            messaging: Shelf::default(),
            studio: Shelf::default(),
            tokens: HashMap::new(),
            documents: Vec::new(),
            webhook_calls: Vec::new(),
            programs: HashSet::new(),
            outbox: Vec::new(),
            lost: Vec::new(),
            faults,
            calls: Calls::default(),
        }
    }

    /// Takes the events that Event Streams would deliver, oldest first, as CloudEvents.
    pub fn take_events(&mut self) -> Vec<serde_json::Value> {
        let events = std::mem::take(&mut self.outbox);
        let version = self.knobs.message_schema;
        let render = |event| {
            let event = events::cloud_event::render(self, event);
            match event["type"].as_str() {
                Some(events::cloud_event::MESSAGE_ADDED) => {
                    events::cloud_event::at_version(event, version)
                }
                Some(_) | None => event,
            }
        };
        events.iter().map(render).collect()
    }

    pub(crate) fn sid(&mut self, prefix: &[u8; 2]) -> Sid {
        Sid::draw(prefix, &mut self.rng)
    }
}
