//! Compares attributes: a write may change our own values and nothing else.
//!
//! Written without the code under test and without a JSON library: it walks over the text,
//! finds the members of the outermost object, and compares what lies around ours.

/// The change that a write made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// `long_lived` became `false` and was something else, or is there now.
    pub(crate) reset: bool,
}

/// Compares the text that was read with the one that was written.
pub(crate) fn compare(read: &str, written: &str) -> Result<Change, String> {
    const OURS: [&str; 2] = ["status", "long_lived"];
    let before = Cut::of(read, OURS).ok_or("what was read is not an object")?;
    let after = Cut::of(written, OURS).ok_or("what was written is not an object")?;
    let [status, long_lived] = &after.values;
    if status.is_empty() || status.iter().any(|value| value != "\"INACTIVE\"") {
        return Err("status is not INACTIVE".to_owned());
    }
    let reset = *long_lived != before.values[1];
    if reset && (long_lived.is_empty() || long_lived.iter().any(|v| v != "false")) {
        return Err("long_lived became something else than false".to_owned());
    }
    let mut expected = before.around.clone();
    let mut added = String::new();
    if before.values[0].is_empty() {
        added.push_str(",\"status\":?");
    }
    if reset && before.values[1].is_empty() {
        added.insert_str(0, ",\"long_lived\":?");
    }
    if before.members == 0 {
        added = added
            .strip_prefix(',')
            .map(str::to_owned)
            .unwrap_or_default();
    }
    expected.insert_str(before.end, &added);
    if expected == after.around {
        Ok(Change { reset })
    } else {
        Err("a byte of another value is not what it was".to_owned())
    }
}

/// Compares a task's attributes before and after a move, which may change `inactive` to 1 or 0
/// and no other byte. Returns whether it is 1.
pub(super) fn inactive_set(before: &str, after: &str) -> Result<bool, String> {
    let before = Cut::of(before, ["inactive"]).ok_or("what was there is not an object")?;
    let after = Cut::of(after, ["inactive"]).ok_or("what was written is not an object")?;
    let mut expected = before.around.clone();
    if before.values[0].is_empty() {
        let comma = if before.members == 0 { "" } else { "," };
        expected.insert_str(before.end, &format!("{comma}\"inactive\":?"));
    }
    if expected != after.around {
        return Err("a byte of another value is not what it was".to_owned());
    }
    let is_all = |text: &str| after.values[0].iter().all(|value| value == text);
    match (is_all("1"), is_all("0")) {
        (true, false) => Ok(true),
        (false, true) => Ok(false),
        _ => Err("inactive is neither 1 nor 0".to_owned()),
    }
}

/// A text, with a question mark in place of each named value.
struct Cut<const N: usize> {
    around: String,
    /// The place of its closing brace.
    end: usize,
    members: usize,
    /// The values of each named member, as often as it occurs.
    values: [Vec<String>; N],
}

impl<const N: usize> Cut<N> {
    fn of(text: &str, ours: [&str; N]) -> Option<Self> {
        let mut cut = Self {
            around: String::new(),
            end: 0,
            members: 0,
            values: std::array::from_fn(|_| Vec::new()),
        };
        let mut walk = Walk { text, at: 0 };
        let mut copied = 0;
        walk.expect(b'{')?;
        walk.spaces();
        while walk.peek()? != b'}' {
            if cut.members > 0 {
                walk.expect(b',')?;
                walk.spaces();
            }
            let key = walk.string()?;
            walk.spaces();
            walk.expect(b':')?;
            walk.spaces();
            let from = walk.at;
            let value = walk.value()?.to_owned();
            let key = unescaped(key);
            if let Some(which) = ours.iter().position(|name| *name == key) {
                cut.values[which].push(value);
                cut.around.push_str(&text[copied..from]);
                cut.around.push('?');
                copied = walk.at;
            }
            cut.members += 1;
            walk.spaces();
        }
        let end = walk.at;
        cut.around.push_str(&text[copied..end]);
        cut.end = cut.around.len();
        cut.around.push_str(&text[end..]);
        Some(cut)
    }
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walk<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.spaces();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// The inside of a string, as written.
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let from = self.at;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(from..self.at - 1)
    }

    fn value(&mut self) -> Option<&'a str> {
        let from = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b'}' if depth == 0 => break,
                byte if depth == 0 && byte.is_ascii_whitespace() => break,
                _ => self.at += 1,
            }
        }
        self.text.get(from..self.at)
    }
}

/// A key without its escapes, as far as they are of letters.
fn unescaped(key: &str) -> String {
    let mut plain = String::new();
    let mut rest = key;
    while let Some((before, after)) = rest.split_once("\\u") {
        plain.push_str(before);
        let code = after
            .get(..4)
            .and_then(|hex| u32::from_str_radix(hex, 16).ok());
        match code.and_then(char::from_u32) {
            Some(letter) => {
                plain.push(letter);
                rest = &after[4..];
            }
            None => {
                plain.push_str("\\u");
                rest = after;
            }
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_values_may_differ() {
        let read = r#"{ "a" : 1e400, "status":"ACTIVE" ,"n":{"status":"x"},"long_lived":true}"#;
        let released = read.replace("\"ACTIVE\"", "\"INACTIVE\"");
        let reset = released.replace("true", "false");
        assert_eq!(compare(read, &released), Ok(Change { reset: false }));
        assert_eq!(compare(read, &reset), Ok(Change { reset: true }));
        for (old, new) in [
            ("1e400", "1e401"),
            (" : ", ":"),
            ("{\"status\":\"x\"}", "{}"),
        ] {
            assert!(compare(read, &reset.replace(old, new)).is_err(), "{old}");
        }
        assert!(compare(read, read).is_err(), "nothing was done");
    }

    #[test]
    fn a_move_changes_inactive_and_no_other_byte() {
        for (before, after, says) in [
            ("{}", "{\"inactive\":1}", Ok(true)),
            ("{\"a\":1}", "{\"a\":1,\"inactive\":1}", Ok(true)),
            (
                "{\"inactive\":1,\"a\":2}",
                "{\"inactive\":0,\"a\":2}",
                Ok(false),
            ),
        ] {
            assert_eq!(inactive_set(before, after), says, "{before}");
        }
        let rewritten = "{\"a\":1e40,\"inactive\":1}";
        assert!(inactive_set("{\"a\":1e400}", rewritten).is_err());
        assert!(inactive_set("{\"a\":1}", "{\"a\":1}").is_err());
        assert!(inactive_set("{\"a\":1}", "{\"a\":1,\"inactive\":2}").is_err());
    }

    #[test]
    fn what_is_missing_may_be_added_at_the_end() {
        assert!(compare("{}", "{\"status\":\"INACTIVE\"}").is_ok());
        let added = "{\"a\":1 ,\"long_lived\":false,\"status\":\"INACTIVE\"}";
        assert_eq!(compare("{\"a\":1 }", added), Ok(Change { reset: true }));
        assert!(compare("{\"a\":1 }", "{\"a\":1,\"status\":\"INACTIVE\"}").is_err());
        let escaped = r#"{"st\u0061tus":"INACTIVE"}"#;
        assert!(compare(r#"{"st\u0061tus":"ACTIVE"}"#, escaped).is_ok());
    }
}
