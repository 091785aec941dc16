//! What a server session answers to clients that mean well, and to those that do not.

mod call;
mod connect;
mod control;
mod end;
mod media;
mod stream;

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::amf0::Value;
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::message::{Raw, message_type};
use chalkcast_core::session::StreamKey;
use chalkcast_core::session::server::Event;

use crate::peer::Peer;

/// The key of message stream 1, which only an event can give.
fn publishing(peer: &mut Peer, id: u32, name: &str) -> StreamKey {
    peer.command(
        id,
        "publish",
        0.0,
        vec![Value::Null, name.into(), "live".into()],
    );
    let Event::Publish { stream, .. } = peer.event() else {
        panic!("no publish")
    };
    stream
}

fn playing(peer: &mut Peer, id: u32, name: &str) -> StreamKey {
    peer.command(id, "play", 0.0, vec![Value::Null, name.into()]);
    let Event::Play { stream, .. } = peer.event() else {
        panic!("no play")
    };
    peer.server.accept_play(peer.now, stream).unwrap();
    peer.drain();
    peer.wire.messages.clear();
    stream
}

fn video(millis: u32, payload: &'static [u8]) -> Raw {
    Raw::new(message_type::VIDEO, payload)
        .on_stream(1)
        .at(Timestamp::from_millis(millis))
}

fn tag(number: u8) -> Tag {
    Tag {
        tag_type: TagType::Video,
        timestamp: Timestamp::from_millis(u32::from(number)),
        payload: Bytes::from(vec![number; 300]),
    }
}
