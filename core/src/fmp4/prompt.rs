//! The timing of frames that are handed out before the next one is there.

use super::boxes::Sample;

/// So many steps from frame to frame say how long a frame is.
const STEPS: usize = 5;
/// What lies further apart is not one run of frames.
const LONGEST_STEP_SECONDS: u64 = 10;

/// Guesses how long each frame is, and keeps decoding times close to each other.
///
/// A browser takes a decoding time more than twice the last frame's duration after the last frame's for a gap, behind which it drops everything up to
/// the next keyframe (Media Source Extensions, coded frame processing). A publisher that left out two pictures would freeze the picture by that,
/// so the decoding time goes no further than this at each frame, and the composition time makes up for it.
#[derive(Debug, Default)]
pub(super) struct Prompt {
    /// The newest steps, in a ring.
    steps: [u32; STEPS],
    count: usize,
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    /// As it came.
    time: u64,
    /// As it was handed out.
    decoding_time: u64,
    duration: u32,
}

impl Prompt {
    /// Gives `sample` its duration and its final decoding and composition time.
    pub(super) fn time(&mut self, sample: &mut Sample, timescale: u32) {
        let longest = u64::from(timescale) * LONGEST_STEP_SECONDS;
        let follows = self
            .last
            .filter(|last| (last.time..=last.time + longest).contains(&sample.time));
        let time = sample.time;
        if let Some(last) = follows {
            let step = (time - last.time) as u32;
            if step > 0 {
                self.steps[self.count % STEPS] = step;
                self.count += 1;
            }
            // Sound has its exact duration, and no frame of it needs another.
            if sample.duration.is_none() {
                let furthest = last.decoding_time + 2 * u64::from(last.duration);
                sample.time = time.min(furthest).max(last.decoding_time + 1);
                sample.composition_time += (time as i64 - sample.time as i64) as i32;
            }
        }
        let duration = *sample.duration.get_or_insert_with(|| {
            usual(&self.steps[..self.count.min(STEPS)]).unwrap_or(timescale / 25)
        });
        self.last = Some(Last {
            time,
            decoding_time: sample.time,
            duration,
        });
    }
}

/// The middle of the steps: one long one says nothing about the next frame.
fn usual(steps: &[u32]) -> Option<u32> {
    let below = |limit: u32| steps.iter().filter(|step| **step < limit).count();
    let middle = steps.len() / 2;
    steps
        .iter()
        .copied()
        .find(|step| below(*step) <= middle && middle < below(step.saturating_add(1)))
}
