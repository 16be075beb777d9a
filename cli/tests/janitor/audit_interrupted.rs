//! `janitor audit` that ^C ends, in each of its phases, and its page when a part is missing.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::{At, Fault, FaultKind};

use crate::world::{World, run};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A customer who writes in vain, and one whom an agent has.
fn world() -> World {
    let world = World::new();
    world.tab_closed("+15550100001");
    world.live_chat("+15550100002");
    world.pass(HOUR);
    world
}

/// Lets an audit run until Twilio leaves a request to this product and path without an answer, and
/// sends it ^C.
fn interrupted_at(
    world: &World,
    product: &'static str,
    path: &'static str,
    arguments: &[&str],
) -> Output {
    world.simulator.fail(Fault {
        at: At::product(product).path(path),
        kind: FaultKind::HangBefore,
        times: None,
    });
    world.simulator.reset_calls();
    let variables = world.variables().into_iter();
    let child = std::process::Command::new(snapbox::cmd::cargo_bin!("janitor"))
        .arg("audit")
        .args(arguments)
        .env_clear()
        .envs(variables.filter(|(name, _)| name.starts_with("TWILIO_")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (_never, wait) = mpsc::channel::<()>();
    let hangs = || {
        let calls = world.simulator.calls();
        calls
            .log()
            .any(|call| call.contains(product) && call.contains(path))
    };
    while !hangs() {
        wait.recv_timeout(Duration::from_millis(20)).unwrap_err();
    }
    let interrupted = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let output = child.wait_with_output().unwrap();
    world.simulator.clear_faults();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Ended by ^C"), "{said}");
    output
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn it_tells_what_it_found_by_then() {
    let world = world();
    for (product, path, open_tasks) in [
        ("taskrouter", "/Events", 1),
        ("proxy", "/Sessions", 1),
        ("chat", "/Channels/", 1),
    ] {
        let output = interrupted_at(&world, product, path, &["--json"]);
        let report = json_of(&output);
        let flags = (&report["interrupted"], &report["whole"]);
        assert_eq!(flags, (&json!(true), &json!(false)), "{path}");
        assert_eq!(report["listed"]["open_tasks"], open_tasks, "{path}");
        // The set-up of this project has an error. It is read beside the lists.
        let code = if report["checkup"].is_null() { 1 } else { 3 };
        assert!(path != "/Channels/" || code == 3, "{report}");
        assert_eq!(output.status.code(), Some(code), "{path}: {report}");
    }
}

/// "0 channels" would be a comfort that nothing stands behind.
#[test]
fn before_the_first_look_it_says_that_nothing_is_known_of_channels() {
    let world = world();
    let output = interrupted_at(&world, "taskrouter", "/Events", &[]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("No channel was looked at"), "{said}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 open task"), "{said}");
}

/// Only the probes ask for a single task that is listed.
#[test]
fn in_the_probes_the_page_holds_the_audit_and_the_answers_so_far() {
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.html");
    let arguments = ["--json", "--html", file.to_str().unwrap()];
    let output = interrupted_at(&world, "taskrouter", "/Tasks/WT", &arguments);
    assert_eq!(output.status.code(), Some(3));
    let report = json_of(&output);
    assert_eq!(report["interrupted"], false, "the audit was over");
    let page = fs::read_to_string(&file).unwrap();
    for text in [
        "<strong>1</strong>",
        "the probes: they were ended early",
        "Does EvaluateTaskAttributes understand IN?",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }

    let output = interrupted_at(&world, "taskrouter", "/Tasks/WT", &["--json", "--probes"]);
    let report = json_of(&output);
    assert_eq!(report["interrupted"], true);
    let (asked, open) = (&report["as_expected"], &report["not_asked"]);
    assert!(
        asked.as_u64() > Some(5) && open.as_u64() > Some(5),
        "{report}"
    );
    let code = if report["differ"] == 0 { 1 } else { 3 };
    assert_eq!(output.status.code(), Some(code), "{report}");
}

fn page_of(world: &World, file: &Path, variables: &[(&str, String)]) -> crate::world::Said {
    let command = world.command().args(["audit", "--html"]).arg(file);
    let variables = variables.iter().map(|(name, value)| (*name, value.clone()));
    run(command.envs(variables))
}

#[test]
fn a_page_whose_probes_cannot_be_asked_is_written_all_the_same() {
    let world = world();
    let project = world.simulator.state().project().unwrap();
    let sids = [
        ("TASKROUTER_WORKSPACE_SID", project.workspace.to_string()),
        ("CHAT_SERVICE_SID", project.chat_service.to_string()),
    ];
    world.simulator.fail(Fault {
        at: At::product("flex-api").path("/Configuration"),
        kind: FaultKind::Status(404),
        times: None,
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.html");
    let said = page_of(&world, &file, &sids).ends(3);
    let page = fs::read_to_string(&file).unwrap();
    for text in [
        "<strong>1</strong>",
        "the probes: this account has no Flex project",
    ] {
        assert!(page.contains(text), "{text} in {page}");
    }
    said.says("the probes: this account has no Flex project");
}

#[test]
fn an_audit_that_cannot_begin_keeps_an_older_page_and_leaves_no_empty_one() {
    let world = world();
    let wrong = [("TWILIO_API_SECRET", "not-the-secret".to_owned())];
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (
        folder.path().join("old.html"),
        folder.path().join("new.html"),
    );
    fs::write(&old, "an older page").unwrap();
    page_of(&world, &old, &wrong).ends(1);
    page_of(&world, &new, &wrong).ends(1);
    assert_eq!(fs::read_to_string(&old).unwrap(), "an older page");
    assert!(!new.exists());
}
