//! One call: how often, how long, how many at a time.

use std::time::Duration;

use crate::scripted::{Script, Step, ok, refusal, status};
use tokio::time::Instant;
use twilio::rest::{Limits, Stats, TransportError, TwilioError, Why};

const SECOND: Duration = Duration::from_secs(1);

/// The call that these tests make: any would do.
macro_rules! call {
    ($script:expr) => {
        $script.client().flex_configuration().await.map(|_| ())
    };
}

fn throttled(seconds: u64) -> TwilioError {
    TwilioError::Throttled {
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_carries_the_credentials_and_shows_them_nowhere() {
    let script = Script::new([ok("{}")]);
    let client = script.client();
    assert!(client.flex_configuration().await.is_ok());
    assert_eq!(
        script.asked(),
        ["GET https://flex-api.twilio.com/v1/Configuration"]
    );
    let headers = script.headers(0);
    let basic = headers["authorization"].to_str().unwrap();
    assert!(basic.starts_with("Basic U0swMDAw"), "{basic}");
    for shown in [format!("{headers:?}"), format!("{client:?}")] {
        assert!(
            !shown.contains("U0sw") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_and_nothing_else() {
    for step in [
        || status(429),
        || status(500),
        || status(503),
        || Step::Break,
        || Step::Hang,
        || ok("<html>"),
        || ok("{"),
        || ok("[]"),
    ] {
        let script = Script::new([step(), step(), ok("{}")]);
        assert_eq!(call!(script), Ok(()));
        script.finish();
    }
    for (code, error) in [
        (
            400,
            TwilioError::Refused {
                status: 400,
                code: Some(1),
            },
        ),
        (
            401,
            TwilioError::Unauthorized {
                status: 401,
                code: Some(1),
            },
        ),
        (
            403,
            TwilioError::Unauthorized {
                status: 403,
                code: Some(1),
            },
        ),
        (404, TwilioError::Gone),
        (412, TwilioError::Conflict),
    ] {
        let script = Script::new([refusal(code, 1)]);
        assert_eq!(call!(script), Err(error.clone()));
        assert!(!format!("{error:?} {error}").contains("555"));
        script.finish();
    }
}

#[tokio::test(start_paused = true)]
async fn three_attempts_are_enough_and_the_last_word_counts() {
    let script = Script::new([status(500), Step::Break, status(502)]);
    let client = script.client();
    let why = Why::Status(502);
    assert_eq!(
        client.flex_configuration().await,
        Err(TwilioError::Unreachable { why })
    );
    script.finish();
    let stats = Stats {
        calls: 1,
        attempts: 3,
        throttled: 0,
        retries: 2,
    };
    assert_eq!(client.stats(), stats);
    assert_eq!(client.clone().stats(), stats);

    let script = Script::new([Step::Break, Step::Break, Step::Break]);
    let why = Why::Transport(TransportError::Broken("reset".to_owned()));
    assert_eq!(call!(script), Err(TwilioError::Unreachable { why }));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_waited_for() {
    for asked in [
        &[("retry-after", "7")][..],
        &[
            ("retry-after", "Tue, 05 Jan 2027 09:00:07 GMT"),
            ("date", "Tue, 05 Jan 2027 09:00:00 GMT"),
        ],
    ] {
        let script = Script::new([Step::Answer(429, asked, String::new()), ok("{}")]);
        let start = Instant::now();
        assert_eq!(call!(script), Ok(()));
        let took = start.elapsed();
        assert!((7 * SECOND..8 * SECOND).contains(&took), "{took:?}");
    }
    for asked in [
        &[("retry-after", "0")][..],
        &[("retry-after", "soon")],
        &[("retry-after", "Tue, 05 Jan 2027 09:00:07 GMT")],
        &[],
    ] {
        let script = Script::new([Step::Answer(429, asked, String::new()), ok("{}")]);
        let start = Instant::now();
        assert_eq!(call!(script), Ok(()));
        let took = start.elapsed();
        assert!((SECOND / 4..SECOND).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_does_not_fit_is_not_begun() {
    let absurd = Step::Answer(429, &[("retry-after", "1000000000")], String::new());
    let script = Script::new([absurd, ok("{}")]);
    let client = script.client();
    let start = Instant::now();
    assert_eq!(
        client.flex_configuration().await.err(),
        Some(throttled(86_400))
    );
    // Nor does anybody else call in the minute that everybody pauses for, who is told so.
    assert_eq!(client.flex_configuration().await.err(), Some(throttled(60)));
    assert_eq!(start.elapsed(), Duration::ZERO);
    tokio::time::sleep(60 * SECOND).await;
    assert!(client.flex_configuration().await.is_ok());
    let throttled = client.stats().throttled;
    assert_eq!((throttled, script.asked().len()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_twilio_that_hangs_is_given_up_on_in_time() {
    let limits = Limits {
        attempt_timeout: 10 * SECOND,
        call_timeout: 15 * SECOND,
        in_flight: 1,
        ..Limits::default()
    };
    let script = Script::new([Step::Hang, Step::Hang, ok("{}")]);
    let client = script.client_with(limits);
    let start = Instant::now();
    let why = Why::TimeUp;
    assert_eq!(
        client.flex_configuration().await,
        Err(TwilioError::Unreachable { why })
    );
    assert_eq!(start.elapsed(), 15 * SECOND);
    // The slot is free again.
    assert!(client.flex_configuration().await.is_ok());
    script.finish();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_its_slot_back() {
    let limits = Limits {
        in_flight: 1,
        ..Limits::default()
    };
    let script = Script::new([Step::Hang, ok("{}")]);
    let client = script.client_with(limits);
    let dropped = tokio::time::timeout(SECOND, client.flex_configuration());
    assert!(dropped.await.is_err());
    assert!(client.flex_configuration().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_429_slows_everybody_down_and_starves_nobody() {
    let limits = Limits {
        in_flight: 16,
        attempts: 8,
        call_timeout: 120 * SECOND,
        ..Limits::default()
    };
    let round_trip = Duration::from_millis(80);
    // The first 40 requests find no room, from any client.
    let steps = (0..40).map(|_| Step::Later(round_trip, 429));
    let steps = steps.chain((0..100).map(|_| Step::Later(round_trip, 200)));
    let script = Script::new(steps);
    let client = script.client_with(limits);
    let calls = (0..100).map(|_| client.flex_configuration());
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    script.finish();
    assert_eq!(script.busiest(), 16);
    let stats = Stats {
        calls: 100,
        attempts: 140,
        throttled: 40,
        retries: 40,
    };
    assert_eq!(client.stats(), stats);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_waits_the_same() {
    let mut took = Vec::new();
    for _ in 0..2 {
        let script = Script::new([status(500), status(429), ok("{}")]);
        let start = Instant::now();
        assert_eq!(call!(script), Ok(()));
        took.push(start.elapsed());
    }
    assert_eq!(took[0], took[1]);
    assert!(took[0] > Duration::ZERO);
}
