//! The function's own binary.

use std::process::Command;

#[test]
fn without_settings_it_names_all_that_is_missing_at_once() {
    let output = Command::new(env!("CARGO_BIN_EXE_ingest"))
        .env_clear()
        .env("WEBHOOK_URL", "janitor.example.com")
        .env("WEBHOOK_BASIC_AUTH", "nobody")
        .env("TASKROUTER_WORKSPACE_SID", "WSnonsense")
        .env("TWILIO_API_URL", "elsewhere")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    for name in [
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "CHANNELS_TABLE",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_AUTH_TOKENS",
        "WEBHOOK_URL",
        "WEBHOOK_BASIC_AUTH",
        "TASKROUTER_WORKSPACE_SID",
        "TWILIO_API_URL",
    ] {
        assert!(said.contains(name), "{name} is not named in:\n{said}");
    }
    for value in ["nobody", "WSnonsense", "elsewhere"] {
        assert!(!said.contains(value), "a value is repeated in:\n{said}");
    }
}
