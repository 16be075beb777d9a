//! `janitor connect` and `disconnect`, against a running system and its simulated Twilio.

use serde_json::json;
use twilio::rest::setup::needed_events;

use crate::local::Local;
use crate::world::{World, janitor, run};

#[test]
fn a_connection_is_made_found_replaced_and_ended() {
    let local = Local::start(&["--accelerate", "1"]);
    let webhook = local.webhook.clone();
    let other = format!("{webhook}?tenant=b");

    // It comes connected.
    local
        .janitor(&["connect", &webhook])
        .ends(0)
        .says("leads to")
        .says("every type");
    local
        .janitor(&["disconnect"])
        .ends(5)
        .says("Remove: sink DG");
    let ended = local.janitor(&["disconnect", "--yes", "--json"]).ends(0);
    assert_eq!(
        ended.json()["removed_sink_sids"].as_array().unwrap().len(),
        1
    );
    local
        .janitor(&["disconnect", "--yes"])
        .ends(0)
        .says("nothing to disconnect");

    local
        .janitor(&["connect", &webhook])
        .ends(5)
        .says("Sink: create one")
        .says("10 types");
    let made = local
        .janitor(&["connect", &webhook, "--yes", "--json"])
        .ends(0);
    for step in [
        "created",
        "through the webhook into the table",
        "every type is subscribed",
    ] {
        assert!(
            made.stderr.contains("✓") && made.stderr.contains(step),
            "{step}: {made}"
        );
    }
    let made = made.json();
    assert_eq!(made["changed"], true);
    let again = local
        .janitor(&["connect", &webhook, "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(again["changed"], false, "idempotent");
    assert_eq!(again["sink_sid"], made["sink_sid"]);
    assert_eq!(again["subscription_sid"], made["subscription_sid"]);
    assert!(again["test_event_at_ms"].as_i64() > made["test_event_at_ms"].as_i64());
    let status = local.janitor(&["status"]).ends(0);
    assert!(
        status.stdout.contains("last test event arrived"),
        "{status}"
    );

    // A sink's URL cannot be changed: another one is another sink, and the old one may stay.
    local
        .janitor(&["connect", &other])
        .ends(5)
        .says("Stays, unless --replace");
    let moved = local
        .janitor(&["connect", &other, "--replace", "--yes", "--json"])
        .ends(0)
        .json();
    assert_eq!(moved["removed_sink_sids"][0], made["sink_sid"]);
    local
        .janitor(&["disconnect", &webhook, "--yes"])
        .ends(0)
        .says("nothing to disconnect");
    local.janitor(&["connect", &webhook, "--yes"]).ends(0);
    local
        .janitor(&["disconnect", "--yes"])
        .ends(4)
        .says("more than one");
    local
        .janitor(&["disconnect", &other, "--yes"])
        .ends(0)
        .says("removed");
}

#[test]
fn a_subscription_that_lacks_types_is_to_be_completed() {
    const URL: &str = "https://example.com/twilio/events";
    let world = World::new();
    let plan = || world.janitor(["connect", URL]).ends(5);
    let subscription = {
        let mut state = world.simulator.state();
        let sink = json!({ "destination": URL, "method": "post" });
        let sink = state.create_sink("Of a person", "webhook", sink).unwrap();
        let mut types: Vec<(String, Option<u32>)> = needed_events(false)
            .map(|(name, version)| (name.to_owned(), Some(version.into())))
            .collect();
        types.pop();
        state.subscribe("Of a person", sink, &types).unwrap()
    };
    let (last, _) = needed_events(false).last().unwrap();
    plan().says(&format!("Subscription: {subscription}; add {last}."));
    let (first, _) = needed_events(false).next().unwrap();
    let mut state = world.simulator.state();
    state.subscribe_also(subscription, first, Some(1)).unwrap();
    drop(state);
    plan().says(&format!("; add {last}; set the version of {first}."));
}

#[test]
fn what_does_not_prove_itself_is_taken_back() {
    let local = Local::start(&["--accelerate", "1"]);
    let wrong = format!("{}webhook", local.page);
    let said = local
        .janitor(&["connect", &wrong, "--wait", "2s", "--yes"])
        .ends(3);
    said.says("no test event").says("was taken back");
    local
        .janitor(&["disconnect", &wrong])
        .ends(0)
        .says("nothing to disconnect");
    local
        .janitor(&["connect", &local.webhook])
        .ends(0)
        .says("leads to");
}

#[test]
fn a_password_is_neither_an_argument_nor_said() {
    let local = Local::start(&["--accelerate", "1"]);
    let with_password = local.webhook.replace("http://", "http://janitor:hush@");
    let said = local
        .janitor(&["connect", &with_password])
        .ends(2)
        .says("--basic-auth");
    assert!(!said.stderr.contains("hush"), "{said}");
    let options = [
        "connect",
        &local.webhook,
        "--basic-auth",
        "--renew",
        "--yes",
    ];
    local.janitor(&options).ends(1).says("WEBHOOK_BASIC_AUTH");
    let folder = ["--data", local.folder()];
    let command = janitor().args(options).args(folder);
    let said = run(command.env("WEBHOOK_BASIC_AUTH", "janitor:hush")).ends(0);
    assert!(
        said.stderr.contains("created") && said.stderr.contains("removed"),
        "{said}"
    );
    assert!(
        !said.stderr.contains("hush") && !said.stdout.contains("hush"),
        "{said}"
    );
    for wrong in ["", "example.com/hook", "ftp://example.com"] {
        local.janitor(&["connect", wrong]).ends(2).says("the URL");
    }
}

#[test]
fn colours_are_for_a_terminal_alone_and_end_with_no_color() {
    let local = Local::start(&["--accelerate", "1"]);
    let binary = snapbox::cmd::cargo_bin!("janitor");
    let binary = binary.display();
    let line = format!(
        "{binary} connect {} --data {} --yes",
        local.webhook,
        local.folder()
    );
    // `script` gives it a terminal.
    let on_terminal = |variables: &[(&str, &str)]| {
        let shell = snapbox::cmd::Command::new("script").args(["-qec", &line, "/dev/null"]);
        let shell = shell
            .env_clear()
            .env("TERM", "xterm")
            .env("PATH", "/usr/bin:/bin");
        run(shell.envs(variables.iter().copied())).ends(0).stdout
    };
    let green = "\u{1b}[32m✓";
    assert!(on_terminal(&[]).contains(green));
    let plain = on_terminal(&[("NO_COLOR", "1")]);
    assert!(
        plain.contains("✓ ") && !plain.contains('\u{1b}'),
        "{plain:?}"
    );
    let piped = local.janitor(&["connect", &local.webhook, "--yes"]).ends(0);
    assert!(!piped.stderr.contains('\u{1b}'), "{piped}");
}
