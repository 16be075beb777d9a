//! The function's own binary.

use std::process::Command;

#[test]
fn without_settings_it_names_all_that_is_missing_or_unsound_at_once() {
    let output = Command::new(env!("CARGO_BIN_EXE_sweep"))
        .env_clear()
        .env("TWILIO_API_KEY", "SK1")
        .env("ENDED_CUTOFF", "soon")
        .env("SWEEP_MODE", "maybe")
        .env("SWEEP_ACTION", "forget")
        .env("SWEEP_CONCURRENCY", "0")
        .env("MAX_CLOSES_PER_SWEEP", "0")
        .env("CHAT_SERVICE_SID", "IS1")
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
        "ENDED_CUTOFF",
        "SWEEP_MODE",
        "SWEEP_ACTION",
        "SWEEP_CONCURRENCY",
        "MAX_CLOSES_PER_SWEEP",
        "CHAT_SERVICE_SID",
    ] {
        assert!(said.contains(name), "{name} is not named in:\n{said}");
    }
}
