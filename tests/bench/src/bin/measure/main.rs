//! The benchmark: one command that builds the functions as they are deployed and prints what
//! they cost, beside a function that does nothing and beside what others allow.
//!
//! ```sh
//! cargo run --profile bench -p bench --bin measure
//! ```
//!
//! Times differ from machine to machine and from hour to hour; compare the ratios. What is
//! counted (requests, units, sizes) does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement prints, and stops at the first surprise"
)]

mod cold;
mod functions;
mod invocations;
mod odd;
mod scale;
mod work;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use clap::Parser;
use comfy_table::{Table, presets};

/// Measures the functions as they are deployed, and prints ratios.
#[derive(Debug, Parser)]
struct Measure {
    /// Leaves out the million tracked channels, which take two minutes and a gigabyte
    #[arg(long)]
    quick: bool,
    /// Takes the built functions and the built command from this folder instead of building them
    #[arg(long, value_name = "DIR")]
    built: Option<PathBuf>,
}

fn main() {
    let measure = Measure::parse();
    let folder = measure.built.unwrap_or_else(build);
    let counted = virtual_time();
    scale::print_audit(&counted, &folder);
    functions::print(&folder);
    invocations::print(&folder);
    odd::print(&folder);
    cold::print(&folder);
    work::print();
    scale::print_lives(&counted);
    scale::print_sweeps(&counted, measure.quick);
    scale::print_backlogs(&counted, measure.quick);
    scale::print_returns(&counted);
    scale::print_pace(&counted);
}

/// Builds the functions and the command with the profile that they are released with.
fn build() -> PathBuf {
    // Apart, because what is built together shares the features of what it links.
    for packages in [&functions::NAMES[..], &["janitor"]] {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--release", "--locked"]);
        for package in packages {
            cargo.args(["--package", package]);
        }
        let built = cargo.status().expect("cargo runs");
        assert!(built.success(), "{packages:?} are not built");
    }
    // Whatever profile this program itself is built with, its folder stands beside theirs.
    let this = std::env::current_exe().expect("this program has a path");
    let target = this.ancestors().nth(2).expect("a target folder");
    target.join("release")
}

/// A clock that stands still while something is worked on, for what is counted.
fn virtual_time() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
}

/// The real clock, for what is timed; the pretend services have threads of their own.
fn real_time() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn print<const N: usize>(title: &str, header: [&str; N], rows: Vec<[String; N]>) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    table.add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    println!("\n{title}\n{table}");
}

fn median(durations: &mut [Duration]) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", 1000.0 * duration.as_secs_f64())
}

fn times(duration: Duration, of: Duration) -> String {
    format!("{:.2} ×", duration.as_secs_f64() / of.as_secs_f64())
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1_000_000.0)
}
