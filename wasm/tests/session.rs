//! The core's two sessions as wasm32 code, under Node: a lesson in random fragments, with its numbers and times, from handshake to close.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::session::{CloseReason, Output, PublishKind, client, server};
use chalkcast_core::{ClientSession, Instant, ServerSession, Timestamp};
use wasm_bindgen_test::wasm_bindgen_test;

struct Pair {
    now: Instant,
    client: ClientSession,
    server: ServerSession,
    told: Vec<client::Event>,
    asked: Vec<server::Event>,
}

impl Pair {
    /// Lets both talk until neither has anything to say, in fragments of 1 to 700 bytes.
    fn exchange(&mut self) {
        let mut fragment = 1;
        let mut cut = |bytes: &[u8], take: &mut dyn FnMut(&[u8])| {
            let mut rest = bytes;
            while !rest.is_empty() {
                fragment = (fragment * 31 + 7) % 701;
                let (first, after) = rest.split_at((fragment + 1).min(rest.len()));
                take(first);
                rest = after;
            }
        };
        loop {
            let (mut up, mut down) = (Vec::new(), Vec::new());
            while let Some(output) = self.client.poll_output() {
                match output {
                    Output::Transmit(transmit) => transmit.write_to(&mut up),
                    Output::Event(event) => self.told.push(event),
                }
            }
            while let Some(output) = self.server.poll_output() {
                match output {
                    Output::Transmit(transmit) => transmit.write_to(&mut down),
                    Output::Event(event) => {
                        match &event {
                            server::Event::Connect(_) => {
                                self.server.accept_connect(self.now).unwrap()
                            }
                            server::Event::Publish { stream, .. } => {
                                self.server.accept_publish(self.now, *stream).unwrap()
                            }
                            server::Event::Play { stream, .. } => {
                                self.server.accept_play(self.now, *stream).unwrap()
                            }
                            _ => {}
                        }
                        self.asked.push(event);
                    }
                }
            }
            if up.is_empty() && down.is_empty() {
                return;
            }
            cut(&up, &mut |bytes| self.server.handle_input(self.now, bytes));
            cut(&down, &mut |bytes| {
                self.client.handle_input(self.now, bytes)
            });
        }
    }
}

#[wasm_bindgen_test]
fn a_lesson_from_handshake_to_close() {
    let now = Instant::from_micros(1 << 40);
    let mut pair = Pair {
        now,
        client: ClientSession::new(client::Config::new(1), now),
        server: ServerSession::new(server::Config::new(2), now),
        told: Vec::new(),
        asked: Vec::new(),
    };
    pair.client
        .connect(now, client::Connect::new("live", "ws://host/live"))
        .unwrap();
    let publishing = pair.client.create_stream(now).unwrap();
    pair.client
        .publish(now, publishing, "conf", PublishKind::Live)
        .unwrap();
    let playing = pair.client.create_stream(now).unwrap();
    pair.client
        .play(now, playing, client::Play::new("conf"))
        .unwrap();
    pair.exchange();
    assert!(
        pair.told
            .contains(&client::Event::PublishReady { stream: publishing }),
        "{:?}",
        pair.told
    );
    let viewer = pair.asked.iter().find_map(|event| match event {
        server::Event::Play { stream, .. } => Some(*stream),
        _ => None,
    });

    // Across 0xFFFFFF and 2^32, of more than one chunk.
    let sent: Vec<_> = [0x00FF_FFF0, 0x0100_0010, u32::MAX - 5, 20]
        .into_iter()
        .map(|millis| {
            let payload = Bytes::from(vec![millis as u8; 70_000]);
            Tag {
                tag_type: TagType::Video,
                timestamp: Timestamp::from_millis(millis),
                payload,
            }
        })
        .collect();
    for tag in &sent {
        pair.client.send_tag(now, publishing, tag).unwrap();
    }
    pair.exchange();
    for event in std::mem::take(&mut pair.asked) {
        if let server::Event::Tag { tag, .. } = event {
            pair.server.send_tag(now, viewer.unwrap(), &tag).unwrap();
        }
    }
    pair.told.clear();
    pair.exchange();
    let played: Vec<_> = pair
        .told
        .drain(..)
        .filter_map(|event| match event {
            client::Event::Tag { tag, stream }
                if stream == playing && tag.tag_type == TagType::Video =>
            {
                Some(tag)
            }
            _ => None,
        })
        .collect();
    assert_eq!(played, sent);

    pair.now += Duration::from_secs(20);
    pair.client.handle_timeout(pair.now);
    pair.exchange();
    assert!(
        pair.told
            .contains(&client::Event::RoundTrip(Duration::ZERO)),
        "{:?}",
        pair.told
    );
    pair.client.close(pair.now);
    pair.exchange();
    assert_eq!(
        pair.told.last(),
        Some(&client::Event::Closed {
            reason: CloseReason::Local
        })
    );
    let ended = pair
        .asked
        .iter()
        .filter(|event| matches!(event, server::Event::StreamClosed { .. }))
        .count();
    assert_eq!(ended, 2);
}
