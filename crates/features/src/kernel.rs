//! Operators behind one interface: dispatched once per column, not once per bar.

use sextant_domain::{Bar, BarsView};

use crate::{Operator, PricePair};

/// Bars to fold over. `benchmark` has one close per bar, NaN where none had closed yet, and is empty for features of
/// one series.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) bars: BarsView<'a>,
    pub(crate) benchmark: &'a [f64],
}

/// An operator of any input.
pub(crate) trait Kernel: Send {
    /// Takes the rows and appends one value each to `out`, NaN where there is none.
    fn fold(&mut self, rows: Rows<'_>, out: &mut Vec<f64>);
}

impl<O> Kernel for O
where
    O: Operator + Send,
    O::Input: Sample,
{
    fn fold(&mut self, rows: Rows<'_>, out: &mut Vec<f64>) {
        let indices = 0..rows.bars.len();
        out.extend(indices.map(|index| {
            let value = O::Input::read(&rows, index).and_then(|input| self.update(input));
            value.unwrap_or(f64::NAN)
        }));
    }
}

/// What an operator takes from a row.
pub(crate) trait Sample: Copy {
    /// The sample of a row; `None` where an input is not there yet.
    fn read(rows: &Rows<'_>, index: usize) -> Option<Self>;
}

impl Sample for f64 {
    #[inline]
    fn read(rows: &Rows<'_>, index: usize) -> Option<Self> {
        Some(rows.bars.close[index])
    }
}

impl Sample for Bar {
    #[inline]
    fn read(rows: &Rows<'_>, index: usize) -> Option<Self> {
        let bars = rows.bars;
        Some(Self {
            open_time: bars.open_time[index],
            close_time: bars.close_time[index],
            open: bars.open[index],
            high: bars.high[index],
            low: bars.low[index],
            close: bars.close[index],
            volume: bars.volume[index],
        })
    }
}

impl Sample for PricePair {
    #[inline]
    fn read(rows: &Rows<'_>, index: usize) -> Option<Self> {
        let (asset, benchmark) = (rows.bars.close[index], rows.benchmark[index]);
        (!benchmark.is_nan()).then_some(Self { asset, benchmark })
    }
}
