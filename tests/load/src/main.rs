//! Puts viewers on servers and says what they cost: tables beside other servers, and trials of what may go wrong.

mod audience;
mod chaos;
mod churn;
mod cost;
mod crowd;
mod delays;
mod floor;
mod lesson;
mod publisher;
mod server;
mod stuck;
mod subject;
mod table;
mod viewer;

use std::sync::LazyLock;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::runtime::Runtime;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// What a viewer costs: Chalkcast, other servers, and bare writes
    Table(table::Options),
    /// Thousands of viewers of one stream, and how the threads share them
    Crowd(crowd::Options),
    /// A viewer that never reads, beside others that do
    Stuck(stuck::Options),
    /// Viewers that come and go, and the memory they leave behind
    Churn(churn::Options),
    /// Servers, relays and publishers that die, freeze and return
    Chaos(chaos::Options),
    /// The process that writes with no protocol
    #[command(hide = true)]
    FloorServer(floor::Options),
}

/// For the viewers that measure delays.
static SAMPLED_THREAD: LazyLock<Runtime> =
    LazyLock::new(|| one_thread().expect("a thread can be started"));

fn one_thread() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

fn main() -> Result<()> {
    let command = Cli::parse().command;
    if let Command::FloorServer(options) = command {
        return floor::serve(&options);
    }
    // One thread for all viewers but the sampled: the rest of the machine is the server's.
    one_thread()?.block_on(async {
        match command {
            Command::Table(options) => table::run(options).await,
            Command::Crowd(options) => crowd::run(options).await,
            Command::Stuck(options) => stuck::run(options).await,
            Command::Churn(options) => churn::run(options).await,
            Command::Chaos(options) => chaos::run(options).await,
            Command::FloorServer(_) => Ok(()),
        }
    })
}
