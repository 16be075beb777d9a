//! The corpus of the fuzz targets, replayed and mutated a little in every run of the tests.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise and say what it saw"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fastrand::Rng;
use fuzz_targets::{ALL, Target};

/// The most bytes that the whole corpus may take in the repository.
const LARGEST_CORPUS: u64 = 100 * 1024;

/// The number of mutated inputs that each target gets.
const MUTATED: usize = 500;

/// Pieces that mean something to what is tested, for the mutator to put in.
const TOKENS: [&str; 44] = [
    "\"",
    "\\",
    "\\u0073",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "\0",
    "\u{feff}",
    "é",
    "null",
    "true",
    "false",
    "-0.0",
    "1e400",
    "9007199254740993",
    "{}",
    "[]",
    "\"\"",
    "\"status\":",
    "\"INACTIVE\"",
    "\"long_lived\":",
    "\"channelSid\":",
    "\"conversationSid\":",
    "\"data\":",
    "\"payload\":",
    "\"type\":",
    "task.completed",
    "CH00000000000000000000000000000000",
    "CH0000000000000000000000000000000a",
    "2026-01-05T09:00:00.412Z",
    "1767603600412",
    "?bodySHA256=",
    "&",
    "%00",
    "https://",
    ":443",
    "429",
    "86401",
    "Sun, 06 Nov 1994 08:49:37 GMT",
];

fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let mut inputs: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .filter(|(name, _)| !is_a_find(name))
        .collect();
    inputs.sort();
    inputs
}

/// libFuzzer leaves what it finds interesting beside the corpus, named by its SHA-1. Only what
/// a person has named is the corpus.
fn is_a_find(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn run(name: &str, target: Target, input: &[u8], what: &str) {
    let outcome = catch_unwind(AssertUnwindSafe(|| target(input)));
    assert!(
        outcome.is_ok(),
        "target {name} fails on {what}: b\"{}\"",
        input.escape_ascii()
    );
}

fn mutate(input: &[u8], others: &[(String, Vec<u8>)], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..rng.usize(1..=4) {
        let at = rng.usize(..=bytes.len());
        let to = rng.usize(at..=bytes.len().min(at + 40));
        match rng.u8(..7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
            1 => drop(bytes.drain(at..to)),
            2 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again);
            }
            3 => bytes.truncate(at),
            4 => {
                let (_, other) = rng.choice(others).unwrap();
                let from = rng.usize(..=other.len());
                bytes.splice(at..to, other[from..].iter().copied());
            }
            _ => {
                let token = rng.choice(TOKENS).unwrap();
                bytes.splice(at..to, token.bytes());
            }
        }
    }
    bytes
}

#[test]
fn every_target_has_a_corpus_and_holds_on_it() {
    for (name, target) in ALL {
        let inputs = corpus(name);
        assert!(inputs.len() >= 5, "the corpus of {name} is too small");
        for (file, input) in &inputs {
            run(name, target, input, file);
        }
        run(name, target, b"", "nothing");
    }
}

#[test]
fn every_target_holds_on_what_a_mutator_makes_of_its_corpus() {
    for (name, target) in ALL {
        let inputs = corpus(name);
        let mut rng = Rng::with_seed(7);
        for _ in 0..MUTATED {
            let (_, input) = rng.choice(&inputs).unwrap();
            let input = mutate(input, &inputs, &mut rng);
            run(name, target, &input, "a mutated input");
        }
    }
}

#[test]
fn the_corpus_is_small() {
    let bytes = ALL.iter().flat_map(|(name, _)| corpus(name));
    let bytes: u64 = bytes.map(|(_, input)| input.len() as u64).sum();
    assert!(bytes < LARGEST_CORPUS, "{bytes} bytes");
}

/// A target that libFuzzer is not told of would only ever see its corpus.
#[test]
fn every_target_has_a_binary_for_the_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer");
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for (name, _) in ALL {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        let source = std::fs::read_to_string(folder.join(format!("targets/{name}.rs"))).unwrap();
        assert!(
            source.contains(&format!("fuzz_targets::{name}(data)")),
            "{name}"
        );
    }
}
