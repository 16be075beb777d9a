//! The set-up of an account: where messages, calls and events go.
//!
//! A set-up is read because something may be wrong with it, so these readers are lenient where
//! the others are strict: a reference that is no SID is a [`Ref::Broken`], a value of another
//! type counts as absent, and only a record without a valid SID of its own is left out, and
//! counted. Lists are read to their end, 100 pages at most.
//!
//! Changes name all their values and are tried once: the set-up may have changed since it was
//! read, so the caller reads again and compares.

mod addresses;
mod connecting;
mod event_streams;
mod fields;
mod flex_flows;
mod messaging;
mod numbers;
mod proxy_services;
mod studio;
mod task_channels;
mod workspace;

pub use crate::events::{MESSAGE_ADDED, needed_events};
pub use addresses::{Address, AutoCreation, ConversationDefaults};
pub use connecting::DescribedSink;
pub use event_streams::{
    Destination, EventType, Sink, SubscribedEvent, Subscription, TypeStatus, Webhook,
};
pub use fields::{Contact, Ref};
pub use flex_flows::{FlexFlow, Integration, Kind, NewFlexFlow};
pub use messaging::MessagingService;
pub use numbers::{Capabilities, NumberChange, PhoneNumber};
pub use proxy_services::{PoolNumber, ProxyService};
pub use studio::{SendToFlex, StudioFlow, Transition, Widget};
pub use workspace::{TaskChannel, WorkerChannel, Workspace, WrapUp};

use serde::de::DeserializeOwned;

use super::client::Client;
use super::client::base::Product;
use super::client::error::{TwilioError, Why};
use super::client::page::{Entry, List, ListFailure};

/// More pages than this are not read: 100,000 records of most lists.
const MAX_PAGES: usize = 100;

/// A list, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// The records, in Twilio's order.
    pub items: Vec<T>,
    /// The number of records that could not be read.
    pub unreadable: usize,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            unreadable: 0,
        }
    }
}

impl Client {
    async fn whole<T: DeserializeOwned>(
        &self,
        product: Product,
        path: String,
        key: &str,
        page_size: u16,
    ) -> Result<Listed<T>, TwilioError> {
        let list = List {
            product,
            path,
            query: format!("PageSize={page_size}"),
        };
        self.whole_list(&list, key, record).await
    }

    /// Reads a list to its end, each record by `read`.
    async fn whole_list<T>(
        &self,
        list: &List,
        key: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Listed<T>, TwilioError> {
        let mut whole = Listed::default();
        let mut next = None;
        for _ in 0..MAX_PAGES {
            let read = |text: &str| Entry::from(read(text));
            let page = match self.entries(list.clone(), key, next.as_ref(), read).await {
                Ok(page) => page,
                Err(ListFailure::Twilio(error)) => return Err(error),
                // It was valid a moment ago.
                Err(ListFailure::Expired | ListFailure::OtherList) => {
                    return Err(TwilioError::garbage());
                }
            };
            whole.items.extend(page.items);
            whole.unreadable += page.unreadable;
            next = page.next;
            if next.is_none() {
                return Ok(whole);
            }
        }
        Err(TwilioError::Unreachable { why: Why::Endless })
    }
}

/// Reads a record; `None` if it is not valid.
fn record<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}
