//! The bridge to an external relay: what is published here is pushed, what is played here is pulled, each once.

mod backoff;
mod news;
mod pull;
mod push;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chalkcast_core::session::{Level, Status, StreamKey, code};
use tokio::sync::{mpsc, oneshot};

use crate::address::Endpoint;
use crate::gateway::{Command, Gateway};
use crate::publication::TAKEN_OVER;
use crate::publishers::Newcomer;
use crate::relay::Key;

/// All upstream connections, by stream.
#[derive(Debug, Default)]
pub(crate) struct Bridge {
    upstreams: Mutex<Upstreams>,
}

#[derive(Debug, Default)]
struct Upstreams {
    pushed: HashMap<Key, Present>,
    /// With the relay's last refusal.
    pulled: HashMap<Key, Option<Status>>,
    last: u64,
}

/// Who is pushed under a name.
#[derive(Debug)]
struct Present {
    id: u64,
    stream: StreamKey,
    sender: mpsc::UnboundedSender<Command>,
    /// Resolves when its upstream connection has been closed.
    ended: oneshot::Receiver<()>,
}

impl Present {
    /// Has it give its name up to somebody else, and waits until its place at the relay is free.
    async fn give_way(self) {
        let status = Status::error(code::PUBLISH_BAD_NAME, TAKEN_OVER);
        let command = Command::PublishEnded {
            stream: self.stream,
            status,
        };
        let _ = self.sender.send(command);
        let _ = self.ended.await;
    }
}

/// A stream on its way to an external relay, until this is dropped.
#[derive(Debug)]
pub(crate) struct Push {
    _stop: oneshot::Sender<()>,
}

impl Bridge {
    /// Has `key` pushed to the first of `relays` that answers; the answer to the publisher goes to `sender`. `None` if it
    /// is being pushed already, unless it `takes_over`.
    pub(crate) fn push(
        &self,
        gateway: &Arc<Gateway>,
        key: &Key,
        relays: Vec<Endpoint>,
        newcomer: Newcomer,
        takes_over: bool,
    ) -> Option<Push> {
        let Newcomer {
            stream,
            name,
            sender,
        } = newcomer;
        let mut upstreams = self.lock();
        upstreams.last += 1;
        let id = upstreams.last;
        let (end, ended) = oneshot::channel();
        let newcomer = Present {
            id,
            stream,
            sender: sender.clone(),
            ended,
        };
        let present = match upstreams.pushed.entry(key.clone()) {
            Entry::Occupied(_) if !takes_over => return None,
            Entry::Occupied(mut place) => Some(place.insert(newcomer)),
            Entry::Vacant(place) => {
                place.insert(newcomer);
                None
            }
        };
        let (stop, stopped) = oneshot::channel();
        let job = push::Job {
            key: key.clone(),
            name,
            relays,
            stream,
            sender,
        };
        let gateway = Arc::clone(gateway);
        tokio::spawn(async move {
            push::run(&gateway, &job, stopped, present).await;
            drop(end);
            let mut upstreams = gateway.bridge.lock();
            if upstreams.pushed.get(&job.key).map(|present| present.id) == Some(id) {
                upstreams.pushed.remove(&job.key);
            }
        });
        Some(Push { _stop: stop })
    }

    /// Has `key` pulled for as long as it has viewers, if an external relay serves its app. Answers what the relay last
    /// refused it with.
    pub(crate) fn pull(&self, gateway: &Arc<Gateway>, key: &Key, name: &str) -> Option<Status> {
        let relays = gateway.config.routes.of(&key.app);
        if relays.is_empty() {
            return None;
        }
        let mut upstreams = self.lock();
        if let Some(refusal) = upstreams.pulled.get(key) {
            return refusal.clone();
        }
        upstreams.pulled.insert(key.clone(), None);
        let job = pull::Job {
            key: key.clone(),
            name: name.to_owned(),
            relays,
        };
        tokio::spawn(pull::run(Arc::clone(gateway), job));
        None
    }

    /// Tells the viewers of `key` what the relay says, once.
    fn refused(&self, gateway: &Gateway, key: &Key, status: Status) {
        let status = Status {
            level: Level::Error,
            ..status
        };
        match self.lock().pulled.get_mut(key) {
            Some(refusal) if refusal.as_ref() != Some(&status) => *refusal = Some(status.clone()),
            _ => return,
        }
        gateway.connections.tell_all(&Command::Notice {
            key: key.clone(),
            status,
        });
    }

    /// The relay has let the stream be played.
    fn admitted(&self, key: &Key) {
        if let Some(refusal) = self.lock().pulled.get_mut(key) {
            *refusal = None;
        }
    }

    /// Ends a pull, unless a viewer has come meanwhile.
    fn end_pull(&self, gateway: &Gateway, key: &Key) -> bool {
        // A viewer is in the relay before it asks for a pull, so under this lock it is either seen here or asks again.
        let mut upstreams = self.lock();
        let viewers = gateway
            .relay
            .find(key)
            .map_or(0, |stream| stream.stats(gateway.clock.now()).viewers);
        if viewers == 0 {
            upstreams.pulled.remove(key);
        }
        viewers == 0
    }

    fn lock(&self) -> MutexGuard<'_, Upstreams> {
        self.upstreams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
