//! Chunk decode and encode, AMF0 and FLV, beside a bare copy and beside the other RTMP crates, in one run: natively by `main.rs`,
//! as wasm32 code under Node by `wasm.mjs`.
//!
//! Every contestant handles the same messages: video on one message stream, 33 ms apart, headers compressed. All take
//! turns, many times over, and each shows its best pass, so that whatever else the machine does falls on all alike.

mod decoders;
mod encoders;
mod formats;
#[cfg(target_family = "wasm")]
mod wasm;
mod workload;

use std::hint::black_box;
use std::time::Duration;

use chalkcast_core::Timestamp;
use chalkcast_core::chunk::SharedMessage;
use chalkcast_core::flv::{Tag, TagType};
use workload::Workload;

/// How long each contestant of a row runs in all.
const TIME: Duration = Duration::from_millis(250);

/// A contestant: its name, and one pass over the workload that answers how many payload bytes it handled.
type Contestant<'a> = (&'static str, Box<dyn FnMut() -> usize + 'a>);

/// What the machine lends: a clock, and a place for lines.
pub struct Host<'a> {
    /// The time since some fixed point.
    pub now: &'a dyn Fn() -> Duration,
    /// Shows a line.
    pub line: &'a dyn Fn(&str),
}

/// Runs everything, and prints the tables.
pub fn run(host: &Host<'_>) {
    decode(host);
    (host.line)(
        "A message at a time, as a connection sends them. `shared` is what a server sends of media, a message encoded once for all viewers: one",
    );
    (host.line)("chunk is not copied. xiu's encoder writes only to a connection of its own.\n");
    table(
        host,
        "Encode",
        "",
        &["memcpy"],
        |workload, _| encoders::contestants(workload),
        &[0],
    );
    formats::amf0(host);
    formats::flv(host);
    fan_out(host);
}

/// Runs the decoders, and prints their table.
pub fn decode(host: &Host<'_>) {
    (host.line)(
        "Payload GB/s, best pass of many, one thread. `memcpy` copies the payloads to one buffer, as they lie in the reads.",
    );
    (host.line)(
        "`one copy` is an allocation and a memcpy for each message, by somebody who has all reads and knows where each payload lies in them.",
    );
    (host.line)(
        "`by read` does the same as the reads come, one by one: the bound of a decoder that hands out owned messages.\n",
    );
    table(
        host,
        "Decode",
        "read",
        &["one copy", "by read"],
        decoders::contestants,
        &[1460, 65_536],
    );
}

/// One row for each size of messages, chunks and reads, with the share of each of `bounds` that ours reaches.
fn table<'a>(
    host: &Host<'_>,
    title: &str,
    per_read: &str,
    bounds: &[&str],
    contestants: impl Fn(&'a Workload, usize) -> Vec<Contestant<'a>>,
    reads: &[usize],
) {
    let mut headed = false;
    for length in [200, 5000] {
        for chunk_size in [128, 4096, 65_536] {
            for read in reads {
                let workload: &'a Workload = Box::leak(Box::new(Workload::new(length, chunk_size)));
                let mut contestants = contestants(workload, *read);
                if !headed {
                    let names: String = contestants
                        .iter()
                        .map(|(name, _)| format!(" {name:>9} |"))
                        .collect();
                    let shares: String = bounds
                        .iter()
                        .map(|bound| format!(" {:>11} |", format!("of {bound}")))
                        .collect();
                    (host.line)(&format!(
                        "| {title:<7}| {:>6} | {:>6} |{names}{shares}",
                        "chunk", per_read
                    ));
                    (host.line)(&format!(
                        "|--------|-------:|-------:|{}{}",
                        "----------:|".repeat(contestants.len()),
                        "------------:|".repeat(bounds.len())
                    ));
                    headed = true;
                }
                let speeds = race(host, &mut contestants, workload.payload_bytes());
                let of = |name: &str| {
                    let at = contestants.iter().position(|(other, _)| *other == name);
                    at.and_then(|at| speeds[at])
                };
                let share = |bound: &&str| {
                    let share = of("ours")
                        .zip(of(bound))
                        .map_or(0.0, |(ours, bound)| ours / bound);
                    format!(" {share:>11.2} |")
                };
                let shares: String = bounds.iter().map(share).collect();
                let cell = |speed: &Option<f64>| match speed {
                    Some(speed) => format!(" {speed:>9.2} |"),
                    None => format!(" {:>9} |", "loses"),
                };
                let cells: String = speeds.iter().map(cell).collect();
                let read = if *read == 0 {
                    String::new()
                } else {
                    read.to_string()
                };
                (host.line)(&format!(
                    "| {length:>5} B| {chunk_size:>6} | {read:>6} |{cells}{shares}"
                ));
            }
        }
    }
    (host.line)("");
}

/// GB/s of each, from its best pass; `None` for one that does not hand out every message.
fn race(
    host: &Host<'_>,
    contestants: &mut [Contestant<'_>],
    payload_bytes: usize,
) -> Vec<Option<f64>> {
    let sound: Vec<bool> = contestants
        .iter_mut()
        .map(|(_, pass)| pass() == payload_bytes)
        .collect();
    let mut best = vec![Duration::MAX; contestants.len()];
    let start = (host.now)();
    while (host.now)() - start < TIME * contestants.len() as u32 {
        for (((_, pass), best), sound) in contestants.iter_mut().zip(&mut best).zip(&sound) {
            for _ in 0..if *sound { 4 } else { 0 } {
                let start = (host.now)();
                black_box(pass());
                *best = ((host.now)() - start).min(*best);
            }
        }
    }
    let speed = |best: &Duration| payload_bytes as f64 / best.as_secs_f64() / 1e9;
    best.iter()
        .zip(sound)
        .map(|(best, sound)| sound.then(|| speed(best)))
        .collect()
}

/// What one more viewer of a message costs.
fn fan_out(host: &Host<'_>) {
    const VIEWERS: u32 = 10_000;
    let tag = Tag {
        tag_type: TagType::Video,
        timestamp: Timestamp::ZERO,
        payload: vec![1; 5000].into(),
    };
    let shared = SharedMessage::encode(&tag, 4096).expect("a short message");
    let mut best = Duration::MAX;
    for _ in 0..200 {
        let start = (host.now)();
        for viewer in 0..VIEWERS {
            black_box(shared.transmit(black_box(viewer)));
        }
        best = best.min((host.now)() - start);
    }
    let nanos = best.as_secs_f64() * 1e9 / f64::from(VIEWERS);
    (host.line)(&format!(
        "Fan-out of one message to one more viewer, made and dropped: {nanos:.1} ns"
    ));
}
