//! The messages about wrong settings, a test per kind of variable.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use domain::Policy;
use runtime::common::{self, TwilioAccount};
use runtime::secrets::Need;
use runtime::{Aws, Environment, Secrets};
use secrecy::ExposeSecret as _;

const ACCOUNT: (&str, &str) = ("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef");
const AWS: [(&str, &str); 3] = [
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "AKIA"),
    ("AWS_SECRET_ACCESS_KEY", "planted-secret"),
];

fn environment<const N: usize>(variables: [(&str, &str); N]) -> Environment {
    variables.into_iter().collect()
}

/// The faults that reading leaves behind, as the operator sees them.
fn faults<T>(variables: &[(&str, &str)], read: impl FnOnce(&mut Environment) -> T) -> Vec<String> {
    let mut environment: Environment = variables.iter().copied().collect();
    let _ = read(&mut environment);
    let faults = environment.faults().iter();
    faults.map(ToString::to_string).collect()
}

#[test]
fn every_fault_is_reported_at_once_and_by_name() {
    let mut environment = environment([
        ("ENDED_CUTOFF", "a while"),
        ("SWEEP_CONCURRENCY", "-1"),
        ("TWILIO_ACCOUNT_SID", ""),
    ]);
    let table = common::channels_table(&mut environment);
    let _ = common::policy(&mut environment);
    let _ = environment.or("SWEEP_CONCURRENCY", 8_u16);
    let _ = common::twilio_account(&mut environment);
    let error = environment.finish(|| table).unwrap_err();
    assert_eq!(
        error.to_string(),
        "correct these environment variables and start again:\n  \
         CHANNELS_TABLE is not set\n  \
         ENDED_CUTOFF is malformed: not a duration like 90d, 48h, 15m, 90s or PT48H\n  \
         SWEEP_CONCURRENCY is malformed: invalid digit found in string\n  \
         TWILIO_ACCOUNT_SID is not set"
    );
}

#[test]
fn sound_settings_are_built() {
    let mut environment = environment([("CHANNELS_TABLE", " channels ")]);
    let table = common::channels_table(&mut environment);
    let more = environment.or("SWEEP_CONCURRENCY", 8_u16);
    let settings = environment.finish(|| Some((table?, more))).unwrap();
    assert_eq!(settings, ("channels".to_owned(), 8));
}

#[test]
fn durations_are_read_in_words_and_in_iso_8601() {
    let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
    for (text, duration) in [
        ("48h", hours(48)),
        ("PT48H", hours(48)),
        ("48 hours", hours(48)),
        ("90s", Some(Duration::from_secs(90))),
        ("15m", Some(Duration::from_secs(900))),
        ("1h30m", Some(Duration::from_secs(5400))),
        ("500ms", Some(Duration::from_millis(500))),
        ("0s", Some(Duration::ZERO)),
        ("", None),
        ("  ", None),
    ] {
        let mut environment = environment([("RETENTION", text)]);
        assert_eq!(environment.duration("RETENTION"), duration, "{text}");
        assert_eq!(environment.faults(), [], "{text}");
    }
    for text in [
        "48",
        "h",
        "48h5",
        "two days",
        "P1M",
        "99999999999999999999h",
    ] {
        assert_eq!(
            faults(&[("RETENTION", text)], |e| e.duration("RETENTION")),
            ["RETENTION is malformed: not a duration like 90d, 48h, 15m, 90s or PT48H"],
            "{text}"
        );
    }
    assert_eq!(
        faults(&[("RETENTION", "-1h")], |e| e.duration("RETENTION")),
        ["RETENTION is malformed: a duration must not be negative"]
    );
}

#[test]
fn lists_and_switches_are_read_strictly() {
    let mut environment = environment([("LIST", " 1, 2,,3 "), ("SWITCH", "false")]);
    assert_eq!(environment.list::<u8>("LIST"), [1, 2, 3]);
    assert_eq!(environment.list::<u8>("NO_LIST"), [0; 0]);
    assert!(!environment.or("SWITCH", true));
    assert_eq!(environment.faults(), []);
    assert_eq!(
        faults(&[("LIST", "1,two")], |e| e.list::<u8>("LIST")),
        ["LIST is malformed: invalid digit found in string"]
    );
    assert_eq!(
        faults(&[("SWITCH", "yes")], |e| e.or("SWITCH", true)),
        ["SWITCH is malformed: provided string was not `true` or `false`"]
    );
}

#[test]
fn no_value_is_ever_repeated() {
    let planted = "planted-secret";
    let mut environment: Environment = [
        "TWILIO_ACCOUNT_SID",
        "TWILIO_API_KEY",
        "TWILIO_API_URL",
        "TWILIO_EDGE",
        "RETENTION",
        "RELEASE_LONG_LIVED",
    ]
    .into_iter()
    .map(|name| (name, planted.to_owned() + "_é"))
    .collect();
    let _ = common::twilio_account(&mut environment);
    let _ = common::policy(&mut environment);
    let _ = Secrets::from_environment(&mut environment, None, Need::Rest);
    assert!(!format!("{environment:?}").contains(planted));
    let error = environment.finish(|| Some(())).unwrap_err();
    assert_eq!(error.faults.len(), 6, "{error}");
    assert!(!format!("{error} {error:?}").contains(planted));
}

#[test]
fn the_twilio_account_is_checked() {
    let read = common::twilio_account;
    assert_eq!(faults(&[], read), ["TWILIO_ACCOUNT_SID is not set"]);
    assert_eq!(
        faults(&[("TWILIO_ACCOUNT_SID", "SK0123")], read),
        ["TWILIO_ACCOUNT_SID is malformed: not a SID of the form AC and 32 hexadecimal digits"]
    );
    for url in ["127.0.0.1:4010", "ftp://host", "http://", "https:///"] {
        assert_eq!(
            faults(&[ACCOUNT, ("TWILIO_API_URL", url)], read),
            ["TWILIO_API_URL is malformed: not an http:// or https:// address"],
            "{url}"
        );
    }
    assert_eq!(
        faults(&[ACCOUNT, ("TWILIO_EDGE", "evil.example/")], read),
        ["TWILIO_EDGE is malformed: not lower-case letters, digits and hyphens"]
    );
    assert_eq!(
        faults(&[ACCOUNT, ("TWILIO_REGION", "IE1")], read),
        ["TWILIO_REGION is malformed: not lower-case letters, digits and hyphens"]
    );
    let mut environment = environment([
        ACCOUNT,
        ("TWILIO_API_URL", "http://127.0.0.1:4010/"),
        ("TWILIO_EDGE", "dublin"),
    ]);
    assert_eq!(
        common::twilio_account(&mut environment),
        Some(TwilioAccount {
            sid: ACCOUNT.1.parse().unwrap(),
            api_url: Some("http://127.0.0.1:4010".to_owned()),
            edge: Some("dublin".to_owned()),
            region: None,
        })
    );
}

#[test]
fn the_policy_is_checked_variable_by_variable_and_as_a_whole() {
    assert_eq!(common::policy(&mut environment([])), Policy::default());
    for name in [
        "ABANDONED_CUTOFF",
        "ENDED_CUTOFF",
        "LONG_LIVED_CUTOFF",
        "INSPECT_AFTER",
        "RETENTION",
    ] {
        let mut malformed = environment([(name, "soon")]);
        let _ = common::policy(&mut malformed);
        let fault = malformed.faults()[0].to_string();
        assert!(
            fault.starts_with(&format!("{name} is malformed")),
            "{fault}"
        );
        assert_eq!(malformed.faults().len(), 1);
        let zero = faults(&[(name, "0s")], common::policy);
        assert!(zero[0].starts_with(name), "{zero:?}");
    }
    assert_eq!(
        faults(&[("RELEASE_LONG_LIVED", "no")], common::policy),
        ["RELEASE_LONG_LIVED is malformed: provided string was not `true` or `false`"]
    );
    assert_eq!(
        faults(&[("LONG_LIVED_CUTOFF", "10m")], common::policy),
        ["LONG_LIVED_CUTOFF (600s) must not be shorter than ENDED_CUTOFF (900s)"]
    );
    let mut changed = environment([("ENDED_CUTOFF", "30m"), ("RELEASE_LONG_LIVED", "false")]);
    assert_eq!(
        common::policy(&mut changed),
        Policy {
            ended_cutoff: Duration::from_secs(1800),
            release_long_lived: false,
            ..Policy::default()
        }
    );
}

#[test]
fn credentials_from_variables_are_complete_or_refused() {
    let read = |need| move |e: &mut Environment| Secrets::from_environment(e, None, need);
    assert_eq!(
        faults(&[], read(Need::SigningKeys)),
        ["set TWILIO_SECRET or TWILIO_AUTH_TOKENS"]
    );
    assert_eq!(
        faults(&[("TWILIO_AUTH_TOKENS", " , ")], read(Need::SigningKeys)),
        ["set TWILIO_SECRET or TWILIO_AUTH_TOKENS"]
    );
    assert_eq!(
        faults(&[], read(Need::Rest)),
        ["set TWILIO_SECRET or TWILIO_API_KEY or TWILIO_AUTH_TOKENS"]
    );
    let token = ("TWILIO_AUTH_TOKENS", "current,next");
    assert_eq!(
        faults(&[token, ("TWILIO_API_KEY", "SK")], read(Need::Rest)),
        ["TWILIO_API_SECRET is not set"]
    );
    assert_eq!(
        faults(&[token, ("TWILIO_API_SECRET", "s")], read(Need::Rest)),
        ["TWILIO_API_KEY is not set"]
    );
    let key = [("TWILIO_API_KEY", "SK"), ("TWILIO_API_SECRET", "s")];
    assert_eq!(faults(&key, read(Need::Rest)), [""; 0]);
    assert_eq!(faults(&[token], read(Need::Rest)), [""; 0]);
}

#[test]
fn secrets_hide_themselves() {
    let mut environment = environment([("TWILIO_AUTH_TOKENS", "planted-secret, other")]);
    let tokens = environment.secrets("TWILIO_AUTH_TOKENS");
    assert_eq!(tokens[1].expose_secret(), "other");
    assert!(!format!("{tokens:?} {environment:?}").contains("planted-secret"));
}

#[test]
fn aws_needs_a_region_and_credentials() {
    let read = Aws::from_environment;
    assert_eq!(
        faults(&[], read),
        [
            "AWS_REGION is not set",
            "AWS_ACCESS_KEY_ID is not set",
            "AWS_SECRET_ACCESS_KEY is not set",
        ]
    );
    assert_eq!(faults(&AWS, read), [""; 0]);
    assert_eq!(
        faults(&[AWS[1], AWS[2], ("AWS_DEFAULT_REGION", "x")], read),
        [""; 0]
    );
    let not_a_url = [
        AWS[0],
        AWS[1],
        AWS[2],
        ("AWS_ENDPOINT_URL", "127.0.0.1:8000"),
    ];
    assert_eq!(
        faults(&not_a_url, read),
        ["AWS_ENDPOINT_URL is malformed: not an http:// or https:// address"]
    );
    let aws = Aws::from_environment(&mut AWS.into_iter().collect());
    assert!(!format!("{aws:?}").contains("planted-secret"));
}

#[test]
fn a_bus_without_a_name_is_no_fault() {
    assert_eq!(faults(&[], |e| common::notice_bus(e, None)), [""; 0]);
}
