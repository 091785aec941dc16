//! The same bytes to the same number of sockets, written together at a fixed cadence, with no protocol at all.

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::cost::Cost;
use crate::lesson::Lesson;

#[derive(Args, Clone)]
pub(crate) struct Options {
    /// How the line begins
    #[arg(long, default_value = "bare writes")]
    label: String,
    /// The FLV file
    #[arg(long)]
    file: PathBuf,
    /// How many sockets
    #[arg(long, default_value_t = 100)]
    viewers: usize,
    /// How long it is measured
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Milliseconds between writes; 0 writes every tag by itself
    #[arg(long, default_value_t = 0)]
    every: u64,
}

/// Starts the writing process, reads what it writes, and prints what that cost.
pub(crate) async fn run(options: Options) -> Result<()> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("floor-server")
        .arg("--file")
        .arg(&options.file)
        .args([
            "--viewers",
            &options.viewers.to_string(),
            "--every",
            &options.every.to_string(),
        ])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut address)?;
    for _ in 0..options.viewers {
        let mut socket = TcpStream::connect(address.trim()).await?;
        tokio::spawn(async move {
            let mut buffer = vec![0; 16 * 1024];
            while socket
                .read(&mut buffer)
                .await
                .is_ok_and(|length| length > 0)
            {}
        });
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let pids = [child.id()];
    let start = Cost::of(&pids)?;
    let started = Instant::now();
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    let cpu = Cost::of(&pids)?.cpu - start.cpu;
    let viewer_seconds = options.viewers as f64 * started.elapsed().as_secs_f64();
    println!(
        "{:24} {:5} viewers  {:6.0} us CPU/viewer-s  (a write each {} ms)",
        options.label,
        options.viewers,
        cpu.as_secs_f64() * 1e6 / viewer_seconds,
        options.every,
    );
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// Writes, in one thread, until it is killed.
pub(crate) fn serve(options: &Options) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let mut sockets = Vec::new();
    for _ in 0..options.viewers {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        socket.set_nonblocking(true)?;
        sockets.push(socket);
    }
    let lesson = Lesson::read(&options.file)?;
    let started = Instant::now();
    let mut bytes = Vec::new();
    let mut written = Duration::ZERO;
    for (due, tag) in lesson.frames() {
        if !bytes.is_empty() && due >= written + Duration::from_millis(options.every) {
            std::thread::sleep(due.saturating_sub(started.elapsed()));
            for socket in &mut sockets {
                match socket.write(&bytes) {
                    Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error.into()),
                    _ => {}
                }
            }
            bytes.clear();
            written = due;
        }
        bytes.extend_from_slice(&[0; 12]);
        bytes.extend_from_slice(&tag.payload);
    }
    Ok(())
}
