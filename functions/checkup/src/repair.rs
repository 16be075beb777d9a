//! The repairs, each one small: read again, compare with what the plan was made from, write,
//! read again, compare with what was meant.
//!
//! Between the plan and the write a person may change the same thing, or may have repaired it.
//! A thing that is not as the plan saw it is left alone. The moment between our read and our
//! write remains, because Twilio's set-up has no compare-and-set; the last read shows the result.
//!
//! A write that Twilio answers with 429 was not processed and is made again
//! (<https://www.twilio.com/docs/api/errors/20429>). Flex Flows take one or two writes a second,
//! so theirs are a second apart.

use std::time::Duration;

use domain::{AccountSid, PhoneNumberSid, StudioFlowSid, SubscriptionSid};
use futures::stream::{self, StreamExt};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};
use twilio::rest::setup::{
    Address, FlexFlow, NewFlexFlow, NumberChange, PhoneNumber, Ref, SubscribedEvent,
};
use twilio::rest::{Client, TwilioError};

use crate::subject::Subject;

/// The number of repairs that are made side by side.
const AT_ONCE: usize = 4;

/// The time from one write of a Flex Flow to the next.
const FLEX_FLOW_PACE: Duration = Duration::from_secs(1);

/// The number of times that a write is made which Twilio answers with 429.
const TRIES: u32 = 6;

/// The shortest wait after a 429; it doubles each time.
const THROTTLE_WAIT: Duration = Duration::from_secs(1);

/// A change that a checkup makes.
#[derive(Clone, Debug)]
pub enum Repair {
    /// Sets a Flex Flow, all of it at once.
    FlexFlow {
        /// The resource before the change.
        before: Box<FlexFlow>,
        /// The resource after the change.
        after: Box<FlexFlow>,
        /// The changes, in words.
        does: Vec<String>,
    },
    /// Makes a Flex Flow for a number.
    NewFlexFlow {
        /// The number.
        number: PhoneNumberSid,
        /// The Flex Flow.
        flow: NewFlexFlow,
    },
    /// Changes where a number leads.
    Number {
        /// The resource before the change.
        before: PhoneNumber,
        /// The changes.
        changes: Vec<NumberChange>,
    },
    /// Links an address to a Studio flow.
    Address {
        /// The resource before the change.
        before: Address,
        /// The flow that it is to lead to.
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

/// The reason why a repair was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepairFailure {
    /// It changed since the plan was made.
    #[error("it changed since the plan was made: run the checkup again")]
    Changed,
    /// Twilio took the change and does not show it.
    #[error("twilio took the change and does not show it")]
    NotKept,
    /// The request failed. A fresh checkup shows if it had an effect.
    #[error(transparent)]
    Twilio(#[from] TwilioError),
}

/// Makes the repairs, and returns the result of each, in their order.
pub async fn apply(
    client: &Client,
    account: AccountSid,
    repairs: &[Repair],
    done: impl Fn(&Repair),
) -> Vec<Result<(), RepairFailure>> {
    let done = &done;
    let writer = &Writer {
        client,
        account,
        next_flex_flow: Mutex::new(Instant::now()),
    };
    stream::iter(repairs)
        .map(|repair| async move {
            let result = repair.make(writer).await;
            done(repair);
            result
        })
        .buffered(AT_ONCE)
        .collect()
        .await
}

impl Repair {
    /// Returns the thing that it changes.
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

    /// Describes the change.
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

    async fn make(&self, writer: &Writer<'_>) -> Result<(), RepairFailure> {
        let &Writer {
            client, account, ..
        } = writer;
        match self {
            Self::FlexFlow { before, after, .. } => {
                if client.flex_flow(before.sid).await? != **before {
                    return Err(RepairFailure::Changed);
                }
                writer.flex_flow(|| client.set_flex_flow(after)).await?;
                kept(client.flex_flow(after.sid).await? == **after)
            }
            Self::NewFlexFlow { flow, .. } => {
                let made = writer.flex_flow(|| client.create_flex_flow(flow)).await?;
                let seen = client.flex_flow(made.sid).await?;
                kept(flow.is_made(&seen))
            }
            Self::Number { before, changes } => {
                if client.phone_number(account, before.sid).await? != *before {
                    return Err(RepairFailure::Changed);
                }
                let mut after = before.clone();
                for change in changes {
                    write(|| client.change_number(account, before.sid, change)).await?;
                    after.change(change);
                }
                kept(client.phone_number(account, before.sid).await? == after)
            }
            Self::Address { before, flow } => {
                if client.address(before.sid).await? != *before {
                    return Err(RepairFailure::Changed);
                }
                write(|| client.link_address(before.sid, *flow)).await?;
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
                write(|| client.subscribe_also(*subscription, event, *version)).await?;
                holds(client, *subscription, event, *version).await
            }
            Self::Version {
                subscription,
                event,
                version,
            } => {
                write(|| client.set_schema_version(*subscription, event, *version)).await?;
                holds(client, *subscription, event, *version).await
            }
        }
    }
}

/// Makes the writes of all repairs.
struct Writer<'a> {
    client: &'a Client,
    account: AccountSid,
    /// The time before which no Flex Flow may be written.
    next_flex_flow: Mutex<Instant>,
}

impl Writer<'_> {
    /// Writes a Flex Flow, in its turn.
    async fn flex_flow<T, F: Future<Output = Result<T, TwilioError>>>(
        &self,
        request: impl Fn() -> F,
    ) -> Result<T, TwilioError> {
        let mut next = self.next_flex_flow.lock().await;
        sleep_until(*next).await;
        let result = write(request).await;
        *next = Instant::now() + FLEX_FLOW_PACE;
        result
    }
}

/// Makes a write, and makes it again while Twilio says that it was not processed.
async fn write<T, F: Future<Output = Result<T, TwilioError>>>(
    request: impl Fn() -> F,
) -> Result<T, TwilioError> {
    let mut wait = THROTTLE_WAIT;
    for _ in 1..TRIES {
        match request().await {
            Err(TwilioError::Throttled { retry_after }) => {
                sleep(wait.max(retry_after.unwrap_or_default())).await;
                wait *= 2;
            }
            result => return result,
        }
    }
    request().await
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
