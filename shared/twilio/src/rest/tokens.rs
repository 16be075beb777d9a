//! Flex tokens: who is logged in to Flex (Twilio, `twilio-flex-token-validator`).

use std::fmt;

use domain::{AccountSid, WorkerSid};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::base::Product;
use super::client::{Call, Client};
use super::error::TwilioError;
use crate::json as read_json;

/// The longest token that is sent on. Real ones take a few kilobytes.
pub const LONGEST_TOKEN: usize = 16 * 1024;

/// What somebody may do in Flex, as far as it makes a difference here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Works on tasks of their own.
    Agent,
    /// Looks after other agents' tasks.
    Supervisor,
}

/// Somebody who works in Flex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlexUser {
    /// Their worker.
    pub worker: WorkerSid,
    /// What they may do.
    pub role: Role,
}

/// Whose a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenBearer {
    /// Nobody's: it has expired, or was never good.
    Nobody,
    /// A customer's in a web chat: they have good tokens too.
    Guest,
    /// Somebody's who works in Flex.
    User(FlexUser),
}

impl fmt::Display for TokenBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("nobody"),
            Self::Guest => f.write_str("a guest"),
            Self::User(user) => write!(f, "worker {}", user.worker),
        }
    }
}

impl Client {
    /// Asks Twilio whose a Flex token is.
    pub async fn flex_token(
        &self,
        account: AccountSid,
        token: &str,
    ) -> Result<TokenBearer, TwilioError> {
        if token.is_empty() || token.len() > LONGEST_TOKEN {
            return Ok(TokenBearer::Nobody);
        }
        let path = format!("/v1/Accounts/{account}/Tokens/validate");
        let body = json!({ "token": token }).to_string();
        let call = Call::post_json(Product::Iam, path, body);
        match self.ask(call, read).await {
            // Twilio's own validator looks at the answer only; a token that is refused with a
            // status of its own is no good either.
            Err(TwilioError::Refused { status: 400, .. }) => Ok(TokenBearer::Nobody),
            answer => answer,
        }
    }
}

fn read(text: &str) -> Option<TokenBearer> {
    let [valid, worker, roles] = read_json::members(text, ["valid", "worker_sid", "roles"]).ok()?;
    if valid?.get() != "true" {
        return Some(TokenBearer::Nobody);
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
            let nobody = Some(TokenBearer::Nobody);
            assert_eq!(answer(valid, &ours, r#"["admin"]"#), nobody);
        }
        assert_eq!(read("{}"), None);
    }
}
