//! Viewers of a server that speaks RTMP, over TCP or WebSocket. Every viewer's session decodes every byte, and checks that
//! timestamps rise without a gap.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use chalkcast_core::flv::{Tag, TagHeader, TagType};
use chalkcast_core::session::PublishKind;
use chalkcast_core::session::client::{Event, Play};
use chalkcast_gateway::Clock;
use chalkcast_gateway::address::Endpoint;
use chalkcast_gateway::client::Client;
use clap::Args;

use crate::cost::Cost;
use crate::delays::Delays;
use crate::lesson::Lesson;

#[derive(Args)]
pub(crate) struct Options {
    /// How the line begins
    #[arg(long, default_value = "")]
    label: String,
    /// Where to publish: rtmp://… or ws://…
    #[arg(long)]
    publish: String,
    /// Where to watch
    #[arg(long)]
    play: String,
    /// The FLV file
    #[arg(long)]
    file: PathBuf,
    /// How many watch
    #[arg(long, default_value_t = 100)]
    viewers: usize,
    /// How long it is measured
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// SetBufferLength of the viewers, in milliseconds
    #[arg(long)]
    buffer: Option<u64>,
    /// One more viewer that never reads
    #[arg(long)]
    stuck: bool,
    /// The server's processes
    #[arg(long)]
    pid: Vec<u32>,
}

/// When each frame was sent: microseconds on the monotonic clock since `origin`, by timestamp and kind.
struct Sent {
    origin: Instant,
    times: Vec<AtomicU64>,
}

/// An hour of milliseconds, for two kinds.
const SLOTS: usize = 3_600_000 * 2;

impl Sent {
    fn slot(&self, tag: &Tag) -> &AtomicU64 {
        let kind = usize::from(tag.tag_type == TagType::Video);
        &self.times[(tag.timestamp.as_millis() as usize * 2 + kind) % SLOTS]
    }

    fn now(&self) -> u64 {
        self.origin.elapsed().as_micros() as u64
    }
}

#[derive(Default)]
struct Seen {
    video: Delays,
    audio: Delays,
    tags: u64,
    gaps: u64,
    bytes: u64,
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let lesson = Lesson::read(&options.file)?;
    let sent = Arc::new(Sent {
        origin: Instant::now(),
        times: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
    });
    let publisher = tokio::spawn(publish(options.publish.clone(), lesson, Arc::clone(&sent)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let before = Cost::of(&options.pid)?;
    let mut viewers = Vec::new();
    for _ in 0..options.viewers {
        let viewer = watch(
            options.play.clone(),
            options.buffer,
            Arc::clone(&sent),
            Arc::clone(&seen),
        );
        viewers.push(tokio::spawn(viewer));
        // Not more at once than a listening socket's backlog holds.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let _stuck = if options.stuck {
        Some(stuck(&options.play).await?)
    } else {
        None
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    seen.lock()
        .map_err(|_| anyhow!("a viewer panicked"))?
        .clear();
    let start = Cost::of(&options.pid)?;
    let started = Instant::now();
    MEASURING.store(1, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    MEASURING.store(0, Ordering::Relaxed);
    let end = Cost::of(&options.pid)?;
    let elapsed = started.elapsed();
    if publisher.is_finished() {
        return publisher.await?;
    }
    let lost = viewers.iter().filter(|viewer| viewer.is_finished()).count();
    tokio::time::sleep(Duration::from_millis(500)).await;

    let seen = seen.lock().map_err(|_| anyhow!("a viewer panicked"))?;
    let (mut video, mut audio) = (Delays::default(), Delays::default());
    let (mut gaps, mut bytes, mut tags) = (0, 0, 0);
    let slowest = seen
        .iter()
        .map(|seen: &Seen| seen.tags)
        .min()
        .unwrap_or_default();
    let quickest = seen.iter().map(|seen| seen.tags).max().unwrap_or(1);
    for one in seen.iter() {
        video.merge(&one.video);
        audio.merge(&one.audio);
        gaps += one.gaps;
        bytes += one.bytes;
        tags += one.tags;
    }
    let viewer_seconds = options.viewers as f64 * elapsed.as_secs_f64();
    println!(
        "{:24} {:5} viewers  {:6.0} us CPU/viewer-s  {:5.1} KiB/viewer  video p50 {:5.1} p99 {:5.1} ms  audio p50 {:5.1} p99 {:5.1} ms  \
         slowest {:.3}  gaps {gaps}  lost {lost}  {:.0} kbit/s  {:.0} tags/s",
        options.label,
        options.viewers,
        (end.cpu - start.cpu).as_secs_f64() * 1e6 / viewer_seconds,
        end.resident.saturating_sub(before.resident) as f64 / 1024.0 / options.viewers as f64,
        video.quantile(0.5),
        video.quantile(0.99),
        audio.quantile(0.5),
        audio.quantile(0.99),
        slowest as f64 / quickest as f64,
        bytes as f64 * 8.0 / 1000.0 / viewer_seconds,
        tags as f64 / viewer_seconds,
    );
    Ok(())
}

/// Whether what viewers get counts.
static MEASURING: AtomicU64 = AtomicU64::new(0);

async fn publish(url: String, lesson: Lesson, sent: Arc<Sent>) -> Result<()> {
    let (endpoint, name) = Endpoint::parse_with_stream(&url)?;
    let mut client = Client::open(&endpoint, Clock::start()).await?;
    let now = client.now();
    let stream = client.session().create_stream(now)?;
    client
        .session()
        .publish(now, stream, &name, PublishKind::Live)?;
    loop {
        match client.event().await {
            Event::PublishReady { .. } => break,
            Event::Closed { reason } => bail!("cannot publish: {reason}"),
            Event::Status { status, .. } => bail!("cannot publish: {status:?}"),
            _ => {}
        }
    }
    for tag in lesson.headers() {
        client.session().send_tag(now, stream, tag)?;
    }
    let started = tokio::time::Instant::now();
    for (due, tag) in lesson.frames() {
        loop {
            tokio::select! {
                event = client.event() => if let Event::Closed { reason } = event { bail!("no longer published: {reason}") },
                () = tokio::time::sleep_until(started + due) => break,
            }
        }
        sent.slot(&tag).store(sent.now(), Ordering::Relaxed);
        let now = client.now();
        client.session().send_tag(now, stream, &tag)?;
        std::future::poll_fn(|cx| client.poll_flush(cx)).await?;
    }
    Ok(())
}

async fn watch(
    url: String,
    buffer: Option<u64>,
    sent: Arc<Sent>,
    all: Arc<Mutex<Vec<Seen>>>,
) -> Result<()> {
    let (endpoint, name) = Endpoint::parse_with_stream(&url)?;
    let mut client = Client::open(&endpoint, Clock::start()).await?;
    let now = client.now();
    let stream = client.session().create_stream(now)?;
    if let Some(ms) = buffer {
        client
            .session()
            .set_buffer_length(now, stream, Duration::from_millis(ms))?;
    }
    client.session().play(now, stream, Play::new(&name))?;
    let mut seen = Seen::default();
    let mut measured = false;
    let (mut last_video, mut last_audio) = (None, None);
    loop {
        let tag = match client.event().await {
            Event::Tag { tag, .. } => tag,
            Event::Closed { reason } => bail!("{reason}"),
            _ => continue,
        };
        if tag.tag_type == TagType::Script || TagHeader::parse(&tag).is_sequence_header() {
            continue;
        }
        let last = if tag.tag_type == TagType::Video {
            &mut last_video
        } else {
            &mut last_audio
        };
        let step = last
            .replace(tag.timestamp)
            .map(|last| tag.timestamp.since(last));
        let measuring = MEASURING.load(Ordering::Relaxed) == 1;
        if measuring {
            measured = true;
            seen.tags += 1;
            seen.bytes += tag.payload.len() as u64;
            // The lesson has a picture each 67 ms and a sound each 23 at the longest, and its slides stand still for less than a second.
            seen.gaps += u64::from(step.is_some_and(|step| !(0..=1000).contains(&step)));
            let delay = sent
                .now()
                .saturating_sub(sent.slot(&tag).load(Ordering::Relaxed));
            if tag.tag_type == TagType::Video {
                &mut seen.video
            } else {
                &mut seen.audio
            }
            .add(delay);
        } else if measured {
            measured = false;
            if let Ok(mut all) = all.lock() {
                all.push(std::mem::take(&mut seen));
            }
        }
    }
}

/// A viewer that asks and then never reads.
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
