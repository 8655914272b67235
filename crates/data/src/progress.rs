//! How long operations say how far they are, without printing.

/// Receives the progress of one long operation after another.
pub trait Progress: Sync {
    /// A piece of work of `total` units begins; `what` names it for a person, such as `reading spy_1d.csv.gz`.
    fn start(&self, total: u64, what: &str);

    /// `amount` more units are done.
    fn advance(&self, amount: u64);
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _total: u64, _what: &str) {}

    fn advance(&self, _amount: u64) {}
}
