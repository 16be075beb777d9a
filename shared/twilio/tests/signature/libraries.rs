//! URLs as Twilio's official libraries take them.

use twilio::signature::Refusal;

use super::{BODY, BODY_SHA256, TOKEN, URL, json, signature, signed};

/// Each row: the URL that arrives, and the signature of Twilio's for the URL beside it. Accepted
/// by Twilio's Node library 6.2.0 or its Python library 9.13.0, as they were run.
#[test]
fn what_either_official_library_accepts_is_accepted() {
    let events = "https://janitor.example.com/prod/twilio/events";
    let rows = [
        // With the standard port.
        (events, "", "OyBMmu8vR7kfQIxTSGw27yHQ0ms="),
        // The host as it was sent, and in lower case.
        (
            "https://Janitor.Example.com/x",
            "",
            "O15w2/98NsNSr/NsxjsnW+/blC0=",
        ),
        (
            "https://Janitor.Example.com/x",
            "",
            "hpRCZYHbdQz1ux0+TlK+JSxRYto=",
        ),
        // Paths that a URL's parser rewrites.
        (
            "https://janitor.example.com/prod/twilio/events/../x",
            "",
            "OBkXvBBxr+7bjmltG02DFaClevE=",
        ),
        (
            "https://janitor.example.com/prod/twilio/events//x;y",
            "",
            "LmSfkJxYA9HQTC6lIK37HdrcLVw=",
        ),
        (
            "https://janitor.example.com/prod/twilio/events/a b",
            "",
            "JT0IDsUDrn80k/MHX1DRyZBwKik=",
        ),
        // Queries as they were sent, encoded, and written anew.
        (events, "a=b c&", "Yx9kUi2YAfZtNLIIaEh/oxJnzXE="),
        (events, "a=b c&", "dc+9z2nSBlnxEuRaJzeRexYq83A="),
        (events, "a=it's&", "8Cz+B5vJKOhkxFvA842hggHP1qk="),
        (events, "a=it's&", "oIhxkDUJlpqOMUL6A4jYxst3ncg="),
        (events, "a=%22x%22&", "JDzaoBfAteV5a5d+UL1Gb+ysIBE="),
        (events, "a=\"x\"&", "JDzaoBfAteV5a5d+UL1Gb+ysIBE="),
        (events, "a=x:y&b&", "O/VHVGYnrPAOEuzqt1niJWEekGQ="),
        (events, "b=1&a=2&b=3&", "qg12QT/SZH8970e+MWpeaahHcys="),
        (events, "é=1&", "q2AEDDxoNETwmFJ/q5iDP+PxWpA="),
        (events, "%c3%a9=~&", "lcjP8lAIZVQKoVr/0/AHTrYcsIU="),
        // With and without the port that is not the standard one.
        (
            "https://janitor.example.com:8443/x",
            "",
            "hpRCZYHbdQz1ux0+TlK+JSxRYto=",
        ),
        (
            "https://janitor.example.com:8443/x",
            "",
            "/AOlexxGTIDs8ji/TSM3rJLcKX4=",
        ),
        (
            "http://janitor.example.com/x",
            "",
            "o/jfIsxug2sb+BAI6k7i9Gm42Ts=",
        ),
    ];
    for (url, query, signature) in rows {
        let url = format!("{url}?{query}bodySHA256={BODY_SHA256}");
        assert_eq!(json(&url, &signed(signature), BODY), Ok(()), "{url}");
    }
}

#[test]
fn what_both_official_libraries_refuse_is_refused() {
    for (url, signs) in [
        (
            "https://janitor.example.com/x?",
            "https://Janitor.Example.com/x?",
        ),
        (
            "https://janitor.example.com/x?a=1&",
            "https://janitor.example.com/x?a=2&",
        ),
        (
            "https://janitor.example.com/x/?",
            "https://janitor.example.com/x?",
        ),
        (
            "http://janitor.example.com/x?",
            "http://janitor.example.com:443/x?",
        ),
    ] {
        let hash = format!("bodySHA256={BODY_SHA256}");
        let headers = signed(&signature(TOKEN, &format!("{signs}{hash}")));
        let refused = json(&format!("{url}{hash}"), &headers, BODY);
        assert_eq!(refused, Err(Refusal::SignatureWrong), "{url}");
    }
}

/// A function URL may hand over `a+b` as `a b`.
#[test]
fn a_plus_that_arrives_as_a_space_is_accepted() {
    let called = format!("{URL}?tenant=a+b&bodySHA256={BODY_SHA256}");
    let headers = signed(&signature(TOKEN, &called));
    assert_eq!(json(&called.replace('+', " "), &headers, BODY), Ok(()));
}
