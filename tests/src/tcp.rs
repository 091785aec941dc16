use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant as Clock};

use chalkcast_core::flv::Tag;
use chalkcast_core::session::{CloseReason, Output, Status, StreamKey, client, code, server};
use chalkcast_core::{ClientSession, Instant, ServerSession};

/// How long a read waits before timers and viewers are looked after.
const TICK: Duration = Duration::from_millis(5);

/// A small RTMP server on real sockets, around `ServerSession`, that keeps all it is sent: enough to meet other programs with.
#[derive(Debug)]
pub struct TestServer {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    streams: HashMap<String, Recording>,
    events: Vec<String>,
    closed: Vec<CloseReason>,
}

/// What was published under one name.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// All tags, in order.
    pub tags: Vec<Tag>,
    /// Whether the publisher has gone.
    pub ended: bool,
}

impl TestServer {
    /// Listens on a free port of this machine until the process ends.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::<Mutex<Shared>>::default();
        let all = Arc::clone(&shared);
        thread::spawn(move || {
            for (seed, socket) in listener.incoming().flatten().enumerate() {
                let shared = Arc::clone(&all);
                thread::spawn(move || serve(socket, seed as u64, &shared));
            }
        });
        Ok(Self { address, shared })
    }

    /// `rtmp://127.0.0.1:PORT/live/NAME`
    pub fn url(&self, name: &str) -> String {
        format!("rtmp://{}/live/{name}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was published under `name` so far.
    pub fn recording(&self, name: &str) -> Recording {
        lock(&self.shared)
            .streams
            .get(name)
            .cloned()
            .unwrap_or_default()
    }

    /// Publishes a finished recording, for others to play.
    pub fn put(&self, name: &str, recording: Recording) {
        lock(&self.shared)
            .streams
            .insert(name.to_owned(), recording);
    }

    /// How the connections ended that have.
    pub fn closed(&self) -> Vec<CloseReason> {
        lock(&self.shared).closed.clone()
    }

    /// The sessions' events but for tags, as text, in the order in which they came.
    pub fn events(&self) -> Vec<String> {
        lock(&self.shared).events.clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut socket: TcpStream, seed: u64, shared: &Mutex<Shared>) {
    let started = Clock::now();
    let mut session = ServerSession::new(server::Config::new(seed), Instant::ZERO);
    let mut names = HashMap::<StreamKey, String>::new();
    let mut viewers = HashMap::<StreamKey, (String, usize)>::new();
    let mut buffer = vec![0; 65_536];
    if socket.set_read_timeout(Some(TICK)).is_err() {
        return;
    }
    loop {
        let now = Instant::from_micros(started.elapsed().as_micros() as u64);
        while let Some(output) = session.poll_output() {
            let event = match output {
                Output::Transmit(transmit) => {
                    let mut bytes = Vec::new();
                    transmit.write_to(&mut bytes);
                    if socket.write_all(&bytes).is_err() {
                        session.handle_eof(now);
                    }
                    continue;
                }
                Output::Event(event) => event,
            };
            let mut shared = lock(shared);
            if !matches!(event, server::Event::Tag { .. }) {
                shared.events.push(format!("{event:?}"));
            }
            let answered = match event {
                server::Event::Connect(_) => session.accept_connect(now),
                server::Event::Publish { stream, name, .. } => {
                    shared.streams.insert(name.clone(), Recording::default());
                    names.insert(stream, name);
                    session.accept_publish(now, stream)
                }
                server::Event::Play { stream, name, .. } if shared.streams.contains_key(&name) => {
                    viewers.insert(stream, (name, 0));
                    session.accept_play(now, stream)
                }
                server::Event::Play { stream, name, .. } => session.reject_play(
                    now,
                    stream,
                    Status::error(code::PLAY_STREAM_NOT_FOUND, name),
                ),
                server::Event::Tag { stream, tag } => {
                    if let Some(recording) = names
                        .get(&stream)
                        .and_then(|name| shared.streams.get_mut(name))
                    {
                        recording.tags.push(tag);
                    }
                    Ok(())
                }
                server::Event::StreamClosed { stream } => {
                    viewers.remove(&stream);
                    if let Some(recording) = names
                        .remove(&stream)
                        .and_then(|name| shared.streams.get_mut(&name))
                    {
                        recording.ended = true;
                    }
                    Ok(())
                }
                server::Event::Closed { reason } => {
                    shared.closed.push(reason);
                    return;
                }
                _ => Ok(()),
            };
            assert!(answered.is_ok(), "{answered:?}");
        }
        let mut idle = true;
        for (stream, (name, at)) in &mut viewers {
            let shared = lock(shared);
            let Some(recording) = shared.streams.get(name) else {
                continue;
            };
            if let Some(tag) = recording.tags.get(*at) {
                idle = false;
                *at += 1;
                assert_eq!(session.send_tag(now, *stream, tag), Ok(()));
            } else if recording.ended && *at != usize::MAX {
                *at = usize::MAX;
                assert_eq!(session.stream_eof(*stream), Ok(()));
                let ended = Status::ok(
                    code::PLAY_UNPUBLISH_NOTIFY,
                    format!("{name} is now unpublished."),
                );
                assert_eq!(session.send_status(now, *stream, ended), Ok(()));
            }
        }
        if session.poll_timeout().is_some_and(|at| at <= now) {
            session.handle_timeout(now);
        }
        if idle {
            match socket.read(&mut buffer) {
                Ok(0) => session.handle_eof(now),
                Ok(length) => session.handle_input(now, &buffer[..length]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => session.handle_eof(now),
            }
        }
    }
}

/// A `ClientSession` on a real socket.
#[derive(Debug)]
pub struct TestClient {
    /// The session, to be driven by hand; [`wait_for`](Self::wait_for) does the rest.
    pub session: ClientSession,
    /// What the session told and nobody took out yet.
    pub events: Vec<client::Event>,
    socket: TcpStream,
    started: Clock,
}

impl TestClient {
    /// Connects to `address` by TCP.
    pub fn open(address: SocketAddr, config: client::Config) -> std::io::Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(TICK))?;
        let session = ClientSession::new(config, Instant::ZERO);
        Ok(Self {
            session,
            events: Vec::new(),
            socket,
            started: Clock::now(),
        })
    }

    /// The time on this client's clock.
    pub fn now(&self) -> Instant {
        Instant::from_micros(self.started.elapsed().as_micros() as u64)
    }

    /// Runs the connection until `done` says so of the events, for at most this long; answers whether it did.
    pub fn wait_for(
        &mut self,
        limit: Duration,
        mut done: impl FnMut(&[client::Event]) -> bool,
    ) -> bool {
        let end = Clock::now() + limit;
        let mut buffer = vec![0; 65_536];
        loop {
            while let Some(output) = self.session.poll_output() {
                match output {
                    Output::Transmit(transmit) => {
                        let mut bytes = Vec::new();
                        transmit.write_to(&mut bytes);
                        if self.socket.write_all(&bytes).is_err() {
                            let now = self.now();
                            self.session.handle_eof(now);
                        }
                    }
                    Output::Event(event) => self.events.push(event),
                }
            }
            if done(&self.events) {
                return true;
            }
            if Clock::now() > end {
                return false;
            }
            let now = self.now();
            if self.session.poll_timeout().is_some_and(|at| at <= now) {
                self.session.handle_timeout(now);
            }
            match self.socket.read(&mut buffer) {
                Ok(0) => self.session.handle_eof(self.now()),
                Ok(length) => self.session.handle_input(self.now(), &buffer[..length]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => self.session.handle_eof(self.now()),
            }
        }
    }
}
