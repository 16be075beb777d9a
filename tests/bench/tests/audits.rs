//! An audit stays within its requests and near the ideal pace: a fiftieth of what the benchmark
//! prints.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

use bench::Size;

#[tokio::test(start_paused = true)]
async fn an_audit_keeps_its_figures() {
    let request = Duration::from_millis(150);
    // So many sessions that each list but that of the open tasks takes more than a page.
    let size = Size {
        conversations: 200,
        sessions: 150,
        events: 1_200,
    };
    let audited = bench::audit_of(size, 10, request, |_| {}).await;
    assert!(audited.events >= size.events, "{audited:?}");
    assert_eq!(
        audited.requests,
        audited.lists + audited.looks,
        "{audited:?}"
    );
    // One to three requests for each channel in question.
    let most = 3 * audited.candidates as u64;
    assert!(audited.looks <= most, "{audited:?}");
    assert!(audited.took <= audited.ideal.mul_f64(1.3), "{audited:?}");
}
