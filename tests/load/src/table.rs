//! What a viewer costs, side by side in one run.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::audience::Audience;
use crate::cost::Cost;
use crate::delays::Delays;
use crate::floor;
use crate::lesson::Lesson;
use crate::publisher::{Manner, Publisher, Sent};
use crate::server::Server;

#[derive(Args)]
pub(crate) struct Options {
    /// The gateway's program
    #[arg(long, default_value = "target/release/chalkcast")]
    gateway: PathBuf,
    /// Where node-media-server is installed
    #[arg(long, default_value = "tests/bench/fanout")]
    node: PathBuf,
    /// The streams, FLV files; repeat for more
    #[arg(long)]
    file: Vec<PathBuf>,
    /// How many watch
    #[arg(long, value_delimiter = ',', default_value = "100,500,1000")]
    viewers: Vec<usize>,
    /// How long each row is measured, in seconds
    #[arg(long, default_value_t = 6.0)]
    seconds: f64,
    /// What is measured: floor, ws, rtmp, nginx, node; wss alone, as it needs CHALKCAST_TLS_CERT, CHALKCAST_TLS_KEY and SSL_CERT_FILE
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "floor,ws,rtmp,nginx,node"
    )]
    servers: Vec<String>,
    /// How long media may wait to be written together, in milliseconds
    #[arg(long, value_delimiter = ',', default_value = "0,10,30,350")]
    budgets: Vec<u64>,
    /// How long the server has its publisher before the first viewer comes, so that its log is full, in seconds
    #[arg(long, default_value_t = 22.0)]
    warm_up: f64,
}

/// A viewer's buffer is ten times what its media may wait.
const BUFFER_PER_BUDGET: u64 = 10;
/// The budget of a viewer who says nothing of its buffer.
const DEFAULT_BUDGET: u64 = 30;

struct Table {
    options: Options,
    /// By viewers and budget, for the present stream.
    floors: HashMap<(usize, u64), f64>,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let files = options.file.clone();
    let mut table = Table {
        options,
        floors: HashMap::new(),
    };
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        println!("\n{name}\n");
        println!(
            "{:24} {:>7} {:>7} {:>12} {:>8} {:>8} {:>11} {:>15} {:>15} {:>8} {:>5} {:>5} {:>7} {:>8}",
            "server",
            "viewers",
            "budget",
            "us CPU/vwr-s",
            "x floor",
            "writes/s",
            "KiB/viewer",
            "video p50, p99",
            "audio p50, p99",
            "slowest",
            "gaps",
            "lost",
            "kbit/s",
            "viewers%"
        );
        table.stream(file).await?;
    }
    Ok(())
}

impl Table {
    async fn stream(&mut self, file: &Path) -> Result<()> {
        self.floors.clear();
        let lesson = Arc::new(Lesson::read(file)?);
        for name in self.options.servers.clone() {
            match &*name {
                "floor" => self.floor(file).await?,
                "ws" | "wss" | "rtmp" => {
                    let server = Server::chalkcast(&self.options.gateway, &[])?;
                    let play = match &*name {
                        "ws" => server.ws.clone(),
                        "wss" => server.ws.replacen("ws:", "wss:", 1),
                        _ => server.rtmp.clone(),
                    };
                    let play = format!("{play}/lesson");
                    let budgets = self.options.budgets.clone();
                    let label = format!("Chalkcast {name}");
                    self.server(&label, &server, &play, &lesson, Some(&budgets))
                        .await?;
                }
                "nginx" => {
                    let server = Server::nginx()?;
                    let play = format!("{}/lesson", server.rtmp);
                    self.server("nginx-rtmp", &server, &play, &lesson, None)
                        .await?;
                }
                "node" => {
                    let server = Server::node(&self.options.node)?;
                    let play = format!("{}/lesson.flv", server.ws);
                    self.server("node-media-server ws-flv", &server, &play, &lesson, None)
                        .await?;
                }
                other => anyhow::bail!("{other}: floor, ws, wss, rtmp, nginx or node"),
            }
        }
        Ok(())
    }

    async fn floor(&mut self, file: &Path) -> Result<()> {
        for viewers in self.options.viewers.clone() {
            for budget in self.options.budgets.clone() {
                let options = floor::Options {
                    file: file.to_owned(),
                    viewers,
                    budget,
                };
                let report = floor::measure(&options, self.time()).await?;
                self.floors.insert((viewers, budget), report.cpu);
                println!(
                    "{:24} {viewers:7} {budget:7} {:12.0} {:>8} {:8.2} {:>11} {:>15} {:>15}",
                    "bare writes",
                    report.cpu,
                    "1.00",
                    report.writes,
                    "",
                    both(&report.video),
                    both(&report.audio),
                );
            }
        }
        Ok(())
    }

    /// Rows for one server; `budgets` where viewers can choose.
    async fn server(
        &self,
        label: &str,
        server: &Server,
        play: &str,
        lesson: &Arc<Lesson>,
        budgets: Option<&[u64]>,
    ) -> Result<()> {
        let sent = Arc::new(Sent::new());
        let url = format!("{}/lesson", server.publish);
        let publisher = Publisher::start(&url, lesson, &sent, Manner::Steady).await?;
        tokio::time::sleep(Duration::from_secs_f64(self.options.warm_up)).await;
        let pids = [server.pid()];
        let before = Cost::of(&pids)?.resident;
        for viewers in &self.options.viewers {
            for budget in budgets.unwrap_or(&[DEFAULT_BUDGET]) {
                let told = *budget != DEFAULT_BUDGET;
                let buffer = told.then_some(budget * BUFFER_PER_BUDGET);
                let mut audience = Audience::new(lesson, &sent);
                audience.gather(play, *viewers, buffer).await;
                audience.settle().await?;
                let report = audience.measure(self.time(), &pids).await?;
                publisher.check()?;
                audience.leave().await;
                let floor = self.floors.get(&(*viewers, *budget));
                println!(
                    "{label:24} {viewers:7} {:>7} {:12.0} {:>8} {:8.2} {:11.1} {:>15} {:>15} {:8.3} {:5} {:5} {:7.0} {:8.0}",
                    budgets.map_or("-".to_owned(), |_| budget.to_string()),
                    report.cpu,
                    floor.map_or("-".to_owned(), |floor| format!("{:.2}", report.cpu / floor)),
                    report.writes,
                    report.resident.saturating_sub(before) as f64 / 1024.0 / *viewers as f64,
                    both(&report.video),
                    both(&report.audio),
                    report.slowest,
                    report.gaps,
                    report.lost,
                    report.kbit_per_second,
                    report.witnesses * 100.0,
                );
            }
        }
        Ok(())
    }

    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.options.seconds)
    }
}

/// Median and 99th percentile, in milliseconds.
fn both(delays: &Delays) -> String {
    format!("{:.1}, {:.1}", delays.quantile(0.5), delays.quantile(0.99))
}
