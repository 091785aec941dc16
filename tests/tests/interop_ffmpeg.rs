//! ffmpeg publishes to our server session, and plays from it.
#![allow(clippy::unwrap_used)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chalkcast_core::flv::TagType;
use chalkcast_tests::{Recording, TestServer};

fn ffmpeg() -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-loglevel", "error"]);
    command
}

/// Three seconds of picture and tone, published as `name`.
fn publish(server: &TestServer, name: &str) -> Recording {
    let published = ffmpeg()
        .args([
            "-f",
            "lavfi",
            "-i",
            "testsrc=size=160x120:rate=25:duration=3",
        ])
        .args(["-f", "lavfi", "-i", "sine=frequency=440:duration=3"])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-g",
            "25",
            "-c:a",
            "aac",
            "-f",
            "flv",
        ])
        .arg(server.url(name))
        .output()
        .unwrap();
    assert!(
        published.status.success(),
        "{}",
        String::from_utf8_lossy(&published.stderr)
    );
    let start = Instant::now();
    loop {
        let recording = server.recording(name);
        if recording.ended {
            return recording;
        }
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "not ended: {:?}",
            server.events()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn count(recording: &Recording, tag_type: TagType) -> usize {
    recording
        .tags
        .iter()
        .filter(|tag| tag.tag_type == tag_type)
        .count()
}

#[test]
fn ffmpeg_publishes_and_plays() {
    let server = TestServer::start().unwrap();
    let recording = publish(&server, "lesson");
    // A sequence header and 75 frames; ffmpeg ends the sequence with one tag more.
    assert!(
        (76..=77).contains(&count(&recording, TagType::Video)),
        "{}",
        count(&recording, TagType::Video)
    );
    assert!(count(&recording, TagType::Audio) > 120);
    let script = recording
        .tags
        .iter()
        .find(|tag| tag.tag_type == TagType::Script)
        .unwrap();
    assert!(
        script.payload.starts_with(b"\x02\x00\x0aonMetaData"),
        "@setDataFrame is taken off"
    );
    for kind in [TagType::Video, TagType::Audio] {
        let times: Vec<_> = recording
            .tags
            .iter()
            .filter(|tag| tag.tag_type == kind)
            .map(|tag| tag.timestamp.as_millis())
            .collect();
        assert!(times.is_sorted(), "{times:?}");
    }

    // Packets with their timestamps and checksums: of what came over RTMP, and of what was played out.
    let played = ffmpeg()
        .args([
            "-i",
            &server.url("lesson"),
            "-c",
            "copy",
            "-f",
            "framecrc",
            "-",
        ])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(
        played.status.success(),
        "{}",
        String::from_utf8_lossy(&played.stderr)
    );
    let packets = String::from_utf8(played.stdout).unwrap();
    let frames = |stream: &str| {
        packets
            .lines()
            .filter(|line| line.starts_with(stream))
            .count()
    };
    assert_eq!(frames("0,"), 75, "{packets}");
    assert_eq!(
        frames("1,"),
        count(&recording, TagType::Audio) - 1,
        "all but the sequence header"
    );
    assert!(
        server
            .closed()
            .iter()
            .all(|reason| *reason == chalkcast_core::session::CloseReason::Eof),
        "{:?}",
        server.closed()
    );
}
