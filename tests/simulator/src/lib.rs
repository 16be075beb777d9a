//! A pretend Twilio with state, for tests and for the demo: any Twilio client can drive it through Twilio's own endpoints.
//!
//! `https://{product}.twilio.com/X` is `{base}/{product}/X`. Paths, parameters, answers, paging and errors are Twilio's;
//! an unknown parameter is refused with its name, an unknown route does not exist.
//!
//! # The handle
//!
//! ```text
//! Simulator::new(seed) / Simulator::with_flex(seed) -> Result<(Simulator, Project), Refusal>      clones share one world
//! .handle(http::Request<Bytes>) -> Reply { Answer(http::Response<Bytes>), Hang, Drop }            at once, no socket
//! simulator::serve(TcpListener, Simulator, shutdown: impl Future) -> io::Result<()>               on a socket
//! .state() -> MutexGuard<State>          story methods and assertions; requests wait until the guard is gone
//! .account() -> Account { sid, auth_token, api_key, api_secret, .. }
//! .now() .advance(Duration) .set_now(Timestamp)                                                   time is a value
//! .take_events() -> Vec<serde_json::Value>                                                        CloudEvents, oldest first
//! .fail(Fault { at, kind, times }) .storm(Storm { at, kinds, chance }) .clear_faults()
//! .calls() -> Calls { total(), count(product, method, kind), of_product(), writes(), iter(), log() } .reset_calls()
//! ```
//!
//! # The world, on [`State`]
//!
//! ```text
//! .knobs { flex_deaf, flex_delay, flex_needs_turn, list_attributes, evaluations_per_second, evaluates_in, pause, ..}
//! .set_up_flex() -> Project { account, chat_service, proxy_service, workspace, workflow, queue, chat_task_channel, .. }
//! .set_lifespan(Medium, Lifespan)        of the channels that a medium's Flex Flow makes; WhatsApp is long-lived from the start
//! .hire_agent(workspace, name) -> Sid    .agent_accepts(task, worker)    .agent_writes(task, text)
//! .agent_wraps_up(task)  .agent_completes(task)  .task_completed_by_nobody(task)
//! .task_canceled_by_supervisor(task)  .task_deleted_through_api(task)  .lost_messages()
//! .issue_token(identity, &roles, Option<worker>) -> String
//! ```
//!
//! On Chat and Proxy:
//!
//! ```text
//! .customer_writes(address, text) -> Contact { Started, Delivered, Reopened, Lost, Unanswered }
//! .agent_transfers(task, Transfer) -> Sid, or .transfer_begins(task) -> Sid and .transfer_ends(first, Transfer)
//! .take_webhook_calls() -> Vec<WebhookCall { url, method, parameters }>         of channel-scoped webhooks
//! .channel(sid) .channels() .session(sid) .sessions() .open_session_of(address)
//! ```
//!
//! On Conversations and Interactions:
//!
//! ```text
//! .customer_converses(address, text) -> Contact
//! .agent_leaves(task)  .agent_parks(task)  .agent_pauses(task)  .agent_resumes(task)
//! .conversation(sid) .conversations() .interaction_channel(sid) .interaction_channel_of(task)
//! ```
//!
//! In TaskRouter and Event Streams:
//!
//! ```text
//! .task(sid) .tasks() .open_tasks_on(channel or conversation) .worker(sid) .worker_channel(worker, task_channel) .set_capacity(..)
//! .workspace_mut(sid) .task_channel_mut(sid)                                     to set them up differently
//! .take_dispatches() -> Vec<Dispatch { sink, destination, event }>       instead of take_events, by subscription
//! ```
//!
//! In the set-up that an audit reads (a new project is consistent; break it to be found out):
//!
//! ```text
//! .flow_for(Medium) .flex_flow_mut(sid)    .buy_number(..) .point_number(sid, settings) .add_to_pool(..) .configure_address(..)
//! .create_studio_flow(..) .revise_studio_flow(..) .create_sink(..) .subscribe(..) .test_sink(sid)
//! .create_messaging_service(..) .add_to_messaging_service(..) .take_from_pool(number) .configure_flex(member, value)
//! .put_in_order(webhook, types) -> Order       completes a project to what Twilio's guides have
//! .lose(sid)                                   whatever still refers to it
//! ```
//!
//! What REST can do, `create_…`, `update_…`, `delete_…` and the like do without a request.
//!
//! # On the way to a receiver
//!
//! ```text
//! stream::batches(&events, &mut fastrand::Rng, &Delivery { max_batch, duplicates, order, shapes }) -> Vec<Value>
//! sign::json(auth_token, url, body) -> Signed { url, signature }    sign::form(auth_token, url, &[(name, value)])    sign::HEADER
//! ```

mod api;
mod serve;
pub mod sign;
mod simulator;
pub mod state;
pub mod stream;

pub use api::Reply;
pub use serve::serve;
pub use simulator::Simulator;
pub use state::calls::{Calls, Refused};
pub use state::chat::story::{Contact, LostMessage, Transfer};
pub use state::chat::{Channel, Webhooks};
pub use state::conversations::conversation::{Conversation, ConversationState, Source};
pub use state::events::Dispatch;
pub use state::faults::{At, Fault, FaultKind, Storm};
pub use state::interactions::PauseReading;
pub use state::interactions::interaction::{ChannelStatus, Interaction, InteractionChannel};
pub use state::proxy::Session;
pub use state::refusal::Refusal;
pub use state::setup::Order;
pub use state::setup::flex::Project;
pub use state::setup::flows::{Lifespan, Medium};
pub use state::sid::Sid;
pub use state::taskrouter::events::{EventKind, TaskEvent};
pub use state::taskrouter::task::{Task, TaskStatus};
pub use state::webhooks::WebhookCall;
pub use state::{Account, EVALUATIONS_PER_SECOND, Knobs, State};
