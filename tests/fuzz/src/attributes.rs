//! A channel's attributes: what is read of them, and what is written over them.

use twilio::attributes::Attributes;

use super::scanner::{self, Member};

/// The attributes of a Chat channel, any text. What is read and written is compared, byte by
/// byte, with what a second reader makes of the same text.
pub fn channel_attributes(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let read = Attributes::parse(text);
    let members = scanner::members(text);
    let (attributes, members) = match (read, members) {
        (Ok(attributes), Some(members)) => (attributes, members),
        (Err(_), None) => return,
        (Ok(_), None) => panic!("read as an object, and is none: {text:?}"),
        (Err(_), Some(_)) => panic!("an object, and not read as one: {text:?}"),
    };
    let last = |name| of(text, &members, name).last();
    let says = |member: Option<&Member>, word: &str| {
        member.is_some_and(|member| {
            scanner::decoded(&text[member.value.clone()]).as_deref() == Some(word)
        })
    };
    assert_eq!(attributes.is_inactive(), says(last("status"), "INACTIVE"));
    let long_lived = last("long_lived");
    let is_true = long_lived.is_some_and(|member| &text[member.value.clone()] == "true");
    assert_eq!(
        attributes.is_long_lived(),
        is_true || says(long_lived, "true")
    );
    let session = last("proxySession")
        .and_then(|member| scanner::decoded(&text[member.value.clone()]))
        .filter(|text| is_sid(text, "KC"));
    assert_eq!(
        attributes.proxy_session().map(|sid| sid.to_string()),
        session
    );

    let inactive = attributes.with_status_inactive();
    assert_eq!(
        inactive,
        with(text, &members, &[("status", "\"INACTIVE\"")])
    );
    let reset = attributes.with_reset();
    let both = [("long_lived", "false"), ("status", "\"INACTIVE\"")];
    assert_eq!(reset, with(text, &members, &both));

    let again = Attributes::parse(&reset).unwrap();
    assert!(again.is_inactive() && !again.is_long_lived());
    assert_eq!(again.with_reset(), reset, "once is enough");
    assert_eq!(again.with_status_inactive(), reset);
    assert_eq!(again.proxy_session(), attributes.proxy_session());
}

fn of<'a>(
    text: &'a str,
    members: &'a [Member],
    name: &'a str,
) -> impl DoubleEndedIterator<Item = &'a Member> {
    members
        .iter()
        .filter(move |member| scanner::decoded(&text[member.key.clone()]).as_deref() == Some(name))
}

/// The text with every value of these keys replaced, and those that are missing added last.
fn with(text: &str, members: &[Member], changes: &[(&str, &str)]) -> String {
    let mut written = String::new();
    let mut at = 0;
    for member in members {
        let key = scanner::decoded(&text[member.key.clone()]);
        let change = changes
            .iter()
            .find(|(name, _)| key.as_deref() == Some(name));
        let Some((_, value)) = change else { continue };
        written.push_str(&text[at..member.value.start]);
        written.push_str(value);
        at = member.value.end;
    }
    let end = at + text[at..].rfind('}').unwrap();
    written.push_str(&text[at..end]);
    let mut first = members.is_empty();
    for (name, value) in changes {
        if of(text, members, name).next().is_none() {
            written.push_str(if first { "" } else { "," });
            written.push_str(&format!("\"{name}\":{value}"));
            first = false;
        }
    }
    written.push_str(&text[end..]);
    written
}

fn is_sid(text: &str, prefix: &str) -> bool {
    text.len() == 34
        && text.starts_with(prefix)
        && text[2..].bytes().all(|byte| byte.is_ascii_hexdigit())
        && text[2..].bytes().any(|byte| byte != b'0')
}
