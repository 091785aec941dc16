//! Puts viewers on a server and says what they cost it: `load watch` for a server that speaks RTMP, `load floor` for the
//! same bytes written to the same number of sockets with no protocol at all.

mod cost;
mod delays;
mod floor;
mod lesson;
mod watch;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publish a file to a server, watch it many times, and print one line of a table
    Watch(watch::Options),
    /// The bare writes, for comparison
    Floor(floor::Options),
    /// The process that `floor` measures
    #[command(hide = true)]
    FloorServer(floor::Options),
}

fn main() -> Result<()> {
    let command = Cli::parse().command;
    if let Command::FloorServer(options) = command {
        return floor::serve(&options);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match command {
            Command::Watch(options) => watch::run(options).await,
            Command::Floor(options) | Command::FloorServer(options) => floor::run(options).await,
        }
    })
}
