use alloc::vec::Vec;
use core::cmp::Ordering;

/// A map for the few entries that a connection has: sorted, and looked up by halving. It is a tenth of the code that a `BTreeMap` is, which
/// every student's browser downloads once for each kind of value.
#[derive(Clone, Debug)]
pub(crate) struct SortedMap<K, V>(Vec<(K, V)>);

impl<K: Ord + Copy, V> SortedMap<K, V> {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Replaces the value that `key` has.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.find(key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    /// The value that `key` has, which is `new` if there was none.
    pub(crate) fn or_insert(&mut self, key: K, new: V) -> &mut V {
        let at = match self.find(key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, new));
                at
            }
        };
        &mut self.0[at].1
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.find(key).ok().map(|at| &mut self.0[at].1)
    }

    pub(crate) fn get(&self, key: K) -> Option<&V> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    /// Keys and values in the order of the keys.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.0.iter().map(|(key, value)| (*key, value))
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = K> {
        self.iter().map(|(key, _)| key)
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    fn find(&self, key: K) -> Result<usize, usize> {
        // New keys are mostly the greatest.
        match self.0.last().map(|(last, _)| last.cmp(&key)) {
            None | Some(Ordering::Less) => Err(self.0.len()),
            Some(Ordering::Equal) => Ok(self.0.len() - 1),
            Some(Ordering::Greater) => self.0.binary_search_by(|(at, _)| at.cmp(&key)),
        }
    }
}

impl<K: Ord + Copy, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_stay_in_order() {
        let mut map = SortedMap::new();
        for key in [5, 1, 9, 3, 5] {
            map.insert(key, key * 10);
        }
        *map.or_insert(3, 0) += 1;
        *map.or_insert(4, 0) += 1;
        assert_eq!(
            map.iter()
                .map(|(key, value)| (key, *value))
                .collect::<Vec<_>>(),
            [(1, 10), (3, 31), (4, 1), (5, 50), (9, 90)]
        );
        assert_eq!(
            (map.remove(3), map.remove(3), map.len()),
            (Some(31), None, 4)
        );
        assert_eq!((map.get(9), map.get(2)), (Some(&90), None));
    }
}
