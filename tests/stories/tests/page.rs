//! `docs/faults.md` and `docs/beliefs.md` name only tests that exist, and all rows, beliefs and
//! stories are on their pages.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::collections::BTreeSet;

use stories::{files, named_tests, read, rows};

const BELIEFS: &str = "docs/beliefs.md";
const FAULTS: &str = "docs/faults.md";

fn every_named_test_exists(page: &str) -> usize {
    let page = read(page).unwrap();
    let mut count = 0;
    for (file, test) in named_tests(&page) {
        let source = read(&file).unwrap();
        assert!(source.contains(&format!("fn {test}(")), "{file}::{test}");
        count += 1;
    }
    count
}

#[test]
fn every_test_that_the_page_of_faults_names_exists() {
    let count = every_named_test_exists(FAULTS);
    assert!(count > 90, "only {count} were found");
}

#[test]
fn every_row_is_there_once_and_has_a_test() {
    let page = read(FAULTS).unwrap();
    let mut numbers = Vec::new();
    for cells in rows(&page) {
        let Some(number) = cells.first().and_then(|cell| cell.parse::<u8>().ok()) else {
            continue;
        };
        assert!(
            named_tests(cells[3]).next().is_some(),
            "row {number} is not tried"
        );
        numbers.push(number);
    }
    assert!(numbers.iter().copied().eq(1..=47), "{numbers:?}");
}

/// A story stands in the rows that its name begins with.
#[test]
fn every_story_is_on_the_page() {
    let page = read(FAULTS).unwrap();
    let mut stories = BTreeSet::new();
    for function in ["ingest", "sweep", "park"] {
        for file in files(&format!("functions/{function}/tests/stories"), "rs").unwrap() {
            let source = read(&file).unwrap();
            let names = source.lines().filter_map(|line| {
                let name = line.strip_prefix("async fn ")?.split('(').next()?;
                name.starts_with("row_").then(|| name.to_owned())
            });
            stories.extend(names);
        }
    }
    assert!(stories.len() > 40);
    for story in stories {
        let words = story.split('_').skip(1);
        let numbers = words.take_while(|word| *word == "and" || word.parse::<u8>().is_ok());
        for number in numbers.filter_map(|word| word.parse::<u8>().ok()) {
            let row = page
                .lines()
                .find(|line| line.starts_with(&format!("| {number} |")));
            assert!(
                row.unwrap().contains(&format!("::{story}`")),
                "{story} in row {number}"
            );
        }
    }
}

/// Every belief that is played names its test, and every other one stands in the section that
/// says so.
#[test]
fn every_belief_has_an_id_of_its_own_a_source_and_a_test_or_none_in_its_section() {
    let count = every_named_test_exists(BELIEFS);
    assert!(count > 25, "only {count} were found");
    let page = read(BELIEFS).unwrap();
    let (played, not_played) = page.split_once("## Not yet played").unwrap();
    let mut ids = BTreeSet::new();
    for (part, is_played) in [(played, true), (not_played, false)] {
        for cells in rows(part).filter(|cells| cells[0] != "id") {
            let id = cells[0];
            let number = id.strip_prefix('B').and_then(|id| id.parse::<u8>().ok());
            assert!(number.is_some(), "{id} is no id");
            assert!(ids.insert(id), "{id} stands twice");
            assert!(
                cells.iter().all(|cell| !cell.is_empty()),
                "{id} lacks a cell"
            );
            let has_source = cells[2].contains("https://") || cells[2].contains("none");
            assert!(has_source, "{id} has no source");
            let has_test = cells
                .get(4)
                .is_some_and(|cell| named_tests(cell).next().is_some());
            assert_eq!(has_test, is_played, "{id}");
        }
    }
    assert!(ids.len() > 30, "only {} beliefs were found", ids.len());
}
