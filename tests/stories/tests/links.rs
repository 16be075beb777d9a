//! Every link and every file that a page names is there.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use stories::{files, quoted, read, root};

/// The name that a heading's link goes by.
fn anchor(heading: &str) -> String {
    let kept = heading
        .trim()
        .chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| {
        if c == ' ' {
            '-'
        } else {
            c.to_ascii_lowercase()
        }
    })
    .collect()
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut pages = files("docs", "md").unwrap();
    pages.extend(
        [
            "README.md",
            "CONTRIBUTING.md",
            "CHANGELOG.md",
            "flex-plugin/README.md",
        ]
        .map(str::to_owned),
    );
    let mut count = 0;
    for page in &pages {
        let text = read(page).unwrap();
        let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in text.split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => root().join(page),
                file => root().join(folder).join(file),
            };
            assert!(path.exists(), "{page}: {target}");
            if !heading.is_empty() {
                let text = std::fs::read_to_string(&path).unwrap();
                let headings = text.lines().filter(|line| line.starts_with('#'));
                let found = headings
                    .map(|line| anchor(line.trim_start_matches('#')))
                    .any(|name| name == heading);
                assert!(found, "{page}: {target}");
            }
            count += 1;
        }
    }
    assert!(count > 40, "only {count} links were found");
}

/// Checks that a page for developers leads into the code as it is.
#[test]
fn every_file_that_a_page_for_developers_names_exists() {
    let mut count = 0;
    for page in ["docs/ARCHITECTURE.md", "docs/changing.md"] {
        let text = read(page).unwrap();
        for path in quoted(&text) {
            let is_path = path.contains('/')
                && !path.contains(['*', ' ', ':'])
                && path
                    .rsplit('/')
                    .next()
                    .is_some_and(|name| name.contains('.'));
            if is_path {
                assert!(root().join(path).is_file(), "{page}: {path}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "only {count} were found");
}
