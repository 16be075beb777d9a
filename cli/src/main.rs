//! The operator's command.

mod about;
mod checkup;
mod close;
mod connect;
mod consent;
mod delete;
mod demo;
mod exit;
mod explain;
mod hold;
mod import;
mod list;
mod local;
mod named;
mod office;
mod park;
mod reconcile;
mod reopen;
mod replay;
mod retry;
mod say;
mod shell;
mod sid;
mod status;
mod sweep;
mod unseal;

use clap::{CommandFactory, Parser, Subcommand};
use domain::ManualRequest;

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
    /// Says how many channels wait for what, and what is due
    Status(status::Options),
    /// Lists the channels that are known
    List(list::Options),
    /// Tells what is remembered of a channel, when it is due and what blocks it
    Explain(explain::Options),
    /// Closes what is due, as the schedule does
    Sweep(sweep::Options),
    /// Closes a channel now
    Close(named::Options),
    /// Takes a closing back, where the platform lets one
    Reopen(reopen::Options),
    /// Deletes a channel at Twilio, and its history with it
    Delete(named::Options),
    /// Keeps the sweep away from a channel
    Hold(hold::Options),
    /// Parks a chat: its agent has room for another one
    Park(park::Options),
    /// Takes a parked chat up again
    Unpark(park::Options),
    /// Begins again with channels that were given up
    Retry(retry::Options),
    /// Finds what Twilio's events never told, or what is older than the installation
    Reconcile(reconcile::Options),
    /// Takes in recorded events
    Replay(replay::Options),
    /// Takes over the Sync documents of the Twilio Function clear-long-lived-channels
    Import(import::Options),
    /// Runs the whole system on this machine
    Local(local::Options),
    /// Audits how the Flex project is set up, and mends it with --fix
    Checkup(checkup::Options),
    /// Opens the original of an event that could not be read, with TWILIO_AUTH_TOKENS
    Unseal(unseal::Options),
    /// Lets Twilio's events come to the webhook, and sees one arrive
    Connect(connect::Options),
    /// Ends that
    Disconnect(connect::DisconnectOptions),
    /// Writes a shell's completions to standard output
    Completions(shell::Completions),
    /// Writes the manual page to standard output
    Man,
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let result = match Janitor::parse().command {
        Command::Demo(options) => demo::run(&options).await,
        Command::List(options) => list::run(&options).await,
        Command::Status(options) => status::run(&options).await,
        Command::Close(options) => close::run(&options).await,
        Command::Reopen(options) => reopen::run(&options).await,
        Command::Delete(options) => delete::run(&options).await,
        Command::Completions(options) => shell::completions(&options, Janitor::command()),
        Command::Man => shell::man(Janitor::command()),
        Command::Connect(options) => connect::run(&options).await,
        Command::Disconnect(options) => connect::disconnect(&options).await,
        Command::Local(options) => local::run(&options).await,
        Command::Checkup(options) => checkup::run(&options).await,
        Command::Explain(options) => explain::run(&options).await,
        Command::Sweep(options) => sweep::run(&options).await,
        Command::Hold(options) => hold::run(&options).await,
        Command::Park(options) => park::run(&options, ManualRequest::Park).await,
        Command::Unpark(options) => park::run(&options, ManualRequest::Resume).await,
        Command::Retry(options) => retry::run(&options).await,
        Command::Reconcile(options) => reconcile::run(&options).await,
        Command::Replay(options) => replay::run(&options).await,
        Command::Import(options) => import::run(&options).await,
        Command::Unseal(options) => unseal::run(&options),
    };
    exit::code(result)
}

#[cfg(test)]
mod tests {
    use super::*;

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
