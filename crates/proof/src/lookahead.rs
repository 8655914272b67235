//! The proof that outputs do not look ahead: change the future in every way, and nothing up to the cut may differ.

use std::collections::BTreeMap;
use std::fmt;

use sextant_domain::{MarketData, UtcNanos};

use crate::trace::{Output, Stage, Trace, Track, TrackName};
use crate::{Replacement, SplitMix64, cut, replace_future};

/// What was done to the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was cut off.
    Cut,
    /// It was replaced.
    Replaced(Replacement),
}

impl Change {
    /// Every change that a check makes at every cut point, with a fixed seed.
    pub const ALL: [Self; 4] = Self::with_seed(0x5EED);

    /// Every change, with a seed for those that are random.
    pub const fn with_seed(seed: u64) -> [Self; 4] {
        [
            Self::Cut,
            Self::Replaced(Replacement::Noise(seed)),
            Self::Replaced(Replacement::TimesTen),
            Self::Replaced(Replacement::Shuffle(seed)),
        ]
    }

    /// The name in tables: `cut`, `noise`, `times ten` or `shuffle`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Replaced(replacement) => replacement.name(),
        }
    }

    /// The market with everything that is not known at `t` changed.
    pub fn apply(self, market: &MarketData, t: UtcNanos) -> MarketData {
        match self {
            Self::Cut => cut(market, t),
            Self::Replaced(replacement) => replace_future(market, t, replacement),
        }
    }
}

/// A value up to a cut point that depends on what comes after it: the first one of its cut point and change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Everything known after this point was changed.
    pub cut: UtcNanos,
    /// How.
    pub change: Change,
    /// Which quantity differs.
    pub name: TrackName,
    /// Which of its values, counted from the first.
    pub position: usize,
    /// The value with the true future; `None` when there is none.
    pub with_true_future: Option<Output>,
    /// The value with the changed future; `None` when there is none.
    pub with_changed_future: Option<Output>,
}

impl Violation {
    /// When the two differ first.
    pub fn time(&self) -> UtcNanos {
        let outputs = [&self.with_true_future, &self.with_changed_future];
        let times = outputs.into_iter().flatten().map(|(time, _)| *time);
        times.min().unwrap_or(self.cut)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |output: &Option<Output>| match output {
            Some((time, observed)) => format!("at {time}: {observed}"),
            None => "nothing".to_owned(),
        };
        write!(
            f,
            "{} looks past {} ({}): with the true future {}, with the changed future {}",
            self.name,
            self.cut,
            self.change.name(),
            show(&self.with_true_future),
            show(&self.with_changed_future)
        )
    }
}

/// What a check has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LookAheadReport {
    /// How many values were compared, over all cut points and changes, by stage.
    pub compared_by_stage: BTreeMap<Stage, usize>,
    /// At most one violation per cut point and change.
    pub violations: Vec<Violation>,
}

impl LookAheadReport {
    /// How many values were compared in all.
    pub fn compared(&self) -> usize {
        self.compared_by_stage.values().sum()
    }

    /// Whether something was compared and nothing differed. A check that compared nothing proves nothing.
    pub fn is_causal(&self) -> bool {
        self.compared() > 0 && self.violations.is_empty()
    }

    /// Both together.
    pub fn merge(&mut self, other: Self) {
        for (stage, count) in other.compared_by_stage {
            *self.compared_by_stage.entry(stage).or_default() += count;
        }
        self.violations.extend(other.violations);
    }
}

/// One change of the future at one point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// What is known at this point stays.
    pub cut: UtcNanos,
    /// What is done to the rest.
    pub change: Change,
}

/// Every change at every cut point; the random ones differ from point to point.
pub fn probes(cut_points: &[UtcNanos], seed: u64) -> Vec<Probe> {
    let at_point = |(number, cut): (usize, &UtcNanos)| {
        let cut = *cut;
        Change::with_seed(seed.wrapping_add(number as u64)).map(|change| Probe { cut, change })
    };
    cut_points.iter().enumerate().flat_map(at_point).collect()
}

impl Probe {
    /// The market with the change made.
    pub fn market(&self, market: &MarketData) -> MarketData {
        self.change.apply(market, self.cut)
    }

    /// Compares what was said up to the cut, of the market as it is and of [`market`](Self::market): quantity by
    /// quantity, in the order in which each came out.
    pub fn judge(&self, whole: &Trace, changed: &Trace) -> LookAheadReport {
        let mut report = LookAheadReport::default();
        let mut first: Option<Violation> = None;
        // Of those at the same time the one that is earliest in the chain is the cause of the others.
        let place = |one: &Violation| (one.time(), one.name.stage);
        let mut keep = |found: Option<Violation>| {
            if let Some(found) = found
                && first.as_ref().is_none_or(|first| place(&found) < place(first))
            {
                first = Some(found);
            }
        };
        for track in whole.tracks() {
            *report.compared_by_stage.entry(track.name.stage).or_default() +=
                until(&track.samples, self.cut).count();
            let other = changed.track(&track.name).map_or(&[][..], |track| &track.samples);
            keep(self.difference(&track.name, &track.samples, other));
        }
        let new = |track: &&Track| whole.track(&track.name).is_none();
        for track in changed.tracks().iter().filter(new) {
            keep(self.difference(&track.name, &[], &track.samples));
        }
        report.violations.extend(first);
        report
    }

    fn difference(&self, name: &TrackName, whole: &[Output], changed: &[Output]) -> Option<Violation> {
        let (mut whole, mut changed) = (until(whole, self.cut), until(changed, self.cut));
        for position in 0.. {
            match (whole.next(), changed.next()) {
                (None, None) => break,
                (one, other) if one == other => {}
                (one, other) => {
                    return Some(Violation {
                        cut: self.cut,
                        change: self.change,
                        name: name.clone(),
                        position,
                        with_true_future: one.cloned(),
                        with_changed_future: other.cloned(),
                    });
                }
            }
        }
        None
    }
}

fn until(outputs: &[Output], t: UtcNanos) -> impl Iterator<Item = &Output> {
    outputs.iter().filter(move |(time, _)| *time <= t)
}

/// Runs `run` on the market, and on the market with its future changed in every way at every cut point, and compares
/// what came out up to the cut point, value by value.
///
/// `run` must start afresh each time: new model, new features, new state. It returns each value with the time at which
/// it came out; for a feature that is the close of its bar, for an order the instant of its decision.
pub fn check_look_ahead<T: Into<Trace>>(
    market: &MarketData,
    cut_points: &[UtcNanos],
    mut run: impl FnMut(&MarketData) -> T,
) -> LookAheadReport {
    let whole = run(market).into();
    let mut report = LookAheadReport::default();
    for probe in probes(cut_points, 0x5EED) {
        let changed = run(&probe.market(market)).into();
        report.merge(probe.judge(&whole, &changed));
    }
    report
}

/// `count` cut points over the span of a market, sorted: closes of random bars, the instant before such a close, and
/// instants in the middle of bars, in turn. The first fifth of the bars of each series is left for warming up.
///
/// # Panics
/// When the market has no bars.
pub fn cut_points(market: &MarketData, count: usize, seed: u64) -> Vec<UtcNanos> {
    cut_points_between(market, (UtcNanos::MIN, UtcNanos::MAX), count, seed)
}

/// [`cut_points`] of the bars that close after the first instant and not after the second.
///
/// # Panics
/// When no bar of the market closes there.
pub fn cut_points_between(
    market: &MarketData,
    span: (UtcNanos, UtcNanos),
    count: usize,
    seed: u64,
) -> Vec<UtcNanos> {
    let ranges = market.series().iter().map(|series| {
        let times = series.bars.close_times();
        let first = times.partition_point(|time| *time <= span.0);
        (series, first..times.partition_point(|time| *time <= span.1))
    });
    let filled: Vec<_> = ranges.filter(|(_, range)| !range.is_empty()).collect();
    assert!(!filled.is_empty(), "a market without bars has no cut points");
    let mut random = SplitMix64::new(seed);
    let points = (0..count).map(|number| {
        let (series, range) = &filled[random.index(filled.len())];
        let warm = range.len() / 5;
        let bar = series
            .bars
            .bar(range.start + warm + random.index(range.len() - warm));
        match number % 3 {
            0 => bar.close_time,
            1 => bar.close_time.saturating_add(-1),
            _ => UtcNanos::from_nanos(bar.open_time.nanos().midpoint(bar.close_time.nanos())),
        }
    });
    let mut points: Vec<_> = points.collect();
    points.sort_unstable();
    points
}
