//! A chunk stream: the first byte says in reads of what size, the rest is what the peer sends.

use chalkcast_core::chunk::{Decoder, Encoder, Error, Limits, SharedMessage};
use chalkcast_core::message::Raw;

const LIMITS: Limits = Limits {
    message_length: 5000,
    chunk_streams: 8,
    reassembly_bytes: 20_000,
};

/// The size of the reads does not matter, the limits hold, and what was decoded survives our own encoder.
pub fn run(data: &[u8]) {
    let Some((first, peer)) = data.split_first() else {
        return;
    };
    let (messages, error) = decode(peer, peer.len().max(1));
    assert_eq!(
        decode(peer, usize::from(*first) % 40 + 1),
        (messages.clone(), error)
    );

    let mut encoder = Encoder::new();
    encoder.set_chunk_size(u32::from(*first));
    let mut again = [
        &[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0][..],
        &[(*first).max(1)],
    ]
    .concat();
    let kept: Vec<Raw> = messages
        .into_iter()
        .filter(|message| !matches!(message.message_type, 1 | 2))
        .collect();
    for message in &kept {
        let chunk_stream_id = 3 + u32::from(message.message_type) % 3 * 100;
        encoder
            .encode(chunk_stream_id, message, &mut again)
            .expect("it was no longer than this when it came");
        if let Some(tag) = message.clone().into_tag() {
            let shared = SharedMessage::encode(&tag, u32::from(*first)).expect("no longer either");
            shared.transmit(message.stream_id).write_to(&mut again);
        }
    }
    let twice = |message: Raw| {
        let times = if message.clone().into_tag().is_some() {
            2
        } else {
            1
        };
        std::iter::repeat_n(message, times)
    };
    let (decoded, error) = decode(&again, again.len());
    assert_eq!(error, None);
    assert_eq!(
        decoded.into_iter().skip(1).collect::<Vec<_>>(),
        kept.into_iter().flat_map(twice).collect::<Vec<_>>()
    );
}

fn decode(bytes: &[u8], step: usize) -> (Vec<Raw>, Option<Error>) {
    let mut decoder = Decoder::new(LIMITS);
    let mut messages = Vec::new();
    for mut read in bytes.chunks(step) {
        loop {
            match decoder.decode(&mut read) {
                Ok(Some(message)) => {
                    assert!(message.payload.len() <= LIMITS.message_length as usize);
                    messages.push(message);
                }
                Ok(None) => break,
                Err(error) => return (messages, Some(error)),
            }
            assert!(decoder.unfinished_bytes() <= LIMITS.reassembly_bytes);
        }
        assert!(read.is_empty());
    }
    (messages, None)
}
