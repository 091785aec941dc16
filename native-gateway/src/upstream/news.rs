use std::time::Duration;

use tokio::time::Instant;

/// What has been logged of an upstream. A relay that is away for a night is news once, not at each attempt of each stream.
#[derive(Debug, Default)]
pub(super) struct News {
    said: Vec<(String, Instant)>,
}

/// The same is said again after so long.
const AGAIN: Duration = Duration::from_secs(60);

impl News {
    /// Whether `line` is worth saying now; it counts as said.
    pub(super) fn is_new(&mut self, now: Instant, line: &str) -> bool {
        self.said.retain(|(_, at)| now - *at < AGAIN);
        let is_new = self.said.iter().all(|(said, _)| said != line);
        if is_new {
            self.said.push((line.to_owned(), now));
        }
        is_new
    }

    /// All is well: what happens next is new.
    pub(super) fn forget(&mut self) {
        self.said.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_a_minute_and_anew_after_all_was_well() {
        let (mut news, start) = (News::default(), Instant::now());
        let said = (0..300)
            .filter(|second| news.is_new(start + Duration::from_secs(*second), "refused"))
            .count();
        assert_eq!(said, 5);
        let later = start + Duration::from_secs(300);
        assert!(news.is_new(later, "does not answer"));
        news.forget();
        assert!(news.is_new(later, "refused"));
    }
}
