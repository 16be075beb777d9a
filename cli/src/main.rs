//! The operator's command.

mod about;
mod consent;
mod demo;
mod exit;
mod list;
mod office;
mod say;
mod sid;
mod unseal;

use clap::{Parser, Subcommand};

/// Keeps the chat channels of a Twilio Flex contact centre clean.
#[derive(Debug, Parser)]
#[command(
    name = "janitor",
    version,
    arg_required_else_help = true,
    after_long_help = exit::HELP
)]
struct Janitor {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays three days of a contact centre on this machine and cleans up after it
    Demo(demo::Options),
    /// Lists the channels that are known
    List(list::Options),
    /// Opens the original of an event that could not be read, with TWILIO_AUTH_TOKENS
    Unseal(unseal::Options),
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let result = match Janitor::parse().command {
        Command::Demo(options) => demo::run(&options).await,
        Command::List(options) => list::run(&options).await,
        Command::Unseal(options) => unseal::run(&options),
    };
    exit::code(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Janitor::command().debug_assert();
    }

    #[test]
    fn the_help_is_what_we_think() {
        let help = Janitor::command()
            .find_subcommand_mut("demo")
            .unwrap()
            .render_long_help()
            .to_string();
        for option in ["--json", "--seed <SEED>", "--channels <CHANNELS>"] {
            assert!(help.contains(option), "{option} in {help}");
        }
    }
}
