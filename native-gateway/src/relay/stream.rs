//! A stream: its log, its publisher, and who waits for what comes next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chalkcast_core::Instant;
use chalkcast_core::flv::Tag;
use thiserror::Error;

use super::cohort::{Cohorts, Step, WORTH_A_THREAD};
use super::cursor::{Cursor, Wants, is_due, is_over};
use super::log::{Kind, Log, classify};
use super::seat::Member;
use super::stitch::Stitch;
use super::{Config, Key};

/// Somebody publishes under this name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("somebody publishes under this name already")]
pub struct Taken;

/// Where a stream comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A publisher connected to this gateway.
    Local,
    /// An external relay; gives way to a local publisher.
    Pulled,
}

/// Figures of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Whether somebody publishes.
    pub live: bool,
    /// How long the publisher has been there.
    pub live_for: Duration,
    /// Who watches or waits.
    pub viewers: usize,
    /// What the publisher sends, over the last second or so.
    pub bits_per_second: u64,
    /// How often viewers were too slow and skipped ahead.
    pub skips: u64,
    /// How many tags they were not sent for that.
    pub skipped_tags: u64,
}

/// A stream, whether somebody publishes it or not.
#[derive(Debug)]
pub struct Stream {
    key: Key,
    config: Arc<Config>,
    state: Mutex<State>,
}

/// What the lock protects.
#[derive(Debug, Default)]
pub(super) struct State {
    log: Log,
    stitch: Stitch,
    publisher: Option<Occupant>,
    publishers: u64,
    /// When the last publisher went, until the log has been cleared for that.
    ended: Option<Instant>,
    /// When somebody last came or went.
    touched: Instant,
    viewers: usize,
    /// Those of them who only pass the stream on.
    followers: usize,
    /// The key of the last who came.
    last_viewer: u64,
    /// Who waits for something to be due, by key.
    waiting: BTreeMap<u64, Waiting>,
    cohorts: Cohorts,
    /// The earliest deadline of all, or earlier.
    next: Option<Instant>,
    /// Who calls `handle_timeout`.
    driver: Option<Waker>,
    /// Who calls `write`, and has found nothing to do.
    writers: Vec<Waker>,
    /// How many have been woken since, and have not yet found nothing to do.
    writing: usize,
    rate: Rate,
    skips: u64,
    skipped_tags: u64,
}

#[derive(Debug)]
struct Occupant {
    id: u64,
    source: Source,
    since: Instant,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Waiting {
    waker: Waker,
    interest: Interest,
}

/// What a waiting viewer waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interest {
    pub(super) wants: Wants,
    pub(super) budget: Duration,
    pub(super) deadline: Option<Instant>,
}

impl Interest {
    /// A tag has come. True if something is due for that; else `deadline` says until when it may wait.
    pub(super) fn hear(&mut self, now: Instant, kind: Kind) -> bool {
        if !self.wants.kind(kind) {
            return false;
        }
        let oldest = self.deadline.map_or(now, |deadline| {
            Instant::from_micros(
                deadline
                    .as_micros()
                    .saturating_sub(self.budget.as_micros() as u64),
            )
        });
        let due = is_due(kind, oldest, self.budget, now);
        if !due {
            self.deadline.get_or_insert(now + self.budget);
        }
        due
    }
}

impl Stream {
    pub(super) fn new(key: Key, config: Arc<Config>) -> Self {
        Self {
            key,
            config,
            state: Mutex::default(),
        }
    }

    /// What it is known by.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// Figures.
    pub fn stats(&self, now: Instant) -> Stats {
        let state = self.lock();
        Stats {
            live: state.is_live(),
            live_for: state
                .publisher
                .as_ref()
                .map_or(Duration::ZERO, |publisher| now - publisher.since),
            viewers: state.viewers - state.followers,
            bits_per_second: state.bits_per_second(now),
            skips: state.skips,
            skipped_tags: state.skipped_tags,
        }
    }

    /// Wakes the viewers whose time has come; frees what a publisher has left when its grace is over.
    pub fn handle_timeout(&self, now: Instant) {
        let mut state = self.lock();
        if let Some(ended) = state.ended
            && now >= ended + self.lifetime()
        {
            state.ended = None;
            state.log.clear();
        }
        let mut woken = Vec::new();
        let mut next = state.cohorts.handle_timeout(now);
        state.waiting.retain(|_, waiting| {
            let Some(deadline) = waiting.interest.deadline else {
                return true;
            };
            let is_over = is_over(deadline, now);
            if is_over {
                woken.push(waiting.waker.clone());
            } else {
                next = earlier(next, deadline);
            }
            !is_over
        });
        state.next = next;
        state.wake_writers(&mut woken);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Writes what is due to some of the viewers that have entrusted their connections. False if nothing is due for any: then `waker`
    /// is woken when something is. Any number may call this, at the same time too.
    pub fn write(&self, now: Instant, waker: &Waker) -> bool {
        let mut woken = Vec::new();
        let mut guard = self.lock();
        let state = &mut *guard;
        let rate = state.bits_per_second(now);
        let job = state
            .cohorts
            .take(&state.log, now, &self.config, rate, &mut woken);
        if job.is_none() && !state.writers.iter().any(|kept| kept.will_wake(waker)) {
            state.writers.push(waker.clone());
            state.writing = state.writing.saturating_sub(1);
        }
        drop(guard);
        woken.drain(..).for_each(Waker::wake);
        let Some(job) = job else {
            return false;
        };
        let (step, members) = job.write();
        let mut guard = self.lock();
        let state = &mut *guard;
        let deadline = state.cohorts.gather(step, members, &state.log, now);
        woken.extend(deadline.and_then(|deadline| state.note(deadline)));
        state.wake_writers(&mut woken);
        drop(guard);
        woken.into_iter().for_each(Waker::wake);
        true
    }

    /// When to call `handle_timeout` next. `waker` is woken when that becomes earlier, or somebody has gone.
    pub fn poll_timeout(&self, waker: &Waker) -> Option<Instant> {
        let mut state = self.lock();
        keep_waker(&mut state.driver, waker);
        let cleared = state.ended.map(|ended| ended + self.lifetime());
        let idle = (state.publisher.is_none() && state.viewers == 0)
            .then(|| state.touched + self.config.grace);
        [state.next, cleared, idle].into_iter().flatten().min()
    }

    pub(super) fn publish(
        self: Arc<Self>,
        now: Instant,
        source: Source,
        takes_over: bool,
    ) -> Result<Publisher, Taken> {
        let mut state = self.lock();
        let mut woken = Vec::new();
        if let Some(present) = &mut state.publisher {
            // What is pulled may be this very publisher's stream, on its way back from the relay: it never takes over.
            let gives_way = present.source == Source::Pulled || takes_over || self.config.takeover;
            if source == Source::Pulled || !gives_way {
                return Err(Taken);
            }
            woken.extend(present.waker.take());
            state.log.finish(now);
        }
        state.publishers += 1;
        state.ended = None;
        state.touched = now;
        let id = state.publishers;
        state.publisher = Some(Occupant {
            id,
            source,
            since: now,
            waker: None,
        });
        state.stitch.begin();
        state.log.begin(now);
        state.wake_all(&mut woken);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
        Ok(Publisher {
            stream: self,
            id,
            last: now,
        })
    }

    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let state = self.lock();
        state.publisher.is_none() && state.viewers == 0 && now >= state.touched + self.config.grace
    }

    /// A viewer comes, or one who only passes the stream on. Answers its key, and where it is.
    pub(super) fn add_viewer(&self, now: Instant, counts: bool) -> (u64, Cursor) {
        let mut state = self.lock();
        state.touched = now;
        state.viewers += 1;
        state.followers += usize::from(!counts);
        state.last_viewer += 1;
        let cursor = Cursor::new(state.is_live(), state.log.end());
        (state.last_viewer, cursor)
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long what a publisher sent is kept after it has gone: viewers with a buffer may still be reading it.
    fn lifetime(&self) -> Duration {
        self.config.grace.max(self.config.keep)
    }

    fn append(&self, id: u64, now: Instant, tag: &Tag) -> Result<(), Revoked> {
        let mut guard = self.lock();
        let state = &mut *guard;
        if state
            .publisher
            .as_ref()
            .is_none_or(|publisher| publisher.id != id)
        {
            return Err(Revoked);
        }
        let (kind, _) = classify(tag);
        let is_frame = matches!(kind, Kind::Audio | Kind::Video { .. });
        let timestamp = state.stitch.map(now, tag.timestamp, is_frame);
        state.rate.count(now, tag.payload.len());
        let Some(kind) = state.log.append(
            now,
            Tag {
                timestamp,
                ..tag.clone()
            },
            &self.config,
        ) else {
            return Ok(());
        };
        let mut woken = Vec::new();
        state.notify(now, kind, &mut woken);
        drop(guard);
        woken.into_iter().for_each(Waker::wake);
        Ok(())
    }

    fn finish(&self, id: u64, now: Instant) {
        let mut state = self.lock();
        if state
            .publisher
            .as_ref()
            .is_none_or(|publisher| publisher.id != id)
        {
            return;
        }
        state.publisher = None;
        state.ended = Some(now);
        state.touched = now;
        state.log.finish(now);
        let mut woken = Vec::new();
        state.wake_all(&mut woken);
        woken.extend(state.driver.take());
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }
}

impl State {
    pub(super) fn is_live(&self) -> bool {
        self.publisher.is_some()
    }

    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn bits_per_second(&self, now: Instant) -> u64 {
        self.rate.bits_per_second(now)
    }

    pub(super) fn count_skips(&mut self, skips: u64, tags: u64) {
        self.skips += skips;
        self.skipped_tags += tags;
    }

    /// The viewer does not wait for the stream but for its own connection.
    pub(super) fn ignore(&mut self, viewer: u64) {
        self.waiting.remove(&viewer);
    }

    /// The viewer waits, and the stream writes to it.
    pub(super) fn entrust(
        &mut self,
        viewer: u64,
        now: Instant,
        step: Step,
        member: Member,
        woken: &mut Vec<Waker>,
    ) {
        self.ignore(viewer);
        let deadline = self.cohorts.join(step, member, &self.log, now);
        woken.extend(deadline.and_then(|deadline| self.note(deadline)));
        self.wake_writers(woken);
    }

    /// The viewer waits. Answers the driver's waker, if it has to look again.
    pub(super) fn wait(&mut self, viewer: u64, interest: Interest, waker: &Waker) -> Option<Waker> {
        let waker = waker.clone();
        self.waiting.insert(viewer, Waiting { waker, interest });
        interest.deadline.and_then(|deadline| self.note(deadline))
    }

    pub(super) fn remove_viewer(&mut self, viewer: u64, counts: bool) -> Option<Waker> {
        self.ignore(viewer);
        self.viewers -= 1;
        self.followers -= usize::from(!counts);
        self.driver.take_if(|_| self.viewers == 0)
    }

    /// A tag has come: wakes those for whom it is due, and notes until when it may wait for the others.
    fn notify(&mut self, now: Instant, kind: Kind, woken: &mut Vec<Waker>) {
        let mut first = self.cohorts.hear(now, kind);
        self.waiting.retain(|_, waiting| {
            let is_due = waiting.interest.hear(now, kind);
            if is_due {
                woken.push(waiting.waker.clone());
            } else if let Some(deadline) = waiting.interest.deadline {
                first = earlier(first, deadline);
            }
            !is_due
        });
        self.wake_writers(woken);
        woken.extend(first.and_then(|deadline| self.note(deadline)));
    }

    /// So that as many write as what is due is worth.
    fn wake_writers(&mut self, woken: &mut Vec<Waker>) {
        let idle = self.writers.len();
        let wanted = self.cohorts.due().div_ceil(WORTH_A_THREAD);
        let more = wanted.saturating_sub(self.writing).min(idle);
        self.writing += more;
        woken.extend(self.writers.drain(idle - more..));
    }

    fn wake_all(&mut self, woken: &mut Vec<Waker>) {
        self.cohorts.dismiss(woken);
        let waiting = std::mem::take(&mut self.waiting);
        woken.extend(waiting.into_values().map(|waiting| waiting.waker));
    }

    /// Notes a deadline. Answers the driver's waker, if that is earlier than what the driver sleeps for.
    fn note(&mut self, deadline: Instant) -> Option<Waker> {
        if self.next.is_some_and(|next| next <= deadline) {
            return None;
        }
        self.next = Some(deadline);
        self.driver.take()
    }
}

/// The right to append to a stream. Dropping it ends the publishing, as of the last tag.
#[derive(Debug)]
pub struct Publisher {
    stream: Arc<Stream>,
    id: u64,
    last: Instant,
}

/// Somebody else publishes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("somebody else publishes under this name now")]
pub struct Revoked;

impl Publisher {
    /// Appends a tag.
    pub fn append(&mut self, now: Instant, tag: &Tag) -> Result<(), Revoked> {
        self.last = now;
        self.stream.append(self.id, now, tag)
    }

    /// Ends the publishing.
    pub fn finish(mut self, now: Instant) {
        self.last = now;
    }

    /// Ready once somebody else has taken the stream over.
    pub fn poll_revoked(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.stream.lock();
        match &mut state.publisher {
            Some(publisher) if publisher.id == self.id => {
                keep_waker(&mut publisher.waker, cx.waker());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }

    /// What it publishes.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stream.finish(self.id, self.last);
    }
}

fn keep_waker(kept: &mut Option<Waker>, waker: &Waker) {
    match kept {
        Some(kept) if kept.will_wake(waker) => {}
        _ => *kept = Some(waker.clone()),
    }
}

pub(super) fn earlier(first: Option<Instant>, other: Instant) -> Option<Instant> {
    Some(first.map_or(other, |first| first.min(other)))
}

/// What came in over the last seconds.
#[derive(Debug, Default)]
struct Rate {
    seconds: VecDeque<(Instant, usize)>,
}

const RATE_SLOT: Duration = Duration::from_millis(500);
const RATE_SLOTS: usize = 4;

impl Rate {
    fn count(&mut self, now: Instant, bytes: usize) {
        match self.seconds.back_mut() {
            Some((since, sum)) if now - *since < RATE_SLOT => *sum += bytes,
            _ => {
                if self.seconds.len() == RATE_SLOTS {
                    self.seconds.pop_front();
                }
                self.seconds.push_back((now, bytes));
            }
        }
    }

    fn bits_per_second(&self, now: Instant) -> u64 {
        let recent = || {
            self.seconds
                .iter()
                .filter(|(since, _)| now - *since <= RATE_SLOT * (RATE_SLOTS as u32 + 2))
        };
        let Some((since, _)) = recent().next() else {
            return 0;
        };
        let bytes: usize = recent().map(|(_, bytes)| bytes).sum();
        bytes as u64 * 8_000
            / u64::try_from((now - *since).max(RATE_SLOT).as_millis())
                .unwrap_or(u64::MAX)
                .max(1)
    }
}
