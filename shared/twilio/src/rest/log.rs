//! TaskRouter's own log of events: what Event Streams may have lost.
//!
//! It is kept for 30 days; the attributes of tasks, and with them the channels, are taken out
//! of what is older (Twilio, OpenAPI of TaskRouter).

use domain::{Timestamp, WorkspaceSid};
use form_urlencoded::Serializer;

use super::client::Client;
use super::client::base::Product;
use super::client::page::{Cursor, List, ListFailure};
use crate::events::{Batch, Scope, read_log};
use crate::json;
use crate::when::second;

/// The most that a page may hold (Twilio, OpenAPI of TaskRouter).
const PAGE_SIZE: &str = "1000";

/// Which events to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogQuery<'a> {
    /// Those in this second or later.
    pub from: Timestamp,
    /// Those in this second or earlier.
    pub to: Timestamp,
    /// Those of this type, written as `task.created`, or of any: Twilio takes one at a time.
    pub event_type: Option<&'a str>,
}

/// A part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// Its events.
    pub batch: Batch,
    /// Where the log goes on, or nothing at its end.
    pub next: Option<Cursor>,
}

impl Client {
    /// Reads a page of a workspace's log of events: the first one, or the one at a cursor,
    /// which holds the question that it began with.
    ///
    /// # Errors
    ///
    /// Fails if the cursor has expired or belongs to another list, or if Twilio refuses the call,
    /// asks to slow down, or gives no answer that can be used.
    pub async fn event_log(
        &self,
        workspace: WorkspaceSid,
        query: LogQuery<'_>,
        scope: &Scope,
        after: Option<&Cursor>,
    ) -> Result<LogPage, ListFailure> {
        let list = List {
            product: Product::TaskRouter,
            path: format!("/v1/Workspaces/{workspace}/Events"),
            query: query_of(query),
        };
        let read = |text: &str| read_page(text, scope);
        let (batch, next) = self.page_of(list, after, read).await?;
        Ok(LogPage { batch, next })
    }
}

fn query_of(query: LogQuery<'_>) -> String {
    let mut pairs = Serializer::new(String::new());
    pairs.append_pair("StartDate", &second(query.from));
    pairs.append_pair("EndDate", &second(query.to));
    if let Some(kind) = query.event_type {
        pairs.append_pair("EventType", kind);
    }
    pairs.append_pair("PageSize", PAGE_SIZE).finish()
}

/// Reads a page that holds a list of events. What is wrong with one of them is in the batch.
fn read_page(text: &str, scope: &Scope) -> Option<Batch> {
    let [events] = json::members(text, ["events"]).ok()?;
    let is_list = events?.get().starts_with('[');
    is_list.then(|| read_log(text.as_bytes(), scope))
}
