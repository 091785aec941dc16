//! A viewer that never reads, beside viewers that do: alternately without and with it, in one run.

use std::time::Duration;

use anyhow::{Result, ensure};
use chalkcast_core::session::client::{Event, Play};
use chalkcast_gateway::Clock;
use chalkcast_gateway::address::Endpoint;
use chalkcast_gateway::client::Client;
use clap::Args;

use crate::publisher::Manner;
use crate::subject::Subject;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    subject: Subject,
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
    let gateway = options.subject.start(&[], Manner::Steady).await?;
    let play = gateway.ws();
    let mut audience = gateway.audience();
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
        let report = audience.measure(time, &[gateway.server.pid()]).await?;
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
    gateway.publisher.check()?;
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
