//! `chalkcast play`: records a stream in an FLV file.

use std::fs::File;
use std::future::Future;
use std::io::{BufWriter, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Muxer, Tag, TagHeader, TagType};
use chalkcast_core::session::client::{Event, Play};
use chalkcast_core::session::{Level, code};
use tracing::info;

use crate::address::Endpoint;
use crate::client::{Client, explain};
use crate::clock::Clock;
use crate::progress::Progress;

/// A stream on its way to a file.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where from.
    pub url: String,
    /// The FLV file; `-` is the standard output.
    pub output: PathBuf,
    /// Ends after so long, counted from the first tag.
    pub limit: Option<Duration>,
}

/// Records until the publisher goes, the limit is reached, or `interrupted` ends it.
pub async fn run(job: Job, interrupted: impl Future<Output = ()>) -> Result<()> {
    let (endpoint, name) = Endpoint::parse_with_stream(&job.url)?;
    let mut interrupted = pin!(interrupted);
    let mut client = Client::open(&endpoint, Clock::start()).await?;
    let mut recording = Recording::create(&job.output)?;
    let now = client.now();
    let stream = client.session().create_stream(now)?;
    client.session().play(now, stream, Play::new(&name))?;
    let mut progress = Progress::start();
    let outcome = tokio::select! {
        outcome = record(&mut client, &mut recording, job.limit, &mut progress) => outcome,
        () = &mut interrupted => Ok(()),
    };
    let saved = recording.finish();
    info!(
        "recorded {} to {}",
        progress.summary(),
        job.output.display()
    );
    client.close().await;
    outcome.and(saved)
}

async fn record(
    client: &mut Client,
    recording: &mut Recording,
    limit: Option<Duration>,
    progress: &mut Progress,
) -> Result<()> {
    let mut end = None;
    loop {
        let event = tokio::select! {
            event = client.event() => event,
            () = async { tokio::time::sleep_until(end.unwrap_or_else(tokio::time::Instant::now)).await }, if end.is_some() => return Ok(()),
        };
        match event {
            Event::Tag { tag, .. } => {
                if end.is_none() {
                    end = limit.map(|limit| tokio::time::Instant::now() + limit);
                }
                recording.write(&tag)?;
                progress.count(&tag);
                progress.show("");
            }
            Event::Status { status, .. } => match &*status.code {
                code::PLAY_STREAM_NOT_FOUND => {
                    info!("nobody publishes that yet; waiting (Ctrl-C ends)")
                }
                code::PLAY_START => info!("playing"),
                code::PLAY_UNPUBLISH_NOTIFY | code::PLAY_STOP | code::PLAY_COMPLETE
                    if recording.is_begun() =>
                {
                    info!("the publisher has ended");
                    return Ok(());
                }
                _ if status.level == Level::Error => {
                    bail!(
                        "the server refused: {} ({})",
                        status.description,
                        status.code
                    )
                }
                _ => {}
            },
            Event::StreamEof { .. } if recording.is_begun() => {
                info!("the stream has ended");
                return Ok(());
            }
            Event::Closed { reason } => bail!(explain(&reason)),
            _ => {}
        }
    }
}

/// An FLV file being written, playable at any time.
struct Recording {
    output: Output,
    muxer: Muxer,
    buffer: Vec<u8>,
    /// The first frame's timestamp, which becomes 0.
    base: Option<Timestamp>,
    has_audio: bool,
    has_video: bool,
}

enum Output {
    File(BufWriter<File>),
    Stdout(std::io::Stdout),
}

/// Where in the file's header the flags are that say which tracks it has.
const FLAGS_AT: u64 = 4;

impl Recording {
    fn create(path: &Path) -> Result<Self> {
        let output = if path == Path::new("-") {
            Output::Stdout(std::io::stdout())
        } else {
            let file =
                File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            Output::File(BufWriter::new(file))
        };
        let muxer = Muxer::new(true, true);
        Ok(Self {
            output,
            muxer,
            buffer: Vec::new(),
            base: None,
            has_audio: false,
            has_video: false,
        })
    }

    fn is_begun(&self) -> bool {
        self.base.is_some()
    }

    fn write(&mut self, tag: &Tag) -> Result<()> {
        let header = TagHeader::parse(tag);
        if tag.tag_type != TagType::Script && !header.is_sequence_header() {
            self.base.get_or_insert(tag.timestamp);
        }
        self.has_audio |= tag.tag_type == TagType::Audio;
        self.has_video |= tag.tag_type == TagType::Video;
        let since = self.base.map_or(0, |base| tag.timestamp.since(base).max(0));
        let timestamp = Timestamp::from_millis(since.unsigned_abs());
        self.buffer.clear();
        self.muxer.encode(
            &Tag {
                timestamp,
                ..tag.clone()
            },
            &mut self.buffer,
        )?;
        self.output
            .write(&self.buffer)
            .context("cannot write the recording; is the disk full?")
    }

    /// Says in the file's header which tracks came, and brings everything to the disk.
    fn finish(&mut self) -> Result<()> {
        let flags = u8::from(self.has_audio) << 2 | u8::from(self.has_video);
        match &mut self.output {
            Output::Stdout(stdout) => stdout.flush()?,
            Output::File(file) => {
                self.buffer.clear();
                self.muxer.start(&mut self.buffer);
                file.write_all(&self.buffer)?;
                file.seek(SeekFrom::Start(FLAGS_AT))?;
                file.write_all(&[flags])?;
                file.flush()?;
            }
        }
        Ok(())
    }
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::File(file) => file.write_all(bytes),
            Self::Stdout(stdout) => stdout.write_all(bytes),
        }
    }
}
