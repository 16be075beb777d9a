//! The function's own binary.

use std::process::Command;

#[test]
fn without_settings_it_names_all_that_is_wrong_at_once() {
    let twice = format!("TC{:032x}:TC{:032x},TC{:032x}:TC{:032x}", 1, 2, 3, 2);
    let output = Command::new(env!("CARGO_BIN_EXE_park"))
        .env_clear()
        .env("PARK_TASK_CHANNELS", twice)
        .env("PARK_AFTER", "0s")
        .env("PARK_POLL_SECONDS", "7")
        .env("PARK_ALLOWED_ORIGIN", "flex.twilio.com/nonsense")
        .env("WEBHOOK_URL", "ftp://elsewhere")
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
        "TWILIO_API_KEY",
        "PARK_TASK_CHANNELS",
        "TC00000000000000000000000000000002 is in the pairs twice",
        "PARK_AFTER",
        "PARK_POLL_SECONDS",
        "must be 10, 20, 30 or 60",
        "PARK_ALLOWED_ORIGIN",
        "WEBHOOK_URL",
    ] {
        assert!(said.contains(name), "{name} is not named in:\n{said}");
    }
    for value in ["nonsense", "elsewhere"] {
        assert!(!said.contains(value), "a value is repeated in:\n{said}");
    }
}
