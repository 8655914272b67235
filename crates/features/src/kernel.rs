//! Operators behind one interface: dispatched once per column, not once per bar.

use std::ops::Range;

use sextant_domain::{Bar, BarsView, UtcNanos};

use crate::{Operator, PricePair};

/// Bars to fold over. `benchmark` has one close per bar, NaN where none had closed yet, and is empty for features of
/// one series.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) bars: BarsView<'a>,
    pub(crate) benchmark: &'a [f64],
}

/// A pause between two bars that is longer than this is a hole: what was before it says nothing of a "60-day" window
/// after it, so features begin afresh. No exchange has been closed for as long in the history that can be tested.
const HOLE_NANOS: i64 = 30 * 86_400 * 1_000_000_000;

/// Whether features begin afresh with a bar that opens at `open_time`, the one before it having closed at `closed`.
pub(crate) fn begins_afresh(closed: UtcNanos, open_time: UtcNanos) -> bool {
    open_time > closed.saturating_add(HOLE_NANOS)
}

/// Where stretches of bars without a hole begin, and the number of bars.
pub(crate) fn stretches(bars: BarsView<'_>) -> Vec<usize> {
    let (opens, closes) = (bars.open_time, bars.close_time);
    let pairs = closes.iter().zip(opens.iter().skip(1));
    let mut edges = vec![0];
    // Most series have no hole, and asking for that alone takes no branch.
    let has_hole =
        |found: bool, (closed, open): (&UtcNanos, &UtcNanos)| found | begins_afresh(*closed, *open);
    if pairs.clone().fold(false, has_hole) {
        let holes = pairs
            .enumerate()
            .filter(|(_, (closed, open))| begins_afresh(**closed, **open));
        edges.extend(holes.map(|(before, _)| before + 1));
    }
    edges.push(opens.len());
    edges
}

impl<'a> Rows<'a> {
    /// The rows between the edges of [`stretches`], in order.
    pub(crate) fn parts(self, edges: &[usize]) -> impl Iterator<Item = Rows<'a>> {
        edges.windows(2).map(move |pair| self.part(pair[0]..pair[1]))
    }

    fn part(self, range: Range<usize>) -> Self {
        let Rows { bars, benchmark } = self;
        let cut = |column: &'a [f64]| &column[range.clone()];
        Self {
            bars: BarsView {
                open_time: &bars.open_time[range.clone()],
                close_time: &bars.close_time[range.clone()],
                open: cut(bars.open),
                high: cut(bars.high),
                low: cut(bars.low),
                close: cut(bars.close),
                volume: cut(bars.volume),
            },
            benchmark: if benchmark.is_empty() {
                benchmark
            } else {
                cut(benchmark)
            },
        }
    }
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
        if let Some(inputs) = O::Input::column(&rows) {
            self.update_all(inputs, out);
            return;
        }
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

    /// The samples of all rows, where they lie in memory side by side.
    fn column<'a>(_rows: &Rows<'a>) -> Option<&'a [Self]> {
        None
    }
}

impl Sample for f64 {
    #[inline]
    fn read(rows: &Rows<'_>, index: usize) -> Option<Self> {
        Some(rows.bars.close[index])
    }

    fn column<'a>(rows: &Rows<'a>) -> Option<&'a [Self]> {
        Some(rows.bars.close)
    }
}

impl Sample for Bar {
    #[inline]
    fn read(rows: &Rows<'_>, index: usize) -> Option<Self> {
        Some(rows.bars.bar(index))
    }
}

impl Sample for PricePair {
    #[inline]
    fn read(rows: &Rows<'_>, index: usize) -> Option<Self> {
        let (asset, benchmark) = (rows.bars.close[index], rows.benchmark[index]);
        (!benchmark.is_nan()).then_some(Self { asset, benchmark })
    }
}
