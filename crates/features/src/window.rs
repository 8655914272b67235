//! Sliding windows: a ring of values, a monotonic queue for extremes, a sorted window for ranks.

use std::collections::VecDeque;

/// The last values, at most as many as its capacity.
#[derive(Debug, Clone)]
pub(crate) struct Ring {
    values: Box<[f64]>,
    next: usize,
    len: usize,
}

impl Ring {
    /// An empty ring.
    ///
    /// # Panics
    /// When `capacity` is below `least`: a window that short has no value.
    pub(crate) fn new(capacity: usize, least: usize) -> Self {
        assert!(
            capacity >= least,
            "a window of {capacity} bars is too short; it needs {least} or more"
        );
        Self {
            values: vec![0.0; capacity].into_boxed_slice(),
            next: 0,
            len: 0,
        }
    }

    /// Puts a value in and, once full, hands back the oldest one, which leaves.
    #[inline]
    pub(crate) fn push(&mut self, x: f64) -> Option<f64> {
        let oldest = std::mem::replace(&mut self.values[self.next], x);
        self.next = if self.next + 1 == self.values.len() {
            0
        } else {
            self.next + 1
        };
        if self.len == self.values.len() {
            return Some(oldest);
        }
        self.len += 1;
        None
    }

    /// The capacity, which is also the number of values once full.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.values.len()
    }

    /// Whether no value is in.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether as many values are in as fit.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.len == self.values.len()
    }
}

/// The largest of the last `period` values by a monotonic queue: constant time per value, amortised.
#[derive(Debug, Clone)]
pub(crate) struct MaxWindow {
    /// Values that may still become the maximum, with their positions: positions rise, values fall.
    queue: VecDeque<(usize, f64)>,
    period: usize,
    seen: usize,
}

impl MaxWindow {
    /// An empty window.
    ///
    /// # Panics
    /// When `period` is zero.
    pub(crate) fn new(period: usize) -> Self {
        assert!(period >= 1, "a rolling extreme needs a period of 1 or more bars");
        Self {
            queue: VecDeque::with_capacity(period),
            period,
            seen: 0,
        }
    }

    /// Puts a value in; the maximum once `period` values have been seen.
    #[inline]
    pub(crate) fn push(&mut self, x: f64) -> Option<f64> {
        while self.queue.back().is_some_and(|(_, value)| *value <= x) {
            self.queue.pop_back();
        }
        // The oldest leaves before the newest enters, so that the queue never holds more than `period` values.
        if self
            .queue
            .front()
            .is_some_and(|(position, _)| position + self.period <= self.seen)
        {
            self.queue.pop_front();
        }
        self.queue.push_back((self.seen, x));
        self.seen += 1;
        if self.seen < self.period {
            None
        } else {
            self.queue.front().map(|(_, value)| *value)
        }
    }
}

/// The last values in sorted order. A step searches by bisection and moves at most the whole window in memory.
#[derive(Debug, Clone)]
pub(crate) struct RankWindow {
    arrival: Ring,
    sorted: Vec<f64>,
}

impl RankWindow {
    /// An empty window.
    ///
    /// # Panics
    /// When `lookback` is below 2: a rank needs something to rank against.
    pub(crate) fn new(lookback: usize) -> Self {
        Self {
            arrival: Ring::new(lookback, 2),
            sorted: Vec::with_capacity(lookback),
        }
    }

    /// Puts a value in; once full, the share of the other values below it, an equal one counting half.
    pub(crate) fn push(&mut self, x: f64) -> Option<f64> {
        let place = self.sorted.partition_point(|value| *value < x);
        match self.arrival.push(x) {
            None => self.sorted.insert(place, x),
            Some(oldest) => self.replace(oldest, x, place),
        }
        self.arrival.is_full().then(|| self.rank(x))
    }

    /// Takes `oldest` out and puts `x` in, where `place` is the number of values below `x`.
    fn replace(&mut self, oldest: f64, x: f64, place: usize) {
        let gap = self.sorted.partition_point(|value| *value < oldest);
        if gap < place {
            self.sorted.copy_within(gap + 1..place, gap);
            self.sorted[place - 1] = x;
        } else {
            self.sorted.copy_within(place..gap, place + 1);
            self.sorted[place] = x;
        }
    }

    fn rank(&self, x: f64) -> f64 {
        let below = self.sorted.partition_point(|value| *value < x);
        let equal = self.sorted[below..].partition_point(|value| *value <= x);
        (below as f64 + 0.5 * (equal as f64 - 1.0)) / (self.sorted.len() as f64 - 1.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_ring_hands_back_the_oldest() {
        let mut ring = Ring::new(2, 1);
        let out: Vec<_> = [1.0, 2.0, 3.0, 4.0].map(|x| ring.push(x)).into();
        assert_eq!(out, [None, None, Some(1.0), Some(2.0)]);
    }

    #[test]
    fn the_queue_never_grows_beyond_its_period() {
        let mut window = MaxWindow::new(3);
        let room = window.queue.capacity();
        let out: Vec<_> = [5.0, 4.0, 3.0, 2.0, 1.0, 1.0, 9.0].map(|x| window.push(x)).into();
        assert_eq!(
            out,
            [None, None, Some(5.0), Some(4.0), Some(3.0), Some(2.0), Some(9.0)]
        );
        assert_eq!(window.queue.capacity(), room);
    }

    #[test]
    fn ranks_run_from_zero_to_one_and_ties_share() {
        let mut window = RankWindow::new(3);
        let out: Vec<_> = [2.0, 1.0, 3.0, 0.0, 3.0, 3.0, 3.0, 1.0, 2.0]
            .map(|x| window.push(x))
            .into();
        let ranks = [
            None,
            None,
            Some(1.0),
            Some(0.0),
            Some(0.75),
            Some(0.75),
            Some(0.5),
            Some(0.0),
            Some(0.5),
        ];
        assert_eq!(out, ranks);
        assert_eq!(window.sorted, [1.0, 2.0, 3.0]);
    }

    #[test]
    #[should_panic(expected = "too short")]
    fn a_window_without_bars_is_refused() {
        drop(Ring::new(0, 1));
    }
}
