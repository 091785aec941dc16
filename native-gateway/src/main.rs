//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chalkcast_gateway::options::Options;
use chalkcast_gateway::{Config, Listeners, config, describe, interrupted, play, publish, run};
use clap::{Parser, Subcommand};
use tracing::{error, info};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::ChronoLocal;

/// Live lessons in web pages, over RTMP: a gateway between browsers, OBS, ffmpeg and any RTMP relay
#[derive(Parser)]
#[command(name = "chalkcast", version, after_help = EXAMPLES, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// How much to say: error, warn, info, debug, trace, or a filter as in RUST_LOG
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        env = "CHALKCAST_LOG",
        default_value = "info",
        value_parser = log_filter
    )]
    log: String,
}

#[derive(Subcommand)]
enum Command {
    /// Serve pages and streams until Ctrl-C
    #[command(after_help = SERVE_EXAMPLES)]
    Serve {
        #[command(flatten)]
        options: Box<Options>,
        /// Settings in a TOML file; flags and environment go over it. The names are those of the flags: http = "0.0.0.0:8080"
        #[arg(long, value_name = "FILE", env = "CHALKCAST_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Play an FLV file out to a server, in real time
    #[command(after_help = PUBLISH_EXAMPLES)]
    Publish {
        /// The FLV file
        file: PathBuf,
        /// Where to: rtmp://HOST/APP/STREAM, ws://HOST:PORT/APP/STREAM, rtmps:// or wss://
        url: String,
        /// Over and over again, as one stream without a seam
        #[arg(long)]
        r#loop: bool,
    },
    /// Record a stream in an FLV file, until it or Ctrl-C ends
    #[command(after_help = PLAY_EXAMPLES)]
    Play {
        /// Where from: rtmp://HOST/APP/STREAM, ws://HOST:PORT/APP/STREAM, rtmps:// or wss://
        url: String,
        /// The FLV file; "-" is the standard output
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// End after so many seconds
        #[arg(long, value_name = "N")]
        seconds: Option<f64>,
    },
}

const EXAMPLES: &str = "\
Examples:
  chalkcast serve                                             then open http://localhost:8080/
  chalkcast publish lesson.flv rtmp://localhost/live/lesson   and http://localhost:8080/student?stream=lesson
  chalkcast play ws://localhost:8080/live/lesson -o copy.flv

Exit codes: 0 done, 1 failed (the last line says why), 2 not understood.";

const SERVE_EXAMPLES: &str = "\
Examples:
  chalkcast serve                                       this machine only
  chalkcast serve --http 0.0.0.0:8443 --tls-self-signed other devices too (cameras need https)
  chalkcast serve --relay 'rtmp://localhost:1936/{app}' in front of nginx-rtmp, SRS or another relay
  chalkcast serve --app maths --app physics             only these apps

Every flag can be an environment variable: CHALKCAST_HTTP, CHALKCAST_RTMP, …";

const PUBLISH_EXAMPLES: &str = "\
Examples:
  chalkcast publish lesson.flv rtmp://localhost/live/lesson
  chalkcast publish lesson.flv ws://localhost:8080/live/lesson --loop";

const PLAY_EXAMPLES: &str = "\
Examples:
  chalkcast play rtmp://localhost/live/lesson -o lesson.flv
  chalkcast play ws://localhost:8080/live/lesson -o - | ffplay -";

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log(&cli.log);
    match execute(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error:#}");
            if error.is::<config::ConfigError>() {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn execute(command: Command) -> Result<()> {
    match command {
        Command::Serve { options, config } => {
            let config = Config::load(*options, config.as_deref())?;
            runtime(config.threads)?.block_on(serve(config))
        }
        Command::Publish { file, url, r#loop } => {
            let job = publish::Job {
                file,
                url,
                repeat: r#loop,
            };
            runtime(Some(1))?.block_on(publish::run(job, interrupted()))
        }
        Command::Play {
            url,
            output,
            seconds,
        } => {
            let limit = seconds
                .map(Duration::try_from_secs_f64)
                .transpose()
                .context("--seconds")?;
            runtime(Some(1))?.block_on(play::run(play::Job { url, output, limit }, interrupted()))
        }
    }
}

async fn serve(config: Config) -> Result<()> {
    let listeners = Listeners::bind(&config)?;
    info!("ready");
    for line in describe(&listeners, &config) {
        info!("  {line}");
    }
    info!("Ctrl-C ends it");
    run(listeners, config, interrupted()).await?;
    info!("ended");
    Ok(())
}

fn runtime(threads: Option<usize>) -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads);
    }
    // A task may write to viewers for some milliseconds: sockets are looked after in between.
    builder.event_interval(1);
    builder.enable_all().build().context("cannot start threads")
}

/// A word that is no level would be taken for the name of a part of the program, and silence the rest.
fn log_filter(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = LEVELS.contains(&text.to_ascii_lowercase().as_str());
    if !is_level && !text.contains('=') {
        return Err(format!("write one of {}", LEVELS.join(", ")));
    }
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// On the standard error, so that `play -o -` can write media to the standard output. A file is read another day.
fn start_log(filter: &str) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let time = if is_terminal {
        "%H:%M:%S%.3f"
    } else {
        "%Y-%m-%d %H:%M:%S%.3f"
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_terminal)
        .with_target(false)
        .with_timer(ChronoLocal::new(time.to_owned()))
        .init();
}
