use std::collections::VecDeque;
use std::time::Duration;

use chalkcast_core::Instant;

use crate::Random;

/// How one direction of a simulated connection behaves.
#[derive(Clone, Copy, Debug)]
pub struct LinkConfig {
    /// From sending to arrival.
    pub latency: Duration,
    /// At most this much is added to the latency, evenly distributed; order is kept, as in TCP.
    pub jitter: Duration,
    /// Bytes per second, if the link is not infinitely fast.
    pub bandwidth: Option<u64>,
    /// Largest fragment in bytes: what is sent is cut into fragments of one to this many bytes; `None` leaves it whole.
    pub fragment: Option<usize>,
    /// Whether what has arrived by the same instant is read in one piece.
    pub coalesce: bool,
}

impl LinkConfig {
    /// No delay, no fragments.
    pub const fn perfect() -> Self {
        Self {
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            bandwidth: None,
            fragment: None,
            coalesce: false,
        }
    }
}

/// One direction of a reliable, ordered connection (TCP, or a WebSocket whose message boundaries mean nothing), on a fake clock.
#[derive(Debug)]
pub struct Link {
    config: LinkConfig,
    random: Random,
    in_flight: VecDeque<(Instant, Vec<u8>)>,
    /// Nothing arrives before this, nor before what was sent earlier.
    not_before: Instant,
    /// When the last byte sent has left the sender.
    sent_at: Instant,
    carried: u64,
}

impl Link {
    /// An idle link whose chances follow from `seed`.
    pub fn new(config: LinkConfig, seed: u64) -> Self {
        Self {
            config,
            random: Random::new(seed),
            in_flight: VecDeque::new(),
            not_before: Instant::ZERO,
            sent_at: Instant::ZERO,
            carried: 0,
        }
    }

    /// Sends bytes at `now`.
    pub fn send(&mut self, now: Instant, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let length = match self.config.fragment {
                Some(most) => 1 + self.random.below(most.max(1) as u64) as usize,
                None => bytes.len(),
            };
            let (fragment, rest) = bytes.split_at(length.min(bytes.len()));
            bytes = rest;
            self.send_fragment(now, fragment);
        }
    }

    /// Lets nothing arrive until `until`; what was held up then arrives at once, as after a loss on a real network.
    pub fn stall(&mut self, until: Instant) {
        self.not_before = self.not_before.max(until);
        for (at, _) in &mut self.in_flight {
            *at = (*at).max(until);
        }
    }

    /// Changes how the link behaves from here on.
    pub fn set_config(&mut self, config: LinkConfig) {
        self.config = config;
    }

    /// What has arrived by `now`: the next fragment, or all of them if the link coalesces.
    pub fn receive(&mut self, now: Instant) -> Option<Vec<u8>> {
        let mut arrived = self.next_arrived(now)?;
        while self.config.coalesce
            && let Some(more) = self.next_arrived(now)
        {
            arrived.extend(more);
        }
        Some(arrived)
    }

    /// When the next fragment arrives.
    pub fn poll_arrival(&self) -> Option<Instant> {
        self.in_flight.front().map(|(at, _)| *at)
    }

    /// Bytes sent and not received yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Bytes ever sent.
    pub fn carried(&self) -> u64 {
        self.carried
    }

    fn send_fragment(&mut self, now: Instant, bytes: &[u8]) {
        self.carried += bytes.len() as u64;
        let takes = match self.config.bandwidth {
            Some(rate) => Duration::from_micros(bytes.len() as u64 * 1_000_000 / rate.max(1)),
            None => Duration::ZERO,
        };
        self.sent_at = self.sent_at.max(now) + takes;
        let jitter =
            Duration::from_micros(self.random.below(self.config.jitter.as_micros() as u64 + 1));
        self.not_before = self
            .not_before
            .max(self.sent_at + self.config.latency + jitter);
        self.in_flight.push_back((self.not_before, bytes.to_vec()));
    }

    fn next_arrived(&mut self, now: Instant) -> Option<Vec<u8>> {
        let arrived = self.in_flight.front().is_some_and(|(at, _)| *at <= now);
        if arrived {
            self.in_flight.pop_front().map(|(_, bytes)| bytes)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    #[test]
    fn order_is_kept_whatever_the_jitter() {
        let config = LinkConfig {
            latency: Duration::from_millis(20),
            jitter: Duration::from_millis(50),
            fragment: Some(3),
            ..LinkConfig::perfect()
        };
        let mut link = Link::new(config, 1);
        let sent: Vec<u8> = (0..=255).collect();
        for (millis, bytes) in sent.chunks(7).enumerate() {
            link.send(at(millis as u64), bytes);
        }
        assert_eq!(link.receive(at(19)), None);
        let mut received = Vec::new();
        let mut now = Instant::ZERO;
        while let Some(next) = link.poll_arrival() {
            assert!(next >= now);
            now = next;
            let bytes = link.receive(now).unwrap();
            assert!(bytes.len() <= 3);
            received.extend(bytes);
        }
        assert_eq!(received, sent);
        assert_eq!(link.carried(), 256);
    }

    #[test]
    fn a_stall_ends_in_a_burst() {
        let mut link = Link::new(
            LinkConfig {
                coalesce: true,
                ..LinkConfig::perfect()
            },
            1,
        );
        link.stall(at(500));
        link.send(at(0), &[1]);
        link.send(at(400), &[2]);
        assert_eq!(link.receive(at(499)), None);
        assert_eq!(link.receive(at(500)), Some(vec![1, 2]));
    }

    #[test]
    fn a_slow_link_takes_its_time() {
        let mut link = Link::new(
            LinkConfig {
                bandwidth: Some(1000),
                ..LinkConfig::perfect()
            },
            1,
        );
        link.send(at(0), &[0; 100]);
        link.send(at(0), &[0; 100]);
        assert_eq!(link.poll_arrival(), Some(at(100)));
        link.receive(at(100));
        assert_eq!(link.poll_arrival(), Some(at(200)));
    }
}
