//! Serves a pretend Twilio with a Flex project in it, for a look with any Twilio client.

use clap::Parser;
use simulator::Simulator;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;

/// A pretend Twilio with state.
#[derive(Debug, Parser)]
struct Arguments {
    /// The port to listen on, on this machine only; 0 takes a free one.
    #[arg(long, default_value_t = 4010)]
    port: u16,
    /// The seed of all SIDs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let (simulator, project) = Simulator::with_flex(arguments.seed)?;
    for name in ["alice", "bob"] {
        simulator.state().hire_agent(project.workspace, name)?;
    }
    simulator.state().customer_writes("+15550100123", "Hello?");
    let listener =
        TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port))).await?;
    introduce(&simulator, listener.local_addr()?);
    simulator::serve(listener, simulator, std::future::pending()).await?;
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the address and the credentials are what this program is for"
)]
fn introduce(simulator: &Simulator, address: SocketAddr) {
    let account = simulator.account();
    println!("TWILIO_API_URL=http://{address}");
    println!("TWILIO_ACCOUNT_SID={}", account.sid);
    println!("TWILIO_AUTH_TOKENS={}", account.auth_token);
    println!("TWILIO_API_KEY={}", account.api_key);
    println!("TWILIO_API_SECRET={}", account.api_secret);
}
