//! Mistakes of people and scripts: half a SID, no settings, a pipe that is closed.

use crate::world::{World, janitor, run};

#[test]
fn sids_that_are_half_typed_unknown_or_wrong_get_a_helpful_answer() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    let other = world.tab_closed("+15550100002");
    world.events_arrive();
    let common = channel
        .bytes()
        .zip(other.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let half = &channel[..common + 1];

    let read = world
        .janitor(["explain", half])
        .ends(0)
        .says(&format!("taken for {channel}"));
    assert!(read.stdout.contains(&channel));
    let write = world.janitor(["hold", half, "--yes"]).ends(4);
    write.says("did you mean this one?").says(&channel);
    let both = world.janitor(["explain", &channel[..3]]);
    if common > 2 {
        both.ends(4).says("each begins with");
    }
    let unknown = "CHffffffffffffffffffffffffffffffff";
    for command in ["explain", "close", "hold", "delete", "reopen", "retry"] {
        world
            .janitor([command, unknown])
            .ends(4)
            .says("holds no record of");
        world
            .janitor([command, "CHffffffffffffffff"])
            .ends(4)
            .says("begins with");
        for (wrong, why) in [
            ("CHxyz", "hexadecimal digits only"),
            ("WT0123", "that is a task"),
            ("0123", "a channel's SID is"),
            ("", "a channel's SID is"),
        ] {
            world.janitor([command, wrong]).ends(2).says(why);
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let world = World::new();
    for number in 0..40 {
        world.tab_closed(&format!("+1555010{number:04}"));
    }
    world.events_arrive();
    let binary = snapbox::cmd::cargo_bin!("janitor");
    for arguments in ["list", "list --json", "man", "completions bash"] {
        let script = format!(
            "set -o pipefail; {} {arguments} | head -1",
            binary.display()
        );
        let command = snapbox::cmd::Command::new("bash").args(["-c", &script]);
        let variables = world.variables();
        let said = run(command.envs(variables)).ends(0);
        assert!(!said.stderr.contains("error"), "{arguments}: {said}");
        assert_eq!(said.stdout.lines().count(), 1, "{arguments}");
    }
}

#[test]
fn what_is_missing_is_named_and_no_secret_is_asked_for_on_the_command_line() {
    let world = World::new();
    let channel = world.tab_closed("+15550100001");
    world.events_arrive();
    run(janitor().args(["list"])).ends(1).says("AWS_REGION");
    run(world.command().env_remove("CHANNELS_TABLE").args(["list"]))
        .ends(1)
        .says("CHANNELS_TABLE");
    let nothing = janitor()
        .args(["close", &channel])
        .env("AWS_REGION", "eu-central-1");
    run(nothing)
        .ends(1)
        .says("CHANNELS_TABLE")
        .says("TWILIO_ACCOUNT_SID")
        .says("TWILIO_API_KEY");
    let wrong_profile = janitor()
        .args(["list", "--table", "x"])
        .env("AWS_PROFILE", "nope");
    run(wrong_profile).ends(1).says("the AWS profile nope");
    let new = World::whose_stack_never_ran();
    let no_account = new.command().env_remove("TWILIO_ACCOUNT_SID");
    run(no_account.args(["replay", "-"]).stdin("[]"))
        .ends(1)
        .says("TWILIO_ACCOUNT_SID");
    let nobody = janitor()
        .args(["list", "--table", "x"])
        .env("AWS_REGION", "eu-central-1");
    let nobody = run(nobody).ends(1).says("no AWS credentials");
    assert_eq!(nobody.stderr.lines().count(), 1, "{nobody}");
    run(janitor().args(["list", "--data", "/nonexistent"]))
        .ends(1)
        .says("is no data folder");
    run(janitor().args(["list", "--data", "/tmp", "--table", "x"])).ends(2);
    let without = world
        .command()
        .env_remove("TWILIO_API_KEY")
        .env_remove("TWILIO_API_SECRET");
    let without = without
        .env_remove("TWILIO_AUTH_TOKENS")
        .args(["close", &channel]);
    run(without).ends(1).says("TWILIO_API_KEY");
    let wrong = world
        .command()
        .env("TWILIO_API_SECRET", "wrong")
        .args(["close", &channel]);
    run(wrong).ends(1).says("refuses the credentials");
    world
        .janitor(["list", "--table", "another"])
        .ends(1)
        .says("the table another in eu-central-1")
        .says("--table, CHANNELS_TABLE and AWS_REGION")
        .says("ResourceNotFound");
    // Twilio's own name of the variable.
    let token = world.simulator.account().auth_token;
    let by_token = world
        .command()
        .env_remove("TWILIO_API_KEY")
        .env_remove("TWILIO_API_SECRET")
        .env_remove("TWILIO_AUTH_TOKENS")
        .env("TWILIO_AUTH_TOKEN", token);
    run(by_token.args(["close", &channel])).ends(5);
}

#[test]
fn local_names_the_wrong_settings_of_all_functions_at_once() {
    let folder = tempfile::TempDir::new().unwrap();
    let wrong = [
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("ENDED_CUTOFF", "soon"),
        ("FLEX_JANITOR", "maybe"),
        ("TWILIO_AUTH_TOKEN", "0123456789abcdef0123456789abcdef"),
    ];
    let ports = ["--port", "0", "--page-port", "0", "--aws-port", "0"];
    let start = janitor().envs(wrong).arg("local").args(ports);
    let said = run(start.arg("--data").arg(folder.path())).ends(1);
    for (name, times) in [("SID is", 1), ("ENDED", 1), ("JANITOR", 1), ("TOKEN", 0)] {
        assert_eq!(said.stderr.matches(name).count(), times, "{name}: {said}");
    }
}
