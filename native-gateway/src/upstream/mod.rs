//! The bridge to an external relay: what is published here is pushed, what is played here is pulled, each once.

mod backoff;
mod pull;
mod push;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chalkcast_core::session::{Level, Status, StreamKey};
use tokio::sync::{mpsc, oneshot};

use crate::address::Endpoint;
use crate::gateway::{Command, Gateway};
use crate::relay::Key;

/// All upstream connections, by stream.
#[derive(Debug, Default)]
pub(crate) struct Bridge {
    upstreams: Mutex<Upstreams>,
}

#[derive(Debug, Default)]
struct Upstreams {
    pushed: HashMap<Key, u64>,
    /// With the relay's last refusal.
    pulled: HashMap<Key, Option<Status>>,
    last: u64,
}

/// A stream on its way to an external relay, until this is dropped.
#[derive(Debug)]
pub(crate) struct Push {
    _stop: oneshot::Sender<()>,
}

impl Bridge {
    /// Has `key` pushed to the first of `relays` that answers; the answer to the publisher goes to `sender`. `None` if it
    /// is being pushed already.
    pub(crate) fn push(
        &self,
        gateway: &Arc<Gateway>,
        key: &Key,
        name: &str,
        relays: Vec<Endpoint>,
        stream: StreamKey,
        sender: mpsc::UnboundedSender<Command>,
    ) -> Option<Push> {
        let mut upstreams = self.lock();
        upstreams.last += 1;
        let id = upstreams.last;
        match upstreams.pushed.entry(key.clone()) {
            Entry::Occupied(_) if !gateway.config.relay.takeover => return None,
            Entry::Occupied(mut present) => *present.get_mut() = id,
            Entry::Vacant(place) => {
                place.insert(id);
            }
        }
        let (stop, stopped) = oneshot::channel();
        let job = push::Job {
            key: key.clone(),
            name: name.to_owned(),
            relays,
            stream,
            sender,
        };
        let gateway = Arc::clone(gateway);
        tokio::spawn(async move {
            push::run(&gateway, &job, stopped).await;
            let mut upstreams = gateway.bridge.lock();
            if upstreams.pushed.get(&job.key) == Some(&id) {
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
