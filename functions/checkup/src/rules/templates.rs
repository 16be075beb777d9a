//! Reading templates of task attributes, which are no JSON before Studio has filled them in.

/// The attribute by which a task of Chat names its channel.
const KEY: &str = "channelSid";

/// The way in which a template of a task's attributes names the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChannelSid {
    /// By a template.
    Template,
    /// By a text that is the same for every contact.
    Fixed,
    /// Not at all.
    Missing,
}

impl ChannelSid {
    /// Searches for the attribute. Of several the last counts, as in JSON.
    pub(super) fn of(attributes: &str) -> Self {
        let values = attributes.match_indices(KEY).filter_map(|(at, _)| {
            let before = attributes[..at].trim_end_matches('\\').chars().next_back();
            let rest = &attributes[at + KEY.len()..];
            let rest = rest.trim_start_matches('\\');
            // A name stands in quotes, or between white space or braces and its colon.
            let (quoted, rest) = match rest.strip_prefix(['"', '\'']) {
                Some(rest) => (true, rest),
                None => (false, rest),
            };
            let value = rest.trim_start().strip_prefix(':')?;
            let begins = match before {
                Some('"' | '\'') => quoted,
                Some(letter) => !quoted && (letter.is_whitespace() || "{,".contains(letter)),
                None => false,
            };
            begins.then(|| Self::of_value(value))
        });
        values.last().unwrap_or(Self::Missing)
    }

    fn of_value(value: &str) -> Self {
        let value = value.trim_start_matches(|letter: char| {
            letter.is_whitespace() || letter == '\\' || letter == '"' || letter == '\''
        });
        if value.starts_with([',', '}']) || value.is_empty() || value.starts_with("null") {
            return Self::Missing;
        }
        let Some(template) = value
            .strip_prefix("{{")
            .or_else(|| value.strip_prefix("{%"))
        else {
            return Self::Fixed;
        };
        let inner = template.split(['}', '%']).next().unwrap_or_default();
        // A template that says one and the same text.
        let literal = inner.trim().trim_matches(['"', '\'']);
        if is_channel_sid(literal) {
            Self::Fixed
        } else {
            Self::Template
        }
    }
}

fn is_channel_sid(text: &str) -> bool {
    text.starts_with("CH") && text.len() == 34 && text[2..].bytes().all(|b| b.is_ascii_hexdigit())
}

/// Returns true if Studio fills a value in, so that nothing can be said of it.
pub(super) fn is_template(value: &str) -> bool {
    value.contains("{{") || value.contains("{%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channel_is_found_in_templates_of_every_style() {
        let fixed = format!("CH{}", "0123456789abcdef".repeat(2));
        for (attributes, found) in [
            (
                r#"{"channelSid": "{{trigger.message.ChannelSid}}"}"#,
                ChannelSid::Template,
            ),
            (
                r#"{"name":"x","channelSid":"{{ trigger.message.ChannelSid }}"}"#,
                ChannelSid::Template,
            ),
            (
                r#"{"channelSid": {{trigger.message.ChannelSid | json}}, "x": {{y}} }"#,
                ChannelSid::Template,
            ),
            (
                r#"{\"channelSid\": \"{{trigger.message.ChannelSid}}\"}"#,
                ChannelSid::Template,
            ),
            ("{channelSid: '{{x}}'}", ChannelSid::Template),
            (
                "{\n  \"channelSid\" : \"{% if a %}{{b}}{% endif %}\"\n}",
                ChannelSid::Template,
            ),
            (r#"{"channelSid": ""}"#, ChannelSid::Missing),
            (r#"{"channelSid": null}"#, ChannelSid::Missing),
            (r#"{"channelSid": }"#, ChannelSid::Missing),
            (
                r#"{"channel": "{{trigger.message.ChannelSid}}"}"#,
                ChannelSid::Missing,
            ),
            (r#"{"oldchannelSid": "{{x}}"}"#, ChannelSid::Missing),
            (r#"{"channelSidOld": "{{x}}"}"#, ChannelSid::Missing),
            (r#"{"note": "no channelSid here"}"#, ChannelSid::Missing),
            ("", ChannelSid::Missing),
            ("{}", ChannelSid::Missing),
            (r#"{"channelSid": "undefined"}"#, ChannelSid::Fixed),
        ] {
            assert_eq!(ChannelSid::of(attributes), found, "{attributes}");
        }
        for value in [format!("\"{fixed}\""), format!("{{{{'{fixed}'}}}}")] {
            let attributes = format!("{{\"channelSid\": {value}}}");
            assert_eq!(
                ChannelSid::of(&attributes),
                ChannelSid::Fixed,
                "{attributes}"
            );
        }
    }
}
