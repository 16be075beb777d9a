//! The part of TaskRouter's expressions that finds tasks by attribute: `key == "v"`, `key IN ["a", 'b']`, AND, OR, parentheses.

use crate::state::attributes;
use crate::state::refusal::Refusal;

/// Is an expression over the attributes of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    Among(String, Vec<String>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Expression {
    /// Parses an expression; `lists` says whether `IN` is understood.
    pub(crate) fn parse(text: &str, lists: bool) -> Result<Self, Refusal> {
        let wrong = || {
            Refusal::invalid(format!(
                "EvaluateTaskAttributes is not a valid expression: {text}"
            ))
        };
        let mut words = words(text).ok_or_else(wrong)?;
        if !lists && words.contains(&Token::Sign("IN")) {
            return Err(wrong());
        }
        words.reverse();
        let expression = any(&mut words).ok_or_else(wrong)?;
        if words.is_empty() {
            Ok(expression)
        } else {
            Err(wrong())
        }
    }

    pub(crate) fn holds(&self, task_attributes: &str) -> bool {
        match self {
            Self::Among(key, values) => {
                attributes::member(task_attributes, key).is_some_and(|raw| {
                    let text: Option<String> = serde_json::from_str(raw).ok();
                    values
                        .iter()
                        .any(|value| value == text.as_deref().unwrap_or(raw))
                })
            }
            Self::All(all) => all.iter().all(|one| one.holds(task_attributes)),
            Self::Any(any) => any.iter().any(|one| one.holds(task_attributes)),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Sign(&'static str),
    Name(String),
    Value(String),
}

fn words(text: &str) -> Option<Vec<Token>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    'next: while let Some(first) = rest.chars().next() {
        for sign in ["==", "(", ")", "[", "]", ","] {
            if let Some(after) = rest.strip_prefix(sign) {
                words.push(Token::Sign(sign));
                rest = after.trim_start();
                continue 'next;
            }
        }
        let after = if matches!(first, '"' | '\'') {
            let end = rest[1..].find(first)? + 1;
            words.push(Token::Value(rest[1..end].to_owned()));
            &rest[end + 1..]
        } else {
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.')))
                .unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            let name = &rest[..end];
            words.push(match name.to_ascii_uppercase().as_str() {
                "AND" => Token::Sign("AND"),
                "OR" => Token::Sign("OR"),
                "IN" => Token::Sign("IN"),
                _ if first.is_ascii_digit() => Token::Value(name.to_owned()),
                "TRUE" | "FALSE" => Token::Value(name.to_ascii_lowercase()),
                _ => Token::Name(name.to_owned()),
            });
            &rest[end..]
        };
        rest = after.trim_start();
    }
    Some(words)
}

fn eat(words: &mut Vec<Token>, sign: &'static str) -> bool {
    let there = words.last() == Some(&Token::Sign(sign));
    if there {
        words.pop();
    }
    there
}

fn any(words: &mut Vec<Token>) -> Option<Expression> {
    let mut parts = vec![all(words)?];
    while eat(words, "OR") {
        parts.push(all(words)?);
    }
    if parts.len() == 1 {
        parts.pop()
    } else {
        Some(Expression::Any(parts))
    }
}

fn all(words: &mut Vec<Token>) -> Option<Expression> {
    let mut parts = vec![one(words)?];
    while eat(words, "AND") {
        parts.push(one(words)?);
    }
    if parts.len() == 1 {
        parts.pop()
    } else {
        Some(Expression::All(parts))
    }
}

fn one(words: &mut Vec<Token>) -> Option<Expression> {
    if eat(words, "(") {
        let inner = any(words)?;
        return eat(words, ")").then_some(inner);
    }
    let Some(Token::Name(key)) = words.pop() else {
        return None;
    };
    if eat(words, "IN") {
        if !eat(words, "[") {
            return None;
        }
        let mut values = vec![value(words)?];
        while eat(words, ",") {
            values.push(value(words)?);
        }
        return eat(words, "]").then_some(Expression::Among(key, values));
    }
    if !eat(words, "==") {
        return None;
    }
    Some(Expression::Among(key, vec![value(words)?]))
}

fn value(words: &mut Vec<Token>) -> Option<String> {
    match words.pop()? {
        Token::Value(value) => Some(value),
        Token::Sign(_) | Token::Name(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(expression: &str, attributes: &str) -> bool {
        Expression::parse(expression, true).is_ok_and(|expression| expression.holds(attributes))
    }

    #[test]
    fn an_equation_takes_either_quote() {
        assert!(holds("channelSid == \"CH1\"", r#"{"channelSid":"CH1"}"#));
        assert!(holds("channelSid=='CH1'", r#"{"channelSid":"CH1"}"#));
        assert!(!holds("channelSid == 'CH1'", r#"{"channelSid":"CH2"}"#));
        assert!(!holds("channelSid == 'CH1'", "{}"));
        assert!(holds("inactive == 1", r#"{"inactive":1}"#));
    }

    #[test]
    fn a_list_holds_for_each_of_its_values() {
        let list = "channelSid IN ['CH1', \"CH2\"]";
        assert!(holds(list, r#"{"channelSid":"CH2"}"#));
        assert!(!holds(list, r#"{"channelSid":"CH3"}"#));
    }

    #[test]
    fn a_list_can_be_refused() {
        assert!(Expression::parse("channelSid IN ['CH1']", false).is_err());
        assert!(Expression::parse("channelSid == 'IN' OR a == '1'", false).is_ok());
    }

    #[test]
    fn and_binds_more_tightly_than_or() {
        let text = "a == '1' OR b == '2' AND c == '3'";
        assert!(holds(text, r#"{"a":"1"}"#));
        assert!(!holds(text, r#"{"b":"2"}"#));
        assert!(!holds(
            "(a == '1' OR b == '2') AND c == '3'",
            r#"{"a":"1"}"#
        ));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "a",
            "a = 'b'",
            "a-b == 'c'",
            "a == b",
            "a IN []",
            "(a == 'b'",
            "a == 'b' c",
            "a == 'b",
        ] {
            assert!(Expression::parse(text, true).is_err(), "{text}");
        }
    }
}
