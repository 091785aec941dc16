//! When pictures are drawn: at the display's refreshes, or by timer where the browser gives none.

use std::time::Duration;

use chalkcast_core::Instant;
use wasm_bindgen::prelude::*;
use web_sys::DedicatedWorkerGlobalScope;

use crate::connection::Handle;

/// Without a refresh for this long (a hidden page, a browser whose Workers have none) pictures are drawn by timer.
const PATIENCE: Duration = Duration::from_millis(100);
/// Between two refreshes of a display of 60 Hz.
const INTERVAL: f64 = 16_667.0;
/// What is drawn within this after a refresh may still be of that one.
const AFTER: Duration = Duration::from_millis(1);
/// What lies between two refreshes of one display, in microseconds: 240 to 24 Hz.
const INTERVALS: std::ops::Range<f64> = 4_000.0..42_000.0;

/// Asks for refreshes while pictures wait.
pub(super) struct Pacer {
    scope: DedicatedWorkerGlobalScope,
    callback: Closure<dyn FnMut(JsValue)>,
    /// Since when a refresh has been asked for.
    asked: Option<Instant>,
    /// The refresh before this one, and how long one lasts in microseconds.
    last: Option<Instant>,
    interval: f64,
    hidden: bool,
}

impl Pacer {
    pub(super) fn new(number: u32, handle: &Handle) -> Self {
        Self {
            scope: js_sys::global().unchecked_into(),
            callback: handle.callback(move |connection, now, _: JsValue| {
                if let Some(stream) = connection.stream(number) {
                    stream.player().refresh(now);
                }
            }),
            asked: None,
            last: None,
            interval: INTERVAL,
            hidden: false,
        }
    }

    pub(super) fn set_hidden(&mut self, hidden: bool) {
        self.hidden = hidden;
        // What was asked for on a hidden page may come much later.
        self.asked = None;
        self.last = None;
    }

    /// A picture waits: the next refresh is wanted.
    pub(super) fn ask(&mut self, now: Instant) {
        if self.asked.is_none() && !self.hidden {
            let callback = self.callback.as_ref().unchecked_ref();
            // Fails in a Worker whose page is gone: then nobody looks.
            if self.scope.request_animation_frame(callback).is_ok() {
                self.asked = Some(now);
            }
        }
    }

    /// The display refreshes.
    pub(super) fn refreshed(&mut self, now: Instant) {
        let asked = self.asked.take();
        // What was asked for later is later by who knows how many refreshes.
        if let Some(last) = self.last.filter(|_| asked == self.last) {
            let micros = (now - last).as_micros() as f64;
            if INTERVALS.contains(&micros) {
                // A missed refresh makes a long interval, nothing makes a short one.
                let gain = if micros < self.interval { 0.1 } else { 0.01 };
                self.interval += (micros - self.interval) * gain;
            }
        }
        self.last = Some(now);
    }

    /// From when on a picture that is due at `due` is what the next refresh shows, while the display refreshes.
    pub(super) fn turn(&self, now: Instant, due: Instant) -> Option<Instant> {
        let last = self.last.filter(|_| !self.hidden)?;
        let ahead = due.saturating_sub(self.half()) - last;
        let refreshes = (ahead.as_micros() as f64 / self.interval).ceil().max(1.0) - 1.0;
        let before = last + Duration::from_micros((refreshes * self.interval) as u64);
        (now - last < PATIENCE).then(|| before + AFTER)
    }

    /// Half of what lies between two refreshes: the one nearest to its instant shows a picture.
    pub(super) fn half(&self) -> Duration {
        Duration::from_micros((self.interval / 2.0) as u64)
    }

    /// What is drawn at one refresh is on the screen at the next.
    pub(super) fn latency(&self) -> Duration {
        self.half() * 2
    }

    /// From when on pictures are drawn by timer: at once, or when a refresh that was asked for has not come.
    pub(super) fn fallback(&self) -> Option<Instant> {
        if self.hidden {
            Some(Instant::ZERO)
        } else {
            self.asked.map(|asked| asked + PATIENCE)
        }
    }
}
