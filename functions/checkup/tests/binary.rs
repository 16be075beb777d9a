//! The function's own binary.

use std::process::Command;

#[test]
fn without_settings_it_names_all_that_is_missing_or_unsound_at_once() {
    let output = Command::new(env!("CARGO_BIN_EXE_checkup"))
        .env_clear()
        .env("TWILIO_API_KEY", "SK1")
        .env("WEBHOOK_URL", "janitor.example.com")
        .env("FLEX_JANITOR", "perhaps")
        .env("FLEX_LONG_LIVED", "pigeon")
        .env("PARK_TASK_CHANNELS", "TC1")
        .env("PROXY_SERVICE_SID", "KS1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    for name in [
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "CHANNELS_TABLE",
        "TWILIO_ACCOUNT_SID",
        "TWILIO_API_SECRET",
        "WEBHOOK_URL",
        "FLEX_JANITOR",
        "FLEX_LONG_LIVED",
        "PARK_TASK_CHANNELS",
        "PROXY_SERVICE_SID",
    ] {
        assert!(said.contains(name), "{name} is not named in:\n{said}");
    }
}
