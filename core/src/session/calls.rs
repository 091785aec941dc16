use alloc::sync::Arc;

use super::{CallId, PeerError, Reply, UsageError};
use crate::sorted_map::SortedMap;

/// The calls that await an answer, this side's and the peer's (§7.2).
#[derive(Debug)]
pub(super) struct Calls<P> {
    next: u64,
    limit: usize,
    /// This side's, by transaction id, and what each is for; nothing where the answer does not matter.
    waiting: SortedMap<u64, Option<P>>,
    /// Held by every [`Reply`] to a call of the peer's.
    replies: Arc<()>,
}

impl<P> Calls<P> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            next: 1,
            limit,
            waiting: SortedMap::new(),
            replies: Arc::new(()),
        }
    }

    /// A call for `purpose`, unless as many as allowed are waiting.
    pub(super) fn begin(&mut self, purpose: P) -> Result<CallId, UsageError> {
        let limit = self.limit;
        if self.waiting.values().flatten().count() >= limit {
            return Err(UsageError::TooManyCalls { limit });
        }
        Ok(self.insert(Some(purpose)))
    }

    /// A call whose answer does not matter, and may never come. Some servers heed only calls that want one.
    pub(super) fn begin_unawaited(&mut self) -> CallId {
        let mut unawaited = self.waiting.iter().filter(|(_, what)| what.is_none());
        let oldest = unawaited.next().map(|(id, _)| id);
        let full = unawaited.count() + 1 >= self.limit;
        if let (Some(oldest), true) = (oldest, full) {
            self.waiting.remove(oldest);
        }
        self.insert(None)
    }

    /// The call whose answer has come, and what it was for; nothing if there was no such call.
    pub(super) fn finish(&mut self, transaction_id: f64) -> Option<(CallId, Option<P>)> {
        let id = transaction_id as u64;
        if id as f64 != transaction_id {
            return None;
        }
        self.waiting.remove(id).map(|what| (CallId(id), what))
    }

    /// What the owner answers a call of the peer's with; nothing where the peer does not wait for an answer.
    pub(super) fn reply(
        &self,
        transaction_id: f64,
        message_stream_id: u32,
    ) -> Result<Option<Reply>, PeerError> {
        if transaction_id == 0.0 {
            return Ok(None);
        }
        let limit = self.limit;
        if Arc::strong_count(&self.replies) > limit {
            return Err(PeerError::TooManyCalls { limit });
        }
        Ok(Some(Reply {
            transaction_id,
            message_stream_id,
            _in_flight: self.replies.clone(),
        }))
    }

    fn insert(&mut self, purpose: Option<P>) -> CallId {
        let id = self.next;
        self.next += 1;
        self.waiting.insert(id, purpose);
        CallId(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn calls_that_nobody_answers_are_forgotten_in_time() {
        let mut calls = Calls::new(3);
        let first = calls.begin_unawaited();
        for _ in 0..100 {
            calls.begin_unawaited();
        }
        assert_eq!(calls.waiting.len(), 3);
        assert_eq!(calls.finish(first.transaction_id()), None);
        let awaited = calls.begin("one").expect("those do not count");
        assert_eq!(calls.finish(101.0), Some((CallId(101), None)));
        assert_eq!(
            calls.finish(awaited.transaction_id()),
            Some((awaited, Some("one")))
        );
        assert_eq!(
            calls.finish(awaited.transaction_id()),
            None,
            "answered once"
        );
    }

    #[test]
    fn a_reply_counts_until_it_is_used_or_dropped() {
        let calls = Calls::<()>::new(2);
        let mut replies: Vec<_> = (1..=2).map(|id| calls.reply(id.into(), 0)).collect();
        assert_eq!(
            calls.reply(3.0, 0),
            Err(PeerError::TooManyCalls { limit: 2 })
        );
        assert_eq!(calls.reply(0.0, 0), Ok(None), "nobody waits for an answer");
        replies.pop();
        assert!(matches!(calls.reply(3.0, 0), Ok(Some(_))));
    }
}
