use alloc::collections::BTreeMap;

/// The calls that await the peer's `_result` or `_error`, by transaction id (§7.2).
#[derive(Debug)]
pub(super) struct Calls<P> {
    next: u64,
    limit: usize,
    waiting: BTreeMap<u64, P>,
}

impl<P> Calls<P> {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            next: 1,
            limit,
            waiting: BTreeMap::new(),
        }
    }

    /// The transaction id of a call made for `purpose`, or nothing if as many as allowed are waiting.
    pub(super) fn begin(&mut self, purpose: P) -> Option<u64> {
        if self.waiting.len() >= self.limit {
            return None;
        }
        let id = self.next;
        self.next += 1;
        self.waiting.insert(id, purpose);
        Some(id)
    }

    /// A transaction id to which no answer is awaited. Some servers answer only calls that have one.
    pub(super) fn unawaited(&mut self) -> u64 {
        let id = self.next;
        self.next += 1;
        id
    }

    /// What the call was for whose answer has come; nothing if there was no such call.
    pub(super) fn finish(&mut self, transaction_id: f64) -> Option<P> {
        let id = transaction_id as u64;
        if id as f64 == transaction_id {
            self.waiting.remove(&id)
        } else {
            None
        }
    }
}
