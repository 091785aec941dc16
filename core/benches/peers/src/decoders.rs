//! Every decoder, fed as its own crate feeds it, its messages dropped as they come.

use std::io::{self, Read};
use std::mem;

use bytes::Bytes;
#[cfg(not(target_family = "wasm"))]
use bytes::BytesMut;
use chalkcast_core::chunk::{Decoder, Limits};

use crate::Contestant;
use crate::workload::Workload;

pub fn contestants<'a>(workload: &'a Workload, read: usize) -> Vec<Contestant<'a>> {
    let reads = move || workload.chunks.chunks(read);
    let chunk_size = workload.chunk_size as usize;
    let pieces = workload.pieces(read);
    let same_pieces = pieces.clone();
    let mut buffer = vec![0; workload.payload_bytes()];
    let memcpy = move || {
        let mut at = 0;
        for piece in pieces.iter().flatten() {
            buffer[at..at + piece.len()].copy_from_slice(&workload.chunks[piece.clone()]);
            at += piece.len();
        }
        std::hint::black_box(&buffer);
        at
    };
    let one_copy = move || {
        let messages = workload.messages.iter().zip(&same_pieces);
        messages
            .map(|(message, pieces)| {
                let mut payload = Vec::with_capacity(message.payload.len());
                for piece in pieces {
                    payload.extend_from_slice(&workload.chunks[piece.clone()]);
                }
                std::hint::black_box(Bytes::from(payload)).len()
            })
            .sum()
    };
    let reads_pieces = workload.pieces_by_read(read);
    let by_read = move || {
        let mut handled = 0;
        let mut lengths = workload
            .messages
            .iter()
            .map(|message| message.payload.len());
        let mut payload = Vec::new();
        for read in &reads_pieces {
            for (pieces, ends) in read {
                if payload.is_empty() {
                    payload = Vec::with_capacity(lengths.next().expect("as many messages"));
                }
                for piece in pieces {
                    payload.extend_from_slice(&workload.chunks[piece.clone()]);
                }
                if *ends {
                    handled += std::hint::black_box(Bytes::from(mem::take(&mut payload))).len();
                }
            }
            // The reads come one by one.
            std::hint::black_box(&mut payload);
        }
        handled
    };
    let ours = move || {
        let mut handled = 0;
        let mut decoder = Decoder::new(Limits::default());
        let mut set = &set_chunk_size(chunk_size)[..];
        decoder.decode(&mut set).expect("a good chunk stream");
        for mut read in reads() {
            while let Some(message) = decoder.decode(&mut read).expect("a good chunk stream") {
                handled += std::hint::black_box(message).payload.len();
            }
        }
        handled
    };
    let rml = move || {
        let mut handled = 0;
        let mut decoder = rml_rtmp::chunk_io::ChunkDeserializer::new();
        decoder
            .set_max_chunk_size(chunk_size)
            .expect("a good chunk size");
        for mut read in reads() {
            while let Ok(Some(message)) = decoder.get_next_message(read) {
                read = &[];
                handled += std::hint::black_box(message).data.len();
            }
        }
        handled
    };
    let shiguredo = move || {
        use shiguredo_rtmp::tests::{RtmpChunkDecoder, RtmpChunkSize};
        let mut decoder = RtmpChunkDecoder::default();
        decoder.set_chunk_size(RtmpChunkSize::saturating_new(chunk_size));
        let (mut handled, mut buffer, mut at) = (0, Vec::new(), 0);
        for read in reads() {
            buffer.extend_from_slice(read);
            // An error is how it asks for more.
            while let Ok((size, message)) = decoder.decode(&buffer[at..]) {
                at += size;
                handled += message.map_or(0, |message| std::hint::black_box(message).payload.len());
            }
            if at == buffer.len() {
                buffer.clear();
                at = 0;
            }
        }
        handled
    };
    #[cfg(not(target_family = "wasm"))]
    let rtmp_rs = move || {
        let mut decoder = rtmp_rs::protocol::chunk::ChunkDecoder::new();
        decoder.set_chunk_size(chunk_size as u32);
        let (mut handled, mut buffer) = (0, BytesMut::new());
        for read in reads() {
            buffer.extend_from_slice(read);
            while let Ok(Some(message)) = decoder.decode(&mut buffer) {
                handled += std::hint::black_box(message).payload.len();
            }
        }
        handled
    };
    #[cfg(not(target_family = "wasm"))]
    let scuffle = move || {
        let mut decoder = scuffle_rtmp::chunk::reader::ChunkReader::default();
        assert!(decoder.update_max_chunk_size(chunk_size));
        let (mut handled, mut buffer) = (0, BytesMut::new());
        for read in reads() {
            buffer.extend_from_slice(read);
            while let Ok(Some(message)) = decoder.read_chunk(&mut buffer) {
                handled += std::hint::black_box(message).payload.len();
            }
        }
        handled
    };
    #[cfg(not(target_family = "wasm"))]
    let xiu = move || {
        use rtmp::chunk::unpacketizer::{ChunkUnpacketizer, UnpackResult};
        let mut decoder = ChunkUnpacketizer::new();
        decoder.update_max_chunk_size(chunk_size);
        let mut handled = 0;
        for read in reads() {
            decoder.extend_data(read);
            while let Ok(UnpackResult::Chunks(messages)) = decoder.read_chunks() {
                for message in messages {
                    handled += std::hint::black_box(message).payload.len();
                }
            }
        }
        handled
    };
    let runtime = move || {
        let mut decoder =
            rtmp_runtime::chunk::ChunkAssembler::new().with_chunk_size(chunk_size as u32);
        let mut handled = 0;
        for read in reads() {
            for message in decoder.push(read).expect("a good chunk stream") {
                handled += std::hint::black_box(message).payload.len();
            }
        }
        handled
    };
    let oxideav = move || {
        let mut decoder = oxideav_rtmp::chunk::ChunkReader::new(Reads {
            left: &workload.chunks,
            read,
        });
        decoder.set_chunk_size(chunk_size);
        let messages =
            std::iter::repeat_with(|| decoder.read_message().expect("a good chunk stream"));
        messages
            .take(workload.messages.len())
            .map(|message| std::hint::black_box(message).payload.len())
            .sum()
    };
    vec![
        ("memcpy", Box::new(memcpy)),
        ("one copy", Box::new(one_copy)),
        ("by read", Box::new(by_read)),
        ("ours", Box::new(ours)),
        ("rml_rtmp", Box::new(rml)),
        ("shiguredo", Box::new(shiguredo)),
        #[cfg(not(target_family = "wasm"))]
        ("rtmp-rs", Box::new(rtmp_rs)),
        #[cfg(not(target_family = "wasm"))]
        ("scuffle", Box::new(scuffle)),
        #[cfg(not(target_family = "wasm"))]
        ("xiu", Box::new(xiu)),
        ("-runtime", Box::new(runtime)),
        ("oxideav", Box::new(oxideav)),
    ]
}

/// A Set Chunk Size as a peer sends it.
fn set_chunk_size(size: usize) -> Vec<u8> {
    [
        &[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0],
        &(size as u32).to_be_bytes()[..],
    ]
    .concat()
}

/// A socket that delivers at most `read` bytes at a time.
struct Reads<'a> {
    left: &'a [u8],
    read: usize,
}

impl Read for Reads<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.read);
        Read::read(&mut self.left, &mut buffer[..count])
    }
}
