//! What happened, by row.

use sextant_domain::{Approved, Fill, InstrumentId, Intervention, Order, OrderEnd, RefusedOrder, RiskStatus};

/// Items in the order in which they happened, each with its row.
#[derive(Debug)]
pub(super) struct Log<T> {
    rows: Vec<usize>,
    items: Vec<T>,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            items: Vec::new(),
        }
    }
}

impl<T> Log<T> {
    pub(super) fn push(&mut self, row: usize, item: T) {
        self.rows.push(row);
        self.items.push(item);
    }

    pub(super) fn extend(&mut self, row: usize, items: impl IntoIterator<Item = T>) {
        for item in items {
            self.push(row, item);
        }
    }

    pub(super) fn items(&self) -> &[T] {
        &self.items
    }

    /// Reads the log row by row.
    pub(super) fn reader(&self) -> Reader<'_, T> {
        Reader { log: self, next: 0 }
    }
}

/// A place in a log.
pub(super) struct Reader<'a, T> {
    log: &'a Log<T>,
    next: usize,
}

impl<'a, T> Reader<'a, T> {
    /// The items of a row; rows must be asked for in order.
    pub(super) fn take(&mut self, row: usize) -> &'a [T] {
        let from = self.next;
        while self.log.rows.get(self.next) == Some(&row) {
            self.next += 1;
        }
        &self.log.items[from..self.next]
    }
}

/// Everything that happened.
#[derive(Debug, Default)]
pub(super) struct Logs {
    pub(super) orders: Log<Approved<Order>>,
    pub(super) fills: Log<Fill>,
    pub(super) ended: Log<OrderEnd>,
    pub(super) refused: Log<RefusedOrder>,
    pub(super) interventions: Log<Intervention>,
    pub(super) targets: Log<(InstrumentId, f64)>,
    /// Changes of the risk engine's standing.
    pub(super) status: Log<RiskStatus>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gives_each_row_its_items() {
        let mut log = Log::default();
        log.extend(2, ["a", "b"]);
        log.push(5, "c");
        let mut reader = log.reader();
        let rows: Vec<_> = (0..6).map(|row| reader.take(row).join("")).collect();
        assert_eq!(rows, ["", "", "ab", "", "", "c"]);
        assert_eq!(log.items(), ["a", "b", "c"]);
    }
}
