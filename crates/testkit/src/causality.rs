//! The look-ahead proof as assertions.

use sextant_domain::ports::{FeatureSource, Model};
use sextant_domain::{MarketData, UtcNanos};
use sextant_proof::{Observed, Stage, Trace, TrackName, Unit, WatchedFeatures, check_look_ahead, cut_points};

use crate::Replay;

/// How many cut points a proof of a model uses.
const MODEL_CUTS: usize = 50;

/// [`check_look_ahead`], for tests.
///
/// # Panics
/// When an output depends on the future, with the first difference; or when there is no output up to any cut point, so
/// that nothing was compared.
pub fn assert_causal<T: Into<Trace>>(
    market: &MarketData,
    cut_points: &[UtcNanos],
    run: impl FnMut(&MarketData) -> T,
) {
    let report = check_look_ahead(market, cut_points, run);
    if let Some(first) = report.violations.first() {
        panic!("{first} ({} violations in all)", report.violations.len());
    }
    assert!(
        report.compared() > 0,
        "no output up to any of {} cut points: nothing was proven",
        cut_points.len()
    );
}

/// Proves that a model, and every feature it asks for, looks at nothing later than its present.
///
/// The model is made afresh and replayed over the market, and over the market with its future cut off, replaced by noise,
/// multiplied by ten and shuffled, at 50 random points. Every feature value, target and order up to each point must have
/// the same bits. The account stays empty, as in any [`Replay`]; `cargo xtask verify lookahead` proves configured models
/// with their account, portfolio, risk and fills.
///
/// `features` makes the feature source: `FeatureColumns::new` of `sextant-features`, or one of your own.
///
/// ```
/// use sextant_domain::ports::{Model, ModelError};
/// use sextant_domain::{FeatureRef, InstrumentRef, Intents, MarketView, Requirements, Timeframe};
/// use sextant_testkit::{FormulaFeatures, assert_model_is_causal, standard_market};
///
/// /// Holds SPY while it has risen over five days.
/// struct Rising {
///     requirements: Requirements,
///     spy: InstrumentRef,
///     change: FeatureRef,
/// }
///
/// impl Rising {
///     fn new() -> Self {
///         let mut requirements = Requirements::new();
///         let spy = requirements.trade("SPY");
///         let days = requirements.series("SPY", Timeframe::D1);
///         let change = requirements.feature("momentum", &[("period", 5.0)], days);
///         Self { requirements, spy, change }
///     }
/// }
///
/// impl Model for Rising {
///     fn id(&self) -> &str {
///         "Rising"
///     }
///     fn requirements(&self) -> &Requirements {
///         &self.requirements
///     }
///     fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
///         if let Some(change) = view.feature(self.change) {
///             out.target(self.spy, if change > 0.0 { 1.0 } else { 0.0 });
///         }
///         Ok(())
///     }
/// }
///
/// assert_model_is_causal(&standard_market(90, 1), FormulaFeatures::reference, Rising::new);
/// ```
///
/// # Panics
/// When something depends on the future, with the quantity, the time and both values; when the model asks for nothing up
/// to any cut point, so that nothing was proven; or when its requirements are not met.
pub fn assert_model_is_causal<F: FeatureSource, M: Model>(
    market: &MarketData,
    features: impl Fn() -> F,
    model: impl Fn() -> M,
) {
    let points = cut_points(market, MODEL_CUTS, 0x5EED);
    let report = check_look_ahead(market, &points, |market| {
        replayed(market, features(), &mut model())
    });
    if let Some(first) = report.violations.first() {
        panic!("{first} ({} violations in all)", report.violations.len());
    }
    assert!(
        report.compared_by_stage.contains_key(&Stage::Intent),
        "the model asked for nothing up to any of {MODEL_CUTS} cut points: nothing was proven"
    );
}

fn replayed(market: &MarketData, features: impl FeatureSource, model: &mut dyn Model) -> Trace {
    let mut features = WatchedFeatures::new(features);
    let decisions = Replay::new(market, &mut features).decisions(model);
    let mut trace = Trace::new();
    features.testify(market, &mut trace);
    for decision in decisions {
        for (symbol, weight) in decision.targets {
            let name = TrackName::new(Stage::Intent, "weight", Unit::Plain).of(&symbol);
            trace.record(name, decision.time, weight);
        }
        for order in decision.orders {
            let name = TrackName::new(Stage::Intent, "order", Unit::Words);
            trace.record(name, decision.time, Observed::debug(&order));
        }
    }
    trace
}

#[cfg(test)]
mod tests {
    use sextant_domain::ports::ModelError;
    use sextant_domain::{
        BarsView, FeatureRef, InstrumentRef, Intents, MacroSeries, MarketView, Requirements, Timeframe,
    };
    use sextant_proof::{Change, Output};

    use super::*;
    use crate::{FormulaFeatures, formulas, standard_market};

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
                .collect::<Vec<_>>()
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
                .collect::<Vec<_>>()
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
            let report = check_look_ahead(&market, &points, leak);
            assert!(!report.is_causal(), "{name} was not caught");
            assert!(report.compared() > 0);
        }
    }

    /// The leak of a next close is seen under every change of the future, not only under one of them.
    #[test]
    fn every_change_finds_the_plain_leak() {
        let market = market();
        let report = check_look_ahead(&market, &cut_points(&market, 12, 4), LEAKS[0].1);
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
        let report = check_look_ahead(&market, &cut_points(&market, 6, 5), |market| {
            let rising = column(market, |bars| {
                next_or_last(bars.close)
                    .iter()
                    .zip(bars.close)
                    .map(|(next, now)| next - now)
                    .collect()
            });
            let rising = rising.into_iter().filter(|(_, observed)| match observed {
                Observed::Bits(bits) => f64::from_bits(*bits) > 0.0,
                _ => false,
            });
            rising.map(|(time, _)| (time, "buy".into())).collect::<Vec<_>>()
        });
        assert!(!report.is_causal());
    }

    /// Wants SPY by a column of a feature source, whatever that is called.
    struct ByColumn {
        requirements: Requirements,
        spy: InstrumentRef,
        value: FeatureRef,
    }

    impl ByColumn {
        fn new() -> Self {
            let mut requirements = Requirements::new();
            let spy = requirements.trade("SPY");
            let days = requirements.series("SPY", Timeframe::D1);
            let value = requirements.feature("value", &[], days);
            Self {
                requirements,
                spy,
                value,
            }
        }
    }

    impl Model for ByColumn {
        fn id(&self) -> &str {
            "by column"
        }

        fn requirements(&self) -> &Requirements {
            &self.requirements
        }

        fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
            if let Some(value) = view.feature(self.value) {
                out.target(self.spy, value);
            }
            Ok(())
        }
    }

    #[test]
    fn a_model_with_an_honest_column_passes_in_one_call() {
        let features = || FormulaFeatures::new(|_, inputs| Some(inputs[0].close.to_vec()));
        assert_model_is_causal(&market(), features, ByColumn::new);
    }

    #[test]
    #[should_panic(expected = "value() on 1D of SPY looks past 20")]
    fn a_model_with_a_leaking_column_is_found_in_one_call() {
        let features = || FormulaFeatures::new(|_, inputs| Some(next_or_last(inputs[0].close)));
        assert_model_is_causal(&market(), features, ByColumn::new);
    }

    #[test]
    #[should_panic(expected = "the model asked for nothing")]
    fn a_model_that_says_nothing_is_not_proven() {
        let features = || FormulaFeatures::new(|_, inputs| Some(vec![f64::NAN; inputs[0].len()]));
        assert_model_is_causal(&market(), features, ByColumn::new);
    }

    #[test]
    #[should_panic(expected = "nothing was proven")]
    fn a_check_of_nothing_fails() {
        let market = market();
        assert_causal(&market, &cut_points(&market, 3, 6), |_| Vec::<Output>::new());
    }
}
