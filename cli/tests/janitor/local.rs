//! `janitor local`: it runs, it shows itself, and what it stored survives any end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::world::{Said, janitor, run};

/// A running system.
pub(crate) struct Local {
    process: Child,
    folder: TempDir,
    /// Its standard error, line by line.
    says: BufReader<std::process::ChildStderr>,
    pub(crate) page: String,
    pub(crate) webhook: String,
}

impl Local {
    /// Starts one in a new folder.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_in(TempDir::new().unwrap(), arguments)
    }

    pub(crate) fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        let mut process = Command::new(snapbox::cmd::cargo_bin!("janitor"))
            .args(["local", "--data"])
            .arg(folder.path())
            .args([
                "--port",
                "0",
                "--page-port",
                "0",
                "--aws-port",
                "0",
                "--twilio-port",
                "0",
            ])
            .args(arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stderr.take().unwrap());
        let (mut page, mut webhook) = (String::new(), String::new());
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let url = line
                .split_whitespace()
                .last()
                .unwrap_or_default()
                .to_owned();
            match line.split("  ").next() {
                Some("status page") => page = url,
                Some("webhook") => webhook = url,
                _ if line.contains("Ctrl-C") => break,
                _ => {}
            }
        }
        assert!(page.starts_with("http://127.0.0.1:"), "{page}");
        Self {
            process,
            folder,
            says,
            page,
            webhook,
        }
    }

    pub(crate) fn folder(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    /// Runs another command beside it.
    pub(crate) fn janitor(&self, arguments: &[&str]) -> Said {
        beside(self.folder.path(), arguments)
    }

    /// Waits until it says something like this.
    pub(crate) fn until_it_says(&mut self, text: &str) {
        let mut heard = String::new();
        while !heard.contains(text) {
            heard.clear();
            assert!(
                self.says.read_line(&mut heard).unwrap() > 0,
                "it ended first"
            );
        }
    }

    pub(crate) fn status(&self) -> serde_json::Value {
        let (head, body) = get(&self.page, "/status.json");
        assert!(head.contains("application/json"), "{head}");
        serde_json::from_str(&body).unwrap()
    }

    /// Kills it as an outage would: it hears nothing of it.
    fn outage(mut self) -> TempDir {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn beside(folder: &Path, arguments: &[&str]) -> Said {
    run(janitor().args(arguments).arg("--data").arg(folder))
}

/// The head and the body of a page.
fn get(url: &str, path: &str) -> (String, String) {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[test]
fn it_is_at_work_and_shows_it() {
    let mut local = Local::start(&["--accelerate", "3600"]);
    local.until_it_says("closed");
    let status = local.status();
    assert_eq!(status["version"], 1);
    assert_eq!(status["speed"], 3600);
    assert_eq!(status["simulated"], true);
    assert_eq!(status["webhook"], local.webhook);
    let channels = status["channels"].as_array().unwrap();
    assert!(channels[0]["why"].is_string(), "{channels:?}");
    assert_eq!(status["mode"], "act");
    assert_eq!(status["cutoffs_seconds"]["ended"], 900);
    assert!(status["last_event_at_ms"].is_number());
    assert!(status["saved_messages"].is_number());
    assert!(
        status["sweeps"][0]["summary"]["due"].is_number(),
        "{status}"
    );
    let (head, body) = get(&local.page, "/");
    assert!(head.contains("frame-ancestors 'none'"), "{head}");
    assert!(
        body.starts_with("<!doctype html>") && !body.contains("https://"),
        "no foreign asset"
    );
    assert!(
        get(&local.page, "/etc/passwd")
            .0
            .starts_with("HTTP/1.1 404")
    );

    // Other commands are at work in the same place, by the same clock.
    let list = local.janitor(&["list", "--json"]).ends(0).json_lines();
    assert!(!list.is_empty());
    let now = local.janitor(&["status", "--json"]).ends(0).json()["now_ms"]
        .as_i64()
        .unwrap();
    assert!(
        now > status["now_ms"].as_i64().unwrap(),
        "it is later there"
    );
    local.janitor(&["sweep", "--observe"]).ends(0);

    let second = run(janitor().args(["local", "--data", local.folder(), "--port", "0"]));
    second.ends(1).says("is in use by process");
}

/// The status line of a request with these headers.
fn answer(url: &str, headers: &str) -> String {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /status.json HTTP/1.1\r\n{headers}Connection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

#[test]
fn other_web_sites_are_refused() {
    let local = Local::start(&[]);
    let note = std::fs::read(local.folder.path().join("local.json")).unwrap();
    let note: serde_json::Value = serde_json::from_slice(&note).unwrap();
    let dynamodb = note["aws"].as_str().unwrap();
    for url in [&*local.page, dynamodb] {
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let foreign_host = "Host: evil.example.com\r\n".to_owned();
        let foreign_origin = format!("Host: {host}\r\nOrigin: https://evil.example.com\r\n");
        for headers in [foreign_host, foreign_origin] {
            let answer = answer(url, &headers);
            assert!(
                answer.starts_with("HTTP/1.1 403"),
                "{url} {headers} {answer}"
            );
        }
        let own = answer(url, &format!("Host: {host}\r\n"));
        assert!(!own.starts_with("HTTP/1.1 403"), "{url} {own}");
    }
}

#[test]
#[cfg(unix)]
fn only_the_owner_reads_the_data_folder() {
    use std::os::unix::fs::PermissionsExt as _;

    let local = Local::start(&[]);
    let mut files = 0;
    for file in std::fs::read_dir(local.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
        files += 1;
    }
    assert!(files >= 3, "{files}");
}

#[test]
fn an_unsigned_request_is_refused() {
    let local = Local::start(&[]);
    let host = local
        .webhook
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "POST /twilio/events HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[test]
fn what_is_stored_survives_an_outage_and_a_restart() {
    let mut local = Local::start(&["--accelerate", "3600"]);
    local.until_it_says("closed");
    let before = local.janitor(&["status", "--json"]).ends(0).json();
    let known = local.janitor(&["list", "--json"]).ends(0).json_lines();
    let folder = local.outage();

    // No server holds the folder: the command opens the file itself.
    let still_known = beside(folder.path(), &["list", "--json"])
        .ends(0)
        .json_lines();
    let sids = |lines: &[serde_json::Value]| -> std::collections::BTreeSet<String> {
        lines
            .iter()
            .map(|line| line["channel_sid"].to_string())
            .collect()
    };
    assert!(
        sids(&still_known).is_superset(&sids(&known)),
        "nothing is lost"
    );
    beside(folder.path(), &["explain", "CHffffffffffffffff"])
        .ends(4)
        .says(&format!("{} holds no channel", folder.path().display()));
    let held = known[0]["channel_sid"].as_str().unwrap();
    beside(folder.path(), &["hold", held, "--yes"]).ends(0);

    let mut again = Local::start_in(folder, &["--accelerate", "3600"]);
    again.until_it_says("swept");
    let after = again.janitor(&["list", "--json"]).ends(0).json_lines();
    assert!(
        sids(&after).is_superset(&sids(&still_known)),
        "nor by a restart"
    );
    let hold = after
        .iter()
        .find(|line| line["channel_sid"] == held)
        .unwrap();
    assert_eq!(hold["state"], "held");
    let now = again.janitor(&["status", "--json"]).ends(0).json();
    assert!(
        now["now_ms"].as_i64() > before["now_ms"].as_i64(),
        "the clock never runs back"
    );
}

/// Ends it as Ctrl-C does, and keeps the folder.
#[cfg(unix)]
pub(crate) fn ends(mut local: Local) -> TempDir {
    let pid = local.process.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();
    local.until_it_says("Ended.");
    assert_eq!(local.process.wait().unwrap().code(), Some(0));
    std::mem::replace(&mut local.folder, TempDir::new().unwrap())
}

#[test]
#[cfg(unix)]
fn it_ends_cleanly_when_it_is_told_to() {
    for signal in ["-INT", "-TERM"] {
        let mut local = Local::start(&[]);
        let pid = local.process.id().to_string();
        Command::new("kill").args([signal, &pid]).status().unwrap();
        local.until_it_says("Ended.");
        assert_eq!(local.process.wait().unwrap().code(), Some(0), "{signal}");
        local.janitor(&["list"]).ends(0);
        // The simulated Twilio ended with it.
        for command in [
            ["audit", "--json"],
            ["checkup", "--json"],
            ["park", "--set-up"],
            ["reconcile", "--json"],
            ["sweep", "--yes"],
        ] {
            let said = local.janitor(&command).ends(1);
            said.says("no simulated Twilio answers");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let real = [("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001")];
    let fast = janitor().envs(real).args(["local", "--accelerate", "10"]);
    run(fast).ends(2).says("one clock only");
    run(janitor().args(["local", "--accelerate", "0"])).ends(2);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = TempDir::new().unwrap();
    let busy = janitor()
        .args(["local", "--port", &port, "--data"])
        .arg(folder.path());
    run(busy).ends(1).says("--port 0 takes a free one");
    beside(folder.path(), &["list"])
        .ends(1)
        .says("is no data folder");
}
