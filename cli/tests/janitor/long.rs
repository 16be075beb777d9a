//! `janitor local` by the clock of the machine, which takes seconds. The fast tier leaves it out.
#![cfg(unix)]

use std::path::Path;

use crate::local::{Local, ends};

#[test]
fn after_a_restart_the_simulated_twilio_still_knows_its_chats() {
    let note_in = |folder: &Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(folder.join("local.json")).unwrap()).unwrap()
    };
    let mut local = Local::start(&["--accelerate", "3600"]);
    local.until_it_says("closed");
    let folder = ends(local);
    let before = note_in(folder.path());
    let mut again = Local::start_in(folder, &["--accelerate", "3600"]);
    let after = note_in(again.folder().as_ref());
    assert_ne!(before["webhook"], after["webhook"], "on another port");
    for field in ["account_sid", "auth_token", "api_key", "park_task_channels"] {
        assert_eq!(before["simulated"][field], after["simulated"][field]);
    }
    // The chats that were due, and new ones, whose events arrive at the new port.
    let (mut done, mut gone, mut tries) = (0, 0, 0);
    while done < 10 {
        again.until_it_says("swept");
        let status = again.status();
        let sum = |field: &str| -> u64 {
            let sweeps = status["sweeps"].as_array().unwrap().iter();
            sweeps
                .filter_map(|run| run["summary"][field].as_u64())
                .sum()
        };
        done = sum("closed") + sum("released") + sum("already_clean");
        gone = sum("gone");
        tries += 1;
        assert!(tries < 100, "{done} closed, {gone} gone: {status}");
    }
    // Now and then another program deletes a channel.
    assert!(gone <= done / 3, "{gone} gone, {done} not");
}
