//! The proof that outputs do not look ahead: change the future in every way, and nothing up to the cut may differ.

use std::fmt;

use sextant_domain::{MarketData, UtcNanos};

use crate::{Replacement, SplitMix64, cut, replace_future};

/// Something observed at a time, compared bit by bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed {
    /// The bits of a number: NaN equals NaN, and 0 does not equal -0.
    Bits(u64),
    /// Anything else by its text.
    Text(String),
}

/// An output of the thing under test and the time at which it came out.
pub type Output = (UtcNanos, Observed);

impl Observed {
    /// Any value by its debug text, which writes each finite number so that it can be told from every other.
    pub fn debug(value: &impl fmt::Debug) -> Self {
        Self::Text(format!("{value:?}"))
    }
}

impl From<f64> for Observed {
    fn from(value: f64) -> Self {
        Self::Bits(value.to_bits())
    }
}

impl From<Option<f64>> for Observed {
    fn from(value: Option<f64>) -> Self {
        value.map_or_else(|| Self::from("none"), Self::from)
    }
}

impl From<&str> for Observed {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Observed {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(bits) => write!(f, "{} (bits {bits:016x})", f64::from_bits(*bits)),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// What was done to the future.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was cut off.
    Cut,
    /// It was replaced.
    Replaced(Replacement),
}

impl Change {
    /// Every change that a check makes at every cut point.
    pub const ALL: [Self; 4] = [
        Self::Cut,
        Self::Replaced(Replacement::Noise(0x5EED)),
        Self::Replaced(Replacement::TimesTen),
        Self::Replaced(Replacement::Shuffle(0x5EED)),
    ];

    fn apply(self, market: &MarketData, t: UtcNanos) -> MarketData {
        match self {
            Self::Cut => cut(market, t),
            Self::Replaced(replacement) => replace_future(market, t, replacement),
        }
    }
}

/// An output up to a cut point that depends on what comes after it. The first one of its cut point and change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Everything known after this point was changed.
    pub cut: UtcNanos,
    /// How.
    pub change: Change,
    /// Which output differs, counting those up to the cut point.
    pub position: usize,
    /// The output with the true future; `None` when there is no such output.
    pub with_true_future: Option<Output>,
    /// The output with the changed future; `None` when there is no such output.
    pub with_changed_future: Option<Output>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |output: &Option<Output>| match output {
            Some((time, observed)) => format!("at {time}: {observed}"),
            None => "nothing".to_owned(),
        };
        write!(
            f,
            "output {} looks past {} ({:?}): with the true future {}, with the changed future {}",
            self.position,
            self.cut,
            self.change,
            show(&self.with_true_future),
            show(&self.with_changed_future)
        )
    }
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CausalityReport {
    /// How many outputs were compared, over all cut points and changes.
    pub compared: usize,
    /// At most one violation per cut point and change.
    pub violations: Vec<Violation>,
}

impl CausalityReport {
    /// Whether something was compared and nothing differed. A check that compared nothing proves nothing.
    pub fn is_causal(&self) -> bool {
        self.compared > 0 && self.violations.is_empty()
    }
}

/// Runs `run` on the market, and on the market with its future changed in every way at every cut point, and compares the
/// outputs up to the cut point bit by bit, in the order in which `run` returns them.
///
/// `run` must start afresh each time: new model, new features, new state. It returns each output with the time at which
/// it came out; for a feature that is the close of its bar, for an order the instant of its decision.
pub fn check_causality(
    market: &MarketData,
    cut_points: &[UtcNanos],
    mut run: impl FnMut(&MarketData) -> Vec<Output>,
) -> CausalityReport {
    let whole = run(market);
    let mut report = CausalityReport {
        compared: 0,
        violations: Vec::new(),
    };
    for t in cut_points {
        report.compared += Change::ALL.len() * until(&whole, *t).count();
        for change in Change::ALL {
            let changed = run(&change.apply(market, *t));
            report.violations.extend(
                first_difference(&whole, &changed, *t).map(|difference| Violation {
                    cut: *t,
                    change,
                    position: difference.0,
                    with_true_future: difference.1.cloned(),
                    with_changed_future: difference.2.cloned(),
                }),
            );
        }
    }
    report
}

/// [`check_causality`], for tests.
///
/// # Panics
/// When an output depends on the future, with the first difference; or when there is no output up to any cut point, so
/// that nothing was compared.
pub fn assert_causal(
    market: &MarketData,
    cut_points: &[UtcNanos],
    run: impl FnMut(&MarketData) -> Vec<Output>,
) {
    let report = check_causality(market, cut_points, run);
    if let Some(first) = report.violations.first() {
        panic!("{first} ({} violations in all)", report.violations.len());
    }
    assert!(
        report.compared > 0,
        "no output up to any of {} cut points: nothing was proven",
        cut_points.len()
    );
}

/// `count` cut points over the span of a market, sorted: closes of random bars, the instant before such a close, and
/// instants in the middle of bars, in turn. The first fifth of the bars of each series is left for warming up.
///
/// # Panics
/// When the market has no bars.
pub fn cut_points(market: &MarketData, count: usize, seed: u64) -> Vec<UtcNanos> {
    let filled: Vec<_> = market
        .series()
        .iter()
        .filter(|series| !series.bars.is_empty())
        .collect();
    assert!(!filled.is_empty(), "a market without bars has no cut points");
    let mut random = SplitMix64::new(seed);
    let points = (0..count).map(|number| {
        let bars = &filled[random.index(filled.len())].bars;
        let warm = bars.len() / 5;
        let bar = bars.bar(warm + random.index(bars.len() - warm));
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

fn until(outputs: &[Output], t: UtcNanos) -> impl Iterator<Item = &Output> {
    outputs.iter().filter(move |(time, _)| *time <= t)
}

type Difference<'a> = (usize, Option<&'a Output>, Option<&'a Output>);

fn first_difference<'a>(whole: &'a [Output], changed: &'a [Output], t: UtcNanos) -> Option<Difference<'a>> {
    let (mut whole, mut changed) = (until(whole, t), until(changed, t));
    for position in 0.. {
        match (whole.next(), changed.next()) {
            (None, None) => break,
            (one, other) if one == other => {}
            (one, other) => return Some((position, one, other)),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use sextant_domain::{BarsView, MacroSeries};

    use super::*;
    use crate::{formulas, standard_market};

    fn market() -> MarketData {
        standard_market(90, 3)
    }

    /// A column of the first series, at the closes of its bars.
    fn column(market: &MarketData, of: impl Fn(&BarsView<'_>) -> Vec<f64>) -> Vec<Output> {
        let bars = market.series()[0].bars.view();
        bars.close_time
            .iter()
            .copied()
            .zip(of(&bars).into_iter().map(Observed::from))
            .collect()
    }

    fn next_or_last(values: &[f64]) -> Vec<f64> {
        (0..values.len())
            .map(|index| values[(index + 1).min(values.len() - 1)])
            .collect()
    }

    fn macro_at(series: &MacroSeries, time: UtcNanos) -> f64 {
        series.values()[series.available(time).saturating_sub(1)]
    }

    #[test]
    fn honest_outputs_pass() {
        let market = market();
        let points = cut_points(&market, 12, 1);
        assert_causal(&market, &points, |market| {
            column(market, |bars| formulas::sma(bars.close, 5))
        });
        assert_causal(&market, &points, |market| {
            let series = &market.macros()[0];
            let bars = market.series()[0].bars.view();
            bars.close_time
                .iter()
                .map(|time| (*time, macro_at(series, *time).into()))
                .collect()
        });
    }

    /// An order of the last close fills at the open of the next bar, which is known when that bar opens.
    #[test]
    fn the_open_of_an_open_bar_is_no_secret() {
        let market = market();
        assert_causal(&market, &cut_points(&market, 12, 2), |market| {
            let bars = market.series()[0].bars.view();
            bars.open_time
                .iter()
                .copied()
                .zip(bars.open.iter().map(|open| Observed::from(*open)))
                .collect()
        });
    }

    type Leak = fn(&MarketData) -> Vec<Output>;

    const LEAKS: [(&str, Leak); 8] = [
        ("the next bar's close", |market| {
            column(market, |bars| next_or_last(bars.close))
        }),
        ("the next bar's high", |market| {
            column(market, |bars| next_or_last(bars.high))
        }),
        ("the next bar's volume", |market| {
            column(market, |bars| next_or_last(bars.volume))
        }),
        ("a mean of the whole sample", |market| {
            column(market, |bars| {
                let mean = bars.close.iter().sum::<f64>() / bars.close.len() as f64;
                bars.close.iter().map(|close| close - mean).collect()
            })
        }),
        ("a centred window", |market| {
            column(market, |bars| {
                let shifted = next_or_last(&next_or_last(bars.close));
                formulas::sma(&shifted, 5)
            })
        }),
        ("a daily bar before its session has closed", |market| {
            let days = market.series()[1].bars.view();
            days.open_time
                .iter()
                .copied()
                .zip(days.close.iter().map(|close| Observed::from(*close)))
                .collect()
        }),
        ("a macro value before its publication", |market| {
            let series = &market.macros()[0];
            let bars = market.series()[0].bars.view();
            let early = |time: &UtcNanos| macro_at(series, time.saturating_add(86_400_000_000_000));
            bars.close_time
                .iter()
                .map(|time| (*time, early(time).into()))
                .collect()
        }),
        ("the number of bars there will be", |market| {
            column(market, |bars| vec![bars.close.len() as f64; bars.close.len()])
        }),
    ];

    #[test]
    fn leaks_are_caught() {
        let market = market();
        let points = cut_points(&market, 12, 4);
        for (name, leak) in LEAKS {
            let report = check_causality(&market, &points, leak);
            assert!(!report.is_causal(), "{name} was not caught");
            assert!(report.compared > 0);
        }
    }

    /// The leak of a next close is seen under every change of the future, not only under one of them.
    #[test]
    fn every_change_finds_the_plain_leak() {
        let market = market();
        let report = check_causality(&market, &cut_points(&market, 12, 4), LEAKS[0].1);
        for change in Change::ALL {
            assert!(
                report
                    .violations
                    .iter()
                    .any(|violation| violation.change == change),
                "{change:?}"
            );
        }
        let message = report.violations[0].to_string();
        assert!(
            message.contains("with the true future at 20") && message.contains("bits"),
            "{message}"
        );
    }

    #[test]
    fn outputs_that_come_or_go_with_the_future_are_caught() {
        let market = market();
        let report = check_causality(&market, &cut_points(&market, 6, 5), |market| {
            let rising = column(market, |bars| {
                next_or_last(bars.close)
                    .iter()
                    .zip(bars.close)
                    .map(|(next, now)| next - now)
                    .collect()
            });
            let rising = rising.into_iter().filter(|(_, observed)| match observed {
                Observed::Bits(bits) => f64::from_bits(*bits) > 0.0,
                Observed::Text(_) => false,
            });
            rising.map(|(time, _)| (time, "buy".into())).collect()
        });
        assert!(!report.is_causal());
    }

    #[test]
    #[should_panic(expected = "nothing was proven")]
    fn a_check_of_nothing_fails() {
        let market = market();
        assert_causal(&market, &cut_points(&market, 3, 6), |_| Vec::new());
    }

    #[test]
    fn numbers_are_compared_by_their_bits() {
        assert_eq!(Observed::from(f64::NAN), Observed::from(f64::NAN));
        assert_ne!(Observed::from(0.0), Observed::from(-0.0));
        assert_ne!(Observed::from(None), Observed::from(Some(f64::NAN)));
        assert_ne!(Observed::debug(&0.1), Observed::debug(&0.1_f64.next_up()));
    }
}
