//! The tables of the page.

use domain::{Platform, Timestamp};
use maud::{Markup, html};
use output::{duration, from_now, moment};
use probes::Answer;

use crate::class::Class;
use crate::report::{FoundChannel, Report, Severity, Unattended, WouldDo};

/// The most channels that the page shows. The JSON of the audit holds all.
const MAX_ROWS: usize = 1_000;

/// Returns the spans of age with their numbers of channels.
pub(super) fn ages(unattended: &Unattended) -> Vec<(String, usize)> {
    let mut from = None;
    let span = |seconds: u64| duration(std::time::Duration::from_secs(seconds));
    unattended
        .by_age
        .iter()
        .map(|bucket| {
            let label = match (from, bucket.younger_than_seconds) {
                (None, Some(to)) => format!("less than {}", span(to)),
                (Some(from), Some(to)) => format!("{} to {}", span(from), span(to)),
                (Some(from), None) => format!("{} or more", span(from)),
                (None, None) => "any age".to_owned(),
            };
            from = bucket.younger_than_seconds;
            (label, bucket.channels)
        })
        .collect()
}

/// Returns a name in JSON as words.
pub(super) fn words(name: &str) -> String {
    name.replace('-', " ")
}

pub(super) fn causes(report: &Report) -> Markup {
    if report.unattended.by_cause.is_empty() {
        return html! {};
    }
    table(
        "Why they stayed open",
        "causes",
        html! {
            thead { tr { th scope="col" { "Cause" } th scope="col" .number { "Chats" } th scope="col" { "Oldest" } th scope="col" { "What it means" } } }
            tbody {
                @for (cause, total) in &report.unattended.by_cause {
                    tr {
                        th scope="row" { (words(cause.name())) }
                        td .number { (total.channels) }
                        (ago(total.oldest_ms, report))
                        td .wide { (cause.meaning()) }
                    }
                }
            }
        },
    )
}

pub(super) fn classes(report: &Report) -> Markup {
    table(
        "All channels that were looked at",
        "classes",
        html! {
            thead { tr { th scope="col" { "Class" } th scope="col" .number { "Channels" } th scope="col" { "What it means" } th scope="col" { "What would be done" } } }
            tbody {
                @for class in Class::ALL {
                    @if let Some(count) = report.classes.get(class) {
                        tr {
                            th scope="row" { (words(class.name())) }
                            td .number { (count) }
                            td .wide { (class.meaning()) }
                            td .wide { (class.remedy()) }
                        }
                    }
                }
            }
        },
    )
}

pub(super) fn channels(report: &Report) -> Markup {
    if report.channels.is_empty() {
        return html! {};
    }
    let rest = report.channels.len().saturating_sub(MAX_ROWS);
    html! {
        (table(
            "Channels, oldest first",
            "channels",
            html! {
                thead { tr {
                    th scope="col" { "Channel" } th scope="col" { "Class" } th scope="col" { "Cause" } th scope="col" { "Since" }
                    th scope="col" { "Unheard since" } th scope="col" { "Would be" } th scope="col" { "Platform" } th scope="col" { "Last task" }
                } }
                tbody { @for channel in report.channels.iter().take(MAX_ROWS) { (row(channel, report)) } }
            },
        ))
        @if rest > 0 { p .soft { (rest) " more are in the JSON of the audit." } }
    }
}

fn row(channel: &FoundChannel, report: &Report) -> Markup {
    html! {
        tr {
            (sid(channel.channel_sid.as_str()))
            td .bad[channel.class == Class::Unattended] { (words(channel.class.name())) }
            td { @if let Some(cause) = channel.cause { (words(cause.name())) } }
            (ago(channel.since_ms, report))
            @match channel.unheard_since_ms {
                Some(at) => (ago(at, report)),
                None => td {},
            }
            td {
                @match (channel.would, channel.until_ms) {
                    (Some(WouldDo::Release), _) => "released",
                    (Some(WouldDo::Close), _) => "closed",
                    (Some(WouldDo::Rescue), _) => "given a task",
                    (Some(WouldDo::EndSession), _) => "freed of its Proxy session",
                    (None, Some(until)) => { "looked at " (from_now(until, report.at_ms)) },
                    (None, None) => "left",
                }
            }
            td {
                @match channel.platform {
                    Platform::Chat => "Chat",
                    Platform::Conversations => "Conversations",
                }
            }
            @match channel.last_task_sid {
                Some(task) => (sid(task.as_str())),
                None => td {},
            }
        }
    }
}

pub(super) fn tasks(report: &Report) -> Markup {
    html! {
        @if !report.stuck_wrap_ups.is_empty() {
            (table("Tasks that are stuck in wrap-up", "wrap-ups", html! {
                thead { tr { th scope="col" { "Task" } th scope="col" { "Unchanged since" } } }
                tbody {
                    @for task in &report.stuck_wrap_ups {
                        tr { (sid(task.task_sid.as_str())) (ago(task.since_ms, report)) }
                    }
                }
            }))
            p { "A person can end one with " code { "janitor complete" } "." }
        }
        @if !report.ending_tasks.is_empty() {
            (table("Tasks that Twilio deletes soon", "ending", html! {
                thead { tr { th scope="col" { "Task" } th scope="col" { "Deleted" } th scope="col" { "Channel" } } }
                tbody {
                    @for task in &report.ending_tasks {
                        tr {
                            (sid(task.task_sid.as_str()))
                            (ago(task.deleted_at_ms, report))
                            @match task.channel_sid {
                                Some(channel) => (sid(channel.as_str())),
                                None => td {},
                            }
                        }
                    }
                }
            }))
            p { "TaskRouter deletes a task that has been assigned for 24 hours. Its chat then has no agent." }
        }
    }
}

pub(super) fn users(report: &Report) -> Markup {
    if report.crowded_users.is_empty() {
        return html! {};
    }
    html! {
        (table("Identities in many Conversations", "users", html! {
            thead { tr { th scope="col" { "User" } th scope="col" .number { "Conversations" } } }
            tbody {
                @for user in &report.crowded_users {
                    tr { (sid(user.user_sid.as_str())) td .number { (user.conversations) } }
                }
            }
        }))
        p { "Twilio lets one identity into " (crate::report::MAX_CONVERSATIONS) " open Conversations. After that, it joins no other." }
    }
}

pub(super) fn findings(report: &Report) -> Markup {
    let Some(checkup) = &report.checkup else {
        return html! {};
    };
    html! {
        @if checkup.findings.is_empty() {
            h2 { "The set-up" }
            p .good { "The checkup found nothing." }
        } @else {
            (table("Findings about the set-up", "findings", html! {
                thead { tr { th scope="col" { "Severity" } th scope="col" { "Rule" } th scope="col" { "Subject" } th scope="col" { "Found" } } }
                tbody {
                    @for finding in &checkup.findings {
                        tr {
                            td .bad[finding.severity == Severity::Error] {
                                @match finding.severity {
                                    Severity::Error => "error",
                                    Severity::Warning => "warning",
                                    Severity::Info => "info",
                                }
                            }
                            td .sid { (finding.rule) }
                            td .sid { (finding.subject) }
                            td .wide { (finding.found) }
                        }
                    }
                }
            }))
        }
        @if checkup.skipped_rules > 0 {
            p .warning { (checkup.skipped_rules) " rules could not be applied." }
        }
    }
}

pub(super) fn probes(probes: &probes::Report) -> Markup {
    table(
        "What this account says about our assumptions",
        "probes",
        html! {
            thead { tr { th scope="col" { "Question" } th scope="col" { "Answer" } th scope="col" { "What it changes" } th scope="col" { "Rows of docs/beliefs.md" } } }
            tbody {
                @for asked in &probes.probes {
                    tr {
                        td .wide { (asked.question) }
                        @match &asked.answer {
                            Answer::AsExpected { .. } => { td .good .answer { "as expected" } td {} },
                            Answer::Differs { seen, differing, changes } => {
                                td .bad .answer { "differs in " (differing) " of " (seen) }
                                td .wide { (changes) }
                            },
                            Answer::NotAsked { why, .. } => { td .soft .answer { "not asked" } td .wide .soft { (why) } },
                        }
                        td { (asked.beliefs.join(", ")) }
                    }
                }
            }
        },
    )
}

/// Returns a table with its heading, which scrolls sideways where it does not fit.
fn table(title: &str, id: &str, content: Markup) -> Markup {
    let heading = format!("{id}-title");
    html! {
        h2 #(heading) { (title) }
        div .scroll tabindex="0" role="region" aria-labelledby=(heading) {
            table aria-labelledby=(heading) { (content) }
        }
    }
}

/// Returns a cell with a SID that can be copied. The button appears where the script runs.
fn sid(sid: &str) -> Markup {
    html! {
        td .sid {
            code { (sid) }
            button type="button" hidden data-copy=(sid) aria-label=(format!("Copy {sid}")) { "Copy" }
        }
    }
}

fn ago(at: Timestamp, report: &Report) -> Markup {
    html! {
        td .time title=(format!("{} UTC", moment(at))) { (from_now(at, report.at_ms)) }
    }
}
