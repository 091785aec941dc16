//! What a viewer costs, side by side in one run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::audience::{Audience, Report};
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
    /// How often each row is measured: the servers take turns, so that each is compared with what the others cost in the same minute
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each time, in seconds; longer for budgets with which few writes fit into that
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// What is measured: floor, ws, rtmp, nginx, node; wss alone, as it needs CHALKCAST_TLS_CERT, CHALKCAST_TLS_KEY and SSL_CERT_FILE
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "floor,ws,rtmp,nginx,node"
    )]
    servers: Vec<String>,
    /// How many streams they watch, as many viewers each; bare writes have one only
    #[arg(long, default_value_t = 1)]
    streams: usize,
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
/// A row is measured over so many writes at least.
const FEWEST_WRITES: u64 = 24;

impl Options {
    /// Long enough that one write more or less does not matter.
    fn time(&self, budget: u64) -> Duration {
        Duration::from_secs_f64(self.seconds).max(Duration::from_millis(budget * FEWEST_WRITES))
    }
}

/// What takes its turn.
enum Contender {
    Floor,
    Server(Box<Running>),
}

struct Running {
    kind: &'static str,
    // Dropped before the server, whose end would be a failure to it.
    publishers: Vec<Publisher>,
    server: Server,
    /// Of the first publisher.
    sent: Arc<Sent>,
    play: Vec<String>,
    /// Its memory with a publisher and nobody else, in bytes.
    alone: u64,
}

/// What one contender showed in all rounds.
#[derive(Default)]
struct Row {
    reports: Vec<Report>,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    for file in &options.file {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        println!(
            "\n{name}: medians of {} rounds, in which the servers took turns; us: processor time for each second of each viewer",
            options.rounds
        );
        println!(
            "\n{:10} {:>7} {:>6} {:>5} {:>9} {:>7} {:>7} {:>7} {:>8} {:>10} {:>13} {:>13} {:>7} {:>4} {:>4} {:>6} {:>8}",
            "server",
            "viewers",
            "budget",
            "us",
            "least-most",
            "x floor",
            "x nginx",
            "x node",
            "writes/s",
            "KiB/viewer",
            "video p50, 99",
            "audio p50, 99",
            "slowest",
            "gaps",
            "lost",
            "kbit/s",
            "viewers%"
        );
        stream(&options, file).await?;
    }
    Ok(())
}

async fn stream(options: &Options, file: &Path) -> Result<()> {
    let lesson = Arc::new(Lesson::read(file)?);
    let mut contenders = Vec::new();
    for kind in &options.servers {
        contenders.push(Contender::start(kind, options, &lesson).await?);
    }
    tokio::time::sleep(Duration::from_secs_f64(options.warm_up)).await;
    for contender in &mut contenders {
        if let Contender::Server(running) = contender {
            running.alone = Cost::of(&[running.server.pid()])?.resident;
        }
    }
    for viewers in &options.viewers {
        for budget in &options.budgets {
            block(options, file, &lesson, &contenders, *viewers, *budget).await?;
        }
    }
    Ok(())
}

/// Rows with the same number of viewers and the same budget.
async fn block(
    options: &Options,
    file: &Path,
    lesson: &Arc<Lesson>,
    contenders: &[Contender],
    viewers: usize,
    budget: u64,
) -> Result<()> {
    let mut rows: Vec<Row> = contenders.iter().map(|_| Row::default()).collect();
    let time = options.time(budget);
    for _ in 0..options.rounds {
        for (contender, row) in contenders.iter().zip(&mut rows) {
            match contender {
                Contender::Floor => {
                    let options = floor::Options {
                        file: file.to_owned(),
                        viewers,
                        budget,
                    };
                    row.reports.push(floor::measure(&options, time).await?);
                }
                Contender::Server(running) if running.has(budget) => {
                    let report = running.measure(lesson, viewers, budget, time).await?;
                    row.reports.push(report);
                }
                Contender::Server(_) => {}
            }
        }
    }
    let of = |kind: &str| {
        let at = contenders.iter().position(|peer| peer.kind() == kind);
        at.map(|at| &rows[at])
    };
    for (contender, row) in contenders.iter().zip(&rows) {
        if row.reports.is_empty() {
            continue;
        }
        let alone = match contender {
            Contender::Floor => None,
            Contender::Server(running) => Some(running.alone),
        };
        let ratios = ["floor", "nginx", "node"].map(|peer| row.ratio(of(peer)));
        println!(
            "{:10} {viewers:7} {budget:6} {}",
            contender.kind(),
            row.line(&ratios, alone)
        );
    }
    Ok(())
}

impl Contender {
    async fn start(kind: &str, options: &Options, lesson: &Arc<Lesson>) -> Result<Self> {
        let (kind, server) = match kind {
            "floor" => return Ok(Self::Floor),
            "ws" => ("ws", Server::chalkcast(&options.gateway, &[])?),
            "wss" => ("wss", Server::chalkcast(&options.gateway, &[])?),
            "rtmp" => ("rtmp", Server::chalkcast(&options.gateway, &[])?),
            "nginx" => ("nginx", Server::nginx()?),
            "node" => ("node", Server::node(&options.node)?),
            other => anyhow::bail!("{other}: floor, ws, wss, rtmp, nginx or node"),
        };
        let (mut publishers, mut play, mut first) = (Vec::new(), Vec::new(), None);
        for number in 0..options.streams {
            let sent = Arc::new(Sent::new());
            let url = format!("{}/lesson-{number}", server.publish);
            publishers.push(Publisher::start(&url, lesson, &sent, Manner::Steady).await?);
            first.get_or_insert(sent);
            play.push(match kind {
                "ws" => format!("{}/lesson-{number}", server.ws),
                "wss" => format!("{}/lesson-{number}", server.ws.replacen("ws:", "wss:", 1)),
                "node" => format!("{}/lesson-{number}.flv", server.ws),
                _ => format!("{}/lesson-{number}", server.rtmp),
            });
        }
        Ok(Self::Server(Box::new(Running {
            kind,
            server,
            publishers,
            sent: first.context("no streams")?,
            play,
            alone: 0,
        })))
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Server(running) => running.kind,
        }
    }
}

impl Running {
    /// Whether its viewers can have that budget: others than ours have one, which is compared with our default.
    fn has(&self, budget: u64) -> bool {
        budget == DEFAULT_BUDGET || !matches!(self.kind, "nginx" | "node")
    }

    async fn measure(
        &self,
        lesson: &Arc<Lesson>,
        viewers: usize,
        budget: u64,
        time: Duration,
    ) -> Result<Report> {
        let told = budget != DEFAULT_BUDGET;
        let buffer = told.then_some(budget * BUFFER_PER_BUDGET);
        let mut audience = Audience::new(lesson, &self.sent);
        audience.spread(&self.play, viewers, buffer).await;
        audience.settle().await?;
        let report = audience.measure(time, &[self.server.pid()]).await?;
        for publisher in &self.publishers {
            publisher.check()?;
        }
        audience.leave().await;
        Ok(report)
    }
}

impl Row {
    fn all(&self, figure: impl Fn(&Report) -> f64) -> Vec<f64> {
        self.reports.iter().map(figure).collect()
    }

    /// The median of what each round's cost is of the peer's in the same round.
    fn ratio(&self, peer: Option<&Self>) -> Option<f64> {
        let peer = peer.filter(|peer| !peer.reports.is_empty())?;
        let rounds = self.reports.iter().zip(&peer.reports);
        Some(median(
            rounds.map(|(own, peer)| own.cpu / peer.cpu).collect(),
        ))
    }

    fn line(&self, ratios: &[Option<f64>], alone: Option<u64>) -> String {
        let cpu = self.all(|report| report.cpu);
        let (least, most) = (
            cpu.iter().copied().fold(f64::MAX, f64::min),
            cpu.iter().copied().fold(0.0, f64::max),
        );
        let ratios: String = ratios
            .iter()
            .map(|ratio| {
                let text = ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
                format!(" {text:>7}")
            })
            .collect();
        let delays = |of: fn(&Report) -> &Delays| {
            let mut sum = Delays::default();
            self.reports.iter().for_each(|report| sum.merge(of(report)));
            both(&sum)
        };
        let mut line = format!(
            "{:5.0} {:>10}{ratios} {:8.2}",
            median(cpu),
            format!("{least:.0}-{most:.0}"),
            median(self.all(|report| report.writes)),
        );
        let (video, audio) = (
            delays(|report| &report.video),
            delays(|report| &report.audio),
        );
        let viewers = median(self.all(|report| report.witnesses * 100.0));
        if let (Some(alone), Some(last)) = (alone, self.reports.last()) {
            let memory = last.resident.saturating_sub(alone) as f64 / 1024.0 / last.viewers as f64;
            line += &format!(
                " {memory:10.1} {video:>13} {audio:>13} {:7.3} {:4} {:4} {:6.0} {viewers:8.0}",
                self.all(|report| report.slowest)
                    .into_iter()
                    .fold(1.0, f64::min),
                self.reports.iter().map(|report| report.gaps).sum::<u64>(),
                self.reports.iter().map(|report| report.lost).sum::<usize>(),
                median(self.all(|report| report.kbit_per_second)),
            );
        } else {
            line += &format!(
                " {:>10} {video:>13} {audio:>13} {:>7} {:>4} {:>4} {:>6} {viewers:8.0}",
                "", "", "", "", ""
            );
        }
        line
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Median and 99th percentile, in milliseconds.
fn both(delays: &Delays) -> String {
    format!("{:.1}, {:.1}", delays.quantile(0.5), delays.quantile(0.99))
}
