//! The command's own help, kept word for word: `SNAPSHOTS=overwrite` keeps it anew.

use crate::world::{janitor, run};
use snapbox::Data;

/// Every command, as the help lists them.
fn commands() -> Vec<String> {
    let help = run(janitor().arg("--help")).ends(0).stdout;
    let listed = help.split("Commands:").nth(1).unwrap();
    listed
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .filter(|name| name != "help")
        .collect()
}

fn kept(name: &str) -> Data {
    let path = format!(
        "{}/tests/janitor/help/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    Data::read_from(path.as_ref(), None)
}

#[test]
fn the_help_is_as_kept() {
    janitor()
        .arg("--help")
        .assert()
        .success()
        .stdout_eq(kept("janitor"));
    for command in commands() {
        let arguments = [command.as_str(), "--help"];
        janitor()
            .args(arguments)
            .assert()
            .success()
            .stdout_eq(kept(&command));
    }
}

#[test]
fn no_command_at_all_shows_the_help_and_makes_no_sense() {
    let said = run(janitor()).ends(2);
    assert!(said.stderr.contains("Usage: janitor <COMMAND>"), "{said}");
}

#[test]
fn completions_and_the_manual_know_every_command() {
    let manual = run(janitor().arg("man")).ends(0).stdout;
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = run(janitor().args(["completions", shell])).ends(0).stdout;
        for command in commands() {
            assert!(script.contains(&command), "{command} in {shell}");
        }
    }
    for command in commands() {
        let heading = format!("JANITOR {}", command.to_uppercase());
        assert!(manual.contains(&heading), "{heading}");
    }
    assert!(manual.contains("Exit codes"), "{manual}");
    run(janitor().args(["completions", "cmd.exe"])).ends(2);
}
