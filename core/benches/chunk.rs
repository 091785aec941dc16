//! Chunk decode, encode and fan-out, for watching one change at a time. `benches/peers` compares with other crates.

use std::hint::black_box;

use chalkcast_core::Timestamp;
use chalkcast_core::chunk::{Decoder, Encoder, Limits, SharedMessage};
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::message::{Message, Raw};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const CHUNK_STREAM: u32 = 6;

/// About 300 KB of video messages.
fn messages(length: usize) -> Vec<Raw> {
    (0..300_000 / length)
        .map(|index| {
            Raw::new(9, vec![index as u8; length])
                .on_stream(1)
                .at(Timestamp::from_millis(33 * index as u32))
        })
        .collect()
}

fn encode(messages: &[Raw], chunk_size: u32, out: &mut Vec<u8>) {
    let mut encoder = Encoder::new();
    encoder
        .encode(2, &Message::SetChunkSize(chunk_size).encode(), out)
        .expect("4 bytes");
    encoder.set_chunk_size(chunk_size);
    for message in messages {
        encoder
            .encode(CHUNK_STREAM, message, out)
            .expect("a short message");
    }
}

fn chunks(criterion: &mut Criterion) {
    for length in [200, 5000] {
        let messages = messages(length);
        for chunk_size in [128, 4096, 65_536] {
            let mut bytes = Vec::new();
            encode(&messages, chunk_size, &mut bytes);

            let mut group =
                criterion.benchmark_group(format!("{length} B in chunks of {chunk_size}"));
            group.throughput(Throughput::Bytes((length * messages.len()) as u64));
            for read in [1460, 65_536] {
                group.bench_function(BenchmarkId::new("decode", read), |bencher| {
                    bencher.iter(|| {
                        let mut decoder = Decoder::new(Limits::default());
                        for mut read in bytes.chunks(read) {
                            while let Some(message) =
                                decoder.decode(&mut read).expect("a good chunk stream")
                            {
                                black_box(&message);
                            }
                        }
                    });
                });
            }
            let mut out = Vec::with_capacity(2 * bytes.len());
            group.bench_function("encode", |bencher| {
                bencher.iter(|| {
                    out.clear();
                    encode(&messages, chunk_size, &mut out);
                    black_box(&out);
                });
            });
            group.finish();
        }
    }
}

fn fan_out(criterion: &mut Criterion) {
    let tag = Tag {
        tag_type: TagType::Video,
        timestamp: Timestamp::ZERO,
        payload: vec![0; 5000].into(),
    };
    let shared = SharedMessage::encode(&tag, 4096).expect("a short message");
    criterion.bench_function("one more viewer", |bencher| {
        bencher.iter(|| black_box(shared.transmit(black_box(1))));
    });
}

criterion_group!(benches, chunks, fan_out);
criterion_main!(benches);
