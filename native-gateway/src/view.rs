//! What one NetStream plays.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use chalkcast_core::Instant;
use chalkcast_core::session::server::ServerSession;
use chalkcast_core::session::{Level, PlayStart, Status, StreamKey, code};

use crate::gateway::Gateway;
use crate::relay::{Item, Key, Lane, Next, Viewer};
use crate::transport::recall;

/// How long an external relay may take before its silence means that nobody publishes.
const RELAY_SILENCE: Duration = Duration::from_secs(2);

/// A viewer of the relay, and what its client has been told.
pub(crate) struct View {
    pub(crate) stream: StreamKey,
    pub(crate) viewer: Viewer,
    name: String,
    told: Told,
}

struct Told {
    start: PlayStart,
    /// `NetStream.Play.Start` has been sent.
    accepted: bool,
    /// It was told that there is nothing, or nothing any more.
    absent: bool,
}

impl View {
    /// Begins to play `key`, which the client calls `name`: at once, or when somebody publishes it.
    pub(crate) fn open(
        gateway: &Arc<Gateway>,
        now: Instant,
        stream: StreamKey,
        key: Key,
        name: &str,
        start: PlayStart,
        session: &mut ServerSession,
    ) -> Self {
        let viewer = gateway.relay.play(now, &key);
        let refusal = gateway.bridge.pull(gateway, &key, name);
        let mut view = Self {
            stream,
            viewer,
            name: key.name.clone(),
            told: Told {
                start,
                accepted: false,
                absent: false,
            },
        };
        if view.viewer.is_live() || start == PlayStart::Live {
            // Who asks only for the live stream waits for it without being told that there is none.
            view.told.accepted = true;
            let _ = session.accept_play(now, stream);
        } else if let Some(status) = refusal {
            view.notify(now, session, &status);
        } else {
            let bridged = !gateway.config.routes.of(&key.app).is_empty();
            view.viewer
                .expect_by(if bridged { now + RELAY_SILENCE } else { now });
        }
        view
    }

    /// Hands what is due to the session, as far as it can be written without putting too much beyond recall.
    pub(crate) fn pull(
        &mut self,
        now: Instant,
        waker: &Waker,
        session: &mut ServerSession,
    ) -> Next {
        let max_bytes = recall::pull_limit(self.viewer.bits_per_second(), self.viewer.budget());
        let Self {
            stream,
            viewer,
            name,
            told,
        } = self;
        viewer.pull(now, waker, max_bytes, |item| {
            // A session that has closed meanwhile says so by its last event.
            let _ = match item {
                Item::Tag(_, message) => session.send_shared(*stream, message),
                Item::Begin => told.begin(now, *stream, session, name),
                Item::End => told.end(now, *stream, session, name),
                Item::NotFound => told.not_found(now, *stream, session, name),
            };
        })
    }

    /// Lets the relay write what comes next, if it can.
    pub(crate) fn entrust(&mut self, now: Instant, waker: &Waker, lane: Box<dyn Lane>) -> bool {
        let stream_id = self.stream.as_u32();
        self.viewer.entrust(now, stream_id, waker, lane)
    }

    /// What the kernel may hold unsent for this viewer, in bytes.
    pub(crate) fn unsent_limit(&self) -> u32 {
        recall::unsent_limit(self.viewer.bits_per_second())
    }

    /// Passes on what a relay says.
    pub(crate) fn notify(&mut self, now: Instant, session: &mut ServerSession, status: &Status) {
        if status.level != Level::Error || self.told.start != PlayStart::Live {
            self.told.absent = true;
            let _ = session.send_status(now, self.stream, status.clone());
        }
    }

    /// What a log line says of a viewer that was too slow.
    pub(crate) fn summary(&self) -> String {
        match self.viewer.skipped() {
            (0, _) => String::new(),
            (skips, tags) => {
                format!(" (too slow: skipped ahead {skips} times, {tags} tags not sent)")
            }
        }
    }
}

type Sent = Result<(), chalkcast_core::session::UsageError>;

impl Told {
    fn begin(
        &mut self,
        now: Instant,
        stream: StreamKey,
        session: &mut ServerSession,
        name: &str,
    ) -> Sent {
        let news = self.accepted || self.absent;
        if self.accepted {
            session.stream_begin(stream)?;
        } else {
            session.accept_play(now, stream)?;
        }
        self.accepted = true;
        self.absent = false;
        if news {
            let status = Status::ok(
                code::PLAY_PUBLISH_NOTIFY,
                format!("{name} is now published"),
            );
            session.send_status(now, stream, status)?;
        }
        Ok(())
    }

    fn end(
        &mut self,
        now: Instant,
        stream: StreamKey,
        session: &mut ServerSession,
        name: &str,
    ) -> Sent {
        self.absent = true;
        session.stream_eof(stream)?;
        let status = Status::ok(
            code::PLAY_UNPUBLISH_NOTIFY,
            format!("{name} is no longer published"),
        );
        session.send_status(now, stream, status)
    }

    fn not_found(
        &mut self,
        now: Instant,
        stream: StreamKey,
        session: &mut ServerSession,
        name: &str,
    ) -> Sent {
        self.absent = true;
        let description =
            format!("nobody publishes {name}; it starts by itself when somebody does");
        session.send_status(
            now,
            stream,
            Status::error(code::PLAY_STREAM_NOT_FOUND, description),
        )
    }
}
