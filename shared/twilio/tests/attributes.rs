//! S4, attributes intact: what we write differs from what was there in our two values alone.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use proptest::prelude::*;
use serde_json::value::RawValue;
use twilio::attributes::{Attributes, NotAnObject};

#[test]
fn what_matters_is_read_and_the_last_of_a_key_counts() {
    let attributes = Attributes::parse(
        r#"{"status":"INACTIVE","long_lived":false,"\u0073tatus":"ACTIVE","long_lived":true,
            "proxySession":"KC0123456789abcdef0123456789abcdef","inner":{"status":"INACTIVE"}}"#,
    )
    .unwrap();
    assert!(!attributes.is_inactive());
    assert!(attributes.is_long_lived());
    assert_eq!(
        attributes.proxy_session().map(|sid| sid.to_string()),
        Some("KC0123456789abcdef0123456789abcdef".to_owned())
    );
}

#[test]
fn odd_values_are_read_as_what_they_can_only_mean() {
    let read = |text: &str| {
        let attributes = Attributes::parse(text).unwrap();
        (attributes.is_inactive(), attributes.is_long_lived())
    };
    assert_eq!(read("{}"), (false, false));
    assert_eq!(
        read(r#"{"status":"inactive","long_lived":1}"#),
        (false, false)
    );
    assert_eq!(read(r#"{"status":null,"long_lived":null}"#), (false, false));
    assert_eq!(read(r#"{"status":"\u0049NACTIVE"}"#), (true, false));
    assert_eq!(read(r#"{"long_lived":"true"}"#), (false, true));
    for text in [
        r#"{"proxySession":"KC00000000000000000000000000000000"}"#,
        r#"{"proxySession":"../../v1"}"#,
        r#"{"proxySession":7}"#,
    ] {
        assert_eq!(Attributes::parse(text).unwrap().proxy_session(), None);
    }
}

#[test]
fn only_the_two_values_change() {
    let reset = |text: &str| Attributes::parse(text).unwrap().with_reset();
    let inactive = |text: &str| Attributes::parse(text).unwrap().with_status_inactive();
    assert_eq!(inactive("{}"), r#"{"status":"INACTIVE"}"#);
    assert_eq!(inactive(" { } \n"), " { \"status\":\"INACTIVE\"} \n");
    assert_eq!(reset("{}"), r#"{"long_lived":false,"status":"INACTIVE"}"#);
    assert_eq!(
        inactive(r#"{"a":"}" }"#),
        r#"{"a":"}" ,"status":"INACTIVE"}"#
    );
    assert_eq!(
        reset(
            r#"{ "status" : "ACTIVE" , "n":1e400, "m":-0, "o":1.0, "p":12345678901234567890123 }"#
        ),
        r#"{ "status" : "INACTIVE" , "n":1e400, "m":-0, "o":1.0, "p":12345678901234567890123 ,"long_lived":false}"#
    );
    assert_eq!(
        reset(r#"{"status":"ACTIVE","\u006cong_lived":true,"\ud83d":"\ud83d","status":{"a":[]}}"#),
        r#"{"status":"INACTIVE","\u006cong_lived":false,"\ud83d":"\ud83d","status":"INACTIVE"}"#
    );
    assert_eq!(
        inactive(r#"{"long_lived":true,"status":"ACTIVE"}"#),
        r#"{"long_lived":true,"status":"INACTIVE"}"#
    );
}

#[test]
fn what_is_no_object_is_never_guessed_over() {
    let bomb = "[".repeat(100_000);
    let nested = format!("{{\"a\":{}", "{\"a\":".repeat(100_000));
    for text in [
        "",
        " ",
        "null",
        "\"\"",
        "\"{}\"",
        "[]",
        "0",
        "{",
        "}",
        "{}{}",
        "{}x",
        "{\"a\"}",
        "{'a':1}",
        "{\"a\":1,}",
        "\u{feff}{}",
        &bomb,
        &nested,
    ] {
        assert_eq!(Attributes::parse(text).err(), Some(NotAnObject));
    }
}

#[test]
fn large_and_deep_values_are_copied() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let digits = "9".repeat(1_000_000);
    let text = format!(r#"{{"a":{deep},"status":"ACTIVE","b":{digits}}}"#);
    let written = Attributes::parse(&text).unwrap().with_status_inactive();
    assert_eq!(written, text.replace("ACTIVE", "INACTIVE"));
}

#[test]
fn attributes_hide_themselves() {
    let attributes = Attributes::parse(r#"{"from":"+15550100123","status":"x"}"#).unwrap();
    assert!(!format!("{attributes:?}").contains("+1555"));
}

/// Values as they are written, valid and of every awkward kind.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("\"ACTIVE\"".to_owned()),
        Just("\"INACTIVE\"".to_owned()),
        Just("true".to_owned()),
        Just("null".to_owned()),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        "\"([ -!#-\\[\\]-~é€😀]|\\\\u[dD][89a-fA-F][0-9]{2}|\\\\[\"\\\\/bnt]){0,8}\"",
        Just("{ \"status\" : [ {} , \"}\" ] }".to_owned()),
        Just("[1 ,\t2]".to_owned()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("\"status\"".to_owned()),
        2 => Just("\"long_lived\"".to_owned()),
        1 => Just("\"\\u0073tatus\"".to_owned()),
        1 => Just("\"long\\u005Flived\"".to_owned()),
        1 => Just("\"Status\"".to_owned()),
        1 => Just("\"\\ud800\"".to_owned()),
        2 => "\"[a-z\\\\]{0}[a-zé}]{0,3}\"",
    ]
}

fn space() -> impl Strategy<Value = String> {
    "[ \t\n\r]{0,2}"
}

fn members() -> impl Strategy<Value = Vec<[String; 6]>> {
    let member = (space(), key(), space(), space(), value(), space());
    prop::collection::vec(
        member.prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f]),
        0..7,
    )
}

fn is(key: &str, name: &str) -> bool {
    serde_json::from_str::<String>(key).is_ok_and(|key| key == name)
}

proptest! {
    /// The expected text is put together from the same parts with our values in place.
    #[test]
    fn every_other_byte_survives(members in members(), inside in space(), around in space()) {
        let write = |change: &dyn Fn(&str) -> Option<&'static str>, added: &str| {
            let members: Vec<String> = members
                .iter()
                .map(|[a, key, b, c, value, d]| {
                    let value = change(key).unwrap_or(value);
                    format!("{a}{key}{b}:{c}{value}{d}")
                })
                .collect();
            let body = if members.is_empty() { inside.clone() } else { members.join(",") };
            let comma = if members.is_empty() || added.is_empty() { "" } else { "," };
            format!("{around}{{{body}{comma}{added}}}{around}")
        };
        let has = |name: &str| members.iter().any(|member| is(&member[1], name));
        let text = write(&|_| None, "");
        let attributes = Attributes::parse(&text).unwrap();

        let added = if has("status") { "" } else { "\"status\":\"INACTIVE\"" };
        let status = |key: &str| is(key, "status").then_some("\"INACTIVE\"");
        prop_assert_eq!(attributes.with_status_inactive(), write(&status, added));

        let missing: Vec<&str> = [("long_lived", "\"long_lived\":false"), ("status", "\"status\":\"INACTIVE\"")]
            .iter()
            .filter(|(name, _)| !has(name))
            .map(|(_, member)| *member)
            .collect();
        let both = |key: &str| status(key).or(is(key, "long_lived").then_some("false"));
        prop_assert_eq!(attributes.with_reset(), write(&both, &missing.join(",")));
    }

    /// A second writing changes nothing more, and reads as what was asked for.
    #[test]
    fn what_is_written_reads_as_asked_and_once_is_enough(members in members()) {
        let body: Vec<String> = members.iter().map(|[_, key, _, _, value, _]| format!("{key}:{value}")).collect();
        let text = format!("{{{}}}", body.join(","));
        let once = Attributes::parse(&text).unwrap().with_reset();
        let read = Attributes::parse(&once).unwrap();
        prop_assert!(read.is_inactive() && !read.is_long_lived());
        prop_assert_eq!(read.with_reset(), once.clone());
        prop_assert!(serde_json::from_str::<&RawValue>(&once).is_ok());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[{}\\[\\]\":,a-z0-9\\\\ ]{0,40}") {
        if let Ok(attributes) = Attributes::parse(&text) {
            prop_assert!(Attributes::parse(&attributes.with_reset()).is_ok());
        }
    }
}
