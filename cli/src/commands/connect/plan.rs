//! The plan of a connection, computed from the sinks and subscriptions that exist.

use anyhow::{Context as _, bail};
use domain::{SinkSid, SubscriptionSid};
use twilio::rest::Client;
use twilio::rest::setup::{DescribedSink, Destination, Subscription};
use url::Url;

/// The description of our sinks and subscriptions at Twilio.
pub(super) const DESCRIPTION: &str = "Channel Janitor";

/// A type of event and the version of its schema.
pub(super) type Version = (&'static str, u8);

/// The steps of a connection.
#[derive(Debug)]
pub(super) struct Plan {
    /// Types of events to subscribe.
    pub(super) types: Vec<Version>,
    pub(super) sink: SinkPlan,
    pub(super) subscription: SubscriptionPlan,
    /// Pairs that are removed once the rest works.
    pub(super) remove: Vec<Pair>,
    /// Other pairs of this program, which stay.
    stays: Vec<Pair>,
}

/// Step for the sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SinkPlan {
    Adopt(SinkSid),
    Create,
}

/// Step for the subscription.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SubscriptionPlan {
    Adopt {
        sid: SubscriptionSid,
        /// Types that it lacks.
        add: Vec<Version>,
        /// Types that it has in another version.
        pin: Vec<Version>,
    },
    Create,
}

/// A sink and the subscription that it feeds.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) sink: SinkSid,
    pub(super) subscription: Option<SubscriptionSid>,
    pub(super) destination: Option<Destination>,
    usable: bool,
    pub(super) ours: bool,
}

/// Every webhook sink of the account, with its subscription.
pub(super) async fn pairs(twilio: &Client) -> anyhow::Result<Vec<Pair>> {
    let sinks = twilio
        .described_sinks()
        .await
        .context("cannot read the sinks")?;
    let subscriptions = twilio
        .subscriptions()
        .await
        .context("cannot read the subscriptions")?;
    if sinks.unreadable + subscriptions.unreadable > 0 {
        bail!(
            "Twilio shows sinks or subscriptions that cannot be read: look at them in the Console first"
        );
    }
    let webhooks = sinks
        .items
        .iter()
        .filter(|sink| sink.sink.kind == "webhook");
    Ok(webhooks
        .map(|sink| pair(sink, &subscriptions.items))
        .collect())
}

fn pair(described: &DescribedSink, subscriptions: &[Subscription]) -> Pair {
    let sink = &described.sink;
    let by_post =
        sink.webhook.method.is_empty() || sink.webhook.method.eq_ignore_ascii_case("post");
    Pair {
        sink: sink.sid,
        subscription: subscriptions
            .iter()
            .find(|subscription| subscription.sink.target() == Some(sink.sid))
            .map(|subscription| subscription.sid),
        destination: sink.webhook.destination.clone(),
        usable: by_post && sink.status == "active",
        ours: described.description == DESCRIPTION,
    }
}

impl Plan {
    pub(super) async fn make(
        twilio: &Client,
        url: &Url,
        types: Vec<Version>,
        renew: bool,
        replace: bool,
    ) -> anyhow::Result<Self> {
        let wanted = Destination::parse(url.as_str());
        let (here, elsewhere): (Vec<Pair>, Vec<Pair>) = pairs(twilio)
            .await?
            .into_iter()
            .partition(|pair| pair.destination == wanted);
        // The one that is in use, if one is.
        let adopted = here
            .iter()
            .filter(|pair| pair.usable && !renew)
            .max_by_key(|pair| (pair.subscription.is_some(), pair.ours));
        let sink = adopted.map_or(SinkPlan::Create, |pair| SinkPlan::Adopt(pair.sink));
        let subscription = match adopted.and_then(|pair| pair.subscription) {
            Some(sid) => of_subscription(twilio, sid, &types).await?,
            None => SubscriptionPlan::Create,
        };
        let twins = here
            .iter()
            .filter(|pair| SinkPlan::Adopt(pair.sink) != sink);
        let ours = elsewhere.into_iter().filter(|pair| pair.ours);
        // A second sink with the same URL only sends everything twice.
        let mut remove: Vec<Pair> = twins.cloned().collect();
        let mut stays = Vec::new();
        if replace {
            remove.extend(ours);
        } else {
            stays.extend(ours);
        }
        Ok(Self {
            types,
            sink,
            subscription,
            remove,
            stays,
        })
    }

    /// Returns true if anything is to be made, changed or removed.
    pub(super) fn changes(&self) -> bool {
        let adopted = matches!(
            &self.subscription,
            SubscriptionPlan::Adopt { add, pin, .. } if add.is_empty() && pin.is_empty()
        );
        self.sink == SinkPlan::Create || !adopted || !self.remove.is_empty()
    }

    /// The plan, line by line.
    pub(super) fn in_words(&self, url: &Url) -> Vec<String> {
        let mut lines = vec![match self.sink {
            SinkPlan::Adopt(sink) => format!("Sink: {sink} leads to {url} already."),
            SinkPlan::Create => format!("Sink: create one that leads to {url}."),
        }];
        lines.push("Test: one event, awaited in the table.".to_owned());
        lines.push(match &self.subscription {
            SubscriptionPlan::Create => {
                format!("Subscription: create one with {} types.", self.types.len())
            }
            SubscriptionPlan::Adopt { sid, add, pin } if add.is_empty() && pin.is_empty() => {
                format!("Subscription: {sid} has every type in its version.")
            }
            SubscriptionPlan::Adopt { sid, add, pin } => {
                format!("Subscription: {sid}; {}.", changes_of(add, pin))
            }
        });
        for pair in &self.remove {
            lines.push(format!("Remove, when that works: {}.", pair.in_words()));
        }
        for pair in &self.stays {
            lines.push(format!(
                "Stays, unless --replace is given: {}.",
                pair.in_words()
            ));
        }
        lines
    }
}

impl Pair {
    /// Its sink, its subscription and where it leads.
    pub(super) fn in_words(&self) -> String {
        let subscription = self
            .subscription
            .map(|sid| format!(" and subscription {sid}"));
        let destination = self
            .destination
            .as_ref()
            .map(|to| format!(", which lead to {to}"));
        format!(
            "sink {}{}{}",
            self.sink,
            subscription.unwrap_or_default(),
            destination.unwrap_or_default()
        )
    }
}

fn changes_of(add: &[Version], pin: &[Version]) -> String {
    let names = |versions: &[Version]| {
        let names: Vec<&str> = versions.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    };
    match (add.is_empty(), pin.is_empty()) {
        (false, true) => format!("add {}", names(add)),
        (true, false) => format!("set the version of {}", names(pin)),
        (false, false) | (true, true) => {
            format!("add {}; set the version of {}", names(add), names(pin))
        }
    }
}

async fn of_subscription(
    twilio: &Client,
    sid: SubscriptionSid,
    types: &[Version],
) -> anyhow::Result<SubscriptionPlan> {
    let held = twilio
        .subscribed_events(sid)
        .await
        .with_context(|| format!("cannot read the types of {sid}"))?;
    let (mut add, mut pin) = (Vec::new(), Vec::new());
    for &(name, version) in types {
        match held.items.iter().find(|held| held.name == name) {
            None => add.push((name, version)),
            Some(held) if held.schema_version != Some(version.into()) => pin.push((name, version)),
            Some(_) => {}
        }
    }
    Ok(SubscriptionPlan::Adopt { sid, add, pin })
}

/// Reads the subscription again and makes sure that it is as wanted.
pub(super) async fn verify(
    twilio: &Client,
    sid: SubscriptionSid,
    types: &[Version],
) -> anyhow::Result<()> {
    match of_subscription(twilio, sid, types).await? {
        SubscriptionPlan::Adopt { add, pin, .. } if add.is_empty() && pin.is_empty() => Ok(()),
        SubscriptionPlan::Adopt { add, pin, .. } => bail!(
            "Twilio did not keep the subscription {sid} as it was told: {}",
            changes_of(&add, &pin)
        ),
        SubscriptionPlan::Create => bail!("the subscription {sid} is gone"),
    }
}
