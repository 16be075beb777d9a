//! The report as JSON: what a page or a program of others reads.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use audit::{Cause, Class, Report, Unattended, Unheard};
use serde_json::Value;

/// A report that was made by hand, with something of each kind.
const SAMPLE: &str = include_str!("sample.json");

fn sample() -> Report {
    serde_json::from_str(SAMPLE).unwrap()
}

#[test]
fn a_report_is_the_same_after_it_was_written_and_read() {
    let written = serde_json::to_value(sample()).unwrap();
    let expected: Value = serde_json::from_str(SAMPLE).unwrap();
    assert_eq!(written, expected);
}

#[test]
fn the_figures_are_counted_from_the_channels() {
    let report = sample();
    let counted = Unattended::among(&report.channels, report.at_ms);
    assert_eq!(counted, report.unattended);
    assert_eq!(counted.by_cause[&Cause::TabClosed].channels, 2);
    assert_eq!(
        Unheard::among(&report.channels, report.at_ms),
        report.unheard
    );
    let unattended = report.channels.iter();
    let unattended = unattended.filter(|channel| channel.class == Class::Unattended);
    assert_eq!(unattended.count(), report.unattended.channels);
}

#[test]
fn nothing_unattended_has_no_oldest() {
    let report = sample();
    let nothing = Unattended::among(&[], report.at_ms);
    assert_eq!((nothing.channels, nothing.oldest_ms), (0, None));
    assert!(nothing.by_age.iter().all(|bucket| bucket.channels == 0));
    assert_eq!(Unheard::among(&[], report.at_ms), Unheard::default());
}
