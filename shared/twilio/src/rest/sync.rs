//! Sync: where the Twilio Function that this system replaces kept what it knew.

use domain::SyncServiceSid;

use super::client::Client;
use super::client::base::Product;
use super::client::page::{Cursor, List, ListFailure};
use crate::events::{Batch, Scope, read_documents};
use crate::json;

/// The most that a page may hold (Twilio, OpenAPI of Sync).
const PAGE_SIZE: &str = "100";

/// A part of a service's documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPage {
    /// Their events.
    pub batch: Batch,
    /// Where the list goes on, or nothing at its end.
    pub next: Option<Cursor>,
}

impl Client {
    /// Reads a page of a Sync service's documents: the first one, or the one at a cursor.
    ///
    /// # Errors
    ///
    /// Fails if the cursor has expired or belongs to another list, or if Twilio refuses the call,
    /// asks to slow down, or gives no answer that can be used.
    pub async fn sync_documents(
        &self,
        service: SyncServiceSid,
        scope: &Scope,
        after: Option<&Cursor>,
    ) -> Result<DocumentPage, ListFailure> {
        let list = List {
            product: Product::Sync,
            path: format!("/v1/Services/{service}/Documents"),
            query: format!("PageSize={PAGE_SIZE}"),
        };
        let read = |text: &str| {
            let [documents] = json::members(text, ["documents"]).ok()?;
            let is_list = documents?.get().starts_with('[');
            is_list.then(|| read_documents(text.as_bytes(), scope))
        };
        let (batch, next) = self.page_of(list, after, read).await?;
        Ok(DocumentPage { batch, next })
    }
}
