//! The same bytes to the same number of sockets, written when the relay would write them, with no protocol at all.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};
use chalkcast_core::flv::TagType;
use clap::Args;
use tokio::io::{AsyncReadExt as _, BufReader as AsyncBufReader};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use crate::audience::{Report, is_sampled};
use crate::cost::Cost;
use crate::delays::Delays;
use crate::lesson::Lesson;

#[derive(Args, Clone)]
pub(crate) struct Options {
    /// The FLV file
    #[arg(long)]
    pub(crate) file: PathBuf,
    /// How many sockets
    #[arg(long)]
    pub(crate) viewers: usize,
    /// How long a tag may wait, in milliseconds; up to 40, only audio waits
    #[arg(long)]
    pub(crate) budget: u64,
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the writing process, reads what it writes, and measures for `time`.
pub(crate) async fn measure(options: &Options, time: Duration) -> Result<Report> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("floor-server")
        .arg("--file")
        .arg(&options.file)
        .args(["--viewers", &options.viewers.to_string()])
        .args(["--budget", &options.budget.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    BufReader::new(child.stdout.take().context("no output")?).read_line(&mut address)?;
    let child = Killed(child);
    let delays: Arc<Mutex<[Delays; 2]>> = Arc::default();
    let measuring = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicU64::new(0));
    let mut readers = JoinSet::new();
    for number in 0..options.viewers {
        let delays = is_sampled(number, options.viewers).then(|| Arc::clone(&delays));
        let threads = match delays {
            Some(_) => crate::SAMPLED_THREAD.handle(),
            None => &Handle::current(),
        };
        let (address, measuring, reads) = (
            address.trim().to_owned(),
            Arc::clone(&measuring),
            Arc::clone(&reads),
        );
        let reader = async move {
            let socket = TcpStream::connect(address).await?;
            read(socket, delays, measuring, reads).await
        };
        readers.spawn_on(reader, threads);
        // Not more at once than a listening socket's backlog holds.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let pids = [child.0.id()];
    let own = [std::process::id()];
    let (start, own_start, started) = (Cost::of(&pids)?, Cost::of(&own)?, Instant::now());
    measuring.store(true, Ordering::Relaxed);
    tokio::time::sleep(time).await;
    measuring.store(false, Ordering::Relaxed);
    let (end, own_end, elapsed) = (Cost::of(&pids)?, Cost::of(&own)?, started.elapsed());
    let viewer_seconds = options.viewers as f64 * elapsed.as_secs_f64();
    let [audio, video] = delays
        .lock()
        .map(|mut delays| std::mem::take(&mut *delays))
        .unwrap_or_default();
    Ok(Report {
        viewers: options.viewers,
        cpu: end.since(&start).as_secs_f64() * 1e6 / viewer_seconds,
        writes: reads.load(Ordering::Relaxed) as f64 / viewer_seconds,
        witnesses: own_end.since(&own_start).as_secs_f64() / elapsed.as_secs_f64(),
        resident: end.resident,
        audio,
        video,
        ..Report::default()
    })
}

/// Reads frames: their kind and length, the time they were due, and zeros.
async fn read(
    socket: TcpStream,
    delays: Option<Arc<Mutex<[Delays; 2]>>>,
    measuring: Arc<AtomicBool>,
    reads: Arc<AtomicU64>,
) -> Result<()> {
    let mut socket = AsyncBufReader::with_capacity(64 * 1024, socket);
    let mut body = Vec::new();
    loop {
        let (kind, length) = (socket.read_u8().await?, socket.read_u24().await?);
        let due = socket.read_u64().await?;
        body.resize(length as usize, 0);
        socket.read_exact(&mut body).await?;
        if measuring.load(Ordering::Relaxed) {
            if socket.buffer().is_empty() {
                reads.fetch_add(1, Ordering::Relaxed);
            }
            if let Some(Ok(mut delays)) = delays.as_ref().map(|delays| delays.lock()) {
                delays[usize::from(kind)].add(microseconds().saturating_sub(due));
            }
        }
    }
}

trait ReadU24 {
    async fn read_u24(&mut self) -> std::io::Result<u32>;
}

impl ReadU24 for AsyncBufReader<TcpStream> {
    async fn read_u24(&mut self) -> std::io::Result<u32> {
        Ok(u32::from(self.read_u8().await?) << 16 | u32::from(self.read_u16().await?))
    }
}

/// Writes, in one thread, until it is killed.
pub(crate) fn serve(options: &Options) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    let mut sockets = Vec::new();
    for _ in 0..options.viewers {
        let (socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        sockets.push(socket);
    }
    let lesson = Lesson::read(&options.file)?;
    let budget = Duration::from_millis(options.budget);
    let video_at_once = options.budget <= 40;
    let started = Instant::now();
    let mut bytes = Vec::new();
    let mut oldest = Duration::ZERO;
    for number in 0.. {
        let (due, tag) = lesson.frame(number);
        if !bytes.is_empty() && oldest + budget <= due {
            std::thread::sleep((oldest + budget).saturating_sub(started.elapsed()));
            write(&mut sockets, &mut bytes)?;
        }
        std::thread::sleep(due.saturating_sub(started.elapsed()));
        if bytes.is_empty() {
            oldest = due;
        }
        let is_video = tag.tag_type == TagType::Video;
        bytes.push(u8::from(is_video));
        bytes.extend_from_slice(&(tag.payload.len() as u32).to_be_bytes()[1..]);
        bytes.extend_from_slice(&microseconds().to_be_bytes());
        bytes.extend_from_slice(&tag.payload);
        if budget.is_zero() || (is_video && video_at_once) {
            write(&mut sockets, &mut bytes)?;
        }
    }
    Ok(())
}

fn write(sockets: &mut [std::net::TcpStream], bytes: &mut Vec<u8>) -> Result<()> {
    for socket in sockets {
        socket.write_all(bytes)?;
    }
    bytes.clear();
    Ok(())
}

/// On a clock that both processes can read.
fn microseconds() -> u64 {
    SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |elapsed| elapsed.as_micros() as u64)
}
