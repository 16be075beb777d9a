//! The audit as one HTML page that a browser opens from a file: for a manager to read and an
//! engineer to work from.
//!
//! The page loads nothing. Its Content Security Policy names its own style and its own script by
//! their digests and forbids everything else. Every value is escaped by the template.

mod chart;
mod tables;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use output::{duration, moment};
use sha2::{Digest, Sha256};

use crate::report::Report;

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Returns the page of an audit, with the answers of the probes, or why there are none.
pub fn page(report: &Report, probes: Result<&probes::Report, &str>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "Audit of the chat channels" }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Audit of the chat channels" }
                    p .soft {
                        "Account " code { (report.account_sid) } ", " (moment(report.at_ms)) " UTC. "
                        "TaskRouter's log was read from " (moment(report.log_from_ms)) " on."
                    }
                }
                main {
                    (headline(report))
                    (limits(report, probes))
                    (charts(report))
                    (tables::causes(report))
                    (tables::classes(report))
                    (tables::channels(report))
                    (tables::tasks(report))
                    (tables::users(report))
                    (tables::findings(report))
                    @if let Ok(probes) = probes { (tables::probes(probes)) }
                }
                footer {
                    h2 { "About this page" }
                    p {
                        "The audit read and wrote nothing. It made " (report.requests) " requests. "
                        (report.listed.conversations) " open Conversations, " (report.listed.sessions)
                        " open Proxy sessions, " (report.listed.open_tasks) " open tasks and "
                        (report.listed.events) " events were listed."
                    }
                    p { "The page holds SIDs, times and counts. It holds no message, name or number of a customer." }
                    p #said .soft role="status" {}
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string()
}

/// Returns the page's Content Security Policy
/// (<https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy>).
fn policy() -> String {
    let digest = |text: &str| BASE64.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT),
    )
}

fn headline(report: &Report) -> Markup {
    let unattended = &report.unattended;
    let none = unattended.channels == 0 && report.unheard.customers == 0;
    if report.looked_at_none() {
        return html! {
            div .headline {
                "No channel was looked at, so it is not known how many customers write to nobody."
            }
        };
    }
    html! {
        div .headline .none[none] {
            strong { (unattended.channels) }
            @match unattended.channels {
                1 => "chat on which the customer's next message reaches nobody.",
                _ => "chats on which the customer's next message reaches nobody.",
            }
            @if let Some(oldest) = unattended.oldest_ms {
                " The oldest has been so for " (duration(report.at_ms.since(oldest))) "."
            }
            @if let Some([waiting, rescued]) = report.unheard.in_words(report.at_ms) {
                p .bad { (waiting) }
                p { (rescued) }
            }
        }
    }
}

/// Says what the figures do not cover.
fn limits(report: &Report, probes: Result<&probes::Report, &str>) -> Markup {
    let probes_missing = match probes {
        Ok(probes) if probes.interrupted => Some("they were ended early"),
        Ok(_) => None,
        Err(why) => Some(why),
    };
    html! {
        @if report.interrupted {
            p .warning { "The audit was ended early. The figures are of what it had found by then." }
        }
        @if let Some(sample) = report.sample {
            p .warning {
                "A sample: " (sample.looked_at) " of " (sample.candidates) " channels were looked at."
            }
        }
        @if !report.silent_parts.is_empty() || probes_missing.is_some() {
            section .warning {
                h2 { "Not everything could be read" }
                ul {
                    @for silent in &report.silent_parts {
                        li { (silent.part) ": " (silent.why) }
                    }
                    @if let Some(why) = probes_missing { li { "the probes: " (why) } }
                }
            }
        }
    }
}

fn charts(report: &Report) -> Markup {
    let unattended = &report.unattended;
    if unattended.channels == 0 {
        return html! {};
    }
    let ages = tables::ages(unattended);
    let causes: Vec<(String, usize)> = unattended
        .by_cause
        .iter()
        .map(|(cause, total)| (tables::words(cause.name()), total.channels))
        .collect();
    html! {
        h2 { "Unattended chats" }
        div .charts {
            (chart::bars("By age", "by-age", &ages))
            (chart::bars("By cause", "by-cause", &causes))
        }
    }
}
