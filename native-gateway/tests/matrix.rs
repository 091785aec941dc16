//! Every publisher with every player, by every way: programs that nobody here wrote at both ends. Chromium's row and column are
//! in tests/e2e.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};

use chalkcast_core::session::PlayStart;
use support::programs::{Folder, LESSON, Nginx, Program, assert_sound, play, publish};
use support::{Gateway, Peer};

type Publish = fn(&str) -> Program;
type Play = fn(&str, &Path) -> Program;

const PUBLISHERS: [(&str, Publish); 2] = [("ffmpeg", publish), ("GStreamer", gstreamer_publish)];
const PLAYERS: [(&str, Play); 3] = [
    ("ffmpeg", |url, file| play(&[], url, file)),
    ("GStreamer", gstreamer_play),
    ("rtmpdump", rtmpdump),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn through_the_embedded_relay() {
    let gateway = Gateway::start().await;
    everybody(|path| (gateway.url("rtmp", path), gateway.url("rtmp", path))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_to_the_gateway_and_played_from_nginx_rtmp() {
    let nginx = Nginx::start().await;
    let gateway = nginx.gateway().await;
    everybody(|path| (gateway.url("rtmp", path), nginx.url(path))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn published_to_nginx_rtmp_and_played_from_the_gateway() {
    let nginx = Nginx::start().await;
    let gateway = nginx.gateway().await;
    everybody(|path| (nginx.url(path), gateway.url("rtmp", path))).await;
}

/// All pairs at the same time; `addresses` answers where a path is published and where it is played.
async fn everybody(addresses: impl Fn(&str) -> (String, String)) {
    let folder = Folder::new();
    let mut publishers = Vec::new();
    let mut pairs = Vec::new();
    for (publisher, start) in PUBLISHERS {
        let (to, from) = addresses(&format!("live/{publisher}"));
        publishers.push(start(&to));
        // The players do not wait for a stream that has not begun.
        Peer::player_from(&from, PlayStart::Live).await.tag().await;
        for (player, start) in PLAYERS {
            let file = folder.file(&format!("{publisher}-{player}.flv"));
            pairs.push((start(&from, &file), file));
        }
    }
    for (program, file) in pairs {
        program.enough(&file).await;
        assert_sound(&file);
    }
}

/// GStreamer's rtmp2sink playing the lesson out in real time.
fn gstreamer_publish(url: &str) -> Program {
    // Held back by its clock after the multiplexer, which would stamp alike what comes to it late.
    let pipeline = format!(
        "filesrc location={LESSON} ! flvdemux name=from \
         flvmux streamable=true name=mux ! rtmp2sink sync=true location={url} \
         from.video ! queue ! h264parse ! mux. \
         from.audio ! queue ! aacparse ! mux."
    );
    gstreamer(&pipeline)
}

/// GStreamer's rtmp2src, recording until it is ended.
fn gstreamer_play(url: &str, file: &Path) -> Program {
    gstreamer(&format!(
        "rtmp2src location={url} ! filesink buffer-mode=unbuffered location={}",
        file.display()
    ))
}

fn gstreamer(pipeline: &str) -> Program {
    let mut command = Command::new("gst-launch-1.0");
    Program::start(command.arg("-q").args(pipeline.split_whitespace()))
}

fn rtmpdump(url: &str, file: &Path) -> Program {
    let mut command = Command::new("rtmpdump");
    command.args(["-q", "-r", url, "-B", "3", "-o"]);
    Program::start(command.arg(file).stderr(Stdio::null()))
}
