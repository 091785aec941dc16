use std::collections::VecDeque;
use std::time::Duration;

use chalkcast_core::Instant;

use crate::Random;

/// One direction of a TCP connection that carries whole messages: a send buffer of a finite size, drained at a finite rate, then latency and jitter
/// with the order kept.
#[derive(Debug)]
pub struct Wire<T> {
    /// Bytes per second that leave the send buffer now; zero in an outage.
    rate: u64,
    latency: Duration,
    /// At most this much is added to the latency, evenly distributed.
    jitter: Duration,
    /// Bytes the send buffer holds.
    capacity: usize,
    random: Random,
    buffered: VecDeque<(usize, T)>,
    bytes: usize,
    /// Bytes of the first message in the buffer that have left, and when that was counted.
    left: f64,
    at: Instant,
    in_flight: VecDeque<(Instant, usize, T)>,
    last_arrival: Instant,
}

impl<T> Wire<T> {
    /// An idle connection.
    pub fn new(rate: u64, latency: Duration, jitter: Duration, capacity: usize, seed: u64) -> Self {
        Self {
            rate,
            latency,
            jitter,
            capacity,
            random: Random::new(seed),
            buffered: VecDeque::new(),
            bytes: 0,
            left: 0.0,
            at: Instant::ZERO,
            in_flight: VecDeque::new(),
            last_arrival: Instant::ZERO,
        }
    }

    /// Changes the rate (bytes per second) from `now` on.
    pub fn set_rate(&mut self, now: Instant, rate: u64) {
        self.advance(now);
        self.rate = rate;
    }

    /// Whether the send buffer takes another message: like a socket, it does while it is not full.
    pub fn is_writable(&self) -> bool {
        self.bytes < self.capacity
    }

    /// Bytes in the send buffer.
    pub fn buffered(&self) -> usize {
        self.bytes
    }

    /// Writes a message of `size` bytes; `is_writable` or not.
    pub fn send(&mut self, now: Instant, size: usize, message: T) {
        self.advance(now);
        self.buffered.push_back((size, message));
        self.bytes += size;
    }

    /// What has arrived by `now`, with its size.
    pub fn receive(&mut self, now: Instant) -> Option<(usize, T)> {
        self.advance(now);
        if self.in_flight.front()?.0 > now {
            return None;
        }
        self.in_flight
            .pop_front()
            .map(|(_, size, message)| (size, message))
    }

    /// When something next leaves or arrives.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let leaves = self
            .buffered
            .front()
            .filter(|_| self.rate > 0)
            .map(|(size, _)| {
                let micros = (*size as f64 - self.left) * 1e6 / self.rate as f64;
                self.at + Duration::from_micros(micros.ceil().max(0.0) as u64)
            });
        let arrives = self.in_flight.front().map(|(at, ..)| *at);
        leaves.into_iter().chain(arrives).min()
    }

    fn advance(&mut self, now: Instant) {
        while let Some((size, _)) = self.buffered.front() {
            let rate = self.rate as f64 / 1e6;
            let wanted = *size as f64 - self.left;
            let could = (now - self.at).as_micros() as f64 * rate;
            if could + 1e-6 < wanted || rate == 0.0 {
                self.left += could;
                break;
            }
            self.at += Duration::from_micros((wanted / rate).ceil() as u64);
            self.left = 0.0;
            let jitter =
                Duration::from_micros(self.random.below(self.jitter.as_micros() as u64 + 1));
            let arrival = (self.at + self.latency + jitter).max(self.last_arrival);
            self.last_arrival = arrival;
            if let Some((size, message)) = self.buffered.pop_front() {
                self.bytes -= size;
                self.in_flight.push_back((arrival, size, message));
            }
        }
        self.at = self.at.max(now);
    }
}
