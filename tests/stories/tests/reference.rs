//! The pages of reference say what the code and the template say.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::{Policy, Queue, Row};
use store::PARTITIONS_OF_A_QUEUE;
use stories::{files, quoted, read, rows};

/// Returns the first cell's name of each row of a page, with the whole row.
fn by_name(page: &str) -> BTreeMap<String, Vec<String>> {
    rows(page)
        .filter_map(|cells| {
            let name = quoted(cells[0]).next()?.to_owned();
            Some((name, cells.into_iter().map(str::to_owned).collect()))
        })
        .collect()
}

/// The sources that functions are made of, without their tests.
fn sources() -> Vec<String> {
    let mut sources = Vec::new();
    for folder in ["shared/runtime/src", "functions"] {
        for file in files(folder, "rs").unwrap() {
            if file.contains("/src/") {
                let source = read(&file).unwrap();
                let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
                sources.push(shipped.to_owned());
            }
        }
    }
    sources
}

/// The variables that the functions read: names in capitals that are handed to a method of the
/// environment.
fn variables() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in sources() {
        let source: String = source.split_whitespace().collect();
        for piece in source.split("environment").skip(1) {
            let piece = piece.split(';').next().unwrap_or_default();
            for text in piece.split('"').skip(1).step_by(2) {
                let is_name = text.len() > 5
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
                if is_name && !text.starts_with("AWS_") {
                    names.insert(text.to_owned());
                }
            }
        }
    }
    names
}

#[test]
fn the_page_of_settings_lists_every_variable() {
    let page = read("docs/settings.md").unwrap();
    let section = page.split("## Parameters").next().unwrap();
    let listed: BTreeSet<String> = by_name(section).into_keys().collect();
    let read = variables();
    assert!(read.len() > 30, "{read:?}");
    let missing: Vec<_> = read.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&read).collect();
    assert!(missing.is_empty(), "not in docs/settings.md: {missing:?}");
    assert!(unknown.is_empty(), "read by no function: {unknown:?}");
}

/// Reads a duration as the page writes it.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at(text.len().checked_sub(1)?);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    Some(Duration::from_secs(number.parse::<u64>().ok()? * seconds))
}

#[test]
fn the_page_of_settings_gives_the_defaults_of_the_policy() {
    let page = read("docs/settings.md").unwrap();
    let listed = by_name(page.split("## Parameters").next().unwrap());
    // Every field by its name: a setting that is added must be compared here.
    let Policy {
        abandoned_cutoff,
        ended_cutoff,
        long_lived_cutoff,
        release_long_lived,
        inspect_after,
        orphan_grace,
        orphan_cutoff,
        quiet_cutoff,
        put_aside_cutoff,
        wrap_up_limit,
        retention,
        park_after,
    } = Policy::default();
    for (name, value) in [
        ("ABANDONED_CUTOFF", Some(abandoned_cutoff)),
        ("ENDED_CUTOFF", Some(ended_cutoff)),
        ("LONG_LIVED_CUTOFF", Some(long_lived_cutoff)),
        ("INSPECT_AFTER", Some(inspect_after)),
        ("ORPHAN_GRACE", Some(orphan_grace)),
        ("ORPHAN_CUTOFF", orphan_cutoff),
        ("QUIET_CUTOFF", Some(quiet_cutoff)),
        ("PUT_ASIDE_CUTOFF", put_aside_cutoff),
        ("WRAP_UP_LIMIT", Some(wrap_up_limit)),
        ("RETENTION", Some(retention)),
        ("PARK_AFTER", Some(park_after)),
    ] {
        let default = listed[name][2].trim_matches('`');
        match value {
            Some(value) => assert_eq!(duration(default), Some(value), "{name}: {default}"),
            None => assert_eq!(default, "never", "{name}"),
        }
    }
    let release = listed["RELEASE_LONG_LIVED"][2].trim_matches('`');
    assert_eq!(release, release_long_lived.to_string());
}

/// The template's parameters with their defaults; none where a value must be given.
fn parameters(template: &str) -> BTreeMap<String, Option<String>> {
    let (_, parameters) = template.split_once("\nParameters:\n").unwrap();
    let mut found = BTreeMap::new();
    let mut name = String::new();
    for line in parameters.lines() {
        if !line.is_empty() && !line.starts_with([' ', '#']) {
            break;
        }
        match line.strip_prefix("  ") {
            Some(line) if !line.starts_with([' ', '#']) => {
                name = line.trim_end_matches(':').to_owned();
                found.insert(name.clone(), None);
            }
            Some(line) => {
                if let Some(default) = line.strip_prefix("  Default: ") {
                    found.insert(name.clone(), Some(default.trim_matches('"').to_owned()));
                }
            }
            None => {}
        }
    }
    found
}

#[test]
fn the_page_of_settings_lists_every_parameter_with_its_default() {
    let page = read("docs/settings.md").unwrap();
    let listed = by_name(page.split_once("## Parameters").unwrap().1);
    let parameters = parameters(&read("template.yaml").unwrap());
    assert!(parameters.len() > 30, "{parameters:?}");
    let known: Vec<_> = parameters.keys().collect();
    assert_eq!(listed.keys().collect::<Vec<_>>(), known);
    for (name, default) in parameters {
        let expected = match default.as_deref() {
            None => "must be given".to_owned(),
            Some("") => "empty".to_owned(),
            Some(default) => format!("`{default}`"),
        };
        assert_eq!(listed[&name][1], expected, "{name}");
    }
}

/// The rights that a text names, such as `dynamodb:GetItem`.
fn rights(text: &str) -> BTreeSet<String> {
    const SERVICES: [&str; 8] = [
        "dynamodb",
        "events",
        "kms",
        "lambda",
        "logs",
        "secretsmanager",
        "sqs",
        "xray",
    ];
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':'))
        .filter(|word| {
            let mut parts = word.split(':');
            let service = parts.next().is_some_and(|name| SERVICES.contains(&name));
            let action = parts
                .next()
                .is_some_and(|name| name.starts_with(char::is_uppercase));
            service && action && parts.next().is_none()
        })
        .map(str::to_owned)
        .collect()
}

/// Returns the lines under a resource of the template.
fn resource<'a>(template: &'a str, name: &str) -> &'a str {
    let (_, rest) = template.split_once(&format!("\n  {name}:\n")).unwrap();
    let end = rest
        .match_indices("\n  ")
        .find(|(at, _)| rest[at + 3..].starts_with(|c: char| c.is_ascii_alphabetic()));
    end.map_or(rest, |(at, _)| &rest[..at])
}

#[test]
fn the_page_of_permissions_names_what_the_roles_may() {
    let page = read("docs/permissions.md").unwrap();
    let template = read("template.yaml").unwrap();
    for (function, role) in [
        ("ingest", "IngestRole"),
        ("sweep", "SweepRole"),
        ("park", "ParkRole"),
        ("park-api", "ParkApiRole"),
        ("checkup", "CheckupRole"),
    ] {
        // What all roles share is written once, in the first one, and only referred to after.
        let mut granted = rights(resource(&template, role));
        granted.extend(
            rights(resource(&template, "IngestRole"))
                .into_iter()
                .filter(|right| {
                    ["kms", "logs", "secretsmanager", "xray"]
                        .iter()
                        .any(|s| right.starts_with(s))
                }),
        );
        let named: BTreeSet<String> = rows(&page)
            .filter(|cells| {
                cells[0].split([',', ' ']).any(|word| word == function)
                    || cells[0].starts_with("all")
            })
            .flat_map(|cells| rights(cells[1]))
            .collect();
        assert_eq!(named, granted, "{function}");
    }
}

/// The command's own help, wherever its tests keep it.
fn help() -> String {
    let files = files("cli/tests", "txt").unwrap();
    let file = files.iter().find(|file| file.ends_with("/janitor.txt"));
    read(file.unwrap()).unwrap()
}

#[test]
fn the_page_of_commands_lists_every_command_and_exit_code() {
    let page = read("docs/commands.md").unwrap();
    let help = help();
    let section = |from: &str| {
        let (_, rest) = help.split_once(from).unwrap();
        let lines = rest.lines().skip(1).take_while(|line| !line.is_empty());
        lines.map(|line| line.split_whitespace().next().unwrap().to_owned())
    };
    let commands: BTreeSet<String> = section("Commands:").filter(|name| name != "help").collect();
    let (table, rest) = page.split_once("\n## ").unwrap();
    let listed: BTreeSet<String> = by_name(table)
        .into_keys()
        .map(|name| name.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(listed, commands);
    let codes: BTreeSet<String> = section("Exit codes:").collect();
    let table = rest.split_once("## Exit codes").unwrap().1;
    let table = table.split("\n## ").next().unwrap();
    let listed: BTreeSet<String> = rows(table)
        .map(|cells| cells[0].to_owned())
        .filter(|code| code != "code")
        .collect();
    assert_eq!(listed, codes);
}

#[test]
fn the_page_on_how_it_works_names_every_queue_row_and_notice() {
    let page = read("docs/how-it-works.md").unwrap();
    let named: BTreeSet<&str> = rows(&page).flat_map(|cells| quoted(cells[0])).collect();
    for queue in Queue::ALL {
        assert!(named.contains(queue.name()), "queue {}", queue.name());
    }
    for row in Row::ALL {
        assert!(named.contains(row.name()), "row {}", row.name());
    }
    let bus = read("shared/runtime/src/bus.rs").unwrap();
    let notices = bus.lines().filter_map(|line| {
        let (variant, name) = line.trim().strip_prefix("Self::")?.split_once(" => \"")?;
        name.strip_prefix(variant).map(|_| variant)
    });
    let notices: Vec<&str> = notices.collect();
    assert!(notices.len() >= 8, "{notices:?}");
    for notice in notices {
        assert!(named.contains(notice), "notice {notice}");
    }
}

#[test]
fn the_page_on_how_it_works_names_every_count_of_a_sweep() {
    let page = read("docs/how-it-works.md").unwrap();
    let source = read("functions/sweep/src/summary.rs").unwrap();
    let (_, summary) = source.split_once("pub struct Summary {").unwrap();
    let summary = summary.split("\n}").next().unwrap();
    let fields: Vec<&str> = summary
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
        .collect();
    assert!(fields.len() > 15, "{fields:?}");
    let named: BTreeSet<&str> = quoted(&page).collect();
    for field in fields {
        assert!(named.contains(field), "{field}");
    }
}

#[test]
fn the_page_of_commands_names_every_field_of_a_channel() {
    let page = read("docs/commands.md").unwrap();
    let source = read("cli/output/src/channel_view.rs").unwrap();
    let (_, view) = source.split_once("pub struct ChannelView {").unwrap();
    let fields: Vec<&str> = view
        .split("\n}")
        .next()
        .unwrap()
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
        .collect();
    assert!(fields.len() > 8, "{fields:?}");
    let named: BTreeSet<&str> = rows(&page).flat_map(|cells| quoted(cells[0])).collect();
    for field in fields {
        assert!(named.contains(field), "{field}");
    }
}

#[test]
fn the_program_for_costs_counts_the_index_partitions_that_are_asked() {
    let program = read("docs/costs.py").unwrap();
    let asked = [
        ("PARTITIONS_OF_SWEEP", Queue::of_sweep().count()),
        ("PARTITIONS_OF_PARK", Queue::of_park().count()),
    ];
    for (name, queues) in asked {
        let line = format!("{name} = {queues} * {PARTITIONS_OF_A_QUEUE} ");
        let stands = program.lines().any(|it| it.starts_with(&line));
        assert!(stands, "docs/costs.py does not say: {line}");
    }
}
