//! The trait of every streaming indicator.

/// A streaming indicator: one input per bar in, the newest value out.
///
/// Inputs come oldest first. An operator keeps what it needs of the past, allocates only in its constructor and takes
/// constant time per update (amortised, or as its own docs say).
///
/// Inputs must be finite; bars always are. After a NaN or infinite input, values are meaningless for good.
pub trait Operator {
    /// What it takes per bar: a close, a whole bar, or a pair of closes.
    type Input: Copy;

    /// Takes the next input. `None` while warming up, and where the formula is undefined for the present window.
    fn update(&mut self, input: Self::Input) -> Option<f64>;
}

/// The closes of an asset and of its benchmark as known at one close of the asset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PricePair {
    /// Close of the asset's bar.
    pub asset: f64,
    /// Close of the newest benchmark bar that had closed by then.
    pub benchmark: f64,
}
