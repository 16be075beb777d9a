//! Changing a few values of a JSON object in place: the text is cut where they stand, and
//! every other byte is copied.

use std::ops::Range;

use serde_json::value::RawValue;

/// The value that every value of one key becomes.
pub(crate) struct Change<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
    /// Where the values of the key stand.
    pub(crate) spans: &'a [Range<usize>],
}

/// True if the object has members: then a comma goes before what is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Members {
    None,
    Some,
}

/// Where a value stands in the text that it was read from.
pub(crate) fn span_of(text: &str, value: &RawValue) -> Range<usize> {
    // The value is a part of the text, so its place in memory tells its place there.
    let start = (value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + value.get().len()
}

/// Replaces every value of each key, so that it makes no difference which of several a reader
/// takes, and adds the keys that are missing at the end, where the closing brace stands.
pub(crate) fn splice(text: &str, end: usize, members: Members, changes: &[Change<'_>]) -> String {
    let mut cuts = Vec::new();
    let mut added = String::new();
    for Change { key, value, spans } in changes {
        cuts.extend(spans.iter().map(|span| (span.clone(), *value)));
        if spans.is_empty() {
            if members == Members::Some || !added.is_empty() {
                added.push(',');
            }
            added.push_str(&format!("\"{key}\":{value}"));
        }
    }
    cuts.push((end..end, &added));
    cuts.sort_by_key(|(span, _)| span.start);

    let mut spliced = String::with_capacity(text.len() + added.len() + 16 * cuts.len());
    let mut copied_to = 0;
    for (span, replacement) in cuts {
        spliced.push_str(text.get(copied_to..span.start).unwrap_or_default());
        spliced.push_str(replacement);
        copied_to = span.end;
    }
    spliced.push_str(text.get(copied_to..).unwrap_or_default());
    spliced
}
