//! Pushes what is published here to an external relay.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use chalkcast_core::session::client::Event;
use chalkcast_core::session::{CloseReason, Level, PublishKind, Status, StreamKey, code};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tracing::{info, warn};

use super::Present;
use super::backoff::Backoff;
use super::news::News;
use crate::address::Endpoint;
use crate::client::{Client, explain};
use crate::gateway::{Command, Gateway};
use crate::relay::{Item, Key, Next, Viewer};

/// What is to be pushed.
pub(super) struct Job {
    pub(super) key: Key,
    /// As the publisher calls it, with its query string.
    pub(super) name: String,
    pub(super) relays: Vec<Endpoint>,
    pub(super) stream: StreamKey,
    pub(super) sender: mpsc::UnboundedSender<Command>,
}

/// A publisher is let in without its relay when that has not answered for so long: the lesson goes on here, and is
/// pushed as soon as the relay is back.
const PATIENCE: Duration = Duration::from_secs(5);
/// After a lost connection a relay may take its old publisher for present for so long.
const GHOST: Duration = Duration::from_secs(90);
/// What is pulled from the log before it is written.
const WRITE_AHEAD: usize = 256 * 1024;

/// Why an attempt has ended.
enum End {
    /// The publisher has gone.
    Stopped,
    /// The relay will not have it.
    Refused(Status),
    /// To be tried again.
    Lost(String),
}

/// Pushes until `stopped`, or until the relay refuses. `present` is who has the name, and has to give it up.
pub(super) async fn run(
    gateway: &Gateway,
    job: &Job,
    stopped: oneshot::Receiver<()>,
    present: Option<Present>,
) {
    let answer = Answer {
        job,
        given: AtomicBool::new(false),
    };
    tokio::select! {
        () = push(gateway, job, &answer, stopped, present) => {}
        () = answer.overdue() => {}
    }
}

async fn push(
    gateway: &Gateway,
    job: &Job,
    answer: &Answer<'_>,
    mut stopped: oneshot::Receiver<()>,
    mut present: Option<Present>,
) {
    let mut backoff = Backoff::new();
    let mut news = News::default();
    let mut ever_admitted = false;
    // Before this, a name that is taken is taken by somebody who has just gone.
    let mut ghost_until = Instant::now();
    let mut relays = job.relays.iter().cycle().peekable();
    while let Some(relay) = relays.peek() {
        let mut admitted = None;
        let mut on_admitted = || {
            admitted = Some(Instant::now());
            let line = format!("{} is pushed to {relay}", job.key);
            if news.is_new(Instant::now(), &line) {
                info!("{line}");
            }
            answer.give(Ok(()));
        };
        let end = attempt(gateway, job, relay, &mut stopped, &mut on_admitted).await;
        let now = Instant::now();
        ever_admitted |= admitted.is_some();
        if admitted.is_some_and(|at| backoff.lasted(now - at)) {
            news.forget();
        }
        let line = match end {
            End::Stopped => return,
            End::Refused(status) => {
                let is_taken = status.code == code::PUBLISH_BAD_NAME;
                if let Some(present) = present.take_if(|_| is_taken) {
                    info!("{} is taken over", job.key);
                    let _ = tokio::time::timeout(PATIENCE, present.give_way()).await;
                    ghost_until = Instant::now() + PATIENCE;
                    continue;
                }
                if now >= ghost_until {
                    warn!(
                        "{relay} refuses {}: {} ({})",
                        job.key, status.code, status.description
                    );
                    answer.refuse(status);
                    return;
                }
                format!("{relay} still refuses {}: {}", job.key, status.code)
            }
            End::Lost(why) => {
                if ever_admitted {
                    ghost_until = now + GHOST;
                }
                format!("{} is not being pushed to {relay}: {why}", job.key)
            }
        };
        if news.is_new(now, &line) {
            warn!("{line}");
        }
        tokio::select! {
            _ = &mut stopped => return,
            () = tokio::time::sleep(backoff.wait()) => {}
        }
        relays.next();
    }
}

/// What the publisher is told, once.
struct Answer<'a> {
    job: &'a Job,
    given: AtomicBool,
}

impl Answer<'_> {
    /// False if another has been given.
    fn give(&self, answer: Result<(), Status>) -> bool {
        let is_first = !self.given.swap(true, Ordering::Relaxed);
        if is_first {
            let _ = self.job.sender.send(Command::PublishAnswered {
                stream: self.job.stream,
                answer,
            });
        }
        is_first
    }

    /// The relay will not have the stream, or not any more.
    fn refuse(&self, status: Status) {
        if !self.give(Err(status.clone())) {
            let _ = self.job.sender.send(Command::PublishEnded {
                stream: self.job.stream,
                status,
            });
        }
    }

    /// Lets the publisher in when the relay has not answered for long enough. Never ends.
    async fn overdue(&self) {
        tokio::time::sleep(PATIENCE).await;
        if self.give(Ok(())) {
            warn!(
                "{} goes on without its relay until that answers",
                self.job.key
            );
        }
        std::future::pending().await
    }
}

async fn attempt(
    gateway: &Gateway,
    job: &Job,
    relay: &Endpoint,
    stopped: &mut oneshot::Receiver<()>,
    on_admitted: &mut (dyn FnMut() + Send),
) -> End {
    let opened = tokio::select! {
        _ = &mut *stopped => return End::Stopped,
        opened = Client::open(relay, gateway.clock) => opened,
    };
    let mut client = match opened {
        Ok(client) => client,
        Err(error) => return End::Lost(format!("{error:#}")),
    };
    let now = client.now();
    let stream = match client.session().create_stream(now) {
        Ok(stream) => stream,
        Err(error) => return End::Lost(error.to_string()),
    };
    if let Err(error) = client
        .session()
        .publish(now, stream, &job.name, PublishKind::Live)
    {
        return End::Lost(error.to_string());
    }
    let mut viewer: Option<Viewer> = None;
    let end = std::future::poll_fn(|cx| {
        loop {
            if let Some(viewer) = &mut viewer {
                pull(&mut client, stream, viewer, cx);
            }
            let event = match client.poll_event(cx) {
                Poll::Ready(event) => event,
                Poll::Pending => {
                    return std::pin::Pin::new(&mut *stopped)
                        .poll(cx)
                        .map(|_| End::Stopped);
                }
            };
            match event {
                Event::PublishReady { .. } => {
                    viewer = Some(gateway.relay.follow(gateway.clock.now(), &job.key));
                    on_admitted();
                }
                Event::Status { status, .. } if status.level == Level::Error => {
                    return Poll::Ready(End::Refused(status));
                }
                Event::Closed {
                    reason: CloseReason::Rejected(status),
                } => return Poll::Ready(End::Refused(status)),
                Event::Closed { reason } => return Poll::Ready(End::Lost(explain(&reason))),
                _ => {}
            }
        }
    })
    .await;
    if let Some((skips @ 1.., tags)) = viewer.map(|viewer| viewer.skipped()) {
        warn!(
            "{relay} was too slow for {}: skipped ahead {skips} times, {tags} tags not sent",
            job.key
        );
    }
    client.close().await;
    match end {
        End::Refused(status) if status.code == code::CONNECT_CLOSED => {
            End::Lost(status.description)
        }
        end => end,
    }
}

/// Hands what is due to the connection, as far as that can write it: what a slow relay cannot take is skipped in the log.
fn pull(
    client: &mut Client,
    stream: StreamKey,
    viewer: &mut Viewer,
    cx: &mut std::task::Context<'_>,
) {
    while client.poll_flush(cx).is_ready() && client.backlog() == 0 {
        let now = client.now();
        let session = client.session();
        let next = viewer.pull(now, cx.waker(), WRITE_AHEAD, |item| {
            if let Item::Tag(tag, _) = item {
                // A session that has closed says so by its last event.
                let _ = session.send_tag(now, stream, tag);
            }
        });
        if next == Next::Wait {
            let _ = client.poll_flush(cx);
            return;
        }
    }
}
