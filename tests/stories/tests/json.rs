//! The page of commands names what the command prints as JSON.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::collections::BTreeSet;

use stories::{files, quoted, read};

/// Returns the fields of a source's structs that are serialized, each with its struct.
fn fields(source: &str) -> Vec<(String, String)> {
    let shipped = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    let (mut is_serialized, mut within, mut is_hidden) = (false, None, false);
    for line in shipped.lines().map(str::trim_end) {
        let text = line.trim_start();
        if text.starts_with("#[derive(") {
            is_serialized = text.contains("Serialize");
        } else if text.contains("enum ") && text.ends_with('{') {
            is_serialized = false;
        } else if let Some((_, name)) = text.split_once("struct ")
            && is_serialized
            && text.ends_with('{')
        {
            let end = name.find([' ', '<']).unwrap_or(name.len());
            within = Some(name[..end].to_owned());
        } else if line == "}" {
            (is_serialized, within) = (false, None);
        } else if matches!(text, "#[serde(skip)]" | "#[serde(flatten)]") {
            is_hidden = true;
        } else if let Some(name) = &within
            && !text.starts_with(['/', '#'])
            && let Some((field, _)) = text.split_once(": ")
        {
            let field = field.rsplit(' ').next().unwrap_or(field);
            if !is_hidden {
                found.push((name.clone(), field.to_owned()));
            }
            is_hidden = false;
        }
    }
    found
}

/// Returns the words that some pages show as code.
fn words(pages: &[&str]) -> BTreeSet<String> {
    let pages = pages.iter().map(|page| read(page).unwrap());
    // By line, so that a block of code leads nothing astray.
    let words = pages.flat_map(|page| {
        let lines = page.lines().flat_map(quoted);
        lines.map(str::to_owned).collect::<Vec<_>>()
    });
    words.collect()
}

fn missing(sources: &[String], pages: &[&str], at_least: usize) -> Vec<String> {
    let words = words(pages);
    let fields = sources.iter().flat_map(|file| {
        let fields = fields(&read(file).unwrap()).into_iter();
        fields.map(move |(owner, field)| (format!("{file}: {owner}.{field}"), field))
    });
    let fields: Vec<_> = fields.collect();
    assert!(fields.len() > at_least, "only {} fields", fields.len());
    let missing = fields
        .into_iter()
        .filter(|(_, field)| !words.contains(field));
    missing.map(|(place, _)| place).collect()
}

#[test]
fn the_page_of_commands_names_every_field_that_is_printed() {
    let mut sources = files("cli/src", "rs").unwrap();
    let others = [
        "cli/output/src/channel_view.rs",
        "functions/sweep/src/reconcile/report.rs",
        "playground/src/demo/claims.rs",
        "playground/src/demo/mod.rs",
        "playground/src/demo/parking.rs",
        "playground/src/demo/story.rs",
    ];
    sources.extend(others.map(str::to_owned));
    let pages = ["docs/commands.md", "docs/how-it-works.md"];
    let missing = missing(&sources, &pages, 130);
    assert!(missing.is_empty(), "not in docs/commands.md: {missing:#?}");
}

#[test]
fn the_page_of_the_audit_names_every_field_that_is_printed() {
    let sources = ["cli/audit/src/report.rs", "cli/probes/src/lib.rs"].map(str::to_owned);
    let missing = missing(&sources, &["docs/audit.md"], 50);
    assert!(missing.is_empty(), "not in docs/audit.md: {missing:#?}");
}
