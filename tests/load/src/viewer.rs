//! One viewer: receives, and checks that every frame of the lesson comes once, in order, at its time.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Demuxer, Tag, TagType};
use chalkcast_core::session::client::{Event, Play};
use chalkcast_core::session::{Level, Timers, code};
use chalkcast_gateway::Clock;
use chalkcast_gateway::address::Endpoint;
use chalkcast_gateway::client::Client;
use futures_util::StreamExt as _;
use tokio_tungstenite::tungstenite::Message;

use crate::delays::Delays;
use crate::lesson::{Lesson, is_frame};
use crate::publisher::Sent;

/// What all viewers of an audience share.
pub(crate) struct Class {
    pub(crate) lesson: Arc<Lesson>,
    pub(crate) sent: Arc<Sent>,
    /// Whether what they get counts.
    pub(crate) measuring: AtomicBool,
    delays: Mutex<[Delays; 2]>,
}

impl Class {
    pub(crate) fn new(lesson: &Arc<Lesson>, sent: &Arc<Sent>) -> Self {
        Self {
            lesson: Arc::clone(lesson),
            sent: Arc::clone(sent),
            measuring: AtomicBool::new(false),
            delays: Mutex::default(),
        }
    }

    /// Of audio and of video.
    pub(crate) fn delays(&self) -> MutexGuard<'_, [Delays; 2]> {
        self.delays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one viewer has seen.
#[derive(Default)]
pub(crate) struct Seen {
    /// Frames and their bytes, while it was measured.
    pub(crate) frames: AtomicU64,
    pub(crate) bytes: AtomicU64,
    /// How often there were some at once, while it was measured: writes, unless two came while the viewer was busy.
    pub(crate) writes: AtomicU64,
    /// Frames that were not the next one, though no publisher had left.
    pub(crate) gaps: AtomicU64,
    /// Timestamps that went back, over all publishers.
    pub(crate) backward: AtomicU64,
    /// Of publishers.
    pub(crate) arrivals: AtomicU64,
    pub(crate) departures: AtomicU64,
    /// Frames in all, of all connections.
    pub(crate) ever: AtomicU64,
    pub(crate) connections: AtomicU64,
}

/// Follows a viewer's tags.
pub(crate) struct Witness {
    class: Arc<Class>,
    seen: Arc<Seen>,
    /// One in a few compares every byte, and measures delays; the others compare kind, size and time of every frame.
    is_sampled: bool,
    /// The number of the frame that comes next, and what is to be added to the lesson's time.
    next: Option<(u64, u32)>,
    newest: Option<Timestamp>,
}

impl Witness {
    pub(crate) fn new(class: &Arc<Class>, seen: &Arc<Seen>, is_sampled: bool) -> Self {
        Self {
            class: Arc::clone(class),
            seen: Arc::clone(seen),
            is_sampled,
            next: None,
            newest: None,
        }
    }

    /// The publisher has changed: what comes next is a keyframe, any one.
    fn restart(&mut self) {
        self.next = None;
    }

    /// A tag has come; `waited`: not together with the one before.
    fn see(&mut self, tag: &Tag, waited: bool) {
        if !is_frame(tag) {
            return;
        }
        self.seen.ever.fetch_add(1, Ordering::Relaxed);
        if let Some(newest) = self.newest.replace(tag.timestamp)
            && tag.timestamp.since(newest) < 0
        {
            self.seen.backward.fetch_add(1, Ordering::Relaxed);
        }
        if !self.follows(tag) {
            self.seen.gaps.fetch_add(1, Ordering::Relaxed);
            self.next = None;
        }
        if self.next.is_none() {
            self.next = self.class.lesson.find(tag).map(|number| {
                let time = self.class.lesson.frame(number).1.timestamp.as_millis();
                (number + 1, tag.timestamp.as_millis().wrapping_sub(time))
            });
        }
        if self.class.measuring.load(Ordering::Relaxed) {
            self.seen.frames.fetch_add(1, Ordering::Relaxed);
            let bytes = tag.payload.len() as u64;
            self.seen.bytes.fetch_add(bytes, Ordering::Relaxed);
            let writes = u64::from(waited);
            self.seen.writes.fetch_add(writes, Ordering::Relaxed);
            if self.is_sampled {
                let kind = usize::from(tag.tag_type == TagType::Video);
                self.class.delays()[kind].add(self.class.sent.age(tag));
            }
        }
    }

    /// Whether it is the frame that comes next. Before the first keyframe anything may come.
    fn follows(&mut self, tag: &Tag) -> bool {
        let Some((number, offset)) = &mut self.next else {
            return true;
        };
        let (_, expected) = self.class.lesson.frame(*number);
        *number += 1;
        let time = expected.timestamp.as_millis().wrapping_add(*offset);
        tag.tag_type == expected.tag_type
            && tag.payload.len() == expected.payload.len()
            && tag.timestamp.as_millis() == time
            && (!self.is_sampled || tag.payload == expected.payload)
    }
}

/// Plays `url` until the connection ends.
pub(crate) async fn watch(url: &str, buffer: Option<u64>, mut witness: Witness) -> Result<()> {
    if url.ends_with(".flv") {
        return watch_flv(url, witness).await;
    }
    let (endpoint, name) = Endpoint::parse_with_stream(url)?;
    // As a student's page does: the gateway's own client pings more often, to notice that a relay hangs.
    let timers = Timers::default();
    let mut client = Client::open_with(&endpoint, Clock::start(), timers).await?;
    let now = client.now();
    let stream = client.session().create_stream(now)?;
    if let Some(ms) = buffer {
        client
            .session()
            .set_buffer_length(now, stream, Duration::from_millis(ms))?;
    }
    client.session().play(now, stream, Play::new(&name))?;
    let seen = Arc::clone(&witness.seen);
    seen.connections.fetch_add(1, Ordering::Relaxed);
    loop {
        let mut waited = false;
        let event = poll_fn(|cx| {
            let event = client.poll_event(cx);
            waited |= event.is_pending();
            event
        });
        match event.await {
            Event::Tag { tag, .. } => witness.see(&tag, waited),
            Event::Closed { reason } => bail!("{reason}"),
            Event::Status { status, .. } => match &*status.code {
                code::PLAY_PUBLISH_NOTIFY => {
                    seen.arrivals.fetch_add(1, Ordering::Relaxed);
                    witness.restart();
                }
                code::PLAY_UNPUBLISH_NOTIFY => {
                    seen.departures.fetch_add(1, Ordering::Relaxed);
                    witness.restart();
                }
                // Nobody publishes at the moment.
                code::PLAY_STREAM_NOT_FOUND => {}
                _ if status.level == Level::Error => bail!("{status:?}"),
                _ => {}
            },
            _ => {}
        }
    }
}

/// FLV in a WebSocket, as node-media-server serves it.
async fn watch_flv(url: &str, mut witness: Witness) -> Result<()> {
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
    witness.seen.connections.fetch_add(1, Ordering::Relaxed);
    let mut demuxer = Demuxer::new();
    let mut waited = false;
    while let Some(message) = poll_fn(|cx| {
        let message = socket.poll_next_unpin(cx);
        waited |= message.is_pending();
        message
    })
    .await
    {
        if let Message::Binary(bytes) = message? {
            demuxer.push(&bytes);
            while let Some(tag) = demuxer.next_tag() {
                witness.see(&tag, std::mem::take(&mut waited));
            }
        }
    }
    bail!("the server closed the connection")
}
