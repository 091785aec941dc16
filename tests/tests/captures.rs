//! What other programs sent, replayed through our sessions. `tests/vectors/README.md` says how each capture was made.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use chalkcast_core::flv::TagType;
use chalkcast_core::session::{CloseReason, Output, PlayStart, PublishKind, client, code, server};
use chalkcast_core::{ClientSession, Instant, ServerSession};
use chalkcast_tests::Capture;

const NOW: Instant = Instant::ZERO;

fn capture(name: &str) -> Capture {
    Capture::read(
        &PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("vectors")
            .join(name),
    )
    .unwrap()
}

/// What a server session tells of a client's bytes, in these pieces, when every request is accepted.
fn serve<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<server::Event>, u64) {
    let mut session = ServerSession::new(server::Config::new(1), NOW);
    let mut events = Vec::new();
    let mut drain = |session: &mut ServerSession| {
        while let Some(output) = session.poll_output() {
            let Output::Event(event) = output else {
                continue;
            };
            match &event {
                server::Event::Connect(_) => session.accept_connect(NOW).unwrap(),
                server::Event::Publish { stream, .. } => {
                    session.accept_publish(NOW, *stream).unwrap()
                }
                server::Event::Play { stream, .. } => session.accept_play(NOW, *stream).unwrap(),
                _ => {}
            }
            events.push(event);
        }
    };
    for piece in pieces {
        session.handle_input(NOW, piece);
        drain(&mut session);
    }
    session.handle_eof(NOW);
    drain(&mut session);
    let ignored = session.stats().ignored_messages;
    (events, ignored)
}

/// The events of a capture's client, which are the same in the pieces it came in and in single bytes.
fn served(name: &str, passed_over: u64) -> Vec<server::Event> {
    let capture = capture(name);
    let (events, ignored) = serve(
        capture
            .0
            .iter()
            .filter(|(from_client, _)| *from_client)
            .map(|(_, piece)| &piece[..]),
    );
    let single = serve(capture.side(true).chunks(1));
    assert!(single.0 == events && single.1 == ignored, "{name}");
    assert_eq!(ignored, passed_over, "{name}");
    assert_eq!(
        events.last(),
        Some(&server::Event::Closed {
            reason: CloseReason::Eof
        }),
        "{name}"
    );
    events
}

fn count(events: &[server::Event], wanted: TagType) -> usize {
    events
        .iter()
        .filter(|event| matches!(event, server::Event::Tag { tag, .. } if tag.tag_type == wanted))
        .count()
}

#[test]
fn publishers_are_understood() {
    for (name, pictures, sounds) in [
        ("ffmpeg-publish.rtmp", 11..=12, 40),
        ("gstreamer-publish.rtmp", 10..=12, 15),
    ] {
        let events = served(name, 0);
        let publish = |event: &server::Event| matches!(event, server::Event::Publish { name, kind: PublishKind::Live, .. } if name == "lesson");
        assert_eq!(
            events.iter().filter(|event| publish(event)).count(),
            1,
            "{name}"
        );
        assert!(
            pictures.contains(&count(&events, TagType::Video)),
            "{name}: {}",
            count(&events, TagType::Video)
        );
        assert!(
            count(&events, TagType::Audio) > sounds,
            "{name}: {}",
            count(&events, TagType::Audio)
        );
        assert!(count(&events, TagType::Script) > 0, "{name}");
        assert!(
            matches!(events[events.len() - 2], server::Event::StreamClosed { .. }),
            "{name}"
        );
    }
}

#[test]
fn players_are_understood() {
    let recorded = PlayStart::Recorded(chalkcast_core::Timestamp::ZERO);
    for (name, expected, buffer, passed_over) in [
        ("ffmpeg-play.rtmp", PlayStart::LiveOrRecorded, 3, 0),
        // These set the buffer length of message stream 0 as well.
        ("gstreamer-play.rtmp", PlayStart::LiveOrRecorded, 30, 1),
        ("rtmpdump-play.rtmp", recorded, 36_000, 1),
    ] {
        let events = served(name, passed_over);
        let play = |event: &server::Event| matches!(event, server::Event::Play { name, start, reset: true, .. } if name == "lesson" && *start == expected);
        assert_eq!(
            events.iter().filter(|event| play(event)).count(),
            1,
            "{name}: {events:?}"
        );
        let told = |event: &server::Event| matches!(event, server::Event::SetBufferLength { length, .. } if length.as_secs() == buffer);
        assert!(events.iter().any(told), "{name}: {events:?}");
    }
}

/// What a client session tells of nginx-rtmp's bytes, when it asks for what it asked for then.
fn at_nginx(name: &str, plays: bool, most: usize) -> Vec<client::Event> {
    let mut session = ClientSession::new(client::Config::new(1), NOW);
    session
        .connect(NOW, client::Connect::new("live", "rtmp://host/live"))
        .unwrap();
    let stream = session.create_stream(NOW).unwrap();
    if plays {
        session
            .play(NOW, stream, client::Play::new("lesson"))
            .unwrap();
    } else {
        session
            .publish(NOW, stream, "lesson", PublishKind::Live)
            .unwrap();
    }
    let mut events = Vec::new();
    for piece in capture(name).side(false).chunks(most) {
        session.handle_input(NOW, piece);
        events.extend(std::iter::from_fn(|| session.poll_output()).filter_map(
            |output| match output {
                Output::Event(event) => Some(event),
                Output::Transmit(_) => None,
            },
        ));
    }
    assert_eq!(session.stats().ignored_messages, 0, "{name}");
    events
}

#[test]
fn nginx_is_understood() {
    for most in [1, 100, usize::MAX] {
        let events = at_nginx("nginx-publish.rtmp", false, most);
        assert!(
            matches!(&events[0], client::Event::Connected { status, .. } if status.code == code::CONNECT_SUCCESS)
        );
        assert!(
            events
                .iter()
                .any(|event| matches!(event, client::Event::PublishReady { .. })),
            "{events:?}"
        );

        let events = at_nginx("nginx-play.rtmp", true, most);
        let tags = |wanted| {
            let is = |event: &&client::Event| matches!(event, client::Event::Tag { tag, .. } if tag.tag_type == wanted);
            events.iter().filter(is).count()
        };
        assert_eq!((tags(TagType::Video), tags(TagType::Audio)), (26, 26));
        assert!(
            matches!(events.last(), Some(client::Event::StreamEof { .. })),
            "{:?}",
            events.last()
        );
    }
}
