//! The readers of bytes from outside, as plain functions that take any bytes and check what they
//! can of the result.
//!
//! `tests/fuzz` lets libFuzzer look for bytes that break them; `tests/fuzz/tests/corpus.rs` replays what
//! was found, and mutates it a little, in every run of the tests.
//!
//! An input is text where that is possible, so that a person can write and read the corpus:
//! the parts of a target's input are lines, and the last part is the rest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test may stop at the first surprise and say what it saw, and look at one thing only"
)]

mod answers;
mod attributes;
mod events;
mod ingest;
mod requests;
mod scanner;

pub use answers::answers;
pub use attributes::channel_attributes;
pub use events::{envelope, task_attributes, times};
pub use ingest::{ingest_event, ingest_forged, ingest_signed};
pub use requests::signature;

/// A target.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its corpus and of its binary.
pub const ALL: [(&str, Target); 9] = [
    ("answers", answers),
    ("channel_attributes", channel_attributes),
    ("envelope", envelope),
    ("ingest_event", ingest_event),
    ("ingest_forged", ingest_forged),
    ("ingest_signed", ingest_signed),
    ("signature", signature),
    ("task_attributes", task_attributes),
    ("times", times),
];

/// A phone number that stands in the corpus where customers' words would.
const CUSTOMER: &str = "+15550100123";

/// Cuts lines off the front; the rest may hold more of them.
fn lines<const N: usize>(data: &[u8]) -> ([&[u8]; N], &[u8]) {
    let mut lines: [&[u8]; N] = [&[]; N];
    let mut rest = data;
    for line in &mut lines {
        let end = rest.iter().position(|byte| *byte == b'\n');
        *line = &rest[..end.unwrap_or(rest.len())];
        rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
    }
    (lines, rest)
}

/// The number at the start of a line, so that a fuzzer can choose.
fn number(line: &[u8]) -> usize {
    let digits = line.iter().take(3).take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'))
}
