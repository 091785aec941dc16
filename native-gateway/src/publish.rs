//! `chalkcast publish`: plays an FLV file out in real time.

use std::fs::File;
use std::future::Future;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::pin::pin;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Demuxer, Tag, TagHeader, TagType};
use chalkcast_core::session::client::Event;
use chalkcast_core::session::{Level, PublishKind, StreamKey};
use tracing::info;

use crate::address::Endpoint;
use crate::client::{Client, explain};
use crate::clock::Clock;
use crate::progress::Progress;

/// A file on its way to a server.
#[derive(Clone, Debug)]
pub struct Job {
    /// The FLV file.
    pub file: PathBuf,
    /// Where to.
    pub url: String,
    /// Over and over again, as one stream whose timestamps go on.
    pub repeat: bool,
}

/// What a server that does not keep up may make wait in memory before reading the file pauses, in bytes.
const BACKLOG: usize = 1 << 20;

/// Publishes until the file, or `interrupted`, ends it.
pub async fn run(job: Job, interrupted: impl Future<Output = ()>) -> Result<()> {
    let (endpoint, name) = Endpoint::parse_with_stream(&job.url)?;
    let mut reel = Reel::open(&job.file, job.repeat)?;
    let clock = Clock::start();
    let mut interrupted = pin!(interrupted);
    let mut client = Client::open(&endpoint, clock).await?;
    let stream = ask(&mut client, &name)?;
    let mut progress = Progress::start();
    let outcome = tokio::select! {
        outcome = play_out(&mut client, stream, &mut reel, clock, &mut progress) => outcome,
        () = &mut interrupted => Ok(()),
    };
    info!("published {}", progress.summary());
    let now = client.now();
    let _ = client.session().delete_stream(now, stream);
    client.close().await;
    outcome
}

fn ask(client: &mut Client, name: &str) -> Result<StreamKey> {
    let now = client.now();
    let stream = client.session().create_stream(now)?;
    client
        .session()
        .publish(now, stream, name, PublishKind::Live)?;
    Ok(stream)
}

async fn play_out(
    client: &mut Client,
    stream: StreamKey,
    reel: &mut Reel,
    clock: Clock,
    progress: &mut Progress,
) -> Result<()> {
    while !is_ready(client.event().await)? {}
    info!("publishing {}", reel.path.display());
    let started = clock.now();
    while let Some((tag, due)) = reel.next_tag()? {
        // Each tag has its place on the clock, so that waiting a little long now and then does not add up.
        let due = clock.deadline(started + due);
        loop {
            let backlog = client.backlog() > BACKLOG;
            tokio::select! {
                event = client.event() => { is_ready(event)?; }
                () = tokio::time::sleep_until(due), if !backlog => break,
            }
        }
        let now = client.now();
        client.session().send_tag(now, stream, &tag)?;
        progress.count(&tag);
        progress.show(&reel.note());
    }
    while client.backlog() > 0 {
        std::future::poll_fn(|cx| client.poll_flush(cx))
            .await
            .context("the server closed the connection")?;
    }
    Ok(())
}

/// True once tags can be sent. Fails with what the server says.
fn is_ready(event: Event) -> Result<bool> {
    match event {
        Event::PublishReady { .. } => Ok(true),
        Event::Status { status, .. } if status.level == Level::Error => {
            bail!(
                "the server refused: {} ({})",
                status.description,
                status.code
            )
        }
        Event::Closed { reason } => bail!(explain(&reason)),
        _ => Ok(false),
    }
}

/// A file's tags with the time at which each is due, once or over and over.
struct Reel {
    path: PathBuf,
    file: File,
    demuxer: Demuxer,
    at_end: bool,
    repeat: bool,
    round: u32,
    /// The first timestamp of the file.
    first: Option<Timestamp>,
    /// Milliseconds between the first tag of all and the first of this round.
    offset: u64,
    audio: Track,
    video: Track,
}

/// Where a track ends: where its last frame does.
#[derive(Default)]
struct Track {
    last: Option<u64>,
    step: u64,
    /// The sequence header that holds.
    header: Option<Bytes>,
}

impl Track {
    fn note(&mut self, at: u64) {
        if let Some(last) = self.last
            && at > last
        {
            self.step = at - last;
        }
        self.last = Some(at);
    }

    fn end(&self) -> u64 {
        self.last.map_or(0, |last| last + self.step)
    }
}

impl Reel {
    fn open(path: &Path, repeat: bool) -> Result<Self> {
        let mut file =
            File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut signature = [0; 3];
        let is_flv = file.read_exact(&mut signature).is_ok() && &signature == b"FLV";
        if !is_flv {
            bail!(
                "{} is not an FLV file; make one with: ffmpeg -i INPUT -c:v libx264 -bf 0 -c:a aac OUTPUT.flv",
                path.display()
            );
        }
        let mut demuxer = Demuxer::new();
        demuxer.push(&signature);
        Ok(Self {
            path: path.to_owned(),
            file,
            demuxer,
            at_end: false,
            repeat,
            round: 1,
            first: None,
            offset: 0,
            audio: Track::default(),
            video: Track::default(),
        })
    }

    /// The next tag, stamped for the whole of the stream, and how long after the start it is due.
    fn next_tag(&mut self) -> Result<Option<(Tag, std::time::Duration)>> {
        loop {
            let Some(tag) = self.read_tag()? else {
                if !self.repeat || self.first.is_none() {
                    return Ok(None);
                }
                self.rewind()?;
                continue;
            };
            let first = *self.first.get_or_insert(tag.timestamp);
            let at = self.offset + u64::try_from(tag.timestamp.since(first)).unwrap_or(0);
            let track = match tag.tag_type {
                TagType::Audio => Some(&mut self.audio),
                TagType::Video => Some(&mut self.video),
                TagType::Script => None,
            };
            // The stream goes on: of what was sent in the first round, a header is sent again only where another has come between.
            let is_known = match track {
                Some(track) if TagHeader::parse(&tag).is_sequence_header() => {
                    let before = track.header.replace(tag.payload.clone());
                    before.as_ref() == Some(&tag.payload)
                }
                Some(track) => {
                    track.note(at);
                    false
                }
                None => true,
            };
            if self.round > 1 && is_known {
                continue;
            }
            let timestamp = Timestamp::from_millis(at as u32);
            return Ok(Some((
                Tag { timestamp, ..tag },
                std::time::Duration::from_millis(at),
            )));
        }
    }

    fn note(&self) -> String {
        if self.repeat {
            format!("round {}", self.round)
        } else {
            String::new()
        }
    }

    fn read_tag(&mut self) -> Result<Option<Tag>> {
        loop {
            if let Some(tag) = self.demuxer.next_tag() {
                return Ok(Some(tag));
            }
            if self.at_end {
                return Ok(None);
            }
            let mut buffer = [0; 64 * 1024];
            let length = self
                .file
                .read(&mut buffer)
                .with_context(|| format!("cannot read {}", self.path.display()))?;
            self.demuxer.push(&buffer[..length]);
            if length == 0 {
                self.at_end = true;
                self.demuxer.finish();
            }
        }
    }

    /// The next round begins where the longer of the tracks ends.
    fn rewind(&mut self) -> Result<()> {
        let end = self.audio.end().max(self.video.end());
        if end <= self.offset {
            return Err(anyhow!(
                "{} holds nothing that takes time",
                self.path.display()
            ));
        }
        let reopened = Self::open(&self.path, self.repeat)?;
        (self.file, self.demuxer, self.at_end) = (reopened.file, reopened.demuxer, false);
        self.offset = end;
        self.round += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chalkcast_core::flv::Muxer;

    fn tag(tag_type: TagType, ms: u32, payload: &'static [u8]) -> Tag {
        Tag {
            tag_type,
            timestamp: Timestamp::from_millis(ms),
            payload: payload.into(),
        }
    }

    #[test]
    fn a_loop_begins_with_its_header_where_the_file_changes_it() {
        let path = std::env::temp_dir().join(format!("chalkcast-size-{}.flv", std::process::id()));
        let mut bytes = Vec::new();
        let mut muxer = Muxer::new(false, true);
        let small = b"\x17\x00\x00\x00\x00small";
        let large = b"\x17\x00\x00\x00\x00large";
        let frame = b"\x17\x01\x00\x00\x00x";
        for (ms, payload) in [(0, &small[..]), (0, frame), (500, large), (500, frame)] {
            muxer
                .encode(&tag(TagType::Video, ms, payload), &mut bytes)
                .unwrap();
        }
        std::fs::write(&path, &bytes).unwrap();
        let mut reel = Reel::open(&path, true).unwrap();
        let payloads: Vec<_> = (0..8)
            .map(|_| reel.next_tag().unwrap().unwrap().0.payload)
            .collect();
        std::fs::remove_file(&path).unwrap();
        let round = [&small[..], frame, large, frame];
        assert_eq!(payloads, [round, round].concat());
    }

    #[test]
    fn a_loop_goes_on_where_the_longer_track_ends() {
        let path = std::env::temp_dir().join(format!("chalkcast-reel-{}.flv", std::process::id()));
        let mut bytes = Vec::new();
        let mut muxer = Muxer::new(true, true);
        let tags = [
            tag(TagType::Script, 0, b"\x02\x00\x0aonMetaData\x05"),
            tag(TagType::Video, 500, b"\x17\x00\x00\x00\x00"),
            tag(TagType::Video, 500, b"\x17\x01\x00\x00\x00x"),
            tag(TagType::Audio, 510, b"\xaf\x01x"),
            tag(TagType::Video, 540, b"\x27\x01\x00\x00\x00x"),
            tag(TagType::Audio, 533, b"\xaf\x01x"),
        ];
        for tag in &tags {
            muxer.encode(tag, &mut bytes).unwrap();
        }
        std::fs::write(&path, &bytes).unwrap();
        let mut reel = Reel::open(&path, true).unwrap();
        let stamps: Vec<_> = (0..10)
            .map(|_| reel.next_tag().unwrap().unwrap().0.timestamp.as_millis())
            .collect();
        std::fs::remove_file(&path).unwrap();
        // The first round from its metadata on; the second without headers, 40 ms after the last picture.
        assert_eq!(stamps, [0, 500, 500, 510, 540, 533, 1080, 1090, 1120, 1113]);
    }
}
