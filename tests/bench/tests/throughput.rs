//! How near a sweep comes to the ideal, in virtual time: so many requests, each so long, so
//! many side by side. The clock is a value here, so that this is counted rather than timed.
use std::time::Duration;

use bench::pace;

/// What a request to Twilio takes, by assumption.
const REQUEST: Duration = Duration::from_millis(150);

/// How many channels are worked on side by side.
const AT_ONCE: usize = 10;

/// How many are due.
const DUE: usize = 1_000;

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_sweep_keeps_nine_tenths_of_the_ideal_pace() {
    let (took, ideal) = pace(DUE, AT_ONCE, REQUEST).await;
    let share = ideal.as_secs_f64() / took.as_secs_f64();
    println!(
        "{DUE} channels, {AT_ONCE} at once, {REQUEST:?} a request: {took:?}, ideal {ideal:?}: {:.1} %",
        100.0 * share
    );
    assert!(share >= 0.9, "{share}");
}
