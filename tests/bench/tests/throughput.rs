//! The pace of a sweep beside the ideal, in virtual time: so many requests, each so long, so
//! many side by side. The clock is a value here, so that this is counted rather than timed.
use std::time::Duration;

use bench::{customers_return, drain, pace};
use world::SWEEP_TIME;

/// The time of a request to Twilio, by assumption.
const REQUEST: Duration = Duration::from_millis(150);

/// The number of channels that are worked on side by side.
const AT_ONCE: usize = 10;

/// The number of channels that are due.
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

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_backlog_takes_at_most_a_tenth_more_runs_than_the_pace_allows() {
    let run = SWEEP_TIME;
    let due = 1_300;
    let drained = drain(due, 1, run, 10, |_| ()).await;
    println!("{drained:?}");
    assert_eq!(drained.closed, due, "{drained:?}");
    let most = drained.ideal_runs_for(due) + drained.ideal_runs_for(due).div_ceil(10);
    assert!(drained.runs <= most, "{drained:?}");
    assert!(10 * drained.fewest >= 9 * drained.ideal, "{drained:?}");
    assert!(drained.longest <= run, "{drained:?}");
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn a_look_is_never_older_than_a_few_seconds_when_the_channel_is_written() {
    let returned = customers_return(300, AT_ONCE).await;
    assert!(returned.customers > 50, "{returned:?}");
    let longest = returned.closed.last().copied().unwrap_or_default();
    println!(
        "{} came back, {} of them closed at most {longest:?} later",
        returned.customers,
        returned.closed.len()
    );
    // The look may be five seconds old when the channel is taken, and four requests follow.
    assert!(longest <= Duration::from_millis(5_600), "{returned:?}");
}
