//! The pair over links that delay, cut and join, to quiescence; and a day of it, through both wraps of the timestamp.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::session::client::{self, Connect, Play};
use chalkcast_core::session::{CloseReason, PublishKind, StreamKey, server};
use chalkcast_core::{Instant, Timestamp};
use chalkcast_tests::{LinkConfig, Pair, Random};

/// A publisher's and a viewer's stream on one connection, both accepted.
struct Lesson {
    pair: Pair,
    publishing: StreamKey,
    playing: StreamKey,
    at_server: (StreamKey, StreamKey),
}

fn lesson(link: LinkConfig, seed: u64) -> Lesson {
    let mut pair = Pair::new(
        client::Config::new(seed),
        server::Config::new(!seed),
        link,
        seed,
    );
    pair.client
        .connect(pair.now, Connect::new("live", "rtmp://host/live"))
        .unwrap();
    // All of it is asked for before anything is answered.
    let publishing = pair.client.create_stream(pair.now).unwrap();
    pair.client
        .publish(pair.now, publishing, "conf", PublishKind::Live)
        .unwrap();
    let playing = pair.client.create_stream(pair.now).unwrap();
    pair.client
        .play(pair.now, playing, Play::new("conf"))
        .unwrap();
    let mut at_server = (None, None);
    for _ in 0..3 {
        pair.settle();
        for event in pair.take_server_events() {
            match event {
                server::Event::Connect(_) => pair.server.accept_connect(pair.now).unwrap(),
                server::Event::Publish { stream, .. } => {
                    at_server.0 = Some(stream);
                    pair.server.accept_publish(pair.now, stream).unwrap();
                }
                server::Event::Play { stream, .. } => {
                    at_server.1 = Some(stream);
                    pair.server.accept_play(pair.now, stream).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
    }
    pair.settle();
    let events = pair.take_client_events();
    assert!(
        events.contains(&client::Event::PublishReady { stream: publishing }),
        "{events:?}"
    );
    Lesson {
        pair,
        publishing,
        playing,
        at_server: (at_server.0.unwrap(), at_server.1.unwrap()),
    }
}

impl Lesson {
    /// Passes on what the server was sent, and answers what the viewer got.
    fn relay(&mut self) -> Vec<Tag> {
        for event in self.pair.take_server_events() {
            match event {
                server::Event::Tag { stream, tag } => {
                    assert_eq!(stream, self.at_server.0);
                    self.pair
                        .server
                        .send_tag(self.pair.now, self.at_server.1, &tag)
                        .unwrap();
                }
                server::Event::RoundTrip(_) => {}
                other => panic!("{other:?}"),
            }
        }
        let playing = self.playing;
        let events = self.pair.take_client_events().into_iter();
        events
            .filter_map(|event| match event {
                client::Event::Tag { stream, tag } => {
                    assert_eq!(stream, playing);
                    Some(tag)
                }
                client::Event::RoundTrip(_) => None,
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

#[test]
fn whatever_the_link_does_everything_arrives_in_order() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let link = LinkConfig {
            latency: Duration::from_millis(random.below(300)),
            jitter: Duration::from_millis(random.below(200)),
            bandwidth: (random.below(3) == 0).then(|| 20_000 + random.below(2_000_000)),
            // One in three links is cut into single bytes.
            fragment: [Some(1), Some(2 + random.below(3000) as usize), None]
                [random.below(3) as usize],
            coalesce: random.below(2) == 0,
        };
        let mut lesson = lesson(link, seed);
        let (mut sent, mut received) = (Vec::new(), Vec::new());
        lesson.relay();
        for number in 0..40_u32 {
            let tag_type = if random.below(2) == 0 {
                TagType::Audio
            } else {
                TagType::Video
            };
            let payload = vec![number as u8; random.below(3000) as usize];
            let tag = Tag {
                tag_type,
                timestamp: Timestamp::from_millis(number * 20),
                payload: Bytes::from(payload),
            };
            lesson
                .pair
                .client
                .send_tag(lesson.pair.now, lesson.publishing, &tag)
                .unwrap();
            sent.push(tag);
            if random.below(8) == 0 {
                let until = lesson.pair.now + Duration::from_millis(random.below(1000));
                lesson.pair.up.stall(until);
            }
            lesson.pair.run_for(Duration::from_millis(random.below(40)));
            received.extend(lesson.relay());
        }
        for _ in 0..2 {
            lesson.pair.settle();
            received.extend(lesson.relay());
        }
        assert_eq!(received, sent, "seed {seed}, {link:?}");
    }
}

#[test]
fn a_day_at_77_messages_a_second_through_both_wraps() {
    let link = LinkConfig {
        latency: Duration::from_millis(15),
        ..LinkConfig::perfect()
    };
    let mut lesson = lesson(link, 7);
    lesson.relay();
    // Starts half a day before the 32 bits run out: passes 2^32 on the way, and then 0xFFFFFF.
    let start = Timestamp::from_millis(0_u32.wrapping_sub(43_200_000));
    let began = lesson.pair.now;
    let day = Duration::from_secs(24 * 60 * 60);
    let audio = Bytes::from_static(&[0xAF, 1, 2, 3]);
    let video = Bytes::from_static(&[0x27, 1, 0, 0, 0, 9, 9, 9]);
    let (mut frames, mut sounds, mut received, mut round_trips) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut last = [start.offset(-1); 2];
    loop {
        // 30 pictures and 47 sounds a second, each at its time.
        let (next_frame, next_sound) = (frames * 1_000_000 / 30, sounds * 1_000_000 / 47);
        let micros = next_frame.min(next_sound);
        if Duration::from_micros(micros) >= day {
            break;
        }
        lesson
            .pair
            .advance_to(began + Duration::from_micros(micros));
        let timestamp = start + (micros / 1000) as u32;
        let (tag_type, payload) = if next_frame <= next_sound {
            frames += 1;
            (TagType::Video, video.clone())
        } else {
            sounds += 1;
            (TagType::Audio, audio.clone())
        };
        let tag = Tag {
            tag_type,
            timestamp,
            payload,
        };
        lesson
            .pair
            .client
            .send_tag(lesson.pair.now, lesson.publishing, &tag)
            .unwrap();
        lesson.pair.pump();
        round_trips += lesson
            .pair
            .client_events
            .iter()
            .filter(|event| matches!(event, client::Event::RoundTrip(_)))
            .count() as u64;
        for tag in lesson.relay() {
            let last = &mut last[usize::from(tag.tag_type == TagType::Video)];
            assert!(tag.timestamp.is_after(*last), "{tag:?} after {last:?}");
            *last = tag.timestamp;
            received += 1;
        }
    }
    for _ in 0..2 {
        lesson.pair.settle();
        received += lesson.relay().len() as u64;
    }
    assert_eq!((frames, sounds), (30 * 86_400, 47 * 86_400));
    assert_eq!(received, frames + sounds);
    assert_eq!(round_trips, 86_400 / 20, "a ping each 20 s");
    assert_eq!(
        lesson.pair.client.stats().round_trip,
        Some(Duration::from_millis(30))
    );
    assert_eq!(lesson.pair.client.stats().ignored_messages, 0);
    assert!(lesson.pair.client.stats().bytes_acknowledged.unwrap() > 100_000_000);
}

#[test]
fn a_peer_that_goes_silent_is_given_up() {
    let link = LinkConfig {
        latency: Duration::from_millis(15),
        ..LinkConfig::perfect()
    };
    let mut lesson = lesson(link, 9);
    lesson.pair.run_for(Duration::from_secs(600));
    lesson.relay();
    let silent_from = lesson.pair.now;
    lesson
        .pair
        .down
        .stall(silent_from + Duration::from_secs(3600));
    lesson
        .pair
        .up
        .stall(silent_from + Duration::from_secs(3600));
    lesson.pair.run_for(Duration::from_secs(61));
    let reason = |events: &[client::Event]| match events.last() {
        Some(client::Event::Closed { reason }) => reason.clone(),
        other => panic!("{other:?}"),
    };
    let events = lesson.pair.take_client_events();
    assert!(
        matches!(reason(&events), CloseReason::Timeout { after, .. } if after == Duration::from_secs(60)),
        "{events:?}"
    );
    assert_eq!(lesson.pair.client.poll_timeout(), None::<Instant>);
}
