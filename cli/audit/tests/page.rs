//! The page of an audit: nothing that was found can break out of it, and nothing is missing.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use audit::{Class, Report, page};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use probes::{Answer, Asked};
use sha2::{Digest, Sha256};

/// A report that was made by hand, with something of each kind.
const SAMPLE: &str = include_str!("sample.json");

/// The reason why there are no answers of probes.
const WHY: &str = "Twilio refuses the credentials";

fn sample() -> Report {
    serde_json::from_str(SAMPLE).unwrap()
}

fn probes() -> probes::Report {
    let asked = |answer| Asked {
        probe: "taskrouter/in",
        beliefs: &["B49"],
        question: "Is < understood?",
        answer,
    };
    let differs = Answer::Differs {
        seen: 3,
        differing: 2,
        changes: "a & b",
    };
    let not_asked = Answer::NotAsked {
        why: "no task is open",
        status: None,
        code: None,
    };
    probes::Report {
        as_expected: 1,
        differ: 1,
        not_asked: 1,
        interrupted: false,
        probes: vec![
            asked(Answer::AsExpected { seen: 1 }),
            asked(differs),
            asked(not_asked),
        ],
    }
}

/// Returns what stands between the only opening and the only closing tag of this name.
fn only<'a>(page: &'a str, tag: &str) -> &'a str {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    assert_eq!(page.matches(&format!("<{tag}")).count(), 1, "{tag}");
    assert_eq!(page.matches(&close).count(), 1, "{tag}");
    let (_, rest) = page.split_once(&open).unwrap();
    rest.split_once(&close).unwrap().0
}

#[test]
fn the_page_shows_everything_that_was_found() {
    let report = sample();
    let page = page(&report, Ok(&probes()));
    for channel in &report.channels {
        assert!(page.contains(channel.channel_sid.as_str()), "{channel:?}");
        assert!(page.contains(channel.class.meaning()), "{channel:?}");
        assert!(page.contains(channel.class.remedy()), "{channel:?}");
        if let Some(cause) = channel.cause {
            assert!(page.contains(cause.meaning()), "{channel:?}");
        }
    }
    for task in &report.stuck_wrap_ups {
        assert!(page.contains(task.task_sid.as_str()));
    }
    for task in &report.ending_tasks {
        assert!(page.contains(task.task_sid.as_str()));
    }
    for user in &report.crowded_users {
        assert!(page.contains(user.user_sid.as_str()));
    }
    for finding in &report.checkup.as_ref().unwrap().findings {
        assert!(page.contains(&finding.rule));
    }
    for silent in &report.silent_parts {
        assert!(page.contains(&silent.part));
    }
    for text in [
        "<strong>4</strong>",
        "Is &lt; understood?",
        "differs in 2 of 3",
        "a &amp; b",
        "no task is open",
        "By age",
        "By cause",
        "2 customers wrote and nobody saw it; 1 in the last 24 h.",
        "1 of them would get a task now.",
        "given a task",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn the_policy_allows_the_pages_own_style_and_script_and_nothing_else() {
    let page = page(&sample(), Err(WHY));
    let digest = |text: &str| format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        digest(only(&page, "style")),
        digest(only(&page, "script")),
    );
    assert!(page.contains(&format!("content=\"{policy}\"")), "{policy}");
    for forbidden in [" style=", " onclick=", " src=", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let links: Vec<&str> = page.split(" href=").skip(1).collect();
    assert!(links.iter().all(|link| link.starts_with("\"data:,\"")));
}

#[test]
fn what_was_found_is_text_and_never_markup() {
    let evil = r#"</script><script>alert(1)</script><img src=x onerror="alert(2)">'"#;
    let mut report = sample();
    let checkup = report.checkup.as_mut().unwrap();
    for finding in &mut checkup.findings {
        finding.rule = evil.to_owned();
        finding.subject = evil.to_owned();
        finding.found = evil.to_owned();
    }
    for silent in &mut report.silent_parts {
        silent.part = evil.to_owned();
        silent.why = evil.to_owned();
    }
    let page = page(&report, Err(WHY));
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("<img").count(), 0);
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"));
}

#[test]
fn an_audit_that_found_nothing_says_so() {
    let mut report = sample();
    report.channels.clear();
    report.unattended = audit::Unattended::among(&[], report.at_ms);
    report.unheard = audit::Unheard::default();
    report.classes.remove(&Class::Unattended);
    let page = page(&report, Err(WHY));
    assert!(page.contains("<strong>0</strong>") && page.contains("headline none"));
    assert!(!page.contains("<svg"), "an empty chart says nothing");
}

/// A figure of 0 would be a comfort that nothing stands behind.
#[test]
fn an_audit_that_looked_at_no_channel_says_so() {
    let mut report = sample();
    report.interrupted = true;
    report.candidates = None;
    report.sample = None;
    report.channels.clear();
    report.unattended = audit::Unattended::among(&[], report.at_ms);
    report.unheard = audit::Unheard::default();
    let said = page(&report, Err(WHY));
    assert!(said.contains("No channel was looked at"), "{said}");
    assert!(!said.contains("<strong>0</strong>") && !said.contains("headline none"));
    report.candidates = Some(0);
    assert!(!page(&report, Err(WHY)).contains("No channel was looked at"));
}

#[test]
fn a_page_without_the_probes_or_with_some_of_them_says_so() {
    let without = page(&sample(), Err(WHY));
    assert!(without.contains("the probes: Twilio refuses the credentials"));
    let mut some = probes();
    let all = page(&sample(), Ok(&some));
    some.interrupted = true;
    let with_some = page(&sample(), Ok(&some));
    for (page, is_part) in [(all, false), (with_some, true)] {
        assert!(page.contains("Is &lt; understood?"));
        assert_eq!(page.contains("the probes: they were ended early"), is_part);
    }
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let mut report = sample();
    let one = report.channels[0];
    report.channels = vec![one; 1_234];
    let page = page(&report, Err(WHY));
    assert!(page.contains("234 more are in the JSON of the audit."));
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
}
