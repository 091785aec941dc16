//! Pulls what is played here from an external relay.

use std::sync::Arc;
use std::time::Duration;

use chalkcast_core::session::client::{Event, Play};
use chalkcast_core::session::{CloseReason, Level, PlayStart, Status, code};
use tokio::time::Instant;
use tracing::{info, warn};

use super::backoff::Backoff;
use super::news::News;
use crate::address::Endpoint;
use crate::client::{Client, explain};
use crate::gateway::Gateway;
use crate::relay::{Key, Publisher, Source};

/// What is to be pulled.
pub(super) struct Job {
    pub(super) key: Key,
    /// As the first viewer calls it, with its query string.
    pub(super) name: String,
    pub(super) relays: Vec<Endpoint>,
}

/// How long a stream is still pulled after its last viewer has gone: the next one mostly comes soon.
const LINGER: Duration = Duration::from_secs(10);
/// How often it is looked whether anybody watches.
const LOOK: Duration = Duration::from_secs(1);

/// Why an attempt has ended.
enum End {
    /// Nobody watches any more.
    Unwatched,
    /// Somebody publishes the stream to this gateway itself.
    Local,
    /// The relay will not let it be played.
    Refused(Status),
    /// To be tried again.
    Lost(String),
}

/// Pulls for as long as there are viewers.
pub(super) async fn run(gateway: Arc<Gateway>, job: Job) {
    let mut backoff = Backoff::new();
    let mut news = News::default();
    for relay in job.relays.iter().cycle() {
        loop {
            if !wait_until_needed(&gateway, &job.key).await {
                return;
            }
            let mut admitted = None;
            let end = attempt(&gateway, &job, relay, &mut admitted, &mut news).await;
            let now = Instant::now();
            if admitted.is_some_and(|at| backoff.lasted(now - at)) {
                news.forget();
            }
            let line = match end {
                End::Unwatched => {
                    if gateway.bridge.end_pull(&gateway, &job.key) {
                        info!(
                            "{} is no longer pulled from {relay}: nobody watches",
                            job.key
                        );
                        return;
                    }
                    continue;
                }
                End::Local => continue,
                End::Refused(status) => {
                    let line = format!(
                        "{relay} refuses {}: {} ({})",
                        job.key, status.code, status.description
                    );
                    gateway.bridge.refused(&gateway, &job.key, status);
                    line
                }
                End::Lost(why) => format!("{} cannot be pulled from {relay}: {why}", job.key),
            };
            if news.is_new(now, &line) {
                warn!("{line}");
            }
            tokio::time::sleep(backoff.wait()).await;
            break;
        }
    }
}

/// Waits while somebody publishes the stream here. False once nobody watches, and the pull has ended.
async fn wait_until_needed(gateway: &Gateway, key: &Key) -> bool {
    loop {
        let stats = gateway
            .relay
            .find(key)
            .map(|stream| stream.stats(gateway.clock.now()))
            .unwrap_or_default();
        if stats.viewers == 0 && gateway.bridge.end_pull(gateway, key) {
            return false;
        }
        if !stats.live {
            return true;
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn attempt(
    gateway: &Gateway,
    job: &Job,
    relay: &Endpoint,
    admitted: &mut Option<Instant>,
    news: &mut News,
) -> End {
    let mut client = match Client::open(relay, gateway.clock).await {
        Ok(client) => client,
        Err(error) => return End::Lost(format!("{error:#}")),
    };
    let now = client.now();
    let asked = client.session().create_stream(now).and_then(|stream| {
        // Waiting for a stream that is not there yet is the point.
        client.session().play(
            now,
            stream,
            Play {
                start: PlayStart::Live,
                ..Play::new(&job.name)
            },
        )
    });
    if let Err(error) = asked {
        return End::Lost(error.to_string());
    }
    let line = format!("{} is pulled from {relay}", job.key);
    if news.is_new(Instant::now(), &line) {
        info!("{line}");
    }
    let end = receive(gateway, job, &mut client, admitted).await;
    client.close().await;
    end
}

async fn receive(
    gateway: &Gateway,
    job: &Job,
    client: &mut Client,
    admitted: &mut Option<Instant>,
) -> End {
    let mut pulled = Pulled {
        gateway,
        key: &job.key,
        publisher: None,
        ended: false,
    };
    let mut look = tokio::time::interval(LOOK);
    let mut unwatched = Duration::ZERO;
    loop {
        let event = tokio::select! {
            event = client.event() => event,
            () = pulled.revoked() => return End::Local,
            _ = look.tick() => {
                let stats = gateway.relay.find(&job.key).map(|stream| stream.stats(gateway.clock.now())).unwrap_or_default();
                unwatched = if stats.viewers == 0 { unwatched + LOOK } else { Duration::ZERO };
                if unwatched >= LINGER {
                    return End::Unwatched;
                }
                continue;
            }
        };
        let there = match event {
            Event::Tag { tag, .. } => {
                admitted.get_or_insert_with(Instant::now);
                let there = pulled.begin();
                if let (true, Some(publisher)) = (there, &mut pulled.publisher) {
                    let _ = publisher.append(gateway.clock.now(), &tag);
                }
                there
            }
            // The first only says that the relay listens.
            Event::StreamBegin { .. } if pulled.ended => pulled.begin(),
            Event::StreamEof { .. } => pulled.end(),
            Event::Status { status, .. } => match &*status.code {
                code::PLAY_PUBLISH_NOTIFY => pulled.begin(),
                code::PLAY_UNPUBLISH_NOTIFY | code::PLAY_STOP | code::PLAY_COMPLETE => pulled.end(),
                code::PLAY_START => {
                    admitted.get_or_insert_with(Instant::now);
                    gateway.bridge.admitted(&job.key);
                    true
                }
                // The gateway says that by itself, and the subscription may hold all the same.
                code::PLAY_STREAM_NOT_FOUND => true,
                _ if status.level == Level::Error => return End::Refused(status),
                _ => true,
            },
            Event::Closed {
                reason: CloseReason::Rejected(status),
            } => return End::Refused(status),
            Event::Closed { reason } => return End::Lost(explain(&reason)),
            _ => true,
        };
        if !there {
            return End::Local;
        }
    }
}

/// The stream at this end.
struct Pulled<'a> {
    gateway: &'a Gateway,
    key: &'a Key,
    publisher: Option<Publisher>,
    /// A publisher at the relay has gone, and no other has come.
    ended: bool,
}

impl Pulled<'_> {
    /// The relay has a publisher. False if somebody publishes to this gateway itself.
    fn begin(&mut self) -> bool {
        self.ended = false;
        if self.publisher.is_none() {
            self.publisher = self
                .gateway
                .relay
                .publish(self.gateway.clock.now(), self.key, Source::Pulled)
                .ok();
        }
        self.publisher.is_some()
    }

    /// The relay's publisher has gone.
    fn end(&mut self) -> bool {
        self.ended = true;
        if let Some(publisher) = self.publisher.take() {
            publisher.finish(self.gateway.clock.now());
        }
        true
    }

    /// Waits until somebody publishes to this gateway itself.
    async fn revoked(&self) {
        match &self.publisher {
            Some(publisher) => std::future::poll_fn(|cx| publisher.poll_revoked(cx)).await,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Pulled<'_> {
    /// A lost relay ends the stream when that is noticed, not when its last tag came.
    fn drop(&mut self) {
        self.end();
    }
}
