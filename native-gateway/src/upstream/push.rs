//! Pushes what is published here to an external relay.

use std::task::Poll;
use std::time::Duration;

use chalkcast_core::session::client::Event;
use chalkcast_core::session::{CloseReason, Level, PublishKind, Status, StreamKey, code};
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use super::backoff::Backoff;
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

/// Pushes until `stopped`, or until the relay refuses.
pub(super) async fn run(gateway: &Gateway, job: &Job, mut stopped: oneshot::Receiver<()>) {
    let mut backoff = Backoff::new();
    let mut answered = false;
    let mut lost_at = None;
    let started = tokio::time::Instant::now();
    for relay in job.relays.iter().cycle() {
        match attempt(
            gateway,
            job,
            relay,
            &mut stopped,
            &mut answered,
            &mut backoff,
        )
        .await
        {
            End::Stopped => return,
            // A relay that holds the place of a connection just lost will let go of it.
            End::Refused(status)
                if lost_at.is_none_or(|at: tokio::time::Instant| at.elapsed() > GHOST) =>
            {
                warn!(
                    "{} refuses {}: {} ({})",
                    relay, job.key, status.code, status.description
                );
                let command = if answered {
                    Command::PublishEnded {
                        stream: job.stream,
                        status,
                    }
                } else {
                    Command::PublishAnswered {
                        stream: job.stream,
                        answer: Err(status),
                    }
                };
                let _ = job.sender.send(command);
                return;
            }
            End::Refused(status) => warn!("{relay} still refuses {}: {}", job.key, status.code),
            End::Lost(why) => {
                warn!("{} is not being pushed to {relay}: {why}", job.key);
                if answered && lost_at.is_none() {
                    lost_at = Some(tokio::time::Instant::now());
                }
            }
        }
        if !answered && started.elapsed() >= PATIENCE {
            answered = true;
            warn!("{} goes on without its relay until that answers", job.key);
            let _ = job.sender.send(Command::PublishAnswered {
                stream: job.stream,
                answer: Ok(()),
            });
        }
        let wait = backoff.wait();
        tokio::select! {
            _ = &mut stopped => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn attempt(
    gateway: &Gateway,
    job: &Job,
    relay: &Endpoint,
    stopped: &mut oneshot::Receiver<()>,
    answered: &mut bool,
    backoff: &mut Backoff,
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
                    info!("{} is pushed to {relay}", job.key);
                    backoff.reset();
                    viewer = Some(gateway.relay.play(gateway.clock.now(), &job.key));
                    if !*answered {
                        *answered = true;
                        let _ = job.sender.send(Command::PublishAnswered {
                            stream: job.stream,
                            answer: Ok(()),
                        });
                    }
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
    drop(viewer);
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
