//! What one NetStream publishes.

use std::sync::Arc;
use std::task::{Context, Poll};

use chalkcast_core::Instant;
use chalkcast_core::flv::Tag;
use chalkcast_core::session::{Status, StreamKey, code};
use tokio::sync::mpsc;

use crate::gateway::{Command, Gateway};
use crate::publishers::{Listed, Newcomer, Publishers, taken};
use crate::relay::{Key, Publisher, Source};
use crate::upstream::Push;

/// A publisher of the relay, and its way on to an external relay where there is one.
pub(crate) struct Publication {
    pub(crate) stream: StreamKey,
    pub(crate) key: Key,
    /// `None` while the external relay or another publisher is asked, and after somebody else has taken over.
    publisher: Option<Publisher>,
    _listed: Option<Listed>,
    /// Who has the name is known to be gone.
    takes_over: bool,
    sender: mpsc::UnboundedSender<Command>,
    /// Ends with this.
    _push: Option<Push>,
}

impl Publication {
    /// Begins to publish `key`. Where there is an external relay, or somebody who has the name, the answer comes as a command. Who
    /// `takes_over` has been told that the name is given up.
    pub(crate) fn open(
        gateway: &Arc<Gateway>,
        now: Instant,
        key: Key,
        newcomer: Newcomer,
        takes_over: bool,
    ) -> Result<Self, Status> {
        if key.name.is_empty() {
            return Err(Status::error(
                code::PUBLISH_BAD_NAME,
                "a stream needs a name",
            ));
        }
        let relays = gateway.config.routes.of(&key.app);
        let mut publication = Self {
            stream: newcomer.stream,
            key,
            publisher: None,
            _listed: None,
            takes_over,
            sender: newcomer.sender.clone(),
            _push: None,
        };
        let takes_over = takes_over || gateway.config.relay.takeover;
        if !takes_over && Publishers::contest(gateway, &publication.key, &newcomer) {
            return Ok(publication);
        }
        if relays.is_empty() {
            publication.begin(gateway, now)?;
        } else {
            let push = gateway
                .bridge
                .push(gateway, &publication.key, relays, newcomer, takes_over);
            publication._push = Some(push.ok_or_else(|| taken(&publication.key))?);
        }
        Ok(publication)
    }

    /// Becomes the stream's publisher, now that nothing else is to be asked.
    pub(crate) fn begin(&mut self, gateway: &Arc<Gateway>, now: Instant) -> Result<(), Status> {
        let relay = &gateway.relay;
        let publisher = if self.takes_over {
            relay.take_over(now, &self.key)
        } else {
            relay.publish(now, &self.key, Source::Local)
        };
        self.publisher = Some(publisher.map_err(|_| taken(&self.key))?);
        self._listed = Some(Publishers::list(gateway, &self.key, &self.sender));
        Ok(())
    }

    /// Whether tags can come.
    pub(crate) fn is_open(&self) -> bool {
        self.publisher.is_some()
    }

    pub(crate) fn append(&mut self, now: Instant, tag: &Tag) {
        if let Some(publisher) = &mut self.publisher {
            // That somebody else has taken over is noticed by `poll_revoked`.
            let _ = publisher.append(now, tag);
        }
    }

    /// Ready once somebody else has taken the name over.
    pub(crate) fn poll_revoked(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.publisher
            .as_ref()
            .map_or(Poll::Pending, |publisher| publisher.poll_revoked(cx))
    }

    pub(crate) fn finish(self, now: Instant) {
        if let Some(publisher) = self.publisher {
            publisher.finish(now);
        }
    }
}

/// What a publisher is told whose name somebody else has now.
pub(crate) const TAKEN_OVER: &str = "somebody else has taken this name over";
