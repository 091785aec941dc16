//! A server session, as a sequence of operations.

use std::time::Duration;

use chalkcast_core::session::{Output, Reply, Status, StreamKey, code, server};
use chalkcast_core::{Instant, ServerSession};

use super::operations::{Input, Peer};

/// Whatever client and owner do: no panic, what is sent can be read, no more streams than allowed, and nothing after `Closed`.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let mut owner = Owner::new();
    while !input.is_empty() {
        owner.step(&mut input);
        owner.drain();
    }
    owner.session.handle_eof(owner.now);
    owner.drain();
    assert!(owner.closed, "the end of the byte stream ends the session");
    assert_eq!(owner.session.poll_timeout(), None);
}

struct Owner {
    now: Instant,
    session: ServerSession,
    peer: Peer,
    asked: Vec<StreamKey>,
    replies: Vec<Reply>,
    in_use: Vec<StreamKey>,
    closed: bool,
}

impl Owner {
    fn new() -> Self {
        let now = Instant::ZERO;
        let mut owner = Self {
            now,
            session: ServerSession::new(server::Config::new(1), now),
            peer: Peer::new(),
            asked: Vec::new(),
            replies: Vec::new(),
            in_use: Vec::new(),
            closed: false,
        };
        owner.session.handle_input(now, &Peer::client_handshake());
        owner.drain();
        owner
    }

    /// What the caller does wrong comes back to it as an error, and changes nothing: it does not matter here.
    fn step(&mut self, input: &mut Input<'_>) {
        let now = self.now;
        match input.byte() % 16 {
            0 => self.session.handle_input(now, input.bytes()),
            1..=6 => {
                for piece in self.peer.message(input) {
                    self.session.handle_input(now, &piece);
                    self.drain();
                }
            }
            7 => {
                let _ = self.session.accept_connect(now);
            }
            8 => {
                let stream = self.key(input);
                let _ = self.session.accept_publish(now, stream);
                let _ = self.session.accept_play(now, stream);
            }
            9 => {
                let (stream, status) = (
                    self.key(input),
                    Status::error(code::STREAM_FAILED, input.name()),
                );
                let refused = self.session.reject_publish(now, stream, status.clone());
                if refused
                    .or(self.session.reject_play(now, stream, status))
                    .is_ok()
                {
                    self.in_use.retain(|known| *known != stream);
                }
            }
            10 => {
                let stream = self.key(input);
                let mut tag = input.tag();
                if tag.tag_type == chalkcast_core::flv::TagType::Script {
                    // The owner's to write, and the peer below insists on reading it.
                    tag.payload = vec![2, 0, 1, b'x'].into();
                }
                let _ = self.session.send_tag(now, stream, &tag);
            }
            11 => {
                let stream = self.key(input);
                let _ = self.session.stream_begin(stream);
                let _ = self.session.stream_eof(stream);
                let _ = self.session.request_reconnect(now, None, input.name());
            }
            12 => {
                let stream = (input.byte().is_multiple_of(2)).then(|| self.key(input));
                let _ = self.session.call(now, stream, input.name(), input.values());
            }
            13 => {
                if let Some(reply) = self.replies.pop() {
                    let _ = self.session.reply(now, reply, Ok(input.value()));
                }
            }
            14 => {
                self.now += Duration::from_secs(u64::from(input.byte() % 32));
                if self.session.poll_timeout().is_some_and(|at| at <= self.now) {
                    self.session.handle_timeout(self.now);
                }
            }
            _ => match input.byte() {
                0 => self
                    .session
                    .close(now, Some(Status::error(code::CONNECT_APP_SHUTDOWN, ""))),
                1 => {
                    let _ = self
                        .session
                        .reject_connect(now, Status::error(code::CONNECT_REJECTED, ""));
                }
                _ => {}
            },
        }
    }

    /// A stream the client asked about.
    fn key(&self, input: &mut Input<'_>) -> StreamKey {
        let at = usize::from(input.byte());
        // There is no key without an event; before the first one, another session's will do.
        self.asked
            .get(at % self.asked.len().max(1))
            .copied()
            .unwrap_or_else(another_sessions_key)
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.closed, "nothing follows Closed: {output:?}");
            let event = match output {
                Output::Transmit(transmit) => {
                    let mut bytes = Vec::new();
                    transmit.write_to(&mut bytes);
                    self.peer.read(&bytes);
                    continue;
                }
                Output::Event(event) => event,
            };
            match event {
                server::Event::Publish { stream, .. }
                | server::Event::Play { stream, .. }
                | server::Event::Play2 { stream, .. } => {
                    assert!(
                        !self.in_use.contains(&stream),
                        "its earlier use was ended first"
                    );
                    self.in_use.push(stream);
                    self.asked.push(stream);
                    assert!(self.in_use.len() <= 16, "the limit of streams");
                }
                server::Event::StreamClosed { stream } => {
                    let at = self.in_use.iter().position(|known| *known == stream);
                    self.in_use
                        .swap_remove(at.expect("only what is in use ends"));
                }
                server::Event::Tag { stream, .. } => assert!(self.in_use.contains(&stream)),
                server::Event::Call {
                    reply: Some(reply), ..
                }
                | server::Event::StreamLength { reply, .. } => self.replies.push(reply),
                server::Event::Closed { .. } => {
                    self.closed = true;
                    assert!(self.in_use.is_empty(), "every stream ended before");
                }
                _ => {}
            }
        }
    }
}

fn another_sessions_key() -> StreamKey {
    let mut other = chalkcast_core::ClientSession::new(
        chalkcast_core::session::client::Config::new(1),
        Instant::ZERO,
    );
    other.create_stream(Instant::ZERO).expect("a first stream")
}
