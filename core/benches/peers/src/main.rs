//! Chunk decode and encode beside a bare copy and beside the other RTMP crates, in one run.
//!
//! Every contestant handles the same messages: video on one message stream, 33 ms apart, headers compressed. All take
//! turns, many times over, and each shows its best pass, so that whatever else the machine does falls on all alike.

mod decoders;
mod encoders;
mod workload;

use std::hint::black_box;
use std::time::{Duration, Instant};

use chalkcast_core::Timestamp;
use chalkcast_core::chunk::SharedMessage;
use chalkcast_core::flv::{Tag, TagType};
use workload::Workload;

/// How long each contestant of a row runs in all.
const TIME: Duration = Duration::from_millis(250);

/// A contestant: its name, and one pass over the workload that answers how many payload bytes it handled.
type Contestant<'a> = (&'static str, Box<dyn FnMut() -> usize + 'a>);

fn main() {
    println!(
        "Payload GB/s, best pass of many, one thread. `memcpy` copies the payloads to one buffer, as they lie in the reads."
    );
    println!(
        "`one copy` is the bound of a decoder that hands out owned messages: an allocation and a memcpy each.\n"
    );
    table(
        "Decode",
        "read",
        |workload, read| decoders::contestants(workload, read),
        &[1460, 65_536],
    );
    table(
        "Encode",
        "",
        |workload, _| encoders::contestants(workload),
        &[0],
    );
    fan_out();
}

/// One row for each size of messages, chunks and reads. `ours/bound` compares the second contestant to the last bound.
fn table<'a>(
    title: &str,
    per_read: &str,
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
                    println!(
                        "| {title:<7}| {:>6} | {:>6} |{names} of bound |",
                        "chunk", per_read
                    );
                    println!(
                        "|--------|-------:|-------:|{}---------:|",
                        "----------:|".repeat(contestants.len())
                    );
                    headed = true;
                }
                let speeds = race(&mut contestants, workload.payload_bytes());
                let of = |name| {
                    let at = contestants.iter().position(|(other, _)| *other == name);
                    at.and_then(|at| speeds[at])
                };
                let bound = of("one copy").or(of("memcpy"));
                let ratio = of("ours")
                    .zip(bound)
                    .map_or(0.0, |(ours, bound)| ours / bound);
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
                println!("| {length:>5} B| {chunk_size:>6} | {read:>6} |{cells} {ratio:>8.2} |");
            }
        }
    }
    println!();
}

/// GB/s of each, from its best pass; `None` for one that does not hand out every message.
fn race(contestants: &mut [Contestant<'_>], payload_bytes: usize) -> Vec<Option<f64>> {
    let sound: Vec<bool> = contestants
        .iter_mut()
        .map(|(_, pass)| pass() == payload_bytes)
        .collect();
    let mut best = vec![Duration::MAX; contestants.len()];
    let start = Instant::now();
    while start.elapsed() < TIME * contestants.len() as u32 {
        for (((_, pass), best), sound) in contestants.iter_mut().zip(&mut best).zip(&sound) {
            for _ in 0..if *sound { 4 } else { 0 } {
                let start = Instant::now();
                black_box(pass());
                *best = start.elapsed().min(*best);
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
fn fan_out() {
    const VIEWERS: u32 = 10_000;
    let tag = Tag {
        tag_type: TagType::Video,
        timestamp: Timestamp::ZERO,
        payload: vec![1; 5000].into(),
    };
    let shared = SharedMessage::encode(&tag, 4096).expect("a short message");
    let mut best = Duration::MAX;
    for _ in 0..200 {
        let start = Instant::now();
        for viewer in 0..VIEWERS {
            black_box(shared.transmit(black_box(viewer)));
        }
        best = best.min(start.elapsed());
    }
    let nanos = best.as_secs_f64() * 1e9 / f64::from(VIEWERS);
    println!("Fan-out of one message to one more viewer, made and dropped: {nanos:.1} ns");
}
