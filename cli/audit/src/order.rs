//! The order for an audit.

use std::time::Duration;

use checkup::Expectations;
use domain::{AccountSid, ChatServiceSid, Policy, ProxyServiceSid, WorkspaceSid};
use sweep::{Plan, Unheard};

/// The longest part of TaskRouter's log: it is kept for 30 days
/// (<https://www.twilio.com/docs/taskrouter/api/event>).
pub const LOG_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The order for an audit: the project, the policy and the limits.
#[derive(Clone, Debug)]
pub struct Order {
    /// The account.
    pub account: AccountSid,
    /// The TaskRouter workspace; the Flex configuration's where absent.
    pub workspace: Option<WorkspaceSid>,
    /// The chat service; the Flex configuration's where absent.
    pub chat_service: Option<ChatServiceSid>,
    /// The Proxy service; the one that belongs to the chat service where absent.
    pub proxy_service: Option<ProxyServiceSid>,
    /// The URL of our own webhook, so that it is not taken for a program's.
    pub webhook_url: Option<String>,
    /// The policy of the sweep that would act.
    pub policy: Policy,
    /// The act of that sweep for a customer whom neither an agent nor a program heard.
    pub unheard: Unheard,
    /// The greatest age of a message whose customer a rescue gives a task.
    pub rescue_within: Duration,
    /// The set-up that the checkup wants.
    pub wanted: Expectations,
    /// The part of TaskRouter's log to read, [`LOG_KEPT`] at most.
    pub since: Duration,
    /// The most channels to look at; all where absent.
    pub sample: Option<usize>,
    /// The number of channels that are looked at side by side.
    pub concurrency: usize,
}

impl Order {
    /// Returns the order for an audit of a whole account by the default settings, one channel after
    /// the other.
    pub fn of(account: AccountSid) -> Self {
        let plan = Plan::default();
        Self {
            account,
            workspace: None,
            chat_service: None,
            proxy_service: None,
            webhook_url: None,
            policy: plan.policy,
            unheard: plan.unheard,
            rescue_within: plan.rescue_within,
            wanted: Expectations::default(),
            since: LOG_KEPT,
            sample: None,
            concurrency: 1,
        }
    }
}
