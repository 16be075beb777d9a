//! `docs/faults.md` names only tests that exist, and all rows and stories are on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The tests that a text names, as file and function.
fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    // Every second piece stands between backticks.
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter_map(|name| name.split_once(".rs::"))
}

#[test]
fn every_test_that_the_page_names_exists() {
    let page = read("docs/faults.md");
    let mut count = 0;
    for (file, test) in named(&page) {
        let source = read(&format!("{file}.rs"));
        assert!(source.contains(&format!("fn {test}(")), "{file}.rs::{test}");
        count += 1;
    }
    assert!(count > 90, "only {count} were found");
}

#[test]
fn every_row_is_there_once_and_has_a_test() {
    let page = read("docs/faults.md");
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.strip_suffix('|')?.split('|');
        let number: u8 = cells.next()?.trim().parse().ok()?;
        Some((number, cells.nth(2)?))
    });
    let mut numbers = Vec::new();
    for (number, tried_by) in rows {
        let tests = named(tried_by).count();
        assert!(tests > 0, "row {number} is not tried");
        numbers.push(number);
    }
    assert!(numbers.iter().copied().eq(1..=47), "{numbers:?}");
}

/// A story stands in the rows that its name begins with.
#[test]
fn every_story_is_on_the_page() {
    let page = read("docs/faults.md");
    let mut stories = BTreeSet::new();
    let folders = ["ingest", "sweep", "park"].map(|name| format!("functions/{name}/tests/stories"));
    let entries = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    for entry in entries {
        let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let names = source.lines().filter_map(|line| {
            let name = line.strip_prefix("async fn ")?.split('(').next()?;
            name.starts_with("row_").then(|| name.to_owned())
        });
        stories.extend(names);
    }
    assert!(stories.len() > 40);
    for story in stories {
        let words = story.split('_').skip(1);
        let rows = words.take_while(|word| *word == "and" || word.parse::<u8>().is_ok());
        for row in rows.filter_map(|word| word.parse::<u8>().ok()) {
            let line = page
                .lines()
                .find(|line| line.starts_with(&format!("| {row} |")));
            assert!(
                line.unwrap().contains(&format!("::{story}`")),
                "{story} in row {row}"
            );
        }
    }
}
