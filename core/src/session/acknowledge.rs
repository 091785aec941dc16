use crate::message::LimitType;

/// Both directions of window acknowledgement (§5.4.3, §5.4.4), and of Set Peer Bandwidth (§5.4.5).
#[derive(Debug, Default)]
pub(super) struct Acknowledge {
    received: u64,
    /// The peer's window: after so many bytes it is told how many have come. Zero until it announces one.
    window: u32,
    told: u64,
    sent: u64,
    /// What the peer said last, as it was on the wire.
    last_said: u32,
    acknowledged: Option<u64>,
    /// Whether the peer counts from zero in each window, as some do.
    per_window: bool,
    bandwidth: Option<(u32, LimitType)>,
}

impl Acknowledge {
    pub(super) fn count_received(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    pub(super) fn count_sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }

    pub(super) fn set_window(&mut self, bytes: u32) {
        self.window = bytes;
    }

    /// The running total to acknowledge, modulo 2^32, if a window has filled.
    pub(super) fn due(&mut self) -> Option<u32> {
        if self.window == 0 || self.received - self.told < u64::from(self.window) {
            return None;
        }
        self.told = self.received;
        Some(self.received as u32)
    }

    /// Takes in an Acknowledgement. Whatever it says counts as progress, and nothing ever waits for one.
    pub(super) fn acknowledged(&mut self, said: u32) {
        let so_far = self.acknowledged.unwrap_or(0);
        let running = so_far + u64::from(said.wrapping_sub(so_far as u32));
        self.per_window |=
            running > self.sent || (self.acknowledged.is_some() && said == self.last_said);
        let total = if self.per_window {
            so_far + u64::from(said)
        } else {
            running
        };
        self.acknowledged = Some(total.min(self.sent));
        self.last_said = said;
    }

    /// Takes in a Set Peer Bandwidth, and answers whether the window it asks this side to announce differs from the last.
    pub(super) fn set_bandwidth(
        &mut self,
        window: u32,
        limit_type: LimitType,
        announced: u32,
    ) -> Option<u32> {
        let limit = match (limit_type, self.bandwidth) {
            (LimitType::Hard, _) | (LimitType::Dynamic, Some((_, LimitType::Hard))) => {
                (window, LimitType::Hard)
            }
            (LimitType::Soft, Some((old, _))) => (window.min(old), LimitType::Soft),
            (LimitType::Soft, None) => (window, LimitType::Soft),
            (LimitType::Dynamic, _) => return None,
        };
        self.bandwidth = Some(limit);
        (limit.0 != announced && limit.0 != 0).then_some(limit.0)
    }

    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    pub(super) const fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) const fn acknowledged_bytes(&self) -> Option<u64> {
        self.acknowledged
    }

    pub(super) const fn peer_bandwidth(&self) -> Option<u32> {
        match self.bandwidth {
            Some((bytes, _)) => Some(bytes),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_total_is_told_modulo_2_32_once_a_window() {
        let mut acknowledge = Acknowledge::default();
        acknowledge.count_received(5000);
        assert_eq!(acknowledge.due(), None, "no window was announced");
        acknowledge.set_window(1000);
        assert_eq!(acknowledge.due(), Some(5000));
        acknowledge.count_received(999);
        assert_eq!(acknowledge.due(), None);
        acknowledge.count_received(1);
        assert_eq!(acknowledge.due(), Some(6000));
        acknowledge.count_received(u32::MAX as usize);
        assert_eq!(acknowledge.due(), Some(5999), "modulo 2^32");
    }

    #[test]
    fn a_peer_that_counts_the_running_total_is_followed_across_the_wrap() {
        let mut acknowledge = Acknowledge::default();
        let mut total = 0_u64;
        for _ in 0..5000 {
            acknowledge.count_sent(2_500_000);
            total += 2_400_000;
            acknowledge.acknowledged(total as u32);
            assert_eq!(acknowledge.acknowledged_bytes(), Some(total));
        }
        assert!(total > 2 * u64::from(u32::MAX));
    }

    #[test]
    fn a_peer_that_counts_each_window_makes_progress() {
        let mut acknowledge = Acknowledge::default();
        for _ in 0..100 {
            acknowledge.count_sent(2_500_000);
            acknowledge.acknowledged(2_500_000);
        }
        assert_eq!(acknowledge.acknowledged_bytes(), Some(250_000_000));
        acknowledge.acknowledged(u32::MAX);
        assert_eq!(
            acknowledge.acknowledged_bytes(),
            Some(250_000_000),
            "never more than was sent"
        );
    }

    #[test]
    fn bandwidth_limits_are_hard_soft_and_dynamic() {
        let mut acknowledge = Acknowledge::default();
        assert_eq!(
            acknowledge.set_bandwidth(100, LimitType::Dynamic, 500),
            None,
            "dynamic with nothing before it"
        );
        assert_eq!(
            acknowledge.set_bandwidth(1000, LimitType::Hard, 500),
            Some(1000)
        );
        assert_eq!(
            acknowledge.set_bandwidth(2000, LimitType::Dynamic, 1000),
            Some(2000),
            "dynamic after hard is hard"
        );
        assert_eq!(
            acknowledge.set_bandwidth(3000, LimitType::Soft, 2000),
            None,
            "soft keeps the smaller"
        );
        assert_eq!(
            acknowledge.set_bandwidth(900, LimitType::Soft, 2000),
            Some(900)
        );
        assert_eq!(
            acknowledge.set_bandwidth(100, LimitType::Dynamic, 900),
            None,
            "dynamic after soft"
        );
        assert_eq!(acknowledge.peer_bandwidth(), Some(900));
    }
}
