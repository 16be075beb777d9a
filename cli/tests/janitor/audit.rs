//! `janitor audit`, the binary itself, with Twilio's credentials alone.

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
    for lacking in ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "command line"] {
        let said = run(janitor().arg("audit")).ends(1).says(lacking);
        assert_eq!(said.stderr.lines().count(), 1, "{said}");
    }
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
    let said = run(audit(&world).arg("--probes"))
        .ends(1)
        .says("no Flex project");
    assert_eq!(said.stderr.lines().count(), 1, "{said}");
    let nowhere = audit(&world).arg("--probes");
    let said = run(nowhere.env("TWILIO_API_URL", "http://127.0.0.1:9"));
    assert_eq!(said.stderr.lines().count(), 1, "{said}");
    said.ends(1).says("check the network");
    run(audit(&world).args(["--sample", "0"])).ends(2);
}

#[test]
fn a_longer_part_of_the_log_than_there_is_is_cut_and_that_is_said() {
    const DAY: u64 = 24 * 60 * 60 * 1_000;
    let world = world();
    for (since, days, is_cut) in [("45d", 30, true), ("30d", 30, false), ("3d", 3, false)] {
        let said = run(audit(&world).args(["--json", "--since", since])).ends(3);
        let cut = format!("--since {since} is cut to 30d");
        assert_eq!(said.stderr.contains(&cut), is_cut, "{said}");
        let json = said.json();
        let at = |name: &str| json[name].as_u64().unwrap();
        assert_eq!(at("at_ms") - at("log_from_ms"), days * DAY);
    }
}

/// Says what would be done where the setting is so, by the age of the message.
#[test]
fn a_rescue_is_what_would_be_done_where_it_is_switched_on() {
    let world = world();
    let would = |unheard: &str, within: &str| {
        let audit = audit(&world).arg("--json").env("UNHEARD", unheard);
        let json = run(audit.env("RESCUE_WITHIN", within)).ends(3).json();
        let channels = json["channels"].as_array().unwrap();
        let unheard = channels.iter().find(|one| one["unheard_since_ms"].is_u64());
        let would = unheard.unwrap()["would"].as_str().unwrap().to_owned();
        (would, json["unheard"]["rescuable"].as_u64())
    };
    assert_eq!(would("tell", "24h"), ("close".to_owned(), Some(1)));
    assert_eq!(would("rescue", "24h"), ("rescue".to_owned(), Some(1)));
    assert_eq!(would("rescue", "30m"), ("close".to_owned(), Some(0)));
    let said = run(audit(&world).env("UNHEARD", "perhaps"));
    said.ends(1).says("UNHEARD");
}
