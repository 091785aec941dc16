//! Many viewers of one stream, and what they got.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::cost::Cost;
use crate::delays::Delays;
use crate::lesson::Lesson;
use crate::publisher::Sent;
use crate::viewer::{Class, Seen, Witness, watch};

/// So many, from the first to the last, compare every byte of every frame, and say how long it took. They have a thread to themselves: that of
/// the others reads for milliseconds, and a tag that waits for that is no delay of the server's.
const SAMPLED: usize = 50;

/// Viewers, until this is dropped.
pub(crate) struct Audience {
    class: Arc<Class>,
    viewers: Vec<(JoinHandle<Result<()>>, Arc<Seen>)>,
}

/// What a while with an audience cost, and what came.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) viewers: usize,
    /// Microseconds of processor time for each second of each viewer.
    pub(crate) cpu: f64,
    /// Writes a second to each viewer.
    pub(crate) writes: f64,
    /// Of each thread, over the whole time.
    pub(crate) threads: Vec<Duration>,
    pub(crate) resident: u64,
    pub(crate) audio: Delays,
    pub(crate) video: Delays,
    /// The frames of the viewer that got the fewest, as a part of those of the one that got the most.
    pub(crate) slowest: f64,
    pub(crate) gaps: u64,
    pub(crate) lost: usize,
    /// What a viewer got.
    pub(crate) kbit_per_second: f64,
    /// The share of one processor that the viewers themselves took: near 1, delays are their own.
    pub(crate) witnesses: f64,
}

/// Whether the viewer with this number, of so many, is one of those that look closely.
pub(crate) fn is_sampled(number: usize, viewers: usize) -> bool {
    number.is_multiple_of(viewers.div_ceil(SAMPLED).max(1))
}

impl Audience {
    /// Nobody yet.
    pub(crate) fn new(lesson: &Arc<Lesson>, sent: &Arc<Sent>) -> Self {
        Self {
            class: Arc::new(Class::new(lesson, sent)),
            viewers: Vec::new(),
        }
    }

    /// `count` viewers come, and stay for as long as their connection.
    pub(crate) async fn gather(&mut self, url: &str, count: usize, buffer: Option<u64>) {
        self.come(&[url.to_owned()], count, buffer, false).await;
    }

    /// As [`gather`](Self::gather), with as many at each address. Only at the first one delays are measured.
    pub(crate) async fn spread(&mut self, urls: &[String], count: usize, buffer: Option<u64>) {
        self.come(urls, count, buffer, false).await;
    }

    /// `count` viewers come, and come again when their connection has ended.
    pub(crate) async fn gather_loyal(&mut self, url: &str, count: usize) {
        self.come(&[url.to_owned()], count, None, true).await;
    }

    async fn come(&mut self, urls: &[String], count: usize, buffer: Option<u64>, loyal: bool) {
        let (sampled, others) = (crate::SAMPLED_THREAD.handle(), Handle::current());
        for _ in 0..count {
            let seen = Arc::new(Seen::default());
            let (round, place) = (
                self.viewers.len() / urls.len(),
                self.viewers.len() % urls.len(),
            );
            let is_sampled = place == 0 && is_sampled(round, count.div_ceil(urls.len()));
            let threads = if is_sampled { sampled } else { &others };
            let (class, url) = (Arc::clone(&self.class), urls[place].clone());
            let task = threads.spawn({
                let seen = Arc::clone(&seen);
                async move {
                    loop {
                        let witness = Witness::new(&class, &seen, is_sampled);
                        let ended = watch(&url, buffer, witness).await;
                        if !loyal {
                            return ended;
                        }
                        tokio::time::sleep(Duration::from_millis(500)).await;
                    }
                }
            });
            self.viewers.push((task, seen));
            // Not more at once than a listening socket's backlog holds.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until everybody has got something.
    pub(crate) async fn settle(&self) -> Result<()> {
        let patience = Instant::now() + Duration::from_secs(30);
        while self.least(|seen| &seen.ever) == 0 {
            if Instant::now() > patience {
                let without = self
                    .seen()
                    .filter(|seen| seen.ever.load(Ordering::Relaxed) == 0)
                    .count();
                bail!("{without} of {} viewers get nothing", self.viewers.len());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What they were sent to begin with is not what they go on with.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        Ok(())
    }

    /// Measures what the processes use, and what the viewers get, for a while.
    pub(crate) async fn measure(&self, time: Duration, pids: &[u32]) -> Result<Report> {
        let gaps = self.sum(|seen| &seen.gaps);
        for seen in self.seen() {
            seen.frames.store(0, Ordering::Relaxed);
            seen.bytes.store(0, Ordering::Relaxed);
            seen.writes.store(0, Ordering::Relaxed);
        }
        *self.class.delays() = Default::default();
        let own = [std::process::id()];
        let (start, own_start, started) = (Cost::of(pids)?, Cost::of(&own)?, Instant::now());
        self.class.measuring.store(true, Ordering::Relaxed);
        tokio::time::sleep(time).await;
        self.class.measuring.store(false, Ordering::Relaxed);
        let (end, own_end, elapsed) = (Cost::of(pids)?, Cost::of(&own)?, started.elapsed());
        let [audio, video] = std::mem::take(&mut *self.class.delays());
        let viewer_seconds = self.viewers.len() as f64 * elapsed.as_secs_f64();
        let most = self
            .seen()
            .map(|seen| seen.frames.load(Ordering::Relaxed))
            .max();
        Ok(Report {
            viewers: self.viewers.len(),
            cpu: end.since(&start).as_secs_f64() * 1e6 / viewer_seconds,
            writes: self.sum(|seen| &seen.writes) as f64 / viewer_seconds,
            threads: end
                .threads
                .iter()
                .zip(&start.threads)
                .map(|(end, start)| end.saturating_sub(*start))
                .collect(),
            resident: end.resident,
            audio,
            video,
            slowest: self.least(|seen| &seen.frames) as f64 / most.unwrap_or(1).max(1) as f64,
            gaps: self.sum(|seen| &seen.gaps) - gaps,
            lost: self.lost(),
            witnesses: own_end.since(&own_start).as_secs_f64() / elapsed.as_secs_f64(),
            kbit_per_second: self.sum(|seen| &seen.bytes) as f64 * 8.0 / 1000.0 / viewer_seconds,
        })
    }

    /// How many have lost their connection.
    pub(crate) fn lost(&self) -> usize {
        self.viewers
            .iter()
            .filter(|(task, _)| task.is_finished())
            .count()
    }

    pub(crate) fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.viewers.iter().map(|(_, seen)| &**seen)
    }

    /// Of what the viewers counted, the sum.
    pub(crate) fn sum(&self, figure: impl Fn(&Seen) -> &AtomicU64) -> u64 {
        self.seen()
            .map(|seen| figure(seen).load(Ordering::Relaxed))
            .sum()
    }

    /// Of what the viewers counted, the least.
    pub(crate) fn least(&self, figure: impl Fn(&Seen) -> &AtomicU64) -> u64 {
        self.seen()
            .map(|seen| figure(seen).load(Ordering::Relaxed))
            .min()
            .unwrap_or_default()
    }

    /// Everybody goes.
    pub(crate) async fn leave(&mut self) {
        for (task, _) in &self.viewers {
            task.abort();
        }
        for (task, _) in self.viewers.drain(..) {
            let _ = task.await;
        }
    }
}

impl Drop for Audience {
    fn drop(&mut self) {
        for (task, _) in &self.viewers {
            task.abort();
        }
    }
}
