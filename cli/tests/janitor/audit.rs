//! `janitor audit`, the binary itself, with Twilio's credentials alone.

use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use simulator::{At, Fault, FaultKind};
use snapbox::Data;
use snapbox::cmd::Command;

use crate::world::{World, janitor, run};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A customer who writes in vain on each platform, and one whom an agent has.
fn world() -> World {
    let world = World::new();
    world.tab_closed("+15550100001");
    let conversation = world
        .simulator
        .state()
        .customer_converses("+15550100002", "Hello?");
    let task = conversation.task().unwrap();
    let mut state = world.simulator.state();
    state.agent_accepts(task, world.agent).unwrap();
    state.agent_removed(task).unwrap();
    drop(state);
    world.live_chat("+15550100003");
    world.pass(HOUR);
    let mut state = world.simulator.state();
    state.customer_writes("+15550100001", "Are you there?");
    drop(state);
    world.pass(HOUR);
    world
}

/// The binary with nothing but Twilio's variables.
fn audit(world: &World) -> Command {
    let variables = world.variables().into_iter();
    janitor()
        .arg("audit")
        .envs(variables.filter(|(name, _)| name.starts_with("TWILIO_")))
}

#[test]
fn it_says_in_plain_words_what_it_found() {
    let world = world();
    let said = run(audit(&world)).ends(3).says("none of them a write");
    let kept = format!("{}/tests/janitor/audit.txt", env!("CARGO_MANIFEST_DIR"));
    snapbox::assert_data_eq!(said.stdout.clone(), Data::read_from(kept.as_ref(), None));
    assert_eq!(world.simulator.calls().writes(), 0);

    let json = run(audit(&world).arg("--json")).ends(3).json();
    assert_eq!(
        (&json["version"], &json["unattended"]["channels"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(json["unheard"]["customers"], 1);
    assert_eq!(json["classes"]["open-task"], 1);
    let account = world.simulator.account();
    for text in [said.stdout, said.stderr, json.to_string()] {
        for secret in [
            "+1555",
            "Hello?",
            "there?",
            &account.api_secret,
            &account.auth_token,
        ] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    let sampled = run(audit(&world).args(["--sample", "1", "--json"]))
        .ends(3)
        .json();
    assert_eq!(
        sampled["sample"],
        json!({ "looked_at": 1, "candidates": 2 })
    );
}

#[test]
fn the_account_key_or_a_profile_of_twilios_command_line_is_enough() {
    let world = world();
    let account = world.simulator.account();
    let url = world
        .variables()
        .into_iter()
        .find(|(name, _)| *name == "TWILIO_API_URL");
    let bare = || janitor().arg("audit").arg("--json").envs(url.clone());
    let with_token = bare()
        .env("TWILIO_ACCOUNT_SID", account.sid.as_str())
        .env("TWILIO_AUTH_TOKEN", &account.auth_token);
    run(with_token).ends(3);

    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".twilio-cli");
    std::fs::create_dir(&folder).unwrap();
    let write = |profile: serde_json::Value| {
        let file = json!({ "activeProject": "mine", "profiles": { "mine": profile } });
        std::fs::write(folder.join("config.json"), file.to_string()).unwrap();
    };
    write(json!({
        "accountSid": account.sid.as_str(),
        "apiKey": account.api_key.as_str(),
        "apiSecret": account.api_secret,
        "region": "",
    }));
    let said = run(bare().env("HOME", home.path()))
        .ends(3)
        .says("the profile mine");
    assert!(!said.stderr.contains(&account.api_secret), "{said}");
    // B81: a secret that is kept elsewhere is not found, and the variables are named.
    write(json!({ "accountSid": account.sid.as_str() }));
    let said = run(bare().env("HOME", home.path())).ends(1);
    assert!(said.stderr.contains("TWILIO_ACCOUNT_SID"), "{said}");
}

#[test]
fn what_stands_in_the_way_is_one_line_with_the_remedy() {
    let world = world();
    let said = run(janitor().arg("audit")).ends(1);
    assert!(said.stderr.contains("TWILIO_ACCOUNT_SID"), "{said}");
    for (name, value, remedy) in [
        ("TWILIO_API_SECRET", "not-the-secret", "TWILIO_REGION"),
        ("TWILIO_API_URL", "http://127.0.0.1:9", "check the network"),
    ] {
        let said = run(audit(&world).env(name, value)).ends(1).says(remedy);
        assert_eq!(said.stderr.lines().count(), 1, "{said}");
        assert!(!said.stderr.contains("not-the-secret"), "{said}");
    }
    world.simulator.fail(Fault {
        at: At::product("flex-api").path("Configuration"),
        kind: FaultKind::Status(404),
        times: None,
    });
    let said = run(audit(&world)).ends(1).says("no Flex project");
    assert_eq!(said.stderr.lines().count(), 1, "{said}");
    run(audit(&world).args(["--sample", "0"])).ends(2);
}

#[test]
fn an_interrupted_audit_tells_what_it_found() {
    let world = world();
    world.simulator.fail(Fault {
        at: At::product("chat").path("Channels"),
        kind: FaultKind::HangBefore,
        times: None,
    });
    world.simulator.reset_calls();
    let variables = world.variables().into_iter();
    let child = std::process::Command::new(snapbox::cmd::cargo_bin!("janitor"))
        .args(["audit", "--json"])
        .env_clear()
        .envs(variables.filter(|(name, _)| name.starts_with("TWILIO_")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (_never, wait) = mpsc::channel::<()>();
    let looks = || {
        world
            .simulator
            .calls()
            .count("chat", "GET", "Channels/{Sid}")
    };
    while looks() == 0 {
        wait.recv_timeout(Duration::from_millis(20)).unwrap_err();
    }
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Ended by ^C"), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["interrupted"], &report["whole"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(report["listed"]["open_tasks"], 1);
}
