//! A gateway on free ports, and clients that talk to it.
#![allow(dead_code, clippy::unwrap_used)]

pub(crate) mod programs;

use std::future::Future;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::session::client::{Event, Play};
use chalkcast_core::session::{PlayStart, PublishKind, StreamKey};
use chalkcast_gateway::client::Client;
use chalkcast_gateway::{Clock, Config, Listeners};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Nothing in these tests takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not come"),
    }
}

/// A gateway that runs until it is dropped or stopped.
pub(crate) struct Gateway {
    pub(crate) http: SocketAddr,
    pub(crate) rtmp: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut config = Config {
            http: Some(any),
            rtmp: Some(any),
            ..Config::default()
        };
        change(&mut config);
        let listeners = Listeners::bind(&config).unwrap();
        let http = listeners.http.as_ref().unwrap().local_addr().unwrap();
        let rtmp = listeners.rtmp.as_ref().unwrap().local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(chalkcast_gateway::run(listeners, config, async {
            let _ = stopped.await;
        }));
        Self {
            http,
            rtmp,
            stop,
            task,
        }
    }

    /// The address of `app/name`, over RTMP or WebSocket.
    pub(crate) fn url(&self, scheme: &str, path: &str) -> String {
        let at = if scheme == "rtmp" {
            self.rtmp
        } else {
            self.http
        };
        format!("{scheme}://{at}/{path}")
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        soon("the end", self.task).await.unwrap().unwrap();
    }
}

/// A client with one NetStream.
pub(crate) struct Peer {
    pub(crate) client: Client,
    pub(crate) stream: StreamKey,
    pub(crate) name: String,
}

impl Peer {
    /// Connects to `…/APP/NAME`.
    pub(crate) async fn connect(url: &str) -> Self {
        let (endpoint, name) =
            chalkcast_gateway::address::Endpoint::parse_with_stream(url).unwrap();
        let mut client = soon("a connection", Client::open(&endpoint, Clock::start()))
            .await
            .unwrap();
        let now = client.now();
        let stream = client.session().create_stream(now).unwrap();
        Self {
            client,
            stream,
            name,
        }
    }

    /// Connects and asks to publish.
    pub(crate) async fn publisher(url: &str) -> Self {
        let mut peer = Self::connect(url).await;
        let now = peer.client.now();
        peer.client
            .session()
            .publish(now, peer.stream, &peer.name, PublishKind::Live)
            .unwrap();
        peer
    }

    /// Connects and publishes.
    pub(crate) async fn publishing(url: &str) -> Self {
        let mut peer = Self::publisher(url).await;
        peer.until("PublishReady", |event| {
            matches!(event, Event::PublishReady { .. }).then_some(())
        })
        .await;
        peer
    }

    /// Connects and asks to play.
    pub(crate) async fn player(url: &str) -> Self {
        Self::player_from(url, PlayStart::LiveOrRecorded).await
    }

    pub(crate) async fn player_from(url: &str, start: PlayStart) -> Self {
        let mut peer = Self::connect(url).await;
        let now = peer.client.now();
        let play = Play {
            start,
            ..Play::new(&peer.name)
        };
        peer.client.session().play(now, peer.stream, play).unwrap();
        peer
    }

    /// The first event that `find` makes something of.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut find: impl FnMut(Event) -> Option<T>,
    ) -> T {
        soon(what, async {
            loop {
                let event = self.client.event().await;
                if let Event::Closed { reason } = &event
                    && !what.contains("Closed")
                {
                    panic!("waited for {what}, but: {reason}");
                }
                if let Some(found) = find(event) {
                    return found;
                }
            }
        })
        .await
    }

    /// Waits for a status with this code, and answers its description.
    pub(crate) async fn status(&mut self, code: &str) -> String {
        self.until(code, |event| match event {
            Event::Status { status, .. } if status.code == code => Some(status.description),
            _ => None,
        })
        .await
    }

    /// Waits for the next tag.
    pub(crate) async fn tag(&mut self) -> Tag {
        self.until("a tag", |event| {
            if let Event::Tag { tag, .. } = event {
                Some(tag)
            } else {
                None
            }
        })
        .await
    }

    /// Waits for `count` tags.
    pub(crate) async fn tags(&mut self, count: usize) -> Vec<Tag> {
        let mut tags = Vec::new();
        while tags.len() < count {
            tags.push(self.tag().await);
        }
        tags
    }

    /// Sends tags and waits until they are on their way.
    pub(crate) async fn send(&mut self, tags: &[Tag]) {
        for tag in tags {
            let now = self.client.now();
            self.client
                .session()
                .send_tag(now, self.stream, tag)
                .unwrap();
        }
        soon(
            "the way",
            std::future::poll_fn(|cx| self.client.poll_flush(cx)),
        )
        .await
        .unwrap();
    }

    /// Answers pings and the like, for as long as `other` takes.
    pub(crate) async fn during<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = std::pin::pin!(other);
        std::future::poll_fn(|cx| {
            while let Poll::Ready(event) = self.client.poll_event(cx) {
                assert!(!matches!(event, Event::Closed { .. }), "{event:?}");
            }
            other.as_mut().poll(cx)
        })
        .await
    }
}

pub(crate) fn tag(tag_type: TagType, ms: u32, payload: impl Into<Vec<u8>>) -> Tag {
    Tag {
        tag_type,
        timestamp: Timestamp::from_millis(ms),
        payload: payload.into().into(),
    }
}

/// Metadata, sequence headers, and a picture with its sound each 40 ms: a keyframe first, and then each second.
pub(crate) fn lesson(from_ms: u32, to_ms: u32) -> Vec<Tag> {
    let mut tags = vec![
        tag(
            TagType::Script,
            from_ms,
            *b"\x02\x00\x0aonMetaData\x08\x00\x00\x00\x00\x00\x00\x09",
        ),
        tag(TagType::Video, from_ms, *b"\x17\x00\x00\x00\x00\x01avcC"),
        tag(TagType::Audio, from_ms, *b"\xaf\x00\x12\x10"),
    ];
    for ms in (from_ms..to_ms).step_by(40) {
        let keyframe = (ms - from_ms).is_multiple_of(1000);
        let mut picture = vec![if keyframe { 0x17 } else { 0x27 }, 1, 0, 0, 0];
        // A keyframe that takes more than one chunk of 64 KiB, and pictures of every size below.
        let size = if keyframe {
            100_000
        } else {
            500 + ms as usize % 3000
        };
        picture.extend((0..size).map(|at| (at as u32 ^ ms) as u8));
        tags.push(tag(TagType::Video, ms, picture));
        tags.push(tag(
            TagType::Audio,
            ms,
            [&b"\xaf\x01"[..], &ms.to_be_bytes()].concat(),
        ));
    }
    tags
}
