//! Stories across functions, and checks of the pages under `docs`. What the checks share stands
//! here.

use std::io;
use std::path::{Path, PathBuf};

/// Returns the root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads a file by its path in the repository.
///
/// # Errors
///
/// Fails if the file cannot be read as text; the error names it.
pub fn read(path: &str) -> io::Result<String> {
    let path = root().join(path);
    std::fs::read_to_string(&path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Returns the cells of each row of a page's tables, without the rows that head them.
pub fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    page.lines()
        .filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'))
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| {
            !cells
                .iter()
                .all(|cell| cell.trim_matches([':', '-']).is_empty())
        })
}

/// Returns the pieces of a text that stand between backticks.
pub fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns the tests that a text names as `path/file.rs::test`, as file and function.
pub fn named_tests(text: &str) -> impl Iterator<Item = (String, &str)> {
    quoted(text).filter_map(|name| {
        let (file, test) = name.split_once(".rs::")?;
        Some((format!("{file}.rs"), test))
    })
}

/// Returns all files under a folder with this extension, by their paths in the repository.
///
/// # Errors
///
/// Fails if a folder cannot be read.
pub fn files(folder: &str, extension: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                let relative = path.strip_prefix(root()).unwrap_or(&path);
                found.push(relative.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
