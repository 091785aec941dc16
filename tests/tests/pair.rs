//! A client and a server session, end to end on a fake clock.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::amf0::Value;
use chalkcast_core::amf3;
use chalkcast_core::chunk::SharedMessage;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::session::client::{self, Connect, Play};
use chalkcast_core::session::{
    CloseReason, ObjectEncoding, PlayOptions, PlayStart, PublishKind, Status, code, server,
};
use chalkcast_tests::{LinkConfig, Pair};

fn tag(tag_type: TagType, millis: u32, length: usize) -> Tag {
    let payload: Vec<u8> = (0..length).map(|at| (at as u32 ^ millis) as u8).collect();
    Tag {
        tag_type,
        timestamp: Timestamp::from_millis(millis),
        payload: Bytes::from(payload),
    }
}

fn metadata() -> Tag {
    let mut payload = Vec::new();
    Value::from("onMetaData").encode(&mut payload);
    Value::from(chalkcast_core::amf0::Object::new().with("width", 320.0)).encode(&mut payload);
    Tag {
        tag_type: TagType::Script,
        timestamp: Timestamp::ZERO,
        payload: payload.into(),
    }
}

fn pair(link: LinkConfig, seed: u64) -> Pair {
    Pair::new(
        client::Config::new(seed),
        server::Config::new(seed + 1),
        link,
        seed,
    )
}

fn connected(link: LinkConfig, seed: u64) -> Pair {
    let mut pair = pair(link, seed);
    pair.client
        .connect(pair.now, Connect::new("live", "rtmp://host/live"))
        .unwrap();
    pair.settle();
    assert!(
        matches!(&pair.take_server_events()[..], [server::Event::Connect(request)] if request.app == "live")
    );
    pair.server.accept_connect(pair.now).unwrap();
    pair.settle();
    let events = pair.take_client_events();
    assert!(
        matches!(&events[0], client::Event::Connected { status, .. } if status.code == code::CONNECT_SUCCESS),
        "{events:?}"
    );
    pair
}

fn statuses(events: &[client::Event]) -> Vec<&str> {
    let status = |event: &'_ client::Event| matches!(event, client::Event::Status { .. });
    events
        .iter()
        .filter(|event| status(event))
        .map(|event| match event {
            client::Event::Status { status, .. } => &*status.code,
            _ => unreachable!(),
        })
        .collect()
}

#[test]
fn a_lesson_from_handshake_to_close() {
    let mut pair = connected(LinkConfig::perfect(), 1);
    let stream = pair.client.create_stream(pair.now).unwrap();
    pair.client
        .publish(pair.now, stream, "conf", PublishKind::Live)
        .unwrap();
    pair.settle();
    let events = pair.take_server_events();
    let [
        server::Event::Publish {
            stream: published,
            name,
            kind: PublishKind::Live,
        },
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(name, "conf");
    pair.server.accept_publish(pair.now, *published).unwrap();
    pair.settle();
    let events = pair.take_client_events();
    assert!(
        events.contains(&client::Event::PublishReady { stream }),
        "{events:?}"
    );
    assert_eq!(statuses(&events), [code::PUBLISH_START]);

    let sent = [
        metadata(),
        tag(TagType::Video, 0, 100_000),
        tag(TagType::Audio, 20, 300),
        tag(TagType::Video, 33, 0),
    ];
    for tag in &sent {
        pair.client.send_tag(pair.now, stream, tag).unwrap();
    }
    pair.settle();
    let received: Vec<_> = pair
        .take_server_events()
        .into_iter()
        .map(|event| match event {
            server::Event::Tag { tag, .. } => tag,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(received, sent);

    let viewer = pair.client.create_stream(pair.now).unwrap();
    pair.client
        .set_buffer_length(pair.now, viewer, Duration::from_millis(100))
        .unwrap();
    pair.client
        .play(
            pair.now,
            viewer,
            Play {
                start: PlayStart::Live,
                ..Play::new("conf")
            },
        )
        .unwrap();
    pair.settle();
    let events = pair.take_server_events();
    let [
        server::Event::Play {
            stream: played,
            name,
            start: PlayStart::Live,
            duration: None,
            reset: true,
        },
        server::Event::SetBufferLength { length, .. },
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((&**name, *length), ("conf", Duration::from_millis(100)));
    pair.server.accept_play(pair.now, *played).unwrap();
    for tag in &sent {
        let shared = SharedMessage::encode(tag, 65_536).unwrap();
        pair.server.send_shared(*played, &shared).unwrap();
    }
    pair.settle();
    let events = pair.take_client_events();
    assert_eq!(statuses(&events), [code::PLAY_RESET, code::PLAY_START]);
    let received: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            client::Event::Tag { stream, tag } if *stream == viewer => Some(tag),
            _ => None,
        })
        .skip(2)
        .collect();
    assert_eq!(received, sent.iter().collect::<Vec<_>>());

    pair.client.close(pair.now);
    pair.settle();
    assert_eq!(
        pair.take_client_events(),
        [client::Event::Closed {
            reason: CloseReason::Local
        }]
    );
    let closed = server::Event::StreamClosed { stream: *published };
    assert_eq!(
        pair.take_server_events(),
        [closed, server::Event::StreamClosed { stream: *played }]
    );
    pair.server.handle_eof(pair.now);
    pair.pump();
    assert_eq!(
        pair.take_server_events(),
        [server::Event::Closed {
            reason: CloseReason::Eof
        }]
    );
}

#[test]
fn a_refused_client_learns_why() {
    let mut pair = pair(LinkConfig::perfect(), 3);
    pair.client
        .connect(pair.now, Connect::new("secret", "rtmp://host/secret"))
        .unwrap();
    pair.settle();
    let rejected = Status::error(code::CONNECT_REJECTED, "the apps here are: live");
    pair.server
        .reject_connect(pair.now, rejected.clone())
        .unwrap();
    pair.settle();
    assert_eq!(
        pair.take_client_events(),
        [
            client::Event::Status {
                stream: None,
                status: rejected.clone()
            },
            client::Event::Closed {
                reason: CloseReason::Rejected(rejected)
            }
        ]
    );
}

#[test]
fn a_lesson_in_amf3() {
    let mut pair = pair(LinkConfig::perfect(), 5);
    let mut connect = Connect::new("live", "rtmp://host/live");
    connect.object_encoding = ObjectEncoding::Amf3;
    pair.client.connect(pair.now, connect).unwrap();
    pair.settle();
    assert!(matches!(
        &pair.take_server_events()[..],
        [server::Event::Connect(request)] if request.object_encoding == ObjectEncoding::Amf3
    ));
    pair.server.accept_connect(pair.now).unwrap();
    pair.settle();
    let events = pair.take_client_events();
    let Some(client::Event::Connected { status, .. }) = events.first() else {
        panic!("{events:?}")
    };
    assert_eq!(status.extra.get("objectEncoding"), Some(&3.0.into()));

    // Both sides' calls, with what only AMF3 can say.
    let bytes = amf3::Value::ByteArray(vec![1, 2, 3]);
    let argument = Value::AvmPlus(Box::new(bytes));
    let call = pair
        .client
        .call(pair.now, "draw", vec![argument.clone(), 7.0.into()])
        .unwrap();
    pair.settle();
    let Some(server::Event::Call {
        name,
        arguments,
        reply: Some(reply),
        ..
    }) = pair.take_server_events().pop()
    else {
        panic!("no call")
    };
    assert_eq!(
        (&*name, &arguments[..]),
        ("draw", &[argument.clone(), 7.0.into()][..])
    );
    pair.server
        .reply(pair.now, reply, Ok(argument.clone()))
        .unwrap();
    let back = pair
        .server
        .call(pair.now, None, "drawn", vec![argument.clone()])
        .unwrap();
    pair.settle();
    let mut events = pair.take_client_events();
    let Some(client::Event::Call {
        reply: Some(reply), ..
    }) = events.pop()
    else {
        panic!("{events:?}")
    };
    let result = Ok(argument.clone());
    assert_eq!(
        events.pop(),
        Some(client::Event::CallResult { id: call, result })
    );
    pair.client
        .reply(pair.now, reply, Err(argument.clone()))
        .unwrap();
    pair.settle();
    let result = Err(argument);
    assert_eq!(
        pair.take_server_events(),
        [server::Event::CallResult { id: back, result }]
    );

    let teacher = pair.client.create_stream(pair.now).unwrap();
    let student = pair.client.create_stream(pair.now).unwrap();
    pair.client
        .publish(pair.now, teacher, "conf", PublishKind::Live)
        .unwrap();
    let options = PlayOptions::new("conf");
    pair.client.play2(pair.now, student, &options).unwrap();
    pair.client
        .call(pair.now, "getStreamLength", vec!["conf".into()])
        .unwrap();
    pair.settle();
    let mut viewer = None;
    for event in pair.take_server_events() {
        match event {
            server::Event::Publish { stream, .. } => {
                pair.server.accept_publish(pair.now, stream).unwrap()
            }
            server::Event::Play2 {
                stream,
                options: asked,
            } => {
                assert_eq!(asked, options);
                viewer = Some(stream);
                pair.server.accept_play(pair.now, stream).unwrap();
            }
            server::Event::StreamLength { name, reply } => {
                assert_eq!(name, "conf");
                pair.server.reply(pair.now, reply, Ok(0.0.into())).unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    pair.settle();
    let events = pair.take_client_events();
    assert!(events.contains(&client::Event::PublishReady { stream: teacher }));
    assert!(events.iter().any(|event| matches!(
        event,
        client::Event::CallResult { result: Ok(seconds), .. } if *seconds == 0.0.into()
    )));
    let sent = [metadata(), tag(TagType::Video, 0, 5000)];
    for tag in &sent {
        pair.client.send_tag(pair.now, teacher, tag).unwrap();
    }
    pair.settle();
    for event in pair.take_server_events() {
        let server::Event::Tag { tag, .. } = event else {
            panic!("{event:?}")
        };
        pair.server
            .send_tag(pair.now, viewer.unwrap(), &tag)
            .unwrap();
    }
    pair.client
        .pause(pair.now, student, true, Timestamp::from_millis(40))
        .unwrap();
    pair.settle();
    let received: Vec<_> = pair
        .take_client_events()
        .into_iter()
        .filter_map(|event| match event {
            client::Event::Tag { tag, .. } => Some(tag),
            _ => None,
        })
        .collect();
    assert_eq!(received, sent);
    assert!(matches!(
        pair.take_server_events()[..],
        [server::Event::Pause { paused: true, .. }]
    ));
    pair.client.close_stream(pair.now, teacher).unwrap();
    pair.settle();
    assert_eq!(
        statuses(&pair.take_client_events()),
        [code::UNPUBLISH_SUCCESS]
    );
    assert_eq!(pair.client.stats().ignored_messages, 0);
    assert_eq!(pair.server.stats().ignored_messages, 0);
}

#[test]
fn what_a_client_asks_for_reaches_the_server_as_it_was_meant() {
    let mut pair = connected(LinkConfig::perfect(), 9);
    let appended = pair.client.create_stream(pair.now).unwrap();
    let recorded = pair.client.create_stream(pair.now).unwrap();
    let viewer = pair.client.create_stream(pair.now).unwrap();
    let now = pair.now;
    pair.client
        .publish(now, appended, "one", PublishKind::Append)
        .unwrap();
    pair.client
        .publish(now, recorded, "two", PublishKind::Record)
        .unwrap();
    let play = Play {
        start: PlayStart::Recorded(Timestamp::from_millis(2000)),
        duration: Some(Duration::from_secs(60)),
        reset: false,
        ..Play::new("three")
    };
    pair.client.play(now, viewer, play).unwrap();
    pair.settle();
    let events = pair.take_server_events();
    let [
        server::Event::Publish {
            stream: first,
            kind: PublishKind::Append,
            ..
        },
        server::Event::Publish {
            stream: second,
            kind: PublishKind::Record,
            ..
        },
        server::Event::Play {
            stream: played,
            start,
            duration: Some(duration),
            reset: false,
            ..
        },
    ] = events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(start, PlayStart::Recorded(Timestamp::from_millis(2000)));
    assert_eq!(duration, Duration::from_secs(60));
    pair.server.accept_publish(now, first).unwrap();
    pair.server.accept_publish(now, second).unwrap();
    pair.server.accept_play(now, played).unwrap();
    pair.settle();
    pair.take_client_events();

    let client = &mut pair.client;
    let position = Timestamp::from_millis(3000);
    client.pause(now, viewer, true, position).unwrap();
    client.pause(now, viewer, false, position).unwrap();
    client.seek(now, viewer, position).unwrap();
    client.receive_audio(now, viewer, false).unwrap();
    client.receive_video(now, viewer, true).unwrap();
    client
        .set_buffer_length(now, viewer, Duration::from_secs(3))
        .unwrap();
    client
        .send_data(now, appended, "onCuePoint", vec![1.0.into()])
        .unwrap();
    client
        .send_data(now, recorded, "@clearDataFrame", vec!["onMetaData".into()])
        .unwrap();
    client.close_stream(now, viewer).unwrap();
    client.delete_stream(now, recorded).unwrap();
    pair.settle();
    let cue_point = Bytes::from(chalkcast_core::amf0::encode_all(&[
        "onCuePoint".into(),
        1.0.into(),
    ]));
    assert_eq!(
        pair.take_server_events(),
        [
            server::Event::Pause {
                stream: played,
                paused: true,
                position
            },
            server::Event::Pause {
                stream: played,
                paused: false,
                position
            },
            server::Event::Seek {
                stream: played,
                position
            },
            server::Event::ReceiveAudio {
                stream: played,
                on: false
            },
            server::Event::ReceiveVideo {
                stream: played,
                on: true
            },
            server::Event::SetBufferLength {
                stream: played,
                length: Duration::from_secs(3)
            },
            server::Event::Tag {
                stream: first,
                tag: Tag::new(TagType::Script, Timestamp::ZERO, cue_point)
            },
            server::Event::ClearDataFrame {
                stream: second,
                name: "onMetaData".into()
            },
            server::Event::StreamClosed { stream: played },
            server::Event::StreamClosed { stream: second },
        ]
    );
}

#[test]
fn what_a_server_says_of_a_stream_reaches_the_client_as_it_was_meant() {
    let mut pair = connected(LinkConfig::perfect(), 11);
    let viewer = pair.client.create_stream(pair.now).unwrap();
    pair.client
        .play(pair.now, viewer, Play::new("conf"))
        .unwrap();
    pair.settle();
    let Some(server::Event::Play { stream, .. }) = pair.take_server_events().pop() else {
        panic!("no play")
    };
    pair.server.accept_play(pair.now, stream).unwrap();
    pair.settle();
    pair.take_client_events();

    let server = &mut pair.server;
    server.stream_is_recorded(stream).unwrap();
    server.stream_begin(stream).unwrap();
    server.stream_dry(stream).unwrap();
    server.stream_eof(stream).unwrap();
    let clear = chalkcast_core::amf0::encode_all(&["@clearDataFrame".into(), "onMetaData".into()]);
    let clear = Tag::new(TagType::Script, Timestamp::ZERO, clear.into());
    server.send_tag(pair.now, stream, &clear).unwrap();
    let every_code = [
        code::PLAY_PUBLISH_NOTIFY,
        code::PLAY_UNPUBLISH_NOTIFY,
        code::PLAY_INSUFFICIENT_BW,
        code::PLAY_SWITCH,
        code::PLAY_TRANSITION,
        code::PLAY_COMPLETE,
        code::PLAY_STOP,
        code::PAUSE_NOTIFY,
        code::UNPAUSE_NOTIFY,
        code::SEEK_NOTIFY,
        code::SEEK_INVALID_TIME,
        code::STEP_NOTIFY,
        code::RECORD_START,
    ];
    for code in every_code {
        let status = Status::ok(code, "said").with("details", "conf");
        server.send_status(pair.now, stream, status).unwrap();
    }
    pair.settle();
    let events = pair.take_client_events();
    assert_eq!(
        events[..5],
        [
            client::Event::StreamIsRecorded { stream: viewer },
            client::Event::StreamBegin { stream: viewer },
            client::Event::StreamDry { stream: viewer },
            client::Event::StreamEof { stream: viewer },
            client::Event::ClearDataFrame {
                stream: viewer,
                name: "onMetaData".into()
            },
        ]
    );
    let said: Vec<_> = every_code
        .map(|code| client::Event::Status {
            stream: Some(viewer),
            status: Status::ok(code, "said").with("details", "conf"),
        })
        .into();
    assert_eq!(events[5..], said);
}
