//! One line on the terminal that says how it goes.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use chalkcast_core::flv::{Tag, TagHeader, TagType};

/// Counts tags; shows time, bit rate and frame rate on a terminal, twice a second.
pub(crate) struct Progress {
    started: Instant,
    shown: Instant,
    on_terminal: bool,
    bytes: u64,
    recent_bytes: u64,
    recent_frames: u64,
    /// Video tags that were not sequence headers.
    pub(crate) frames: u64,
}

const INTERVAL: Duration = Duration::from_millis(500);

impl Progress {
    pub(crate) fn start() -> Self {
        let now = Instant::now();
        let on_terminal = std::io::stderr().is_terminal();
        Self {
            started: now,
            shown: now,
            on_terminal,
            bytes: 0,
            recent_bytes: 0,
            recent_frames: 0,
            frames: 0,
        }
    }

    pub(crate) fn count(&mut self, tag: &Tag) {
        let size = tag.payload.len() as u64;
        self.bytes += size;
        self.recent_bytes += size;
        if tag.tag_type == TagType::Video && !TagHeader::parse(tag).is_sequence_header() {
            self.frames += 1;
            self.recent_frames += 1;
        }
    }

    /// Shows the line when it is time to, with `note` at its end.
    pub(crate) fn show(&mut self, note: &str) {
        let elapsed = self.shown.elapsed();
        if !self.on_terminal || elapsed < INTERVAL {
            return;
        }
        let rate = |count: u64| count as f64 / elapsed.as_secs_f64();
        let line = format!(
            "{}  {:6.0} kbit/s  {:4.1} pictures/s  {note}",
            clock(self.started.elapsed()),
            rate(self.recent_bytes * 8) / 1000.0,
            rate(self.recent_frames),
        );
        let _ = write!(std::io::stderr(), "\r{line:<70}");
        self.shown = Instant::now();
        (self.recent_bytes, self.recent_frames) = (0, 0);
    }

    /// What it came to, as a sentence.
    pub(crate) fn summary(&self) -> String {
        if self.on_terminal {
            let _ = write!(std::io::stderr(), "\r{:70}\r", "");
        }
        let elapsed = self.started.elapsed();
        let kilobits = self.bytes as f64 * 8.0 / 1000.0 / elapsed.as_secs_f64().max(0.001);
        format!(
            "{} in {} pictures, {kilobits:.0} kbit/s",
            clock(elapsed),
            self.frames
        )
    }
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}
