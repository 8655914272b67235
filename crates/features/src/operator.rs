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

    /// Takes inputs one after another and appends one value each to `out`, NaN where there is none. The values and the
    /// state afterwards are those of [`update`](Self::update); an operator overrides it when it knows a shorter way to a
    /// whole column.
    fn update_all(&mut self, inputs: &[Self::Input], out: &mut Vec<f64>) {
        out.extend(inputs.iter().map(|input| self.update(*input).unwrap_or(f64::NAN)));
    }
}

/// The closes of an asset and of its benchmark as known at one close of the asset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PricePair {
    /// Close of the asset's bar.
    pub asset: f64,
    /// Close of the newest benchmark bar that had closed by then.
    pub benchmark: f64,
}
