//! Flex tokens: the user who is logged in to Flex
//! (<https://github.com/twilio-labs/twilio-flex-token-validator>).

use std::fmt;

use domain::{AccountSid, WorkerSid};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::client::Client;
use super::client::base::Product;
use super::client::call::Call;
use super::client::error::TwilioError;
use crate::json as read_json;

/// The longest token that is sent on, in bytes. Real ones take a few kilobytes.
pub const MAX_TOKEN: usize = 16 * 1024;

/// The shortest token that is sent on, in bytes. Real ones are far longer.
const MIN_TOKEN: usize = 32;

/// Returns whether a text has the form of a Flex token: a JSON object and more, in the letters of
/// base64url, with dots between (<https://www.rfc-editor.org/rfc/rfc7516#section-3.1>).
pub fn is_token_like(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (MIN_TOKEN..=MAX_TOKEN).contains(&text.len())
        && text.starts_with("ey")
        && text.contains('.')
        && text.bytes().all(is_letter)
}

/// The rights of a user of Flex, as far as they make a difference here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Works on tasks of their own.
    Agent,
    /// Looks after other agents' tasks.
    Supervisor,
}

/// A person who works in Flex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlexUser {
    /// Their worker.
    pub worker: WorkerSid,
    /// Their role.
    pub role: Role,
}

/// The bearer of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenBearer {
    /// None: it has expired, or was never valid.
    Invalid,
    /// A customer in a web chat: they have valid tokens too.
    Guest,
    /// A person who works in Flex.
    User(FlexUser),
}

impl fmt::Display for TokenBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid => f.write_str("an invalid token"),
            Self::Guest => f.write_str("a guest"),
            Self::User(user) => write!(f, "worker {}", user.worker),
        }
    }
}

impl Client {
    /// Asks Twilio who bears a Flex token, once.
    ///
    /// # Errors
    ///
    /// Fails when Twilio refuses to say or does not answer.
    pub async fn flex_token(
        &self,
        account: AccountSid,
        token: &str,
    ) -> Result<TokenBearer, TwilioError> {
        if token.is_empty() || token.len() > MAX_TOKEN {
            return Ok(TokenBearer::Invalid);
        }
        let path = format!("/v1/Accounts/{account}/Tokens/validate");
        let body = json!({ "token": token }).to_string();
        let call = Call::post_json(Product::Iam, path, body).once();
        match self.ask(call, read).await {
            // Twilio's own validator looks at the answer only; a token that is refused with a
            // status of its own is no good either.
            Err(TwilioError::Refused { status: 400, .. }) => Ok(TokenBearer::Invalid),
            answer => answer,
        }
    }
}

fn read(text: &str) -> Option<TokenBearer> {
    let [valid, worker, roles] = read_json::members(text, ["valid", "worker_sid", "roles"]).ok()?;
    if valid?.get() != "true" {
        return Some(TokenBearer::Invalid);
    }
    let roles = roles.map(roles_of).unwrap_or_default();
    let is = |role: &str| roles.iter().any(|one| one.eq_ignore_ascii_case(role));
    let Some(worker) = read_json::parsed(worker).filter(|_| !is("guest")) else {
        return Some(TokenBearer::Guest);
    };
    let role = if is("supervisor") || is("admin") {
        Role::Supervisor
    } else {
        Role::Agent
    };
    Some(TokenBearer::User(FlexUser { worker, role }))
}

/// The roles: a list of texts, and nothing else.
fn roles_of(value: &RawValue) -> Vec<String> {
    let list: Value = serde_json::from_str(value.get()).unwrap_or_default();
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = list.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_the_form_of_a_token_is_told_apart() {
        let token = |middle: &str| format!("eyJ6aXAiOiJERUYiLCJjdHkiOiJ0d2lsaW8{middle}");
        for good in [
            token("..8Jc-x_0.aB.c"),
            token(".9f"),
            token(&".a".repeat(2_000)),
        ] {
            assert!(is_token_like(&good), "{good}");
        }
        for bad in [
            String::new(),
            "made-up".to_owned(),
            "ey.".to_owned(),
            "x".repeat(40),
            token(""),
            token(".é"),
            token(". a"),
            token(".a=b"),
            token(&".a".repeat(MAX_TOKEN)),
        ] {
            assert!(!is_token_like(&bad), "{bad}");
        }
    }

    #[test]
    fn only_who_works_in_flex_is_a_user() {
        let worker: WorkerSid = format!("WK{:032x}", 1).parse().unwrap();
        let user = |role| Some(TokenBearer::User(FlexUser { worker, role }));
        let answer = |valid: &str, worker: &str, roles: &str| {
            read(&format!(
                r#"{{"valid":{valid},"worker_sid":{worker},"roles":{roles}}}"#
            ))
        };
        let ours = format!("\"{worker}\"");
        assert_eq!(answer("true", &ours, r#"["agent"]"#), user(Role::Agent));
        assert_eq!(answer("true", &ours, "[]"), user(Role::Agent));
        for role in [r#"["agent","supervisor"]"#, r#"["admin"]"#] {
            assert_eq!(answer("true", &ours, role), user(Role::Supervisor));
        }
        let guest = Some(TokenBearer::Guest);
        assert_eq!(answer("true", &ours, r#"["guest"]"#), guest);
        assert_eq!(answer("true", &ours, r#"["admin","Guest"]"#), guest);
        for worker in [
            "null",
            "\"\"",
            "\"US00000000000000000000000000000001\"",
            "7",
        ] {
            assert_eq!(answer("true", worker, r#"["agent"]"#), guest);
        }
        for valid in ["false", "\"true\"", "1"] {
            let invalid = Some(TokenBearer::Invalid);
            assert_eq!(answer(valid, &ours, r#"["admin"]"#), invalid);
        }
        assert_eq!(read("{}"), None);
    }
}
