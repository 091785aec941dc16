//! Every encoder, a message at a time as a connection sends them, into a buffer that is kept where its crate allows that.

use std::io::{self, Write};

#[cfg(not(target_family = "wasm"))]
use bytes::BytesMut;
use chalkcast_core::chunk::{Encoder, SharedMessage};
use chalkcast_core::message::Raw;

use crate::Contestant;
use crate::workload::{CHUNK_STREAM, Workload};

pub fn contestants<'a>(workload: &'a Workload) -> Vec<Contestant<'a>> {
    let messages = &workload.messages;
    let chunk_size = workload.chunk_size;
    let handled = workload.payload_bytes();
    let least = workload.chunks.len() - 12 * messages.len();
    let finish = move |written: usize| {
        assert!(
            written >= least,
            "{written} bytes are too few for {handled} of payload"
        );
        handled
    };

    let mut out = Vec::with_capacity(2 * workload.chunks.len());
    let memcpy = move || {
        let mut written = 0;
        for message in messages {
            out.clear();
            for chunk in message.payload.chunks(chunk_size as usize) {
                out.extend_from_slice(chunk);
            }
            written += std::hint::black_box(&out).len();
        }
        written
    };
    let mut out = Vec::with_capacity(2 * workload.chunks.len());
    let ours = move || {
        let mut encoder = Encoder::new();
        encoder.set_chunk_size(chunk_size);
        let mut written = 0;
        for message in messages {
            out.clear();
            encoder
                .encode(CHUNK_STREAM, message, &mut out)
                .expect("a short message");
            written += std::hint::black_box(&out).len();
        }
        finish(written)
    };
    let tags: Vec<_> = messages.iter().cloned().filter_map(Raw::into_tag).collect();
    let shared = move || {
        let written = tags.iter().map(|tag| {
            let message = SharedMessage::encode(tag, chunk_size).expect("a short message");
            std::hint::black_box(message.transmit(1)).len()
        });
        finish(written.sum())
    };
    let rml_messages: Vec<_> = messages.iter().map(rml_message).collect();
    let rml = move || {
        let mut encoder = rml_rtmp::chunk_io::ChunkSerializer::new();
        encoder
            .set_max_chunk_size(chunk_size, rml_rtmp::time::RtmpTimestamp::new(0))
            .expect("a good chunk size");
        let encode = |message| {
            encoder
                .serialize(message, false, false)
                .expect("a short message")
                .bytes
        };
        finish(
            rml_messages
                .iter()
                .map(encode)
                .map(|bytes| std::hint::black_box(bytes).len())
                .sum(),
        )
    };
    let shiguredo_messages: Vec<_> = messages.iter().map(shiguredo_message).collect();
    let mut out = Vec::with_capacity(2 * workload.chunks.len());
    let shiguredo = move || {
        use shiguredo_rtmp::tests::{RtmpChunkEncoder, RtmpChunkSize};
        let mut encoder = RtmpChunkEncoder::default();
        encoder.set_chunk_size(RtmpChunkSize::saturating_new(chunk_size as usize));
        let mut written = 0;
        for message in &shiguredo_messages {
            out.clear();
            encoder.encode(&mut out, message);
            written += std::hint::black_box(&out).len();
        }
        finish(written)
    };
    #[cfg(not(target_family = "wasm"))]
    let rtmp_rs_messages: Vec<_> = messages.iter().map(rtmp_rs_message).collect();
    #[cfg(not(target_family = "wasm"))]
    let mut out = BytesMut::with_capacity(2 * workload.chunks.len());
    #[cfg(not(target_family = "wasm"))]
    let rtmp_rs = move || {
        let mut encoder = rtmp_rs::protocol::chunk::ChunkEncoder::new();
        encoder.set_chunk_size(chunk_size);
        let mut written = 0;
        for message in &rtmp_rs_messages {
            out.clear();
            encoder.encode(message, &mut out);
            written += std::hint::black_box(&out).len();
        }
        finish(written)
    };
    #[cfg(not(target_family = "wasm"))]
    let scuffle_messages: Vec<_> = messages.iter().map(scuffle_message).collect();
    #[cfg(not(target_family = "wasm"))]
    let mut out = Vec::with_capacity(2 * workload.chunks.len());
    #[cfg(not(target_family = "wasm"))]
    let scuffle = move || {
        let mut encoder = scuffle_rtmp::chunk::writer::ChunkWriter::default();
        encoder.set_chunk_size(chunk_size as usize);
        let mut written = 0;
        for message in &scuffle_messages {
            out.clear();
            encoder
                .write_chunk(&mut out, message.clone())
                .expect("memory takes any write");
            written += std::hint::black_box(&out).len();
        }
        finish(written)
    };
    let runtime_messages: Vec<_> = messages.iter().map(runtime_message).collect();
    let runtime = move || {
        let mut encoder = rtmp_runtime::chunk::ChunkWriter::new();
        encoder.set_chunk_size(chunk_size);
        let encode = |message| encoder.write(message).expect("a short message");
        finish(
            runtime_messages
                .iter()
                .map(encode)
                .map(|bytes| std::hint::black_box(bytes).len())
                .sum(),
        )
    };
    let oxideav_messages: Vec<_> = messages.iter().map(oxideav_message).collect();
    let mut connection = Connection::default();
    let oxideav = move || {
        connection.written = 0;
        let mut encoder = oxideav_rtmp::chunk::ChunkWriter::new(&mut connection);
        encoder.set_chunk_size(chunk_size as usize);
        for message in &oxideav_messages {
            encoder
                .write_message(CHUNK_STREAM, message)
                .and_then(|()| encoder.flush())
                .expect("memory takes any write");
        }
        drop(encoder);
        finish(connection.written)
    };
    vec![
        ("memcpy", Box::new(memcpy)),
        ("ours", Box::new(ours)),
        ("shared", Box::new(shared)),
        ("rml_rtmp", Box::new(rml)),
        ("shiguredo", Box::new(shiguredo)),
        #[cfg(not(target_family = "wasm"))]
        ("rtmp-rs", Box::new(rtmp_rs)),
        #[cfg(not(target_family = "wasm"))]
        ("scuffle", Box::new(scuffle)),
        ("-runtime", Box::new(runtime)),
        ("oxideav", Box::new(oxideav)),
    ]
}

/// Takes what is written, until it is flushed.
#[derive(Default)]
struct Connection {
    out: Vec<u8>,
    written: usize,
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.written += std::hint::black_box(&self.out).len();
        self.out.clear();
        Ok(())
    }
}

fn rml_message(message: &Raw) -> rml_rtmp::messages::MessagePayload {
    rml_rtmp::messages::MessagePayload {
        timestamp: rml_rtmp::time::RtmpTimestamp::new(message.timestamp.as_millis()),
        type_id: message.message_type,
        message_stream_id: message.stream_id,
        data: message.payload.clone(),
    }
}

fn shiguredo_message(message: &Raw) -> shiguredo_rtmp::tests::RtmpChunk {
    use shiguredo_rtmp::tests::{
        RtmpChunk, RtmpChunkStreamId, RtmpMessageStreamId, RtmpMessageType, RtmpTimestamp,
    };
    RtmpChunk {
        chunk_stream_id: RtmpChunkStreamId::new(CHUNK_STREAM).expect("a good chunk stream id"),
        message_stream_id: RtmpMessageStreamId::FIRST,
        message_type: RtmpMessageType::from_type_id(message.message_type).expect("a known type"),
        timestamp: RtmpTimestamp::from_millis(message.timestamp.as_millis()),
        payload: message.payload.to_vec(),
    }
}

#[cfg(not(target_family = "wasm"))]
fn rtmp_rs_message(message: &Raw) -> rtmp_rs::protocol::chunk::RtmpChunk {
    rtmp_rs::protocol::chunk::RtmpChunk {
        csid: CHUNK_STREAM,
        timestamp: message.timestamp.as_millis(),
        message_type: message.message_type,
        stream_id: message.stream_id,
        payload: message.payload.clone(),
    }
}

#[cfg(not(target_family = "wasm"))]
fn scuffle_message(message: &Raw) -> scuffle_rtmp::chunk::Chunk {
    scuffle_rtmp::chunk::Chunk::new(
        CHUNK_STREAM,
        message.timestamp.as_millis(),
        scuffle_rtmp::messages::MessageType(message.message_type),
        message.stream_id,
        message.payload.clone(),
    )
}

fn runtime_message(message: &Raw) -> rtmp_runtime::chunk::Message {
    rtmp_runtime::chunk::Message {
        chunk_stream_id: CHUNK_STREAM,
        timestamp: message.timestamp.as_millis(),
        message_type_id: message.message_type,
        message_stream_id: message.stream_id,
        payload: message.payload.to_vec(),
    }
}

fn oxideav_message(message: &Raw) -> oxideav_rtmp::Message {
    oxideav_rtmp::Message {
        msg_type_id: message.message_type,
        msg_stream_id: message.stream_id,
        timestamp: message.timestamp.as_millis(),
        payload: message.payload.to_vec(),
    }
}
