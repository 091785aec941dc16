//! Thousands of viewers of one stream.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use crate::cost::Cost;
use crate::publisher::Manner;
use crate::subject::Subject;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    subject: Subject,
    /// How many watch
    #[arg(long, default_value_t = 5000)]
    viewers: usize,
    /// How long their media may wait to be written together, in milliseconds
    #[arg(long, default_value_t = 350)]
    budget: u64,
    /// For how long
    #[arg(long, default_value_t = 120.0)]
    seconds: f64,
    /// The gateway's threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Over RTMP instead of WebSocket
    #[arg(long)]
    rtmp: bool,
}

/// Fails if anything was lost.
pub(crate) async fn run(options: Options) -> Result<()> {
    let threads = options.threads.to_string();
    let coalesce = options.budget.to_string();
    let args = ["--threads", &threads, "--coalesce", &coalesce];
    let gateway = options.subject.start(&args, Manner::Steady).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let pids = [gateway.server.pid()];
    let before = Cost::of(&pids)?.resident;
    let play = if options.rtmp {
        gateway.rtmp()
    } else {
        gateway.ws()
    };
    let mut audience = gateway.audience();
    audience.gather(&play, options.viewers, None).await;
    audience.settle().await?;
    let time = Duration::from_secs_f64(options.seconds);
    let report = audience.measure(time, &pids).await?;
    gateway.publisher.check()?;
    let mut shares = report.threads.clone();
    shares.sort();
    shares.reverse();
    println!(
        "{} viewers, budget {} ms, {:.0} s: {:.0} us CPU/viewer-s, {:.1} KiB/viewer, video p50 {:.1} p99 {:.1} ms, audio p50 {:.1} p99 {:.1} ms, \
         slowest {:.3}, {} gaps, {} lost, the viewers themselves {:.0} %",
        report.viewers,
        options.budget,
        options.seconds,
        report.cpu,
        report.resident.saturating_sub(before) as f64 / 1024.0 / report.viewers as f64,
        report.video.quantile(0.5),
        report.video.quantile(0.99),
        report.audio.quantile(0.5),
        report.audio.quantile(0.99),
        report.slowest,
        report.gaps,
        report.lost,
        report.witnesses * 100.0,
    );
    let percent: Vec<String> = shares
        .iter()
        .map(|share| format!("{:.1} %", share.as_secs_f64() * 100.0 / options.seconds))
        .collect();
    println!("threads: {}", percent.join(", "));
    ensure!(report.gaps == 0 && report.lost == 0, "something was lost");
    Ok(())
}
