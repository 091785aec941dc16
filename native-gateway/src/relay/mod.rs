//! The embedded relay. A stream is a bounded log of tags; a viewer is a cursor in it.
//!
//! Nothing in here opens a socket, reads a clock or knows tokio: time is handed in, and who waits leaves a
//! [`Waker`](std::task::Waker). What one viewer does is between its cursor and the log, so it cannot delay another.
//!
//! Most viewers are sent the same at the same time. One that waits can entrust its connection (a [`Lane`]) to the stream, which
//! writes to all in step what it has put together once; when there is anything else to it, the viewer is woken and pulls for itself.

mod cohort;
mod config;
mod cursor;
mod in_flight;
mod log;
mod pace;
mod seat;
mod stitch;
mod stream;
#[cfg(test)]
mod tests;
mod viewer;

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chalkcast_core::Instant;

pub use config::{Config, TIMER};
pub use cursor::Item;
pub use in_flight::{Ask, InFlight, WINDOW};
pub use seat::{Back, Lane, Run, Written};
pub use stream::{Publisher, Source, Stats, Stream, Taken};
pub use viewer::{Next, Viewer};

/// What a stream is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// `APP[/INSTANCE]`.
    pub app: String,
    /// The stream's name, without a query string.
    pub name: String,
}

impl Key {
    /// The key of what a peer calls `name`, which may carry a query string (a token, mostly).
    pub fn new(app: &str, name: &str) -> Self {
        let name = name.split('?').next().unwrap_or_default();
        Self {
            app: app.to_owned(),
            name: name.to_owned(),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ch in self.app.chars().chain(['/']).chain(self.name.chars()) {
            // Peers choose these names: none may write lines of its own into a log.
            if ch.is_control() {
                write!(f, "{}", ch.escape_default())?;
            } else {
                f.write_char(ch)?;
            }
        }
        Ok(())
    }
}

type OnCreated = Box<dyn Fn(&Arc<Stream>) + Send + Sync>;

/// All streams, by key.
pub struct Relay {
    config: Arc<Config>,
    streams: Mutex<HashMap<Key, Arc<Stream>>>,
    on_created: OnCreated,
}

impl Relay {
    /// A relay without streams. `on_created` gets each new stream, to call its `handle_timeout` when its `poll_timeout` says so.
    pub fn new(config: Config, on_created: impl Fn(&Arc<Stream>) + Send + Sync + 'static) -> Self {
        Self {
            config: Arc::new(config),
            streams: Mutex::default(),
            on_created: Box::new(on_created),
        }
    }

    /// Makes somebody the publisher of `key`. Fails if there is one, unless policy lets the new one take over.
    pub fn publish(&self, now: Instant, key: &Key, source: Source) -> Result<Publisher, Taken> {
        let mut streams = self.lock();
        self.stream(&mut streams, key).publish(now, source, false)
    }

    /// As [`publish`](Self::publish) at this gateway, whatever policy says: whoever is there is known to be gone.
    pub fn take_over(&self, now: Instant, key: &Key) -> Result<Publisher, Taken> {
        let mut streams = self.lock();
        let stream = self.stream(&mut streams, key);
        stream.publish(now, Source::Local, true)
    }

    /// Makes somebody a viewer of `key`, whether anybody publishes it or not.
    pub fn play(&self, now: Instant, key: &Key) -> Viewer {
        let mut streams = self.lock();
        let stream = self.stream(&mut streams, key);
        Viewer::new(stream, now, true)
    }

    /// As [`play`](Self::play), for what only passes the stream on: it does not count as a viewer in [`Stats`].
    pub fn follow(&self, now: Instant, key: &Key) -> Viewer {
        let mut streams = self.lock();
        let stream = self.stream(&mut streams, key);
        Viewer::new(stream, now, false)
    }

    /// The stream of that key, if there is one.
    pub fn find(&self, key: &Key) -> Option<Arc<Stream>> {
        self.lock().get(key).cloned()
    }

    /// Every stream that has a publisher or a viewer, by name.
    pub fn list(&self) -> Vec<Arc<Stream>> {
        let mut streams: Vec<_> = self.lock().values().cloned().collect();
        streams.sort_by(|a, b| a.key().cmp(b.key()));
        streams
    }

    /// Forgets `stream` if nobody needs it; true if it has been forgotten.
    pub fn forget_idle(&self, now: Instant, stream: &Arc<Stream>) -> bool {
        // Under the lock nobody can become a publisher or a viewer meanwhile.
        let mut streams = self.lock();
        let idle = stream.is_idle(now);
        if idle {
            streams.remove(stream.key());
        }
        idle
    }

    fn stream(&self, streams: &mut HashMap<Key, Arc<Stream>>, key: &Key) -> Arc<Stream> {
        if let Some(stream) = streams.get(key) {
            return Arc::clone(stream);
        }
        let stream = Arc::new(Stream::new(key.clone(), Arc::clone(&self.config)));
        streams.insert(key.clone(), Arc::clone(&stream));
        (self.on_created)(&stream);
        stream
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Stream>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
