//! Records RTMP connections of other programs, for `tests/vectors`.
//!
//! `cargo run -p chalkcast-tests --example record -- FILE COMMAND…` starts our test server behind a recording proxy, runs COMMAND
//! with `{url}` replaced by the URL to publish to (or to play, where FILE says `play`), and writes what its first connection carried.
//! `record FILE nginx` records our own client at nginx-rtmp instead.

use std::error::Error;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::session::{PublishKind, StreamKey, client, code};
use chalkcast_tests::{Capture, Nginx, Recording, TestClient, TestServer};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("record FILE COMMAND…")?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("rtmp://{}/live/lesson", listener.local_addr()?);
    if file.contains("nginx") {
        return at_nginx(&file, listener);
    }
    let server = TestServer::start()?;
    if file.contains("play") {
        server.put("lesson", lesson());
    }
    let words: Vec<_> = arguments.map(|word| word.replace("{url}", &url)).collect();
    let (program, words) = words.split_first().ok_or("record FILE COMMAND…")?;
    let mut child = Command::new(program).args(words).spawn()?;
    let capture = Capture::record(&listener, server.address())?;
    child.kill()?;
    child.wait()?;
    capture.write(Path::new(&file))?;
    for event in server.events() {
        println!("{event}");
    }
    Ok(())
}

/// Our client, which publishes or plays at nginx-rtmp.
fn at_nginx(file: &str, listener: TcpListener) -> Result<(), Box<dyn Error>> {
    let nginx = Nginx::start()?;
    let (address, server) = (listener.local_addr()?, nginx.address);
    let recording = std::thread::spawn(move || Capture::record(&listener, server));
    let mut client = TestClient::open(address, client::Config::new(1))?;
    let plays = file.contains("play");
    let stream = begin(&mut client, plays)?;
    let (viewer, mut teacher) = if plays {
        (
            Some(client),
            TestClient::open(server, client::Config::new(2))?,
        )
    } else {
        (None, client)
    };
    let publishing = if plays {
        begin(&mut teacher, false)?
    } else {
        stream
    };
    let lesson = lesson();
    for tag in &lesson.tags {
        teacher.session.send_tag(teacher.now(), publishing, tag)?;
    }
    teacher.wait_for(Duration::from_millis(500), |_| false);
    teacher.session.close(teacher.now());
    teacher.wait_for(LIMIT, |events| {
        matches!(events.last(), Some(client::Event::Closed { .. }))
    });
    drop(teacher);
    if let Some(mut viewer) = viewer {
        viewer.wait_for(LIMIT, |events| {
            events.contains(&client::Event::StreamEof { stream })
        });
        drop(viewer);
    }
    drop(nginx);
    let capture = recording
        .join()
        .map_err(|_| "the recorder has panicked")??;
    capture.write(Path::new(file))?;
    Ok(())
}

const LIMIT: Duration = Duration::from_secs(10);

/// Connects, and publishes or plays "lesson".
fn begin(client: &mut TestClient, plays: bool) -> Result<StreamKey, Box<dyn Error>> {
    client.session.connect(
        client.now(),
        client::Connect::new("live", "rtmp://host/live"),
    )?;
    let stream = client.session.create_stream(client.now())?;
    if plays {
        client
            .session
            .play(client.now(), stream, client::Play::new("lesson"))?;
    } else {
        client
            .session
            .publish(client.now(), stream, "lesson", PublishKind::Live)?;
    }
    let wanted = if plays {
        code::PLAY_START
    } else {
        code::PUBLISH_START
    };
    let started = |event: &client::Event| matches!(event, client::Event::Status { status, .. } if status.code == wanted);
    if client.wait_for(LIMIT, |events| events.iter().any(started)) {
        Ok(stream)
    } else {
        Err(format!("{:?}", client.events).into())
    }
}

/// A picture and a sound that decoders accept, then more that they need not.
fn lesson() -> Recording {
    let tag = |tag_type, millis, payload: Vec<u8>| Tag {
        tag_type,
        timestamp: Timestamp::from_millis(millis),
        payload: Bytes::from(payload),
    };
    let avc = vec![
        0x17, 0, 0, 0, 0, 1, 0x42, 0xC0, 0x1E, 0xFF, 0xE1, 0, 4, 0x67, 0x42, 0xC0, 0x1E, 1, 0, 2,
        0x68, 0xCE,
    ];
    let mut tags = vec![
        tag(TagType::Video, 0, avc),
        tag(TagType::Audio, 0, vec![0xAF, 0, 0x12, 0x10]),
    ];
    for frame in 0..25_u32 {
        let first = if frame == 0 { 0x17 } else { 0x27 };
        tags.push(tag(
            TagType::Video,
            frame * 40,
            [&[first, 1, 0, 0, 0, 0, 0, 0, 30][..], &[frame as u8; 30]].concat(),
        ));
        tags.push(tag(
            TagType::Audio,
            frame * 40,
            vec![0xAF, 1, frame as u8, 0x55],
        ));
    }
    Recording { tags, ended: true }
}
