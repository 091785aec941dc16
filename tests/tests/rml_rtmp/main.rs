//! Differential tests with rml_rtmp, which nobody here wrote: our client and its server, its client and our server, over generated
//! sequences of messages in generated fragments.
#![allow(clippy::unwrap_used)]

mod peers;

use bytes::Bytes;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::session::{Output, PublishKind, StreamKey, client, server};
use chalkcast_core::{ClientSession, Instant, ServerSession, Timestamp, handshake};
use chalkcast_tests::Random;
use proptest::prelude::*;
use rml_rtmp::sessions::{
    ClientSessionEvent, PublishRequestType, ServerSessionEvent, StreamMetadata,
};
use rml_rtmp::time::RtmpTimestamp;

const NOW: Instant = Instant::ZERO;

/// A message to send: audio or video, at so many milliseconds after the one before, of so many bytes.
#[derive(Clone, Debug)]
struct Media {
    video: bool,
    delta: u32,
    length: usize,
}

fn media() -> impl Strategy<Value = Media> {
    let delta = prop_oneof![8 => 0..100_u32, 1 => Just(0), 1 => 0x00FF_FF00..0x0100_0100_u32];
    let length = prop_oneof![6 => 1..400_usize, 2 => 3900..4300_usize, 1 => 65_000..70_000_usize];
    (any::<bool>(), delta, length).prop_map(|(video, delta, length)| Media {
        video,
        delta,
        length,
    })
}

/// The tags that a sequence makes.
fn tags(sequence: &[Media]) -> Vec<Tag> {
    let mut timestamp = Timestamp::ZERO;
    let mut tags = Vec::new();
    for (
        number,
        Media {
            video,
            delta,
            length,
        },
    ) in sequence.iter().enumerate()
    {
        timestamp = timestamp + *delta;
        let tag_type = if *video {
            TagType::Video
        } else {
            TagType::Audio
        };
        let payload = (0..*length)
            .map(|at| (at * 7 + number) as u8)
            .collect::<Vec<_>>();
        tags.push(Tag {
            tag_type,
            timestamp,
            payload: Bytes::from(payload),
        });
    }
    tags
}

fn arrived(video: bool, timestamp: &RtmpTimestamp, data: &Bytes) -> Tag {
    let tag_type = if video {
        TagType::Video
    } else {
        TagType::Audio
    };
    Tag {
        tag_type,
        timestamp: Timestamp::from_millis(timestamp.value),
        payload: data.clone(),
    }
}

/// Hands bytes over in fragments of one to `most` bytes.
fn in_fragments(bytes: &[u8], most: usize, random: &mut Random, mut take: impl FnMut(&[u8])) {
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = (1 + random.below(most as u64) as usize).min(rest.len());
        let (fragment, after) = rest.split_at(length);
        take(fragment);
        rest = after;
    }
}

/// Our client at rml_rtmp's server.
struct ToRmlServer {
    client: ClientSession,
    server: peers::Server,
    events: Vec<client::Event>,
    random: Random,
    fragment: usize,
}

impl ToRmlServer {
    fn connected(kind: handshake::Kind, fragment: usize, seed: u64) -> Self {
        let mut config = client::Config::new(seed);
        config.handshake = kind;
        let client = ClientSession::new(config, NOW);
        let mut both = Self {
            client,
            server: peers::Server::new(),
            events: Vec::new(),
            random: Random::new(seed),
            fragment,
        };
        both.client
            .connect(NOW, client::Connect::new("live", "rtmp://host/live"))
            .unwrap();
        both.exchange();
        assert!(
            both.events
                .iter()
                .any(|event| matches!(event, client::Event::Connected { .. })),
            "{:?}",
            both.events
        );
        both
    }

    /// Lets both talk until neither has anything to say; every request is accepted.
    fn exchange(&mut self) {
        loop {
            let mut sent = Vec::new();
            while let Some(output) = self.client.poll_output() {
                match output {
                    Output::Transmit(transmit) => transmit.write_to(&mut sent),
                    Output::Event(event) => self.events.push(event),
                }
            }
            let server = &mut self.server;
            in_fragments(&sent, self.fragment, &mut self.random, |fragment| {
                server.handle_input(fragment)
            });
            let requests: Vec<_> = server
                .events
                .iter()
                .filter_map(|event| match event {
                    ServerSessionEvent::ConnectionRequested { request_id, .. }
                    | ServerSessionEvent::PublishStreamRequested { request_id, .. }
                    | ServerSessionEvent::PlayStreamRequested { request_id, .. } => {
                        Some(*request_id)
                    }
                    _ => None,
                })
                .collect();
            for request_id in requests {
                server.accept(request_id);
            }
            server.events.retain(|event| {
                !matches!(
                    event,
                    ServerSessionEvent::ConnectionRequested { .. }
                        | ServerSessionEvent::PublishStreamRequested { .. }
                        | ServerSessionEvent::PlayStreamRequested { .. }
                )
            });
            let answer = std::mem::take(&mut server.output);
            if sent.is_empty() && answer.is_empty() {
                return;
            }
            let client = &mut self.client;
            in_fragments(&answer, self.fragment, &mut self.random, |fragment| {
                client.handle_input(NOW, fragment)
            });
        }
    }
}

/// rml_rtmp's client at our server.
struct ToOurServer {
    client: peers::Client,
    server: ServerSession,
    events: Vec<server::Event>,
    random: Random,
    fragment: usize,
}

impl ToOurServer {
    fn connected(fragment: usize, seed: u64) -> Self {
        let server = ServerSession::new(server::Config::new(seed), NOW);
        let mut both = Self {
            client: peers::Client::new(),
            server,
            events: Vec::new(),
            random: Random::new(seed),
            fragment,
        };
        both.exchange();
        assert!(both.client.ready, "the handshake");
        let connect = both
            .client
            .session
            .request_connection("live".to_owned())
            .unwrap();
        both.client.take(vec![connect]);
        both.exchange();
        assert!(
            both.client
                .events
                .contains(&ClientSessionEvent::ConnectionRequestAccepted),
            "{:?}",
            both.client.events
        );
        both
    }

    /// Lets both talk until neither has anything to say; every request is accepted. Answers with the stream last asked about.
    fn exchange(&mut self) -> Option<StreamKey> {
        let mut asked = None;
        loop {
            let sent = std::mem::take(&mut self.client.output);
            let server = &mut self.server;
            in_fragments(&sent, self.fragment, &mut self.random, |fragment| {
                server.handle_input(NOW, fragment)
            });
            let mut answer = Vec::new();
            while let Some(output) = server.poll_output() {
                match output {
                    Output::Transmit(transmit) => transmit.write_to(&mut answer),
                    Output::Event(server::Event::Connect(_)) => server.accept_connect(NOW).unwrap(),
                    Output::Event(server::Event::Publish { stream, .. }) => {
                        asked = Some(stream);
                        server.accept_publish(NOW, stream).unwrap();
                    }
                    Output::Event(server::Event::Play { stream, .. }) => {
                        asked = Some(stream);
                        server.accept_play(NOW, stream).unwrap();
                    }
                    Output::Event(event) => self.events.push(event),
                }
            }
            if sent.is_empty() && answer.is_empty() {
                return asked;
            }
            let client = &mut self.client;
            in_fragments(&answer, self.fragment, &mut self.random, |fragment| {
                client.handle_input(fragment)
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn our_client_publishes_to_its_server(
        sequence in prop::collection::vec(media(), 1..40), fragment in 1..6000_usize, seed: u64, digest: bool,
    ) {
        let kind = if digest { handshake::Kind::Digest } else { handshake::Kind::Simple };
        let mut both = ToRmlServer::connected(kind, fragment, seed);
        let stream = both.client.create_stream(NOW).unwrap();
        both.client.publish(NOW, stream, "conf", PublishKind::Live).unwrap();
        both.exchange();
        prop_assert!(both.events.contains(&client::Event::PublishReady { stream }), "{:?}", both.events);
        both.server.events.clear();
        let sent = tags(&sequence);
        for tag in &sent {
            both.client.send_tag(NOW, stream, tag).unwrap();
        }
        both.exchange();
        let received: Vec<_> = both.server.events.iter().filter_map(|event| match event {
            ServerSessionEvent::VideoDataReceived { data, timestamp, .. } => Some(arrived(true, timestamp, data)),
            ServerSessionEvent::AudioDataReceived { data, timestamp, .. } => Some(arrived(false, timestamp, data)),
            _ => None,
        }).collect();
        prop_assert!(received == sent, "{} of {} arrived", received.len(), sent.len());
        both.client.delete_stream(NOW, stream).unwrap();
        both.exchange();
        let finished = both.server.events.iter().any(|event| matches!(event, ServerSessionEvent::PublishStreamFinished { .. }));
        prop_assert!(finished, "{:?}", both.server.events.last());
    }

    #[test]
    fn our_client_plays_from_its_server(sequence in prop::collection::vec(media(), 1..40), fragment in 1..6000_usize, seed: u64) {
        let mut both = ToRmlServer::connected(handshake::Kind::Simple, fragment, seed);
        let stream = both.client.create_stream(NOW).unwrap();
        both.client.play(NOW, stream, client::Play::new("conf")).unwrap();
        both.exchange();
        both.events.clear();
        let sent = tags(&sequence);
        for Tag { tag_type, timestamp, payload } in &sent {
            let session = both.server.session.as_mut().unwrap();
            let timestamp = RtmpTimestamp::new(timestamp.as_millis());
            let packet = match tag_type {
                TagType::Video => session.send_video_data(1, payload.clone(), timestamp, false),
                _ => session.send_audio_data(1, payload.clone(), timestamp, false),
            };
            both.server.output.extend(packet.unwrap().bytes);
        }
        both.exchange();
        let received: Vec<_> = both.events.iter().filter_map(|event| match event {
            client::Event::Tag { tag, stream: on } if *on == stream => Some(tag.clone()),
            _ => None,
        }).collect();
        prop_assert!(received == sent, "{} of {} arrived", received.len(), sent.len());
    }

    #[test]
    fn its_client_publishes_to_our_server(sequence in prop::collection::vec(media(), 1..40), fragment in 1..6000_usize, seed: u64) {
        let mut both = ToOurServer::connected(fragment, seed);
        let publish = both.client.session.request_publishing("conf".to_owned(), PublishRequestType::Live).unwrap();
        both.client.take(vec![publish]);
        let stream = both.exchange().unwrap();
        prop_assert!(both.client.events.contains(&ClientSessionEvent::PublishRequestAccepted), "{:?}", both.client.events);
        let mut metadata = StreamMetadata::new();
        metadata.video_width = Some(320);
        let metadata = both.client.session.publish_metadata(&metadata).unwrap();
        both.client.take(vec![metadata]);
        let sent = tags(&sequence);
        for Tag { tag_type, timestamp, payload } in &sent {
            let timestamp = RtmpTimestamp::new(timestamp.as_millis());
            let result = match tag_type {
                TagType::Video => both.client.session.publish_video_data(payload.clone(), timestamp, false),
                _ => both.client.session.publish_audio_data(payload.clone(), timestamp, false),
            };
            both.client.take(vec![result.unwrap()]);
        }
        both.exchange();
        let mut received: Vec<_> = both.events.iter().filter_map(|event| match event {
            server::Event::Tag { tag, stream: on } if *on == stream => Some(tag.clone()),
            _ => None,
        }).collect();
        prop_assert!(received.remove(0).payload.starts_with(b"\x02\x00\x0aonMetaData"));
        prop_assert!(received == sent, "{} of {} arrived", received.len(), sent.len());
        let stopped = both.client.session.stop_publishing().unwrap();
        both.client.take(stopped);
        both.exchange();
        prop_assert_eq!(both.events.last(), Some(&server::Event::StreamClosed { stream }));
    }

    #[test]
    fn its_client_plays_from_our_server(sequence in prop::collection::vec(media(), 1..40), fragment in 1..6000_usize, seed: u64) {
        let mut both = ToOurServer::connected(fragment, seed);
        let play = both.client.session.request_playback("conf".to_owned()).unwrap();
        both.client.take(vec![play]);
        let stream = both.exchange().unwrap();
        prop_assert!(both.client.events.contains(&ClientSessionEvent::PlaybackRequestAccepted), "{:?}", both.client.events);
        let sent = tags(&sequence);
        for tag in &sent {
            both.server.send_tag(NOW, stream, tag).unwrap();
        }
        both.exchange();
        let received: Vec<_> = both.client.events.iter().filter_map(|event| match event {
            ClientSessionEvent::VideoDataReceived { data, timestamp } => Some(arrived(true, timestamp, data)),
            ClientSessionEvent::AudioDataReceived { data, timestamp } => Some(arrived(false, timestamp, data)),
            _ => None,
        }).collect();
        prop_assert!(received == sent, "{} of {} arrived", received.len(), sent.len());
    }
}
