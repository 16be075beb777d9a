//! `janitor import`: reads the Sync documents of the Twilio Function
//! `clear-long-lived-channels` into the table.
//!
//! It kept one Sync document per channel, with the event that arrived last. Each is an event
//! like any other, so it goes through the webhook's own reading and the table's own fold; what
//! is known already changes nothing. Nothing is closed by importing: the sweep looks at each
//! channel again.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use domain::SyncServiceSid;
use twilio::events::{Batch, Scope, read_documents};

use crate::commands::replay::{Part, parts, read, scope, take_in};
use crate::confirm::Common;
use crate::context::Context;
use crate::stack::Override;
use output::Outcome;

/// The documents to import.
#[derive(Debug, Args)]
#[group(id = "source", required = true, multiple = false, args = ["file", "sync_service"])]
pub(crate) struct Options {
    /// Exported Sync documents: a JSON array, a page of the API, or one per line; standard
    /// input where it is -
    file: Option<PathBuf>,
    /// Reads the documents of this Sync service at Twilio
    #[arg(long, value_name = "IS…")]
    sync_service: Option<SyncServiceSid>,
    #[command(flatten)]
    by: Override,
    #[command(flatten)]
    common: Common,
}

/// Imports.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let body = options.file.as_ref().map(read).transpose()?;
    let context = Context::open(&options.common.place).await?;
    let context = context.by_stack(options.by).await?;
    let scope = scope(&context)?;
    let mut found = match body {
        Some(body) => parts(&body, |text| read_documents(text, &scope)),
        None => Vec::new(),
    };
    if let Some(service) = options.sync_service {
        let pages = list(&context, service, &scope).await?;
        found.extend(pages.into_iter().map(|batch| Part { line: None, batch }));
    }
    take_in(&context, found, &options.common).await
}

async fn list(
    context: &Context,
    service: SyncServiceSid,
    scope: &Scope,
) -> anyhow::Result<Vec<Batch>> {
    let twilio = context.twilio().await?;
    let mut pages = Vec::new();
    let mut cursor = None;
    loop {
        let page = twilio
            .sync_documents(service, scope, cursor.as_ref())
            .await
            .with_context(|| format!("cannot list the documents of the Sync service {service}"))?;
        pages.push(page.batch);
        output::status(&format!("{} pages of documents read.", pages.len()));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(pages);
        }
    }
}
