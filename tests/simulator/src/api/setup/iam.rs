//! `iam.twilio.com/v1`: the one call that Flex's token validator makes.

use crate::api::answer::{Answer, Failure, Outcome};
use crate::api::call::Call;
use crate::api::page::seconds;
use serde_json::{Value, json};

pub(crate) fn route(call: &mut Call<'_>, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("POST", ["v1", "Accounts", account, "Tokens", "validate"])
            if call.state.account.sid == **account =>
        {
            validate(call)
        }
        _ => Err(call.no_route()),
    }
}

fn validate(call: &Call<'_>) -> Outcome {
    let body = call.json()?;
    if let Some(unknown) = body.keys().find(|key| *key != "token") {
        return Err(Failure::invalid(format!("Unknown parameter: {unknown}")));
    }
    let token = body.get("token").and_then(Value::as_str);
    let token = token
        .ok_or_else(|| Failure::invalid("Missing required parameter token in the post body"))?;
    let Some(claims) = call.state.claims(token) else {
        return Ok(Answer::ok(
            json!({ "valid": false, "code": 20101, "message": "Invalid Access Token" }),
        ));
    };
    Ok(Answer::ok(json!({
        "valid": true,
        "code": 0,
        "message": null,
        "expiration": seconds(claims.expires),
        "realm_user_id": claims.user,
        "identity": claims.identity,
        "roles": claims.roles,
        "worker_sid": claims.worker,
    })))
}
