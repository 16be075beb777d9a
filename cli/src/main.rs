//! The operator's command.

mod channel_arg;
mod commands;
mod confirm;
mod context;
mod exit;
mod progress;
mod stack;
mod target_channel;

use clap::{CommandFactory, Parser, Subcommand};
use commands::{
    audit, checkup, close, complete, connect, delete, explain, hold, import, list, park, reconcile,
    reopen, replay, rescue, retry, shell, status, sweep, unseal,
};
#[cfg(feature = "playground")]
use playground::{demo, local};

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
    #[cfg(feature = "playground")]
    Demo(demo::Options),
    /// Says on how many channels customers write in vain, with Twilio's credentials alone
    Audit(audit::Options),
    /// Shows if the system is alive, what waits, and what needs a person
    Status(status::Options),
    /// Lists the channels of the table
    List(list::Options),
    /// Shows the record of a channel, when it is due and what blocks it
    Explain(explain::Options),
    /// Closes the channels that are due, as the schedule does
    Sweep(sweep::Options),
    /// Closes a channel now
    Close(target_channel::Options),
    /// Opens a closed channel again, where the platform allows it
    Reopen(reopen::Options),
    /// Deletes a channel at Twilio with its history
    Delete(target_channel::Options),
    /// Keeps the sweep away from a channel
    Hold(hold::Options),
    /// Parks a chat, so that its agent has room for another one
    Park(park::Options),
    /// Moves a parked chat back to its agent, or all of them with --all
    Unpark(park::UnparkOptions),
    /// Completes a task that is stuck in wrap-up
    Complete(complete::Options),
    /// Tries again with channels that were given up
    Retry(retry::Options),
    /// Finds channels that no event reported, such as those older than the installation
    Reconcile(reconcile::Options),
    /// Gives the customer who waits unheard on a channel a task
    Rescue(target_channel::Options),
    /// Reads recorded events into the table
    Replay(replay::Options),
    /// Reads the Sync documents of the Twilio Function clear-long-lived-channels into the table
    Import(import::Options),
    /// Runs the whole system on this machine
    #[cfg(feature = "playground")]
    Local(local::Options),
    /// Audits how the Flex project is set up, and repairs it with --fix
    Checkup(checkup::Options),
    /// Decrypts the original of an event that could not be read, with TWILIO_AUTH_TOKENS
    Unseal(unseal::Options),
    /// Subscribes the webhook to Twilio's events, and waits for a test event
    Connect(connect::Options),
    /// Removes that subscription
    Disconnect(connect::DisconnectOptions),
    /// Writes a shell's completions to standard output
    Completions(shell::Completions),
    /// Writes the manual page to standard output
    Man,
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let result = match Janitor::parse().command {
        #[cfg(feature = "playground")]
        Command::Demo(options) => demo::run(&options).await,
        Command::Audit(options) => audit::run(&options).await,
        Command::List(options) => list::run(&options).await,
        Command::Status(options) => status::run(&options).await,
        Command::Close(options) => close::run(&options).await,
        Command::Reopen(options) => reopen::run(&options).await,
        Command::Delete(options) => delete::run(&options).await,
        Command::Completions(options) => shell::completions(&options, Janitor::command()),
        Command::Man => shell::man(Janitor::command()),
        Command::Connect(options) => connect::run(&options).await,
        Command::Disconnect(options) => connect::disconnect(&options).await,
        #[cfg(feature = "playground")]
        Command::Local(options) => local::run(&options, context::environment()).await,
        Command::Checkup(options) => checkup::run(&options).await,
        Command::Explain(options) => explain::run(&options).await,
        Command::Sweep(options) => sweep::run(&options).await,
        Command::Hold(options) => hold::run(&options).await,
        Command::Park(options) => park::park(&options).await,
        Command::Unpark(options) => park::unpark(&options).await,
        Command::Complete(options) => complete::run(&options).await,
        Command::Retry(options) => retry::run(&options).await,
        Command::Reconcile(options) => reconcile::run(&options).await,
        Command::Rescue(options) => rescue::run(&options).await,
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
    #[cfg(feature = "playground")]
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
