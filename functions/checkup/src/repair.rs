//! The repairs, each one small: read again, compare with what the plan was made from, write,
//! read again, compare with what was meant.
//!
//! Between the plan and the write somebody may change the same thing, or may have mended it.
//! What is not as the plan saw it is left alone. The moment between our read and our write
//! remains, as Twilio's set-up knows no compare-and-set; the last look shows what came of it.

use domain::{AccountSid, PhoneNumberSid, StudioFlowSid, SubscriptionSid};
use futures::stream::{self, StreamExt};
use twilio::rest::setup::{
    Address, FlexFlow, NewFlexFlow, NumberChange, PhoneNumber, Ref, SubscribedEvent,
};
use twilio::rest::{Client, TwilioError};

use crate::report::Subject;

/// How many repairs are made side by side. They are few, and nobody waits for them.
const AT_ONCE: usize = 4;

/// Something that we do.
#[derive(Clone, Debug)]
pub enum Repair {
    /// Sets a Flex Flow, all of it at once.
    FlexFlow {
        /// What it is.
        before: Box<FlexFlow>,
        /// What it is to be.
        after: Box<FlexFlow>,
        /// What changes, in words.
        does: Vec<String>,
    },
    /// Makes a Flex Flow for a number.
    NewFlexFlow {
        /// The number.
        number: PhoneNumberSid,
        /// What it is to be.
        flow: NewFlexFlow,
    },
    /// Changes where a number leads.
    Number {
        /// What it is.
        before: PhoneNumber,
        /// What changes.
        changes: Vec<NumberChange>,
    },
    /// Links an address to a Studio flow.
    Address {
        /// What it is.
        before: Address,
        /// Where it is to lead.
        flow: StudioFlowSid,
    },
    /// Adds a type of event to a subscription.
    Subscribe {
        /// The subscription.
        subscription: SubscriptionSid,
        /// The type.
        event: &'static str,
        /// The version of its schema.
        version: u8,
    },
    /// Pins another version of a type's schema.
    Version {
        /// The subscription.
        subscription: SubscriptionSid,
        /// The type.
        event: &'static str,
        /// The version of its schema.
        version: u8,
    },
}

/// Why a repair was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepairFailure {
    /// Somebody changed it since the plan was made.
    #[error("it changed since the plan was made: run the checkup again")]
    Changed,
    /// Twilio took the change and does not show it.
    #[error("twilio took the change and does not show it")]
    NotKept,
    /// The call failed. Whether it had an effect, a fresh look says.
    #[error(transparent)]
    Twilio(#[from] TwilioError),
}

/// Makes the repairs, and says of each what came of it.
pub async fn apply(
    client: &Client,
    account: AccountSid,
    repairs: &[Repair],
    done: impl Fn(&Repair),
) -> Vec<Result<(), RepairFailure>> {
    let done = &done;
    stream::iter(repairs)
        .map(|repair| async move {
            let result = repair.make(client, account).await;
            done(repair);
            result
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

impl Repair {
    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self {
            Self::FlexFlow { before, .. } => Subject::FlexFlow(before.sid),
            Self::NewFlexFlow { number, .. } => Subject::Number(*number),
            Self::Number { before, .. } => Subject::Number(before.sid),
            Self::Address { before, .. } => Subject::Address(before.sid),
            Self::Subscribe {
                subscription,
                event,
                ..
            }
            | Self::Version {
                subscription,
                event,
                ..
            } => Subject::Event(*subscription, event),
        }
    }

    /// What it does, in words.
    pub fn words(&self) -> String {
        match self {
            Self::FlexFlow { does, .. } => does.join(", "),
            Self::NewFlexFlow { flow, .. } => {
                let target = flow.flow;
                format!("make a Flex Flow for it that leads to the Studio flow {target}")
            }
            Self::Number { before, changes } => {
                let words: Vec<String> = changes.iter().map(change_in_words).collect();
                format!("number {}: {}", before.contact, words.join(", "))
            }
            Self::Address { flow, .. } => format!("lead it to the Studio flow {flow}"),
            Self::Subscribe { version, .. } => format!("subscribe it in schema version {version}"),
            Self::Version { version, .. } => format!("pin its schema version {version}"),
        }
    }

    async fn make(&self, client: &Client, account: AccountSid) -> Result<(), RepairFailure> {
        match self {
            Self::FlexFlow { before, after, .. } => {
                if client.flex_flow(before.sid).await? != **before {
                    return Err(RepairFailure::Changed);
                }
                client.set_flex_flow(after).await?;
                kept(client.flex_flow(after.sid).await? == **after)
            }
            Self::NewFlexFlow { flow, .. } => {
                let made = client.create_flex_flow(flow).await?;
                let seen = client.flex_flow(made.sid).await?;
                kept(flow.is_made(&seen))
            }
            Self::Number { before, changes } => {
                if client.phone_number(account, before.sid).await? != *before {
                    return Err(RepairFailure::Changed);
                }
                let mut after = before.clone();
                for change in changes {
                    client.change_number(account, before.sid, change).await?;
                    after.change(change);
                }
                kept(client.phone_number(account, before.sid).await? == after)
            }
            Self::Address { before, flow } => {
                if client.address(before.sid).await? != *before {
                    return Err(RepairFailure::Changed);
                }
                client.link_address(before.sid, *flow).await?;
                let seen = client.address(before.sid).await?;
                kept(seen.auto_creation.flow == Ref::To(*flow))
            }
            Self::Subscribe {
                subscription,
                event,
                version,
            } => {
                let is_there = held(client, *subscription, event).await?.is_some();
                if is_there {
                    return Err(RepairFailure::Changed);
                }
                client
                    .subscribe_also(*subscription, event, *version)
                    .await?;
                holds(client, *subscription, event, *version).await
            }
            Self::Version {
                subscription,
                event,
                version,
            } => {
                client
                    .set_schema_version(*subscription, event, *version)
                    .await?;
                holds(client, *subscription, event, *version).await
            }
        }
    }
}

async fn held(
    client: &Client,
    subscription: SubscriptionSid,
    event: &str,
) -> Result<Option<SubscribedEvent>, TwilioError> {
    let held = client.subscribed_events(subscription).await?;
    Ok(held.items.into_iter().find(|one| one.name == event))
}

async fn holds(
    client: &Client,
    subscription: SubscriptionSid,
    event: &str,
    version: u8,
) -> Result<(), RepairFailure> {
    let held = held(client, subscription, event).await?;
    kept(held.is_some_and(|one| one.schema_version == Some(version.into())))
}

fn kept(is_as_meant: bool) -> Result<(), RepairFailure> {
    is_as_meant.then_some(()).ok_or(RepairFailure::NotKept)
}

/// Twilio's own webhooks name SIDs and nothing else, so that they may be shown.
fn change_in_words(change: &NumberChange) -> String {
    match change {
        NumberChange::MessagesTo(url) if url.is_empty() => "empty its message handler".to_owned(),
        NumberChange::MessagesTo(url) => format!("let its messages go to {url}"),
        NumberChange::NoMessageApplication => "take its messages from the application".to_owned(),
        NumberChange::CallsTo(url) => format!("let its calls go to {url}"),
        NumberChange::NoCallApplication => "take its calls from the application".to_owned(),
    }
}
