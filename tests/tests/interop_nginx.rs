//! Our client session publishes to nginx-rtmp, and plays from it.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::handshake;
use chalkcast_core::session::client::{Config, Connect, Event, Play};
use chalkcast_core::session::{ObjectEncoding, PublishKind, code};
use chalkcast_tests::{Nginx, TestClient};

const LIMIT: Duration = Duration::from_secs(10);

/// How our client speaks.
type Speech = (handshake::Kind, ObjectEncoding);

fn connected(nginx: &Nginx, (handshake, object_encoding): Speech, seed: u64) -> TestClient {
    let mut config = Config::new(seed);
    config.handshake = handshake;
    let mut client = TestClient::open(nginx.address, config).unwrap();
    let mut connect = Connect::new("live", format!("rtmp://{}/live", nginx.address));
    connect.object_encoding = object_encoding;
    client.session.connect(client.now(), connect).unwrap();
    assert!(
        client.wait_for(LIMIT, |events| events
            .iter()
            .any(|event| matches!(event, Event::Connected { .. }))),
        "{:?}",
        client.events
    );
    client
}

fn status(events: &[Event], wanted: &str) -> bool {
    events
        .iter()
        .any(|event| matches!(event, Event::Status { status, .. } if status.code == wanted))
}

/// A sequence header, a key frame of 100 KB, then pictures and sound.
fn lesson() -> Vec<Tag> {
    let tag = |tag_type, millis, payload: Vec<u8>| Tag {
        tag_type,
        timestamp: Timestamp::from_millis(millis),
        payload: Bytes::from(payload),
    };
    let header = vec![
        0x17, 0, 0, 0, 0, 1, 0x42, 0xC0, 0x1E, 0xFF, 0xE1, 0, 4, 0x67, 0x42, 0xC0, 0x1E, 1, 0, 2,
        0x68, 0xCE,
    ];
    let mut tags = vec![
        tag(TagType::Video, 0, header),
        tag(TagType::Audio, 0, vec![0xAF, 0, 0x12, 0x10]),
    ];
    for frame in 0..50_u32 {
        let length = if frame == 0 {
            100_000
        } else {
            500 + frame as usize
        };
        let mut picture = vec![if frame == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0];
        picture.resize(length, frame as u8);
        tags.push(tag(TagType::Video, 1 + frame * 40, picture));
        tags.push(tag(
            TagType::Audio,
            2 + frame * 40,
            vec![0xAF, 1, frame as u8, 0x55],
        ));
    }
    tags
}

fn through_nginx(speech: Speech) {
    let nginx = Nginx::start().unwrap();
    let mut viewer = connected(&nginx, speech, 1);
    let playing = viewer.session.create_stream(viewer.now()).unwrap();
    viewer
        .session
        .play(viewer.now(), playing, Play::new("conf"))
        .unwrap();
    assert!(
        viewer.wait_for(LIMIT, |events| status(events, code::PLAY_START)),
        "{:?}",
        viewer.events
    );

    let mut teacher = connected(&nginx, speech, 2);
    let stream = teacher.session.create_stream(teacher.now()).unwrap();
    teacher
        .session
        .publish(teacher.now(), stream, "conf", PublishKind::Live)
        .unwrap();
    assert!(
        teacher.wait_for(LIMIT, |events| events
            .contains(&Event::PublishReady { stream })),
        "{:?}",
        teacher.events
    );
    let sent = lesson();
    for tag in &sent {
        teacher
            .session
            .send_tag(teacher.now(), stream, tag)
            .unwrap();
    }
    assert!(teacher.wait_for(LIMIT, |_| true));

    let is_media =
        |event: &&Event| matches!(event, Event::Tag { tag, .. } if tag.tag_type != TagType::Script);
    assert!(
        viewer.wait_for(LIMIT, |events| events.iter().filter(is_media).count()
            >= sent.len()),
        "{}",
        viewer.events.len()
    );
    let received: Vec<_> = viewer
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Tag { tag, .. } if tag.tag_type != TagType::Script => Some(tag.clone()),
            _ => None,
        })
        .collect();
    let by_type = |tags: &[Tag], wanted| {
        tags.iter()
            .filter(|tag| tag.tag_type == wanted)
            .cloned()
            .collect::<Vec<_>>()
    };
    for kind in [TagType::Video, TagType::Audio] {
        assert_eq!(by_type(&received, kind), by_type(&sent, kind));
    }

    teacher.session.close(teacher.now());
    assert!(teacher.wait_for(LIMIT, |events| matches!(
        events.last(),
        Some(Event::Closed { .. })
    )));
    drop(teacher);
    let eof = Event::StreamEof { stream: playing };
    assert!(
        viewer.wait_for(LIMIT, |events| events.contains(&eof)),
        "with its defaults, all that nginx-rtmp says of the end"
    );
}

#[test]
fn a_lesson_goes_through_nginx_after_a_simple_handshake() {
    through_nginx((handshake::Kind::Simple, ObjectEncoding::Amf0));
}

#[test]
fn a_lesson_goes_through_nginx_after_a_handshake_with_digests() {
    through_nginx((handshake::Kind::Digest, ObjectEncoding::Amf0));
}

#[test]
fn a_lesson_goes_through_nginx_in_amf3() {
    through_nginx((handshake::Kind::Simple, ObjectEncoding::Amf3));
}
