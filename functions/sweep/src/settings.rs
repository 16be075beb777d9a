//! The sweep's settings, from its environment.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use domain::{ChatServiceSid, Pairs, Policy, ProxyServiceSid, WorkspaceSid};
use runtime::common::{self, CommonSettings, TwilioAccount};
use runtime::secrets::{Need, Secrets};
use runtime::{Aws, Bus, Environment, SettingsError};
use store::ChannelTable;

/// Everything that the sweep works with.
#[derive(Debug)]
pub struct Settings {
    /// The channel table.
    pub table: ChannelTable,
    /// Where closings are told.
    pub bus: Bus,
    /// The credentials for Twilio.
    pub secrets: Secrets,
    /// Whom we act for at Twilio, and where Twilio is.
    pub account: TwilioAccount,
    /// The TaskRouter workspace; the Flex configuration's where absent.
    pub workspace: Option<WorkspaceSid>,
    /// The chat service; the Flex configuration's where absent.
    pub chat_service: Option<ChatServiceSid>,
    /// The Proxy service, whose sessions we end where Flex does not; without it, that is left
    /// to Flex.
    pub proxy_service: Option<ProxyServiceSid>,
    /// The URL of our own webhook, so that it is not taken for a program's.
    pub webhook_url: Option<String>,
    /// On where chats are parked: what the log tells is then remembered in full.
    pub pairs: Pairs,
    /// The plan of each sweep.
    pub plan: Plan,
}

/// The plan of a sweep.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The cutoffs and limits.
    pub policy: Policy,
    /// The mode: with or without writes at Twilio.
    pub mode: Mode,
    /// The meaning of closing a Chat channel.
    pub action: Action,
    /// The number of channels that are worked on side by side.
    pub concurrency: usize,
    /// The most channels that sweeps may write to within an hour: more than that looks like a
    /// mistake in the settings or the clock, and blows the fuse.
    pub max_closes: usize,
    /// The act for a customer who wrote and whom neither an agent nor a program heard.
    pub unheard: Unheard,
    /// The most unheard customers whom one sweep may give a task.
    pub max_rescues: usize,
    /// The greatest age of a message whose customer is given a task.
    pub rescue_within: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            mode: Mode::Act,
            action: Action::Inactivate,
            concurrency: 10,
            max_closes: 1_000,
            unheard: Unheard::Tell,
            max_rescues: 20,
            rescue_within: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// The mode of a sweep: with or without writes at Twilio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    Act,
    /// It does everything else and says what it would have written.
    Observe,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Act => "act",
            Self::Observe => "observe",
        })
    }
}

impl FromStr for Mode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "act" => Ok(Self::Act),
            "observe" => Ok(Self::Observe),
            _ => Err("must be act or observe"),
        }
    }
}

/// The meaning of closing a Chat channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Its attributes say so, and its history stays.
    Inactivate,
    /// It is deleted, and its history with it.
    Delete,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inactivate => "inactivate",
            Self::Delete => "delete",
        })
    }
}

impl FromStr for Action {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "inactivate" => Ok(Self::Inactivate),
            "delete" => Ok(Self::Delete),
            _ => Err("must be inactivate or delete"),
        }
    }
}

/// The act for a customer who wrote and whom neither an agent nor a program heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheard {
    /// It is told, and the channel is closed as ever.
    Tell,
    /// The customer is given a task, and the channel goes on.
    Rescue,
}

impl fmt::Display for Unheard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tell => "tell",
            Self::Rescue => "rescue",
        })
    }
}

impl FromStr for Unheard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "tell" => Ok(Self::Tell),
            "rescue" => Ok(Self::Rescue),
            _ => Err("must be tell or rescue"),
        }
    }
}

impl Settings {
    /// Reads the settings. The environment says how AWS is reached, unless that is known already.
    ///
    /// # Errors
    ///
    /// Fails with every missing or malformed variable, by name.
    pub fn read_at(mut environment: Environment, aws: Option<Aws>) -> Result<Self, SettingsError> {
        let common = CommonSettings::read(&mut environment, Need::Rest, aws);
        let workspace = environment.optional("TASKROUTER_WORKSPACE_SID");
        let chat_service = environment.optional("CHAT_SERVICE_SID");
        let proxy_service = environment.optional("PROXY_SERVICE_SID");
        let webhook_url = environment.optional("WEBHOOK_URL");
        let pairs = common::park_pairs(&mut environment);
        let plan = Plan::read(&mut environment);
        environment.finish(|| {
            let CommonSettings {
                aws,
                table,
                bus,
                account,
                secrets,
            } = common?;
            Some(Self {
                table: ChannelTable::reached_by(move || aws.dynamodb(), table),
                bus,
                secrets,
                account,
                workspace,
                chat_service,
                proxy_service,
                webhook_url,
                pairs: pairs?,
                plan,
            })
        })
    }
}

impl Settings {
    /// Returns the variables that give these settings, for the note of a run. What is not set
    /// is empty. Secrets, and where AWS and Twilio are, are not among them.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let Plan {
            policy,
            mode,
            action,
            concurrency,
            max_closes,
            unheard,
            max_rescues,
            rescue_within,
        } = &self.plan;
        let policy = common::policy_variables(policy).into_iter();
        let others = [
            ("SWEEP_MODE", mode.to_string()),
            ("SWEEP_ACTION", action.to_string()),
            ("SWEEP_CONCURRENCY", concurrency.to_string()),
            ("MAX_CLOSES_PER_SWEEP", max_closes.to_string()),
            ("UNHEARD", unheard.to_string()),
            ("MAX_RESCUES_PER_SWEEP", max_rescues.to_string()),
            ("RESCUE_WITHIN", common::duration_text(*rescue_within)),
            ("TWILIO_ACCOUNT_SID", self.account.sid.to_string()),
            ("TASKROUTER_WORKSPACE_SID", text(self.workspace)),
            ("CHAT_SERVICE_SID", text(self.chat_service)),
            ("PROXY_SERVICE_SID", text(self.proxy_service)),
            ("WEBHOOK_URL", text(self.webhook_url.as_deref())),
            ("PARK_TASK_CHANNELS", self.pairs.to_string()),
            ("NOTICE_BUS", text(self.bus.name())),
        ];
        policy
            // Only the parking function acts by it.
            .filter(|(name, _)| *name != "PARK_AFTER")
            .chain(others)
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

impl Plan {
    fn read(environment: &mut Environment) -> Self {
        let default = Self::default();
        let plan = Self {
            policy: common::policy(environment),
            mode: environment.or("SWEEP_MODE", default.mode),
            action: environment.or("SWEEP_ACTION", default.action),
            concurrency: environment.or("SWEEP_CONCURRENCY", default.concurrency),
            max_closes: environment.or("MAX_CLOSES_PER_SWEEP", default.max_closes),
            unheard: environment.or("UNHEARD", default.unheard),
            max_rescues: environment.or("MAX_RESCUES_PER_SWEEP", default.max_rescues),
            rescue_within: environment.duration_or("RESCUE_WITHIN", default.rescue_within),
        };
        if plan.max_rescues == 0 {
            environment.malformed(
                "MAX_RESCUES_PER_SWEEP",
                "must be at least 1; to rescue no customer, set UNHEARD to tell",
            );
        }
        if !(1..=200).contains(&plan.concurrency) {
            environment.malformed("SWEEP_CONCURRENCY", "must be between 1 and 200");
        }
        if plan.max_closes == 0 {
            environment.malformed(
                "MAX_CLOSES_PER_SWEEP",
                "must be at least 1; to close nothing, set SWEEP_MODE to observe",
            );
        }
        plan
    }
}
