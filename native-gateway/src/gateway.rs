//! What every connection of the gateway shares.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chalkcast_core::session::{Status, StreamKey};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::Config;
use crate::publishers::Publishers;
use crate::relay::{Key, Relay, Stream, TIMER};
use crate::upstream::Bridge;

/// Configuration, clock, streams, upstreams, publishers and connections.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) relay: Relay,
    pub(crate) bridge: Bridge,
    pub(crate) publishers: Publishers,
    pub(crate) connections: Connections,
}

impl Gateway {
    /// To be called within the runtime that is to carry it.
    pub(crate) fn new(config: Config) -> Arc<Self> {
        let clock = Clock::start();
        Arc::new_cyclic(|gateway: &Weak<Self>| {
            let gateway = gateway.clone();
            let relay = Relay::new(config.relay.clone(), move |stream| {
                tokio::spawn(drive(gateway.clone(), Arc::clone(stream)));
            });
            Self {
                config,
                clock,
                relay,
                bridge: Bridge::default(),
                publishers: Publishers::default(),
                connections: Connections::default(),
            }
        })
    }
}

/// Gives a stream its time, until nobody needs it.
async fn drive(gateway: Weak<Gateway>, stream: Arc<Stream>) {
    // They end with this.
    let mut writers = JoinSet::new();
    for _ in 0..tokio::runtime::Handle::current().metrics().num_workers() {
        writers.spawn(write(gateway.clone(), Arc::clone(&stream)));
    }
    let mut sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
    std::future::poll_fn(|cx| {
        loop {
            let Some(gateway) = gateway.upgrade() else {
                return std::task::Poll::Ready(());
            };
            let now = gateway.clock.now();
            stream.handle_timeout(now);
            if gateway.relay.forget_idle(now, &stream) {
                return std::task::Poll::Ready(());
            }
            let Some(at) = stream.poll_timeout(cx.waker()) else {
                return std::task::Poll::Pending;
            };
            let early = at.saturating_sub(TIMER).max(now);
            sleep.as_mut().reset(gateway.clock.deadline(early));
            if sleep.as_mut().poll(cx).is_pending() {
                return std::task::Poll::Pending;
            }
        }
    })
    .await;
}

/// So long one of a stream's writers goes on before others have their turn. Whenever it yields, an idle thread is woken and may take it over,
/// and finds nothing of the viewers' sockets in its cache.
const TURN: Duration = Duration::from_millis(4);

/// Writes what is due to viewers in step. As many do so as there are threads.
async fn write(gateway: Weak<Gateway>, stream: Arc<Stream>) {
    std::future::poll_fn(|cx| {
        let Some(gateway) = gateway.upgrade() else {
            return std::task::Poll::Ready(());
        };
        let began = gateway.clock.now();
        let mut now = began;
        while stream.write(now, cx.waker()) {
            now = gateway.clock.now();
            if now - began >= TURN {
                cx.waker().wake_by_ref();
                break;
            }
        }
        std::task::Poll::Pending
    })
    .await;
}

/// What a connection is told from elsewhere.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// The gateway ends.
    Shutdown,
    /// The external relay has let the stream in, or not.
    PublishAnswered {
        stream: StreamKey,
        answer: Result<(), Status>,
    },
    /// The external relay will not have the stream any more.
    PublishEnded { stream: StreamKey, status: Status },
    /// The name is wanted by somebody else: the connection is to send `proof` when something comes from the client.
    ShowLife { proof: mpsc::UnboundedSender<()> },
    /// Whoever published under this name is gone: it is to be asked for again, or taken over.
    NameGivenUp {
        stream: StreamKey,
        name: String,
        takes_over: bool,
    },
    /// Something that viewers of a stream should know.
    Notice { key: Key, status: Status },
}

/// Every RTMP connection there is.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    last: u64,
    open: HashMap<u64, mpsc::UnboundedSender<Command>>,
    shut_down: bool,
}

/// A connection's place among the others, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) id: u64,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) sender: mpsc::UnboundedSender<Command>,
    gateway: Arc<Gateway>,
}

impl Connections {
    pub(crate) fn enter(gateway: &Arc<Gateway>) -> Place {
        let (sender, commands) = mpsc::unbounded_channel();
        let mut inner = gateway.connections.lock();
        inner.last += 1;
        let id = inner.last;
        if inner.shut_down {
            let _ = sender.send(Command::Shutdown);
        }
        inner.open.insert(id, sender.clone());
        drop(inner);
        Place {
            id,
            commands,
            sender,
            gateway: Arc::clone(gateway),
        }
    }

    /// Tells every connection.
    pub(crate) fn tell_all(&self, command: &Command) {
        let mut inner = self.lock();
        inner.shut_down |= matches!(command, Command::Shutdown);
        for connection in inner.open.values() {
            let _ = connection.send(command.clone());
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().open.len()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gateway.connections.lock().open.remove(&self.id);
    }
}

/// A number that nobody can guess: what a session's handshake is made from.
pub(crate) fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}
