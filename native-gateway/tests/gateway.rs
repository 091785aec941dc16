//! The gateway as its clients see it, over TCP and over WebSocket.

#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use chalkcast_core::session::client::Event;
use chalkcast_core::session::{CloseReason, PlayStart};
use chalkcast_gateway::config::Routes;
use support::{Gateway, Peer, lesson, soon, tag};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const WAYS: [(&str, &str); 4] = [
    ("rtmp", "rtmp"),
    ("rtmp", "ws"),
    ("ws", "rtmp"),
    ("ws", "ws"),
];

#[tokio::test]
async fn what_is_published_one_way_is_played_the_other() {
    let gateway = Gateway::start().await;
    for (index, (from, to)) in WAYS.into_iter().enumerate() {
        let name = format!("live/lesson{index}");
        let mut teacher = Peer::publishing(&gateway.url(from, &name)).await;
        let mut early = Peer::player(&gateway.url(to, &name)).await;
        early.status("NetStream.Play.Start").await;
        let tags = lesson(0, 3000);
        teacher.send(&tags).await;
        assert_eq!(
            teacher.during(early.tags(tags.len())).await,
            tags,
            "{from} to {to}, from the start"
        );

        let mut late = Peer::player(&gateway.url(to, &name)).await;
        let newest = tags
            .iter()
            .position(|tag| tag.timestamp.as_millis() == 2000)
            .unwrap();
        let expected: Vec<_> = tags[..3]
            .iter()
            .map(|tag| support::tag(tag.tag_type, 2000, tag.payload.to_vec()))
            .chain(tags[newest..].to_vec())
            .collect();
        let got = teacher.during(late.tags(expected.len())).await;
        assert_eq!(
            got, expected,
            "{from} to {to}: metadata, sequence headers, the newest keyframe, up to live"
        );
    }
    gateway.stop().await;
}

#[tokio::test]
async fn a_player_waits_for_a_stream_and_outlasts_its_publisher() {
    let gateway = Gateway::start().await;
    for (from, to) in WAYS {
        let name = format!("live/{from}-{to}");
        let mut student = Peer::player(&gateway.url(to, &name)).await;
        let description = student.status("NetStream.Play.StreamNotFound").await;
        assert!(
            description.contains(&format!("{from}-{to}")),
            "{description}"
        );

        let mut teacher = Peer::publishing(&gateway.url(from, &name)).await;
        let tags = lesson(0, 1000);
        teacher.send(&tags).await;
        student.status("NetStream.Play.PublishNotify").await;
        assert_eq!(student.tags(tags.len()).await, tags);
        teacher.client.close().await;
        student.status("NetStream.Play.UnpublishNotify").await;

        let mut teacher = Peer::publishing(&gateway.url(from, &name)).await;
        teacher.send(&lesson(0, 1000)).await;
        student.status("NetStream.Play.PublishNotify").await;
        let again = student.tags(tags.len()).await;
        assert!(
            again[3].timestamp.is_after(tags.last().unwrap().timestamp),
            "timestamps go on"
        );
        assert_eq!(again[3].payload, tags[3].payload);
    }
}

#[tokio::test]
async fn a_player_that_asks_to_wait_is_sent_no_error() {
    let gateway = Gateway::start().await;
    let url = gateway.url("rtmp", "live/later");
    let mut student = Peer::player_from(&url, PlayStart::Live).await;
    student.status("NetStream.Play.Start").await;
    let mut teacher = Peer::publishing(&url).await;
    teacher.send(&lesson(0, 100)).await;
    student
        .until("a tag and no error", |event| match event {
            Event::Status { status, .. } => {
                assert_ne!(
                    status.level,
                    chalkcast_core::session::Level::Error,
                    "{status:?}"
                );
                None
            }
            Event::Tag { .. } => Some(()),
            _ => None,
        })
        .await;
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_until_it_is_free() {
    let gateway = Gateway::start().await;
    let url = gateway.url("ws", "live/conf");
    // It sends nothing, but answers.
    let mut first = Peer::publishing(&url).await;
    let mut second = Peer::publisher(&gateway.url("rtmp", "live/conf")).await;
    let refused = second.status("NetStream.Publish.BadName");
    let description = first.during(refused).await;
    assert!(description.contains("conf"), "{description}");
    let _elsewhere = Peer::publishing(&gateway.url("rtmp", "other/conf")).await;
    first.client.close().await;
    // Its place is free as soon as the gateway has read that it went.
    Peer::publishing(&url).await;
}

/// A publisher whose network has changed comes back over another connection; nothing tells that the old one is dead.
#[tokio::test]
async fn a_publisher_returns_though_its_old_connection_seems_to_be_there() {
    let relay = Gateway::start().await;
    let upstream = format!("rtmp://{}/{{app}}", relay.rtmp);
    let bridged = Gateway::with(|config| {
        config.routes = Routes::new(vec![upstream], Default::default()).unwrap()
    })
    .await;
    let alone = Gateway::start().await;
    let tags = lesson(0, 1000);
    for gateway in [&alone, &bridged] {
        let url = gateway.url("ws", "live/conf");
        let mut dead = Peer::publishing(&url).await;
        dead.send(&tags).await;
        let mut student = Peer::player(&url).await;
        student.tags(tags.len()).await;
        let mut returned = Peer::publishing(&url).await;
        returned.send(&tags).await;
        student.status("NetStream.Play.PublishNotify").await;
        let again = student.tags(tags.len()).await;
        assert!(
            again[3].timestamp.is_after(tags.last().unwrap().timestamp),
            "timestamps go on"
        );
        dead.status("NetStream.Publish.BadName").await;
    }
}

#[tokio::test]
async fn of_two_who_wait_for_a_dead_publishers_name_the_first_gets_it_and_keeps_it() {
    let gateway = Gateway::start().await;
    let url = gateway.url("ws", "live/conf");
    let _dead = Peer::publishing(&url).await;
    let mut first = Peer::publisher(&url).await;
    // So that the dead one is given up for the first before it is for the second.
    first
        .during(tokio::time::sleep(Duration::from_millis(100)))
        .await;
    let mut second = Peer::publisher(&url).await;
    let let_in = first.until("PublishReady", |event| {
        matches!(event, Event::PublishReady { .. }).then_some(())
    });
    second.during(let_in).await;
    first
        .during(second.status("NetStream.Publish.BadName"))
        .await;
    first.send(&lesson(0, 100)).await;
    let mut student = Peer::player(&url).await;
    first.during(student.tag()).await;
}

#[tokio::test]
async fn with_takeover_the_newest_publisher_has_the_name() {
    let gateway = Gateway::with(|config| config.relay.takeover = true).await;
    let url = gateway.url("rtmp", "live/conf");
    let mut first = Peer::publishing(&url).await;
    let _second = Peer::publishing(&url).await;
    first.status("NetStream.Publish.BadName").await;
}

#[tokio::test]
async fn only_the_apps_of_the_list_are_served() {
    let gateway =
        Gateway::with(|config| config.apps = vec!["maths".into(), "physics".into()]).await;
    for scheme in ["rtmp", "ws"] {
        let mut student = Peer::player(&gateway.url(scheme, "history/conf")).await;
        let description = student
            .until("Closed, rejected", |event| match event {
                Event::Closed {
                    reason: CloseReason::Rejected(status),
                } => {
                    assert_eq!(status.code, "NetConnection.Connect.Rejected");
                    Some(status.description)
                }
                _ => None,
            })
            .await;
        assert!(
            description.contains("maths") && description.contains("physics"),
            "{description}"
        );
        let mut student = Peer::player(&gateway.url(scheme, "maths/room1/conf")).await;
        student.status("NetStream.Play.StreamNotFound").await;
    }
}

#[tokio::test]
async fn garbage_closes_its_own_connection_and_nothing_else_notices() {
    let gateway = Gateway::start().await;
    let mut teacher = Peer::publishing(&gateway.url("rtmp", "live/conf")).await;
    let mut student = Peer::player(&gateway.url("ws", "live/conf")).await;
    student.status("NetStream.Play.Start").await;

    let mut raw = TcpStream::connect(gateway.rtmp).await.unwrap();
    raw.write_all(b"GET / HTTP/1.1\r\nHost: there\r\n\r\n")
        .await
        .unwrap();
    let mut rest = Vec::new();
    let _ = soon("the close", raw.read_to_end(&mut rest)).await;

    for frame in [
        &b"\x82\x84\0\0\0\0junk"[..],
        b"\x81\x84\0\0\0\0text",
        b"\xff\xff\xff\xff\xff\xff",
        b"\x82\x04bare",
    ] {
        let mut raw = upgrade(&gateway, "/live", None).await.1;
        raw.write_all(frame).await.unwrap();
        let _ = soon("the close", raw.read_to_end(&mut rest)).await;
    }

    // After a sound handshake: a chunk of a message that is too long.
    let mut handshake = vec![3];
    handshake.extend([0; 1536 + 1536]);
    handshake.extend([0xff; 5000]);
    let mut raw = TcpStream::connect(gateway.rtmp).await.unwrap();
    raw.write_all(&handshake).await.unwrap();
    let _ = soon("the close", raw.read_to_end(&mut rest)).await;

    let tags = lesson(0, 400);
    teacher.send(&tags).await;
    assert_eq!(student.tags(tags.len()).await, tags);
}

#[tokio::test]
async fn when_the_gateway_ends_everybody_is_told() {
    let gateway = Gateway::start().await;
    let mut teacher = Peer::publishing(&gateway.url("rtmp", "live/conf")).await;
    let mut student = Peer::player(&gateway.url("ws", "live/conf")).await;
    student.status("NetStream.Play.Start").await;
    let stopped = tokio::spawn(gateway.stop());
    for peer in [&mut teacher, &mut student] {
        peer.status("NetConnection.Connect.AppShutdown").await;
        peer.until("Closed", |event| {
            matches!(event, Event::Closed { .. }).then_some(())
        })
        .await;
    }
    soon("the end", stopped).await.unwrap();
}

#[tokio::test]
async fn the_path_is_the_app_and_the_subprotocol_is_echoed_when_offered() {
    let gateway = Gateway::with(|config| config.base_path = "/rtmp".into()).await;
    let (head, _) = upgrade(&gateway, "/rtmp/live", Some("rtmp")).await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    assert!(head.contains("sec-websocket-protocol: rtmp"), "{head}");
    assert!(
        head.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "{head}"
    );
    let (head, _) = upgrade(&gateway, "/live", None).await;
    assert!(
        head.starts_with("HTTP/1.1 101") && !head.contains("protocol:"),
        "{head}"
    );

    // The path wins over what connect says, so both ways lead to the same stream.
    let mut teacher = Peer::publishing(&gateway.url("ws", "rtmp/live/conf")).await;
    let mut student = Peer::player(&gateway.url("rtmp", "live/conf")).await;
    let tags = lesson(0, 100);
    teacher.send(&tags).await;
    assert_eq!(student.tags(3).await, tags[..3]);
}

#[tokio::test]
async fn pages_api_and_health_are_served() {
    let gateway = Gateway::start().await;
    let _teacher = Peer::publishing(&gateway.url("rtmp", "live/conf")).await;
    assert!(get(&gateway, "/healthz").await.ends_with("\r\n\r\nok\n"));
    let streams = get(&gateway, "/api/streams").await;
    assert!(
        streams.contains(r#""app":"live""#) && streams.contains(r#""name":"conf""#),
        "{streams}"
    );
    let metrics = get(&gateway, "/metrics").await;
    for line in [
        "chalkcast_stream_live{app=\"live\",stream=\"conf\"} 1",
        "chalkcast_stream_skips_total{app=\"live\",stream=\"conf\"} 0",
        "chalkcast_connections 1",
    ] {
        assert!(metrics.lines().any(|given| given == line), "{metrics}");
    }
    for page in ["/", "/teacher", "/student?stream=conf"] {
        let page = get(&gateway, page).await;
        assert!(
            page.starts_with("HTTP/1.1 200")
                && page.contains("content-type: text/html; charset=utf-8"),
            "{page}"
        );
    }
    let missing = get(&gateway, "/nothing").await;
    assert!(
        missing.starts_with("HTTP/1.1 404") && missing.contains("/teacher"),
        "{missing}"
    );
    assert!(
        get(&gateway, "/../../Cargo.toml")
            .await
            .starts_with("HTTP/1.1 404")
    );
    let style = get(&gateway, "/style.css").await;
    assert!(style.contains("access-control-allow-origin: *"), "{style}");
    let tag = style
        .lines()
        .find_map(|line| line.strip_prefix("etag: "))
        .unwrap();
    let request = format!(
        "GET /style.css HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n"
    );
    assert!(ask(&gateway, &request).await.starts_with("HTTP/1.1 304"));

    let line = |answer: &str, name: &str| {
        let mut lines = answer.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.to_owned()))
    };
    let request = "GET /style.css HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\nConnection: close\r\n\r\n";
    let small = ask(&gateway, request).await;
    assert_eq!(line(&small, "content-encoding: ").as_deref(), Some("gzip"));
    assert_eq!(line(&small, "vary: "), line(&style, "vary: "));
    assert_ne!(line(&small, "etag: ").as_deref(), Some(tag));
    let length = |answer: &str| line(answer, "content-length: ").unwrap().parse::<u32>();
    assert!(length(&small).unwrap() * 2 < length(&style).unwrap());
}

#[tokio::test]
async fn on_a_tls_port_plain_http_is_sent_to_https() {
    let gateway =
        Gateway::with(|config| config.tls = chalkcast_gateway::config::Tls::SelfSigned).await;
    let answer = get(&gateway, "/teacher?lang=en").await;
    assert!(
        answer.starts_with("HTTP/1.1 308")
            && answer.contains("location: https://there/teacher?lang=en"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_address_in_use_is_explained() {
    let gateway = Gateway::start().await;
    let config = chalkcast_gateway::Config {
        http: None,
        rtmp: Some(gateway.rtmp),
        ..Default::default()
    };
    let error = chalkcast_gateway::Listeners::bind(&config)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&gateway.rtmp.to_string()) && error.contains("use --rtmp"),
        "{error}"
    );
}

/// A gateway in front of another: what a relay refuses, says and does not say reaches the browser.
#[tokio::test]
async fn a_gateway_bridges_to_a_relay() {
    let relay = Gateway::with(|config| config.apps = vec!["live".into()]).await;
    let url = format!("rtmp://{}/{{app}}", relay.rtmp);
    let edge =
        Gateway::with(|config| config.routes = Routes::new(vec![url], Default::default()).unwrap())
            .await;

    // Pushed: published at the edge, played at the relay.
    let mut teacher = Peer::publishing(&edge.url("ws", "live/pushed")).await;
    let mut student = Peer::player(&relay.url("rtmp", "live/pushed")).await;
    student.status("NetStream.Play.Start").await;
    let tags = lesson(0, 2000);
    teacher.send(&tags).await;
    assert_eq!(teacher.during(student.tags(tags.len())).await, tags);
    // Its name is taken, at the edge and at the relay.
    for place in [&edge, &relay] {
        let mut other = Peer::publisher(&place.url("rtmp", "live/pushed")).await;
        teacher
            .during(other.status("NetStream.Publish.BadName"))
            .await;
    }
    drop(teacher);
    student.status("NetStream.Play.UnpublishNotify").await;

    // Pulled: published at the relay, played at the edge, by one connection for both.
    let mut one = Peer::player(&edge.url("ws", "live/pulled")).await;
    one.status("NetStream.Play.StreamNotFound").await;
    let mut two = Peer::player(&edge.url("rtmp", "live/pulled")).await;
    two.status("NetStream.Play.StreamNotFound").await;
    let mut teacher = Peer::publishing(&relay.url("rtmp", "live/pulled")).await;
    teacher.send(&tags).await;
    one.status("NetStream.Play.PublishNotify").await;
    assert_eq!(teacher.during(one.tags(tags.len())).await, tags);
    assert_eq!(teacher.during(two.tags(tags.len())).await, tags);
    let streams = get(&relay, "/api/streams").await;
    assert!(
        streams.contains(r#""name":"pulled""#) && streams.contains(r#""viewers":1"#),
        "{streams}"
    );
    drop(teacher);
    one.status("NetStream.Play.UnpublishNotify").await;

    // Refused: the relay's own words, to one who publishes and to one who plays.
    let mut refused = Peer::publisher(&edge.url("ws", "history/conf")).await;
    let description = refused.status("NetConnection.Connect.Rejected").await;
    assert!(description.contains("live"), "{description}");
    let mut refused = Peer::player(&edge.url("ws", "history/conf")).await;
    refused.status("NetConnection.Connect.Rejected").await;
}

/// The relay goes away in mid-lesson and comes back.
#[tokio::test]
async fn a_lesson_outlasts_its_relay() {
    let relay = Gateway::start().await;
    let (at, url) = (relay.rtmp, format!("rtmp://{}/{{app}}", relay.rtmp));
    let edge =
        Gateway::with(|config| config.routes = Routes::new(vec![url], Default::default()).unwrap())
            .await;
    let mut teacher = Peer::publishing(&edge.url("ws", "live/pushed")).await;
    teacher.send(&lesson(0, 1000)).await;
    let mut student = Peer::player(&edge.url("ws", "live/pulled")).await;
    let mut elsewhere = Peer::publishing(&relay.url("rtmp", "live/pulled")).await;
    elsewhere.send(&lesson(0, 200)).await;
    student.tags(3).await;
    relay.stop().await;
    student.status("NetStream.Play.UnpublishNotify").await;

    let relay = Gateway::with(|config| config.rtmp = Some(at)).await;
    let mut elsewhere = Peer::publishing(&relay.url("rtmp", "live/pulled")).await;
    elsewhere.send(&lesson(0, 200)).await;
    elsewhere
        .during(student.status("NetStream.Play.PublishNotify"))
        .await;
    let mut watching = Peer::player(&relay.url("rtmp", "live/pushed")).await;
    let resumed = teacher.during(watching.tags(4)).await;
    assert_eq!(
        resumed[3].payload,
        lesson(0, 10)[3].payload,
        "from the newest keyframe on"
    );
}

#[tokio::test]
async fn a_player_may_switch_the_picture_off_and_tell_its_buffer() {
    let gateway = Gateway::start().await;
    let mut teacher = Peer::publishing(&gateway.url("rtmp", "live/conf")).await;
    teacher.send(&lesson(0, 4000)).await;
    let mut student = Peer::connect(&gateway.url("ws", "live/conf")).await;
    let now = student.client.now();
    let (stream, session) = (student.stream, student.client.session());
    session
        .set_buffer_length(now, stream, Duration::from_secs(1))
        .unwrap();
    session
        .play(
            now,
            stream,
            chalkcast_core::session::client::Play::new("conf"),
        )
        .unwrap();
    session.receive_video(now, stream, false).unwrap();
    let tags = {
        let more: Vec<_> = lesson(4000, 5000).split_off(3);
        teacher.send(&more).await;
        student.tags(10).await
    };
    assert!(
        tags.iter()
            .all(|tag| tag.tag_type != chalkcast_core::flv::TagType::Video),
        "{tags:?}"
    );
}

async fn get(gateway: &Gateway, path: &str) -> String {
    ask(
        gateway,
        &format!("GET {path} HTTP/1.1\r\nHost: there\r\nConnection: close\r\n\r\n"),
    )
    .await
}

async fn ask(gateway: &Gateway, request: &str) -> String {
    let mut socket = TcpStream::connect(gateway.http).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    soon("an answer", socket.read_to_end(&mut answer))
        .await
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Upgrades to a WebSocket by hand. Answers the response's head, and the socket.
async fn upgrade(gateway: &Gateway, path: &str, protocol: Option<&str>) -> (String, TcpStream) {
    let mut socket = TcpStream::connect(gateway.http).await.unwrap();
    let offer = protocol
        .map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n"))
        .unwrap_or_default();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: there\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(
            soon("the head", socket.read_u8()).await.unwrap(),
        ));
    }
    (head, socket)
}

#[test]
fn the_tests_own_tags_are_what_they_should_be() {
    let tags = lesson(0, 100);
    assert_eq!(tags.len(), 9);
    assert_eq!(tag(tags[3].tag_type, 0, tags[3].payload.to_vec()), tags[3]);
}
