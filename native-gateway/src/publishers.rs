//! Who publishes under which name, and whether that is still so when somebody else wants it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chalkcast_core::session::{Status, StreamKey, code};
use tokio::sync::mpsc;
use tracing::warn;

use crate::gateway::{Command, Gateway};
use crate::relay::Key;

/// Everybody who publishes here.
#[derive(Debug, Default)]
pub(crate) struct Publishers {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    present: HashMap<Key, Present>,
}

#[derive(Clone, Debug)]
struct Present {
    id: u64,
    sender: mpsc::UnboundedSender<Command>,
}

/// A publisher's entry, until this is dropped.
#[derive(Debug)]
pub(crate) struct Listed {
    gateway: Arc<Gateway>,
    key: Key,
    id: u64,
}

/// Somebody who wants a name.
#[derive(Clone, Debug)]
pub(crate) struct Newcomer {
    pub(crate) stream: StreamKey,
    /// As it calls the stream, with its query string.
    pub(crate) name: String,
    pub(crate) sender: mpsc::UnboundedSender<Command>,
}

/// A publisher has so long to show that it is there, when somebody else wants its name. One whose network has changed comes back over
/// another connection, while the old one ends in nothing.
const PATIENCE: Duration = Duration::from_secs(3);

impl Publishers {
    /// `sender`'s connection publishes `key` now, instead of whoever did.
    pub(crate) fn list(
        gateway: &Arc<Gateway>,
        key: &Key,
        sender: &mpsc::UnboundedSender<Command>,
    ) -> Listed {
        let mut inner = gateway.publishers.lock();
        inner.last += 1;
        let id = inner.last;
        let sender = sender.clone();
        inner.present.insert(key.clone(), Present { id, sender });
        Listed {
            gateway: Arc::clone(gateway),
            key: key.clone(),
            id,
        }
    }

    /// Whether somebody publishes `key`. Then the newcomer is told later whether that one is still there, and the name taken, or not:
    /// [`Command::PublishAnswered`] or [`Command::NameGivenUp`].
    pub(crate) fn contest(gateway: &Arc<Gateway>, key: &Key, newcomer: &Newcomer) -> bool {
        let Some(present) = gateway.publishers.lock().present.get(key).cloned() else {
            return false;
        };
        let (gateway, key, newcomer) = (Arc::clone(gateway), key.clone(), newcomer.clone());
        tokio::spawn(async move {
            let command = if present.is_there().await {
                Command::PublishAnswered {
                    stream: newcomer.stream,
                    answer: Err(taken(&key)),
                }
            } else {
                // Of several who wait for the same name one gets it; the others have to ask him.
                let takes_over = gateway.publishers.strike(&key, present.id);
                if takes_over {
                    warn!("{key} goes on with another connection: the publisher's old one is dead");
                }
                Command::NameGivenUp {
                    stream: newcomer.stream,
                    name: newcomer.name,
                    takes_over,
                }
            };
            let _ = newcomer.sender.send(command);
        });
        true
    }

    /// False if that entry is not there any more.
    fn strike(&self, key: &Key, id: u64) -> bool {
        let mut inner = self.lock();
        let is_there = inner.present.get(key).map(|present| present.id) == Some(id);
        if is_there {
            inner.present.remove(key);
        }
        is_there
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Present {
    async fn is_there(&self) -> bool {
        let (proof, mut proofs) = mpsc::unbounded_channel();
        let _ = self.sender.send(Command::ShowLife { proof });
        let shown = tokio::time::timeout(PATIENCE, proofs.recv()).await;
        matches!(shown, Ok(Some(())))
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.gateway.publishers.strike(&self.key, self.id);
    }
}

/// What somebody is told whose name another publishes under.
pub(crate) fn taken(key: &Key) -> Status {
    Status::error(
        code::PUBLISH_BAD_NAME,
        format!(
            "somebody publishes {} already; choose another name",
            key.name
        ),
    )
}
