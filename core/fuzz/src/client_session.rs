//! A client session, as a sequence of operations.

use std::time::Duration;

use chalkcast_core::session::{Output, PublishKind, Reply, StreamKey, client};
use chalkcast_core::{ClientSession, Instant, Timestamp};

use super::operations::{Input, Peer};

/// Whatever server and owner do: no panic, what is sent can be read, and nothing after `Closed`.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let mut owner = Owner::new();
    while !input.is_empty() {
        owner.step(&mut input);
        owner.drain();
    }
    owner.session.close(owner.now);
    owner.drain();
    assert!(owner.closed, "close ends the session");
    assert_eq!(owner.session.poll_timeout(), None);
}

struct Owner {
    now: Instant,
    session: ClientSession,
    peer: Peer,
    streams: Vec<StreamKey>,
    replies: Vec<Reply>,
    closed: bool,
}

impl Owner {
    fn new() -> Self {
        let now = Instant::ZERO;
        let mut session = ClientSession::new(client::Config::new(1), now);
        let stream = session.create_stream(now).expect("a first stream");
        let mut owner = Self {
            now,
            session,
            peer: Peer::new(),
            streams: vec![stream],
            replies: Vec::new(),
            closed: false,
        };
        owner
            .session
            .connect(now, client::Connect::new("live", "rtmp://host/live"))
            .expect("a first connect");
        owner.session.handle_input(now, &Peer::server_handshake());
        owner.drain();
        owner
    }

    /// What the caller does wrong comes back to it as an error, and changes nothing: it does not matter here.
    fn step(&mut self, input: &mut Input<'_>) {
        let now = self.now;
        let stream = self.streams[usize::from(input.byte()) % self.streams.len()];
        match input.byte() % 16 {
            0 => self.session.handle_input(now, input.bytes()),
            1..=6 => {
                for piece in self.peer.message(input) {
                    self.session.handle_input(now, &piece);
                    self.drain();
                }
            }
            7 => self.streams.extend(self.session.create_stream(now)),
            8 => {
                let kind = [PublishKind::Live, PublishKind::Record, PublishKind::Append]
                    [usize::from(input.byte() % 3)];
                let _ = self.session.publish(now, stream, input.name(), kind);
            }
            9 => {
                let length = input.byte();
                let _ = self.session.set_buffer_length(
                    now,
                    stream,
                    Duration::from_millis(length.into()),
                );
                if length.is_multiple_of(2) {
                    let play = client::Play::new(input.name());
                    let _ = self.session.play(now, stream, play);
                } else {
                    let options = input.play_options();
                    let _ = self.session.play2(now, stream, &options);
                }
            }
            10 => {
                let mut tag = input.tag();
                if tag.tag_type == chalkcast_core::flv::TagType::Script {
                    // The owner's to write, and the peer insists on reading it.
                    tag.payload = b"\x02\x00\x0aonMetaData".to_vec().into();
                }
                let _ = self.session.send_tag(now, stream, &tag);
                let _ = self
                    .session
                    .send_data(now, stream, input.name(), input.values());
            }
            11 => {
                let position = Timestamp::from_millis(u32::from(input.byte()));
                let _ = self
                    .session
                    .pause(now, stream, input.byte().is_multiple_of(2), position);
                let _ = self.session.seek(now, stream, position);
                let _ = self
                    .session
                    .receive_audio(now, stream, input.byte().is_multiple_of(2));
            }
            12 => {
                let _ = self.session.call(now, input.name(), input.values());
            }
            13 => {
                if let Some(reply) = self.replies.pop() {
                    let _ = self.session.reply(now, reply, Err(input.value()));
                }
            }
            14 => {
                self.now += Duration::from_secs(u64::from(input.byte() % 32));
                if self.session.poll_timeout().is_some_and(|at| at <= self.now) {
                    self.session.handle_timeout(self.now);
                }
            }
            _ => match input.byte() {
                0 => self.session.close(now),
                1 => self.session.handle_eof(now),
                2..=128 => {
                    let _ = self.session.close_stream(now, stream);
                }
                _ => {
                    let _ = self.session.delete_stream(now, stream);
                }
            },
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.closed, "nothing follows Closed: {output:?}");
            match output {
                Output::Transmit(transmit) => {
                    let mut bytes = Vec::new();
                    transmit.write_to(&mut bytes);
                    self.peer.read(&bytes);
                }
                Output::Event(client::Event::Call {
                    reply: Some(reply), ..
                }) => self.replies.push(reply),
                Output::Event(client::Event::Closed { .. }) => self.closed = true,
                Output::Event(
                    client::Event::Tag { stream, .. } | client::Event::PublishReady { stream },
                ) => {
                    assert!(self.streams.contains(&stream));
                }
                Output::Event(_) => {}
            }
        }
    }
}
