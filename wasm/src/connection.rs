//! The run loop around the session: WebSocket in, WebSocket out, one timer, and the streams in between.

use std::time::Duration;

use chalkcast_core::Instant;
use chalkcast_core::flv::Tag;
use chalkcast_core::session::client::{self, ClientSession};
use chalkcast_core::session::{
    CallId, CloseReason, ObjectEncoding, Output, Reply, Stats, Status, StreamKey, code,
};
use wasm_bindgen::prelude::*;

use crate::amf;
use crate::handle::{self, Owner};
use crate::page::{Message, ToWorker, set};
use crate::socket::Socket;
use crate::stream::{Publishing, Stream};
use crate::timer::Timer;

const STATS_EVERY: Duration = Duration::from_millis(250);
/// Bytes after which the peer is to acknowledge what it has received.
const WINDOW: u32 = 16 * 1024;

/// What the callbacks of a connection hold.
pub(crate) type Handle = handle::Handle<Connection>;

/// A NetConnection: its session, its socket, its NetStreams.
pub(crate) struct Connection {
    handle: Handle,
    publishing: Publishing,
    session: Option<ClientSession>,
    socket: Option<Socket>,
    /// Whether connect was answered with a success, or with a refusal.
    answered: bool,
    streams: Vec<Stream>,
    calls: Vec<(CallId, f64)>,
    replies: Vec<(f64, Reply)>,
    next_reply: f64,
    out: Vec<u8>,
    timer: Timer,
    next_stats: Instant,
    /// Bytes that the peer has acknowledged, as the publishers know.
    acknowledged: Option<u64>,
    /// Nobody can see the page.
    hidden: bool,
}

impl Connection {
    pub(crate) fn new(handle: Handle, publishing: Publishing) -> Self {
        let timer = Timer::new(
            handle.callback(|connection: &mut Self, _, _: JsValue| connection.timer.fired()),
        );
        Self {
            handle,
            publishing,
            session: None,
            socket: None,
            answered: false,
            streams: Vec::new(),
            calls: Vec::new(),
            replies: Vec::new(),
            next_reply: 1.0,
            out: Vec::new(),
            timer,
            next_stats: Instant::ZERO,
            acknowledged: None,
            hidden: false,
        }
    }

    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// A message of the page's.
    pub(crate) fn told(&mut self, now: Instant, message: &ToWorker) {
        let kind = message.kind();
        match kind.as_str() {
            "connect" => self.connect(now, message),
            "close" => self.close(now),
            "call" => self.call(now, message),
            "reply" => self.reply(now, message),
            "createStream" => self.create_stream(now, message),
            "deleteStream" => {
                let at = self.position(message.stream());
                if let (Some(session), Some(at)) = (&mut self.session, at) {
                    let mut stream = self.streams.remove(at);
                    stream.player().leave();
                    stream.told(now, session, "closeStream", message);
                    // Fails only when the session is over, and the stream with it.
                    let _ = session.delete_stream(now, stream.key());
                }
            }
            "visibility" => {
                self.hidden = message.hidden();
                for stream in &mut self.streams {
                    stream.player().set_hidden(self.hidden);
                }
            }
            _ => {
                let at = self.position(message.stream());
                if let (Some(session), Some(at)) = (&mut self.session, at) {
                    self.streams[at].told(now, session, &kind, message);
                }
            }
        }
    }

    pub(crate) fn socket_opened(&mut self) {
        if let Some(socket) = &mut self.socket {
            socket.opened();
        }
    }

    pub(crate) fn received(&mut self, now: Instant, bytes: &[u8]) {
        if let Some(session) = &mut self.session {
            session.handle_input(now, bytes);
        }
    }

    pub(crate) fn socket_closed(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.handle_eof(now);
        }
    }

    /// A tag to publish.
    pub(crate) fn send(&mut self, now: Instant, number: u32, tag: &Tag) {
        let Some(at) = self.position(Some(number)) else {
            return;
        };
        if let Some(session) = &mut self.session {
            // Fails when the stream has just been closed: then nobody waits for the tag.
            let _ = session.send_tag(now, self.streams[at].key(), tag);
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.session
            .as_ref()
            .map(ClientSession::stats)
            .unwrap_or_default()
    }

    /// Bytes on their way out of the browser.
    pub(crate) fn queued(&self) -> u32 {
        self.socket.as_ref().map_or(0, Socket::queued)
    }

    /// The stream the page calls `number`.
    pub(crate) fn stream(&mut self, number: u32) -> Option<&mut Stream> {
        self.streams
            .iter_mut()
            .find(|stream| stream.number() == number)
    }

    /// Takes everything out of the session: bytes to the socket in one message, events to whom they concern.
    fn drain(&mut self, now: Instant) {
        let mut closed = None;
        while let Some(output) = self.session.as_mut().and_then(ClientSession::poll_output) {
            match output {
                Output::Transmit(transmit) => {
                    self.out.extend_from_slice(transmit.head.as_ref());
                    self.out.extend_from_slice(&transmit.body);
                }
                Output::Event(client::Event::Closed { reason }) => closed = Some(reason),
                Output::Event(event) => self.event(now, event),
            }
        }
        if let Some(socket) = &mut self.socket {
            socket.send(&self.out);
        }
        self.out.clear();
        if let Some(reason) = closed {
            self.closed(reason);
        }
    }

    fn event(&mut self, now: Instant, event: client::Event) {
        use client::Event;
        match event {
            Event::Connected { status, properties } => {
                self.answered = true;
                let info = amf::to_object(&status.to_object());
                for (name, value) in properties.iter() {
                    set(&info, name, &amf::to_js(value));
                }
                Message::new("status").with("info", info).post();
            }
            Event::Status {
                stream: None,
                status,
            } => post_status(None, &status),
            Event::CallResult { id, result } => {
                if let Some(at) = self.calls.iter().position(|(call, _)| *call == id) {
                    let message =
                        Message::new("callResult").with("call", self.calls.swap_remove(at).1);
                    match result {
                        Ok(value) => message.with("value", amf::to_js(&value)).post(),
                        Err(value) => message.with("error", amf::to_js(&value)).post(),
                    }
                }
            }
            Event::Call {
                stream,
                name,
                arguments,
                reply,
            } => {
                let number = stream
                    .and_then(|key| self.by_key(key))
                    .map(|stream| stream.number());
                let reply = reply.map(|reply| {
                    let id = self.next_reply;
                    self.next_reply += 1.0;
                    self.replies.push((id, reply));
                    id
                });
                Message::new("invoke")
                    .with_some("stream", number)
                    .with("name", name)
                    .with("args", amf::to_array(&arguments))
                    .with_some("reply", reply)
                    .post();
            }
            Event::Status {
                stream: Some(key),
                status,
            } => {
                if let Some(stream) = self.by_key(key) {
                    let number = stream.number();
                    stream.status(now, &status);
                    post_status(Some(number), &status);
                }
            }
            Event::PublishReady { stream: key } => self.tell(key, |stream| stream.publish_ready()),
            Event::Tag { stream: key, tag } => self.tell(key, |stream| stream.tag(now, tag)),
            Event::StreamBegin { stream: key } => self.tell(key, |stream| stream.begin(now)),
            Event::StreamEof { stream: key } => self.tell(key, |stream| stream.end(now)),
            _ => {}
        }
    }

    fn connect(&mut self, now: Instant, message: &ToWorker) {
        let url = message.url();
        let socket = match Socket::connect(&url, &self.handle) {
            Ok(socket) => socket,
            Err(reason) => return post_status(None, &Status::error(code::CONNECT_FAILED, reason)),
        };
        let seed = (js_sys::Math::random() * 2f64.powi(53)) as u64;
        let mut config = client::Config::new(seed);
        // A publisher learns from each acknowledgement how old what its peer gets is.
        config.window = WINDOW;
        let mut session = ClientSession::new(config, now);
        let mut connect = client::Connect::new(app_of(&url), url);
        connect.page_url = Some(message.page_url());
        connect.arguments = amf::from_array(message.args());
        if message.object_encoding() == 3 {
            connect.object_encoding = ObjectEncoding::Amf3;
        }
        // A new session takes its first connect.
        let _ = session.connect(now, connect);
        self.streams.clear();
        self.calls.clear();
        self.replies.clear();
        self.answered = false;
        self.socket = Some(socket);
        self.session = Some(session);
    }

    fn close(&mut self, now: Instant) {
        if let Some(session) = &mut self.session {
            session.close(now);
        }
    }

    fn closed(&mut self, reason: CloseReason) {
        let refused = matches!(reason, CloseReason::Rejected(_));
        let status = if self.answered || refused || reason == CloseReason::Local {
            Status::ok(code::CONNECT_CLOSED, reason.to_string())
        } else {
            let reached = self.socket.as_ref().is_some_and(Socket::was_open);
            let why = if reached {
                reason.to_string()
            } else {
                "no server answers at this address".into()
            };
            Status::error(code::CONNECT_FAILED, why)
        };
        for stream in &mut self.streams {
            stream.player().leave();
        }
        self.streams.clear();
        self.session = None;
        self.socket = None;
        post_status(None, &status);
    }

    fn call(&mut self, now: Instant, message: &ToWorker) {
        let Some(session) = &mut self.session else {
            return;
        };
        let number = message.call();
        match session.call(now, &message.name(), amf::from_array(message.args())) {
            Ok(_) if number == 0.0 => {}
            Ok(id) => self.calls.push((id, number)),
            Err(error) => Message::new("callResult")
                .with("call", number)
                .with("error", error.to_string())
                .post(),
        }
    }

    fn reply(&mut self, now: Instant, message: &ToWorker) {
        let (Some(session), Some(at)) = (
            &mut self.session,
            self.replies
                .iter()
                .position(|(id, _)| *id == message.reply()),
        ) else {
            return;
        };
        let reply = self.replies.swap_remove(at).1;
        let result = match message.error() {
            None => Ok(amf::from_js(&message.value())),
            Some(error) => Err(error.as_str().into()),
        };
        // Fails only when the session is over.
        let _ = session.reply(now, reply, result);
    }

    fn create_stream(&mut self, now: Instant, message: &ToWorker) {
        let (Some(session), Some(number)) = (&mut self.session, message.stream()) else {
            return;
        };
        match session.create_stream(now) {
            Ok(key) => {
                let mut stream =
                    Stream::new(number, key, self.handle.clone(), self.publishing.clone());
                stream.player().set_hidden(self.hidden);
                self.streams.push(stream);
            }
            Err(error) => post_status(
                Some(number),
                &Status::error(code::STREAM_FAILED, error.to_string()),
            ),
        }
    }

    fn tell(&mut self, key: StreamKey, f: impl FnOnce(&mut Stream)) {
        if let Some(stream) = self.by_key(key) {
            f(stream);
        }
    }

    fn by_key(&mut self, key: StreamKey) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.key() == key)
    }

    fn position(&self, number: Option<u32>) -> Option<usize> {
        self.streams
            .iter()
            .position(|stream| Some(stream.number()) == number)
    }
}

impl Owner for Connection {
    /// Does all that follows from what has happened, and sets the timer for what is to come.
    fn settle(&mut self, now: Instant) {
        let Some(session) = &mut self.session else {
            return;
        };
        if session.poll_timeout().is_some_and(|at| at <= now) {
            session.handle_timeout(now);
        }
        self.drain(now);
        for stream in &mut self.streams {
            stream.settle(now);
        }
        self.drain(now);
        let acknowledged = self.stats().bytes_acknowledged;
        if acknowledged != self.acknowledged {
            self.acknowledged = acknowledged;
            self.publishing.acknowledged();
        }
        if now >= self.next_stats {
            self.next_stats = now + STATS_EVERY;
            for stream in &mut self.streams {
                stream.post_stats(now);
            }
        }
        let session = self.session.as_ref().and_then(ClientSession::poll_timeout);
        let streams = self
            .streams
            .iter()
            .filter_map(|stream| stream.poll_timeout(now))
            .min();
        let stats = (!self.streams.is_empty()).then_some(self.next_stats);
        self.timer
            .set(now, [session, streams, stats].into_iter().flatten().min());
    }
}

/// A status for the page, about a stream or about the connection.
pub(crate) fn post_status(stream: Option<u32>, status: &Status) {
    Message::new("status")
        .with_some("stream", stream)
        .with("info", amf::to_object(&status.to_object()))
        .post();
}

/// The application is the URL's path: `ws://host/live/room` is "live/room".
fn app_of(url: &str) -> String {
    // The scheme and the host are before the third slash.
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    let path = path
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('/');
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::app_of;

    #[test]
    fn the_path_is_the_application() {
        assert_eq!(app_of("ws://host:8080/live"), "live");
        assert_eq!(app_of("wss://host/conf/room1/?token=a/b"), "conf/room1");
        assert_eq!(app_of("ws://host"), "");
    }
}
