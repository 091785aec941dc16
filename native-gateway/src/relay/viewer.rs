//! A viewer's end of a stream.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use chalkcast_core::Instant;

use super::cursor::{Cursor, Pulled, is_over};
use super::pace::Pace;
use super::seat::{Back, Lane, Seat};
use super::stream::{Interest, Stream};
use super::{Item, Key};

/// What a viewer does after a pull.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Pull again once what was emitted has been written.
    More,
    /// Wait for the waker.
    Wait,
}

/// One viewer of one stream. Dropping it ends the viewing.
#[derive(Debug)]
pub struct Viewer {
    stream: Arc<Stream>,
    number: u64,
    /// As a viewer in the stream's figures.
    counts: bool,
    cursor: Cursor,
    not_found_at: Option<Instant>,
    bits_per_second: u64,
    pace: Pace,
    /// What the stream's sum of skips has from this viewer.
    counted: (u64, u64),
    /// From the first time it entrusts its connection to the stream.
    seat: Option<Arc<Seat>>,
}

impl Viewer {
    pub(super) fn new(stream: Arc<Stream>, now: Instant, counts: bool) -> Self {
        let (number, cursor) = stream.add_viewer(now, counts);
        Self {
            stream,
            number,
            counts,
            cursor,
            not_found_at: None,
            bits_per_second: 0,
            pace: Pace::default(),
            counted: (0, 0),
            seat: None,
        }
    }

    /// Emits what is due, unless the relay writes it. When there is nothing more, `waker` is left with the stream, and woken when something is due.
    ///
    /// `emit` runs under the stream's lock: it must not wait, and not call the relay.
    pub fn pull(
        &mut self,
        now: Instant,
        waker: &Waker,
        max_bytes: usize,
        mut emit: impl FnMut(Item<'_>),
    ) -> Next {
        let mut state = self.stream.lock();
        self.bits_per_second = state.bits_per_second(now);
        if state.is_live() {
            self.not_found_at = None;
        } else if self.not_found_at.is_some_and(|at| is_over(at, now)) {
            self.not_found_at = None;
            emit(Item::NotFound);
        }
        let mut bytes = 0;
        let pulled = self.cursor.pull(
            state.log(),
            now,
            self.stream.config(),
            max_bytes,
            &mut |item| {
                if let Item::Tag(_, message) = &item {
                    bytes += message.len();
                }
                emit(item);
            },
        );
        self.pace.taken(now, bytes, self.cursor.lags());
        let skipped = self.cursor.skipped();
        state.count_skips(skipped.0 - self.counted.0, skipped.1 - self.counted.1);
        self.counted = skipped;
        match pulled {
            Pulled::More => {
                state.ignore(self.number);
                Next::More
            }
            Pulled::Wait(deadline) => {
                let interest = Interest {
                    wants: self.cursor.wants(),
                    budget: self.cursor.budget(self.stream.config()),
                    deadline: deadline.into_iter().chain(self.not_found_at).min(),
                };
                let driver = state.wait(self.number, interest, waker);
                drop(state);
                driver.into_iter().for_each(Waker::wake);
                Next::Wait
            }
        }
    }

    /// After a pull that says to wait: lets the stream write to the viewer what comes next, on message stream `stream_id`, until
    /// [`take_back`](Self::take_back). `waker` is woken when that has to be. False if the viewer has to pull for itself.
    pub fn entrust(
        &mut self,
        now: Instant,
        stream_id: u32,
        waker: &Waker,
        lane: Box<dyn Lane>,
    ) -> bool {
        let step = self.cursor.step(self.stream.config(), stream_id);
        let Some(step) = step.filter(|_| self.not_found_at.is_none()) else {
            return false;
        };
        let seat = self.seat.get_or_insert_default();
        let mut state = self.stream.lock();
        if !state.is_live() {
            return false;
        }
        let member = seat.entrust(lane, waker.clone(), step.position);
        let mut woken = Vec::new();
        state.entrust(self.number, now, step, member, &mut woken);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        true
    }

    /// What was entrusted, before the next pull or change.
    pub fn take_back(&mut self) -> Option<Back> {
        let back = self.seat.as_ref()?.take_back()?;
        self.cursor.go_on_at(back.position);
        Some(back)
    }

    /// The viewer's own buffer: how far behind live it starts, and how much its media may wait to be written together.
    pub fn set_buffer_length(&mut self, length: Duration) {
        self.cursor.set_buffer_length(length);
    }

    /// Whether audio is wanted.
    pub fn receive_audio(&mut self, on: bool) {
        self.cursor.receive_audio(on);
    }

    /// Whether video is wanted.
    pub fn receive_video(&mut self, on: bool) {
        self.cursor.receive_video(on);
    }

    /// Stops, or goes on near live.
    pub fn pause(&mut self, paused: bool) {
        self.cursor.pause(paused);
    }

    /// Emits [`Item::NotFound`] if nobody publishes by then.
    pub fn expect_by(&mut self, at: Instant) {
        self.not_found_at = Some(at);
    }

    /// Whether somebody publishes now.
    pub fn is_live(&self) -> bool {
        self.stream.lock().is_live()
    }

    /// How often it has skipped ahead because it was too slow, and how many tags it was not sent.
    pub fn skipped(&self) -> (u64, u64) {
        self.cursor.skipped()
    }

    /// What the publisher sent over the last second or so, or what this viewer took of it if it lags, as of the last pull; 0 if that is not known.
    pub fn bits_per_second(&self) -> u64 {
        self.pace.of(self.bits_per_second)
    }

    /// Whether it was so far behind live at the last pull that its audio went ahead of its video.
    pub fn lags(&self) -> bool {
        self.cursor.lags()
    }

    /// How long media may wait for this viewer to be written together.
    pub fn budget(&self) -> Duration {
        self.cursor.budget(self.stream.config())
    }

    /// What it views.
    pub fn key(&self) -> &Key {
        self.stream.key()
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.take_back();
        let driver = self.stream.lock().remove_viewer(self.number, self.counts);
        driver.into_iter().for_each(Waker::wake);
    }
}
