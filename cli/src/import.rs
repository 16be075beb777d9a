//! `janitor import`: takes over what the Twilio Function `clear-long-lived-channels` knew.
//!
//! It kept one Sync document per channel, with the event that arrived last. Each is an event
//! like any other, so it goes through the webhook's own reading and the table's own fold; what
//! is known already changes nothing. Nothing is closed by importing: the sweep looks at each
//! channel again.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use domain::SyncServiceSid;
use twilio::events::{Batch, Scope, read_documents};

use crate::consent::Consent;
use crate::exit::Outcome;
use crate::office::{Office, Place};
use crate::replay::{batches, read, scope, take_in};
use crate::say;

/// What to import.
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
    consent: Consent,
    /// Prints the counts as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Imports.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Outcome> {
    let body = options.file.as_ref().map(read).transpose()?;
    let office = Office::open(&options.place).await?;
    let scope = scope(&office)?;
    let mut found = match body {
        Some(body) => batches(&body, |text| read_documents(text, &scope)),
        None => Vec::new(),
    };
    if let Some(service) = options.sync_service {
        found.extend(list(&office, service, &scope).await?);
    }
    take_in(&office, found, options.consent, options.json).await
}

async fn list(
    office: &Office,
    service: SyncServiceSid,
    scope: &Scope,
) -> anyhow::Result<Vec<Batch>> {
    let twilio = office.twilio().await?;
    let mut pages = Vec::new();
    let mut cursor = None;
    loop {
        let page = twilio
            .sync_documents(service, scope, cursor.as_ref())
            .await
            .with_context(|| format!("cannot list the documents of the Sync service {service}"))?;
        pages.push(page.batch);
        say::aloud(&format!("{} pages of documents read.", pages.len()));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(pages);
        }
    }
}
