//! What a peer can make this crate allocate, counted by the allocator.

#![allow(
    unsafe_code,
    reason = "a global allocator cannot be written without it"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use bytes::Bytes;
use chalkcast_core::Timestamp;
use chalkcast_core::chunk::{Decoder, Encoder, Error, Limits, SharedMessage};
use chalkcast_core::flv::{Tag, TagType};
use chalkcast_core::message::Raw;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting each thread's bytes. Growing a buffer counts as having both.
struct Counting;

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.get() + layout.size().cast_signed();
        HELD.set(held);
        PEAK.set(PEAK.get().max(held));
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise about `layout` is the one asked for here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size().cast_signed());
        // SAFETY: as above, for `pointer` too.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` returns, the most bytes it held at any time beyond what was held before, and its number of allocations.
fn count<T>(work: impl FnOnce() -> T) -> (T, usize, usize) {
    let (held, allocations) = (HELD.get(), ALLOCATIONS.get());
    PEAK.set(held);
    let result = work();
    (
        result,
        (PEAK.get() - held).cast_unsigned(),
        ALLOCATIONS.get() - allocations,
    )
}

/// What a chunk stream may cost beside its message.
const CHUNK_STREAM: usize = 256;

fn type_0(chunk_stream_id: u32, length: u32) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut out = Vec::new();
    encoder
        .encode(chunk_stream_id, &Raw::new(9, Bytes::new()), &mut out)
        .expect("an empty message");
    let at = out.len() - 8;
    out[at..at + 3].copy_from_slice(&length.to_be_bytes()[1..]);
    out
}

/// Decodes all of `bytes`, dropping the messages.
fn feed(decoder: &mut Decoder, mut bytes: &[u8]) -> Result<(), Error> {
    while decoder.decode(&mut bytes)?.is_some() {}
    Ok(())
}

#[test]
fn opening_65536_chunk_streams_costs_what_the_limits_say() {
    let begun: Vec<u8> = (2..65_538)
        .flat_map(|id| [type_0(id, 200), vec![0; 128]].concat())
        .collect();
    for limits in [
        Limits::default(),
        Limits {
            chunk_streams: 65_536,
            ..Limits::default()
        },
        Limits {
            chunk_streams: 65_536,
            reassembly_bytes: 1 << 20,
            ..Limits::default()
        },
    ] {
        let (result, peak, _) = count(|| feed(&mut Decoder::new(limits), &begun));
        assert!(result.is_err());
        assert!(
            peak <= limits.reassembly_bytes + CHUNK_STREAM * limits.chunk_streams,
            "{peak} bytes for {limits:?}"
        );
    }
    // Opened, and nothing begun.
    let rising: Vec<u8> = (2..65_538).flat_map(|id| type_0(id, 0)).collect();
    let falling: Vec<u8> = (2..65_538).rev().flat_map(|id| type_0(id, 0)).collect();
    let limits = Limits {
        chunk_streams: 65_536,
        ..Limits::default()
    };
    for opened in [rising, falling] {
        let (result, peak, _) = count(|| feed(&mut Decoder::new(limits), &opened));
        assert_eq!(result, Ok(()));
        assert!(peak <= CHUNK_STREAM * limits.chunk_streams, "{peak} bytes");
    }
}

#[test]
fn declaring_16_megabytes_on_64_chunk_streams_costs_what_the_limits_say() {
    const LENGTH: u32 = 0x00FF_FFFF;
    let limits = Limits {
        message_length: LENGTH,
        ..Limits::default()
    };
    let mut decoder = Decoder::new(limits);
    let declared: Vec<u8> = (2..66)
        .flat_map(|id| [type_0(id, LENGTH), vec![0; 128]].concat())
        .collect();
    let (result, peak, _) = count(|| feed(&mut decoder, &declared));
    assert_eq!(result, Ok(()));
    assert!(
        peak <= 64 * ((64 << 10) + CHUNK_STREAM),
        "{peak} bytes for 128 bytes on each"
    );

    let more: Vec<u8> = (2..64)
        .flat_map(|id| [vec![0xC0 | id], vec![0; 128]].concat())
        .collect();
    let (error, further, _) = count(|| {
        loop {
            if let Err(error) = feed(&mut decoder, &more) {
                return error;
            }
        }
    });
    assert!(
        matches!(error, Error::TooMuchUnfinished { limit, .. } if limit == limits.reassembly_bytes)
    );
    assert!(
        peak + further <= limits.reassembly_bytes + 64 * CHUNK_STREAM,
        "{peak} and {further} bytes"
    );
}

#[test]
fn a_message_costs_one_allocation() {
    const MESSAGES: usize = 100;
    for length in [1, 200, 5000, 60_000] {
        for chunk_size in [128, 4096, 65_536] {
            for read in [1460, 65_536] {
                let (mut encoder, mut bytes) = (Encoder::new(), Vec::new());
                let chunk_size: u32 = chunk_size;
                encoder
                    .encode(
                        2,
                        &Raw::new(1, chunk_size.to_be_bytes().to_vec()),
                        &mut bytes,
                    )
                    .expect("4 bytes");
                encoder.set_chunk_size(chunk_size);
                encoder
                    .encode(6, &Raw::new(9, vec![0; length]), &mut bytes)
                    .expect("a short message");
                let mut decoder = Decoder::new(Limits::default());
                feed(&mut decoder, &bytes).expect("a good chunk stream");

                bytes.clear();
                for time in 0..MESSAGES {
                    let message =
                        Raw::new(9, vec![0; length]).at(Timestamp::from_millis(time as u32));
                    encoder
                        .encode(6, &message, &mut bytes)
                        .expect("a short message");
                }
                let (result, _, allocations) = count(|| {
                    bytes
                        .chunks(read)
                        .try_for_each(|read| feed(&mut decoder, read))
                });
                assert_eq!(result, Ok(()));
                assert!(
                    allocations <= MESSAGES,
                    "{allocations} for {length} bytes in {chunk_size}, reads of {read}"
                );
            }
        }
    }
}

#[test]
fn another_viewer_costs_no_allocation() {
    let tag = Tag {
        tag_type: TagType::Video,
        timestamp: Timestamp::ZERO,
        payload: vec![0; 5000].into(),
    };
    let shared = SharedMessage::encode(&tag, 128).expect("a short message");
    drop(shared.transmit(1));
    let (_, _, allocations) =
        count(|| (0..1000).for_each(|stream_id| drop(shared.transmit(stream_id))));
    assert_eq!(allocations, 0);
}

#[test]
fn a_hundred_thousand_create_streams_cost_what_the_limits_say() {
    use chalkcast_core::amf0::Value;
    use chalkcast_core::message::{Command, Message};
    use chalkcast_core::session::{Output, server};
    use chalkcast_core::{Instant, ServerSession, handshake};

    let now = Instant::ZERO;
    let mut session = ServerSession::new(server::Config::new(1), now);
    let mut hello = Vec::new();
    handshake::Client::new(handshake::Kind::Simple, 1, now, &mut hello);
    hello.resize(1 + 2 * 1536, 0);
    session.handle_input(now, &hello);
    let mut encoder = Encoder::new();
    let mut call = |name: &str, transaction_id, argument: f64| {
        let values = vec![Value::Null, argument.into()];
        let command = Command::new(name, transaction_id, values);
        let mut bytes = Vec::new();
        encoder
            .encode(3, &Message::Command(command).encode(), &mut bytes)
            .expect("a short message");
        bytes
    };
    session.handle_input(now, &call("connect", 1.0, 0.0));
    session.accept_connect(now).expect("it has asked");
    // Each given up before the next is asked for; then all kept.
    let cycles: Vec<_> = (1..=100_000)
        .map(|id| {
            [
                call("createStream", 2.0, 0.0),
                call("deleteStream", 0.0, id.into()),
            ]
            .concat()
        })
        .collect();
    let kept: Vec<_> = (0..100_000)
        .map(|_| call("createStream", 2.0, 0.0))
        .collect();
    let mut drive = |calls: &[Vec<u8>]| {
        let mut sent = 0;
        for call in calls {
            session.handle_input(now, call);
            while let Some(output) = session.poll_output() {
                if let Output::Transmit(transmit) = output {
                    sent += transmit.len();
                }
            }
        }
        sent
    };
    let (sent, peak, _) = count(|| drive(&cycles));
    assert!(sent > 100_000 * 30, "each is answered: {sent} bytes");
    assert!(peak < 16 << 10, "{peak} bytes for a stream and one answer");
    let (sent, peak, _) = count(|| drive(&kept));
    assert!(sent < 2000, "16 are answered, and the end: {sent} bytes");
    assert!(
        peak < 16 << 10,
        "{peak} bytes for 16 streams and one answer"
    );
}
