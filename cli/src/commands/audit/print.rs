//! The report in plain words, on standard output.

use ::audit::{Class, FoundChannel, MAX_CONVERSATIONS, Report, Severity, WouldDo};
use domain::Timestamp;
use output::{Table, counted, duration, from_now, moment};

/// The most lines of one kind. The JSON has all.
const SHOWN: usize = 10;

/// Prints the report.
pub(super) fn report(report: &Report) -> anyhow::Result<()> {
    headline(report)?;
    unheard(report)?;
    causes(report)?;
    oldest(report)?;
    others(report)?;
    tasks(report)?;
    users(report)?;
    checkup(report)?;
    for silent in &report.silent_parts {
        output::failure(&format!("{}: {}", silent.part, silent.why));
    }
    let listed = &report.listed;
    output::status(&format!(
        "Read: {} since {}, {}, {}, {}; {} requests to Twilio, none of them a write.",
        counted(listed.events, "event"),
        moment(report.log_from_ms),
        counted(listed.open_tasks, "open task"),
        counted(listed.sessions, "open Proxy session"),
        counted(listed.conversations, "open Conversation"),
        report.requests
    ));
    Ok(())
}

fn headline(report: &Report) -> anyhow::Result<()> {
    if report.looked_at_none() {
        return Ok(output::print(
            "No channel was looked at, so it is not known how many customers write to nobody.",
        )?);
    }
    let sample = match report.sample {
        Some(sample) => format!(
            "Among {} of {} channels in question, chosen by chance: ",
            sample.looked_at, sample.candidates
        ),
        None => String::new(),
    };
    let unattended = &report.unattended;
    let line = match (unattended.channels, unattended.oldest_ms) {
        (0, _) | (_, None) => "Customers write to nobody on 0 channels.".to_owned(),
        (count, Some(oldest)) => format!(
            "Customers write to nobody on {}. The oldest is so since {} ({}).",
            counted(count, "channel"),
            moment(oldest),
            from_now(oldest, report.at_ms)
        ),
    };
    Ok(output::print(&format!("{sample}{line}"))?)
}

fn causes(report: &Report) -> anyhow::Result<()> {
    if report.unattended.by_cause.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["Cause", "Channels", "Oldest", "Meaning"]);
    table.align_right(&[1]);
    table.leave_out_first(&[3]);
    for (cause, total) in &report.unattended.by_cause {
        table.add_row([
            words(cause.name()),
            total.channels.to_string(),
            from_now(total.oldest_ms, report.at_ms),
            cause.meaning().to_owned(),
        ]);
    }
    Ok(output::print(&table)?)
}

fn oldest(report: &Report) -> anyhow::Result<()> {
    let unattended: Vec<&FoundChannel> = report
        .channels
        .iter()
        .filter(|channel| channel.class == Class::Unattended)
        .collect();
    if unattended.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["Oldest channels", "Cause", "Since", "Would be"]);
    for channel in unattended.iter().take(SHOWN) {
        let would = match channel.would {
            Some(WouldDo::Release) => "released",
            Some(WouldDo::Close) => "closed",
            Some(WouldDo::Rescue) => "given a task",
            Some(WouldDo::EndSession) => "without its session",
            None => "",
        };
        table.add_row([
            channel.channel_sid.to_string(),
            channel
                .cause
                .map_or_else(String::new, |cause| words(cause.name())),
            from_now(channel.since_ms, report.at_ms),
            would.to_owned(),
        ]);
    }
    output::print(&table)?;
    more(unattended.len(), "channels")
}

fn others(report: &Report) -> anyhow::Result<()> {
    let counts: Vec<String> = Class::ALL
        .iter()
        .filter(|class| **class != Class::Unattended)
        .filter_map(|class| {
            let count = report.classes.get(class).filter(|count| **count > 0)?;
            Some(format!("{count} {}", class.in_words()))
        })
        .collect();
    if counts.is_empty() {
        return Ok(());
    }
    Ok(output::print(&format!(
        "Other channels: {}.",
        counts.join(", ")
    ))?)
}

fn unheard(report: &Report) -> anyhow::Result<()> {
    for sentence in report.unheard.in_words(report.at_ms).into_iter().flatten() {
        output::print(&sentence)?;
    }
    Ok(())
}

fn tasks(report: &Report) -> anyhow::Result<()> {
    for stuck in report.stuck_wrap_ups.iter().take(SHOWN) {
        output::print(&format!(
            "{} is stuck in wrap-up for {}: `janitor complete` ends it.",
            stuck.task_sid,
            duration(report.at_ms.since(stuck.since_ms))
        ))?;
    }
    more(report.stuck_wrap_ups.len(), "stuck wrap-ups")?;
    for ending in report.ending_tasks.iter().take(SHOWN) {
        output::print(&format!(
            "{} is assigned for nearly a day: TaskRouter deletes it {}.",
            ending.task_sid,
            when(ending.deleted_at_ms, report.at_ms)
        ))?;
    }
    more(report.ending_tasks.len(), "tasks near the 24-hour limit")
}

fn users(report: &Report) -> anyhow::Result<()> {
    for user in report.crowded_users.iter().take(SHOWN) {
        output::print(&format!(
            "{} is in {} open Conversations of {MAX_CONVERSATIONS} that Twilio allows.",
            user.user_sid, user.conversations
        ))?;
    }
    more(report.crowded_users.len(), "identities near the limit")
}

fn checkup(report: &Report) -> anyhow::Result<()> {
    let Some(checkup) = &report.checkup else {
        return Ok(());
    };
    let count = |severity| {
        let findings = checkup.findings.iter();
        findings
            .filter(|finding| finding.severity == severity)
            .count()
    };
    output::print(&format!(
        "Set-up: {}, {} (`janitor checkup` says what to do).",
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning")
    ))?;
    let worth_a_line = checkup.findings.iter();
    let worth_a_line = worth_a_line.filter(|finding| finding.severity != Severity::Info);
    for finding in worth_a_line {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        output::print(&format!(
            "  {severity} {}: {}: {}",
            finding.rule, finding.subject, finding.found
        ))?;
    }
    Ok(())
}

fn more(count: usize, of: &str) -> anyhow::Result<()> {
    match count.checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => Ok(output::print(&format!(
            "and {more} more {of}, which --json lists"
        ))?),
        None => Ok(()),
    }
}

fn when(at: Timestamp, now: Timestamp) -> String {
    match at > now {
        true => from_now(at, now),
        false => "any moment".to_owned(),
    }
}

fn words(name: &str) -> String {
    name.replace('-', " ")
}
