//! An audit stays within its requests and near the ideal pace: a fiftieth of what the benchmark
//! prints.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn an_audit_keeps_its_figures() {
    let request = Duration::from_millis(150);
    let audited = bench::audit_of(200, 40, 10, request, |_| {}).await;
    assert!(audited.requests <= audited.allowed, "{audited:?}");
    assert!(audited.took <= audited.ideal.mul_f64(1.3), "{audited:?}");
    assert!(
        audited.memory.is_none_or(|bytes| bytes < 100_000_000),
        "{audited:?}"
    );
}
