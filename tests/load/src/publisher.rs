//! Plays a lesson out to a server, in a thread of its own, and notes when it sent what.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::session::client::Event;
use chalkcast_core::session::{Level, PublishKind};
use chalkcast_gateway::Clock;
use chalkcast_gateway::address::Endpoint;
use chalkcast_gateway::client::Client;

use crate::lesson::Lesson;

/// When each frame was sent: microseconds since `origin`, by timestamp and kind.
pub(crate) struct Sent {
    origin: Instant,
    times: Vec<AtomicU64>,
}

/// A minute of milliseconds, for two kinds; then they are used again.
const SLOTS: usize = 60_000 * 2;

impl Sent {
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            times: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn slot(&self, tag: &Tag) -> &AtomicU64 {
        let kind = usize::from(tag.tag_type == TagType::Video);
        &self.times[(tag.timestamp.as_millis() as usize * 2 + kind) % SLOTS]
    }

    /// Microseconds since this tag was sent.
    pub(crate) fn age(&self, tag: &Tag) -> u64 {
        let now = self.origin.elapsed().as_micros() as u64;
        now.saturating_sub(self.slot(tag).load(Ordering::Relaxed))
    }

    fn note(&self, tag: &Tag) {
        let now = self.origin.elapsed().as_micros() as u64;
        self.slot(tag).store(now, Ordering::Relaxed);
    }
}

/// How it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// The end of the connection is a failure.
    Steady,
    /// After the end of the connection it begins again.
    Stubborn,
    /// It goes away after so long, and begins again a second later.
    Flapping(Duration),
}

/// A publisher, until it is dropped.
pub(crate) struct Publisher {
    stop: Arc<AtomicBool>,
    begun: Arc<AtomicU64>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Publisher {
    /// Begins to publish to `url`, and waits until the server has let it.
    pub(crate) async fn start(
        url: &str,
        lesson: &Arc<Lesson>,
        sent: &Arc<Sent>,
        manner: Manner,
    ) -> Result<Self> {
        let (url, lesson, sent) = (url.to_owned(), Arc::clone(lesson), Arc::clone(sent));
        let stop = Arc::new(AtomicBool::new(false));
        let begun = Arc::new(AtomicU64::new(0));
        let publisher = Self {
            stop: Arc::clone(&stop),
            begun: Arc::clone(&begun),
            thread: Some(std::thread::spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?
                    .block_on(go_on(&url, &lesson, &sent, manner, &stop, &begun))
            })),
        };
        let patience = Instant::now() + Duration::from_secs(15);
        while publisher.times() == 0 {
            if Instant::now() > patience {
                publisher.check()?;
                bail!("the publisher was not let in");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(publisher)
    }

    /// How often it has begun.
    pub(crate) fn times(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Fails if it has ended.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.thread {
            Some(thread) if !thread.is_finished() => Ok(()),
            _ => bail!("the publisher has ended"),
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Ok(Err(error))) = self.thread.take().map(JoinHandle::join) {
            eprintln!("publisher: {error:#}");
        }
    }
}

async fn go_on(
    url: &str,
    lesson: &Lesson,
    sent: &Sent,
    manner: Manner,
    stop: &AtomicBool,
    begun: &AtomicU64,
) -> Result<()> {
    let turn = match manner {
        Manner::Flapping(turn) => turn,
        Manner::Steady | Manner::Stubborn => Duration::MAX,
    };
    while !stop.load(Ordering::Relaxed) {
        let ended = publish(url, lesson, sent, turn, stop, begun).await;
        match manner {
            Manner::Steady => return ended,
            Manner::Stubborn => tokio::time::sleep(Duration::from_millis(200)).await,
            Manner::Flapping(_) => {
                ended?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
    Ok(())
}

/// Publishes for `turn`, or until it is told to stop.
async fn publish(
    url: &str,
    lesson: &Lesson,
    sent: &Sent,
    turn: Duration,
    stop: &AtomicBool,
    begun: &AtomicU64,
) -> Result<()> {
    let (endpoint, name) = Endpoint::parse_with_stream(url)?;
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
            Event::Status { status, .. } if status.level == Level::Error => {
                bail!("cannot publish: {status:?}")
            }
            _ => {}
        }
    }
    begun.fetch_add(1, Ordering::Relaxed);
    for tag in lesson.headers() {
        client.session().send_tag(now, stream, tag)?;
    }
    let started = tokio::time::Instant::now();
    for number in 0.. {
        let (due, tag) = lesson.frame(number);
        if due > turn || stop.load(Ordering::Relaxed) {
            break;
        }
        loop {
            tokio::select! {
                event = client.event() => if let Event::Closed { reason } = event { return Err(anyhow!("no longer published: {reason}")) },
                () = tokio::time::sleep_until(started + due) => break,
            }
        }
        sent.note(&tag);
        let now = client.now();
        client.session().send_tag(now, stream, &tag)?;
        std::future::poll_fn(|cx| client.poll_flush(cx)).await?;
    }
    client.close().await;
    Ok(())
}
