//! `janitor checkup`, the binary itself, against the simulated Twilio over a socket.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use simulator::{At, Fault, FaultKind, Order, Simulator};
use twilio::rest::setup::needed_events;

const WEBHOOK: &str = "https://janitor.example.com/twilio/events";

struct Stage {
    twilio: Simulator,
    order: Order,
    url: String,
}

impl Stage {
    fn new() -> Self {
        let (twilio, _) = Simulator::with_flex(7).unwrap();
        let types = needed_events(false).map(|(name, version)| (name, u32::from(version)));
        let types: Vec<(&str, u32)> = types.collect();
        let order = twilio.state().put_in_order(WEBHOOK, &types).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let served = twilio.clone();
        std::thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
            runtime.block_on(async {
                let socket = tokio::net::TcpListener::from_std(socket).unwrap();
                simulator::serve(socket, served, std::future::pending()).await
            })
        });
        Self { twilio, order, url }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let account = self.twilio.account();
        let mut command = Command::new(env!("CARGO_BIN_EXE_janitor"));
        command
            .arg("checkup")
            .args(arguments)
            .env_clear()
            .env("TWILIO_ACCOUNT_SID", account.sid.as_str())
            .env("TWILIO_API_KEY", account.api_key.as_str())
            .env("TWILIO_API_SECRET", &account.api_secret)
            .env("TWILIO_API_URL", &self.url)
            .env("WEBHOOK_URL", WEBHOOK)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[arguments, &["--json"]].concat());
        let value = serde_json::from_slice(&output.stdout);
        let value = value.unwrap_or_else(|error| panic!("{error}: {}", said(&output)));
        (output.status.code().unwrap(), value)
    }

    fn overwrite_the_webhook(&self) {
        let settings = json!({ "sms_url": "https://example.com/overwritten" });
        let number = self.order.chat_number;
        let settings = settings.as_object().unwrap().clone();
        self.twilio.state().point_number(number, settings).unwrap();
    }
}

fn said(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_sound_project_ends_well() {
    let stage = Stage::new();
    let output = stage.run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(output.stdout.is_empty());
    assert!(
        said(&output).contains("Nothing is wrong."),
        "{}",
        said(&output)
    );
    let (code, value) = stage.json(&[]);
    assert_eq!(code, 0);
    let expected = json!({
        "version": 1, "sound": true, "errors": 0, "warnings": 0, "findings": [], "skipped_rules": [],
    });
    assert_eq!(value, expected);
}

#[test]
fn an_error_is_shown_planned_mended_and_verified() {
    let stage = Stage::new();
    stage.overwrite_the_webhook();
    let output = stage.run(&[]);
    assert_eq!(output.status.code(), Some(3));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        table.contains("number/messages") && table.contains("…01"),
        "{table}"
    );
    assert!(!said(&output).contains("5550100001") && !said(&output).contains("overwritten"));

    let (code, value) = stage.json(&["--fix"]);
    assert_eq!(code, 5, "a plan, and nothing written");
    let repair = &value["plan"]["repairs"][0];
    assert_eq!(repair["subject"], stage.order.chat_number.as_str());
    assert_eq!(stage.twilio.calls().writes(), 0);

    let output = stage.run(&["--fix", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains('✓'), "{}", said(&output));
    assert_eq!(stage.twilio.calls().writes(), 1);
    assert_eq!(stage.run(&["--fix", "--yes"]).status.code(), Some(0));
    assert_eq!(stage.twilio.calls().writes(), 1, "nothing is left to do");
}

#[test]
fn missing_rights_are_said_and_the_other_rules_are_applied() {
    let stage = Stage::new();
    stage.twilio.fail(Fault {
        at: At::product("studio"),
        kind: FaultKind::Status(403),
        times: None,
    });
    let (code, value) = stage.json(&[]);
    assert_eq!((code, &value["sound"]), (1, &json!(false)));
    let skipped_rules = value["skipped_rules"].as_array().unwrap();
    assert!(
        skipped_rules
            .iter()
            .all(|one| one["resource"] == "the Studio flows")
    );
    stage.overwrite_the_webhook();
    let (code, value) = stage.json(&[]);
    assert_eq!(code, 3, "an error weighs more");
    assert_eq!(value["findings"][0]["rule"], "number/messages");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_word_of_help() {
    let stage = Stage::new();
    for (arguments, code, help) in [
        (vec!["--only", "number/message"], 2, "number/messages"),
        (vec!["--only", "phones"], 2, "flex-flow"),
        (vec!["--fix", "--on", "FO12"], 2, "only the beginning"),
        (
            vec!["--on", "FO00000000000000000000000000000000"],
            2,
            "--fix",
        ),
        (vec!["--yes"], 2, "--fix"),
        (vec!["--janitor", "maybe"], 2, "on, off or any"),
        (
            vec![
                "--fix",
                "--studio-flow",
                "FO00000000000000000000000000000000",
            ],
            2,
            "begins with FW",
        ),
        (
            vec!["--fix", "--on", "FO00000000000000000000000000000000"],
            4,
            "nothing was found",
        ),
    ] {
        let output = stage.run(&arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains(help),
            "{arguments:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn credentials_come_from_the_environment_and_are_never_shown() {
    let stage = Stage::new();
    let output = stage
        .command(&[])
        .env("TWILIO_API_SECRET", "not-the-secret")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("refuses the credentials"),
        "{}",
        said(&output)
    );
    assert!(!said(&output).contains("not-the-secret"));
    let output = stage.command(&[]).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    for name in ["TWILIO_ACCOUNT_SID", "TWILIO_API_KEY"] {
        assert!(said(&output).contains(name), "{}", said(&output));
    }
    let account = stage.twilio.account();
    let output = stage
        .command(&[])
        .env_remove("TWILIO_API_KEY")
        .env_remove("TWILIO_API_SECRET")
        .env("TWILIO_AUTH_TOKENS", &account.auth_token)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let stage = Stage::new();
    stage.overwrite_the_webhook();
    let mut child = stage
        .command(&["--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!said(&output).contains("panicked"), "{}", said(&output));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

/// A second between two writes of Flex Flows, which the fast tier leaves out.
mod long {
    use super::*;

    #[test]
    fn the_janitor_is_turned_off_for_all_flex_flows_when_that_is_said() {
        let stage = Stage::new();
        let output = stage.run(&["--janitor", "off", "--fix", "--yes"]);
        assert_eq!(output.status.code(), Some(0), "a warning, and offered only");
        assert_eq!(stage.twilio.calls().writes(), 0);
        let named = [
            "--janitor",
            "off",
            "--fix",
            "--yes",
            "--only",
            "flex-flow/janitor",
        ];
        let (code, value) = stage.json(&named);
        assert_eq!((code, &value["findings"]), (0, &json!([])));
        assert_eq!(value["repaired"].as_array().unwrap().len(), 4);
        assert!(
            stage
                .twilio
                .state()
                .flex_flows()
                .all(|flow| !flow.janitor_enabled)
        );
    }
}
