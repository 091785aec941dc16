//! A viewer that never reads, beside viewers that do: alternately without and with it, in one run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use chalkcast_core::session::client::{Event, Play};
use chalkcast_gateway::Clock;
use chalkcast_gateway::address::Endpoint;
use chalkcast_gateway::client::Client;
use clap::Args;

use crate::audience::Audience;
use crate::lesson::Lesson;
use crate::publisher::{Manner, Publisher, Sent};
use crate::server::Server;

#[derive(Args)]
pub(crate) struct Options {
    /// The gateway's program
    #[arg(long, default_value = "target/release/chalkcast")]
    gateway: PathBuf,
    /// The FLV file
    #[arg(long)]
    file: PathBuf,
    /// How many read
    #[arg(long, default_value_t = 200)]
    viewers: usize,
    /// How often each is measured
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long, each time
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
}

/// Fails if anybody lost anything, or waited more than 20 ms longer.
pub(crate) async fn run(options: Options) -> Result<()> {
    let server = Server::chalkcast(&options.gateway, &[])?;
    let (lesson, sent) = (
        Arc::new(Lesson::read(&options.file)?),
        Arc::new(Sent::new()),
    );
    let url = format!("{}/lesson", server.publish);
    let publisher = Publisher::start(&url, &lesson, &sent, Manner::Steady).await?;
    let play = format!("{}/lesson", server.ws);
    let mut audience = Audience::new(&lesson, &sent);
    audience.gather(&play, options.viewers, None).await;
    audience.settle().await?;
    let time = Duration::from_secs_f64(options.seconds);
    let mut worst = [0f64; 2];
    let mut gaps = 0;
    for round in 0..options.rounds * 2 {
        let with = round % 2 == 1;
        let stuck = if with {
            Some(stuck(&play).await?)
        } else {
            None
        };
        let report = audience.measure(time, &[server.pid()]).await?;
        drop(stuck);
        let p99 = report.video.quantile(0.99).max(report.audio.quantile(0.99));
        worst[usize::from(with)] = worst[usize::from(with)].max(p99);
        gaps += report.gaps;
        println!(
            "{:8} video p50 {:.1} p99 {:.1} ms, audio p50 {:.1} p99 {:.1} ms, {} gaps, {} lost",
            if with { "with" } else { "without" },
            report.video.quantile(0.5),
            report.video.quantile(0.99),
            report.audio.quantile(0.5),
            report.audio.quantile(0.99),
            report.gaps,
            report.lost
        );
    }
    publisher.check()?;
    ensure!(gaps == 0 && audience.lost() == 0, "something was lost");
    ensure!(
        worst[1] - worst[0] <= 20.0,
        "p99 is {:.1} ms later",
        worst[1] - worst[0]
    );
    Ok(())
}

/// Asks, gets the first tag, and then never reads.
async fn stuck(url: &str) -> Result<Client> {
    let (endpoint, name) = Endpoint::parse_with_stream(url)?;
    let mut client = Client::open(&endpoint, Clock::start()).await?;
    let now = client.now();
    let stream = client.session().create_stream(now)?;
    client.session().play(now, stream, Play::new(&name))?;
    loop {
        if let Event::Tag { .. } = client.event().await {
            return Ok(client);
        }
    }
}
