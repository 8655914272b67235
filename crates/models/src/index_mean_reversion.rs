//! Mean reversion in indices: bought when it has fallen fast and far, sold when it is back.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{FeatureRef, InstrumentRef, Intents, MarketView, Requirements, SeriesRef, Timeframe};

use crate::parameters::{Checks, PERIOD_BARS, ParameterErrors};
use crate::schedule::Rebalance;

const RSI_LEVEL: RangeInclusive<f64> = 0.0..=100.0;
const BAND_WIDTH: RangeInclusive<f64> = 0.1..=10.0;

/// Parameters of `IndexMeanReversionModel_v1`. Periods count 4-hour bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexMeanReversionParameters {
    /// The symbols it may hold, each once. Each has the same part of the budget.
    #[schemars(length(min = 1))]
    pub universe: Vec<String>,
    /// Period of the relative strength index (RSI).
    #[serde(default = "default::rsi_period")]
    #[schemars(range(min = *PERIOD_BARS.start(), max = *PERIOD_BARS.end()))]
    pub rsi_period: u32,
    /// RSI, from 0 to 100, below which an instrument is oversold. Must be below `overbought`.
    #[serde(default = "default::oversold")]
    #[schemars(range(min = *RSI_LEVEL.start(), max = *RSI_LEVEL.end()))]
    pub oversold: f64,
    /// RSI, from 0 to 100, above which an instrument is overbought. Must be above `oversold`.
    #[serde(default = "default::overbought")]
    #[schemars(range(min = *RSI_LEVEL.start(), max = *RSI_LEVEL.end()))]
    pub overbought: f64,
    /// Period of the Bollinger bands.
    #[serde(default = "default::bb_period")]
    #[schemars(range(min = *PERIOD_BARS.start(), max = *PERIOD_BARS.end()))]
    pub bb_period: u32,
    /// Distance of the lower band from the middle, in standard deviations.
    #[serde(default = "default::bb_width")]
    #[schemars(range(min = *BAND_WIDTH.start(), max = *BAND_WIDTH.end()))]
    pub bb_width: f64,
    /// At which of its decisions it is asked: `each_bar`, `daily`, `weekly` or `monthly`.
    #[serde(default, skip_serializing_if = "Rebalance::is_each_bar")]
    pub rebalance: Rebalance,
}

mod default {
    pub(super) fn rsi_period() -> u32 {
        2
    }

    pub(super) fn oversold() -> f64 {
        10.0
    }

    pub(super) fn overbought() -> f64 {
        90.0
    }

    pub(super) fn bb_period() -> u32 {
        20
    }

    pub(super) fn bb_width() -> f64 {
        2.0
    }
}

impl IndexMeanReversionParameters {
    /// The default parameters for a universe.
    pub fn new(universe: Vec<String>) -> Self {
        Self {
            universe,
            rsi_period: default::rsi_period(),
            oversold: default::oversold(),
            overbought: default::overbought(),
            bb_period: default::bb_period(),
            bb_width: default::bb_width(),
            rebalance: Rebalance::EachBar,
        }
    }

    fn check(&self) -> Result<(), ParameterErrors> {
        let mut checks = Checks::of(IndexMeanReversionModel::NAME);
        checks.universe(&self.universe);
        checks.range("rsi_period", self.rsi_period, PERIOD_BARS);
        checks.range("oversold", self.oversold, RSI_LEVEL);
        checks.range("overbought", self.overbought, RSI_LEVEL);
        if self.oversold >= self.overbought {
            checks.refuse(
                "oversold",
                self.oversold,
                format!("below overbought, which is {}", self.overbought),
            );
        }
        checks.range("bb_period", self.bb_period, PERIOD_BARS);
        checks.range("bb_width", self.bb_width, BAND_WIDTH);
        checks.rebalance(self.rebalance);
        checks.finish()
    }
}

/// `IndexMeanReversionModel_v1`: buys a fast and deep fall on 4-hour bars and sells the recovery.
///
/// It decides on an instrument when one of its 4-hour bars closes, whatever bars fill its orders. Where a schedule asks it less
/// often, it decides on every instrument of which a bar has closed since it was last asked.
///
/// 1. It enters when the RSI is below `oversold` and the close is below the lower Bollinger band.
/// 2. It leaves when the RSI is above `overbought` or the close is above the middle band. Where one of the two is not
///    known, the other one is enough.
///
/// Every instrument is worth `1 / n` of the budget, with `n` the size of the universe, whether the others are held or
/// not: instruments do not wait for each other, and none ever gets more.
///
/// A target is given when an instrument is entered or left, for that instrument alone; in between positions drift.
#[derive(Debug)]
pub struct IndexMeanReversionModel {
    requirements: Requirements,
    oversold: f64,
    overbought: f64,
    weight: f64,
    indices: Vec<Index>,
}

#[derive(Debug)]
struct Index {
    instrument: InstrumentRef,
    bars: SeriesRef,
    rsi: FeatureRef,
    lower_band: FeatureRef,
    middle_band: FeatureRef,
    /// How many bars had closed when the model was last asked; `None` before that.
    seen: Option<usize>,
    held: bool,
}

impl IndexMeanReversionModel {
    /// The name under which it is configured and recorded.
    pub const NAME: &'static str = "IndexMeanReversionModel_v1";

    /// Checks the parameters and makes the model.
    ///
    /// # Errors
    /// Every parameter that is out of its range, and an `oversold` that is not below `overbought`.
    pub fn new(parameters: &IndexMeanReversionParameters) -> Result<Self, ParameterErrors> {
        parameters.check()?;
        let mut requirements = Requirements::new();
        let indices = parameters
            .universe
            .iter()
            .map(|symbol| Index::new(symbol, parameters, &mut requirements));
        let indices: Vec<_> = indices.collect();
        Ok(Self {
            requirements,
            oversold: parameters.oversold,
            overbought: parameters.overbought,
            weight: 1.0 / indices.len() as f64,
            indices,
        })
    }
}

impl Index {
    fn new(symbol: &str, parameters: &IndexMeanReversionParameters, requirements: &mut Requirements) -> Self {
        let instrument = requirements.trade(symbol);
        let bars = requirements.series(symbol, Timeframe::H4);
        requirements.decide_on(bars);
        let band = [
            ("period", f64::from(parameters.bb_period)),
            ("width", parameters.bb_width),
        ];
        Self {
            instrument,
            bars,
            rsi: requirements.feature("rsi", &[("period", f64::from(parameters.rsi_period))], bars),
            lower_band: requirements.feature("bollinger_lower", &band, bars),
            middle_band: requirements.feature("bollinger_middle", &band, bars),
            seen: None,
            held: false,
        }
    }

    /// Whether a bar has closed since the model was last asked.
    fn has_news(&mut self, view: &MarketView<'_>) -> bool {
        let bars = view.bars(self.bars).len();
        match self.seen.replace(bars) {
            Some(seen) => seen != bars,
            // What closed before the first decision is history.
            None => view.closed_now(self.bars),
        }
    }

    fn enters(&self, view: &MarketView<'_>, oversold: f64) -> bool {
        let known = || {
            let close = view.bars(self.bars).last_close()?;
            Some(view.feature(self.rsi)? < oversold && close < view.feature(self.lower_band)?)
        };
        known().unwrap_or(false)
    }

    fn leaves(&self, view: &MarketView<'_>, overbought: f64) -> bool {
        let is_overbought = || Some(view.feature(self.rsi)? > overbought);
        let is_back = || Some(view.bars(self.bars).last_close()? > view.feature(self.middle_band)?);
        is_overbought().unwrap_or(false) || is_back().unwrap_or(false)
    }
}

impl Model for IndexMeanReversionModel {
    fn id(&self) -> &str {
        Self::NAME
    }

    fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        for index in &mut self.indices {
            if !index.has_news(view) {
                continue;
            }
            if !index.held && index.enters(view, self.oversold) {
                index.held = true;
                out.target(index.instrument, self.weight);
            } else if index.held && index.leaves(view, self.overbought) {
                index.held = false;
                out.target(index.instrument, 0.0);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sextant_testkit::bars::{daily_sessions, from_closes, half_sessions, instant, round_the_clock};
    use sextant_testkit::{Decision, FixedFeatures, MarketBuilder, Replay};

    use super::*;
    use crate::schedule::Scheduled;
    use crate::test_market::{FIRST_DAY, coins};

    const NAN: f64 = f64::NAN;

    /// One 4-hour bar whose close is 100: RSI, lower band, middle band.
    type Row = [f64; 3];

    const FALLEN: Row = [5.0, 101.0, 105.0];
    const OVERSOLD_ONLY: Row = [5.0, 99.0, 105.0];
    const BELOW_ONLY: Row = [15.0, 101.0, 105.0];
    const AT_OVERSOLD: Row = [10.0, 101.0, 105.0];
    const AT_BAND: Row = [5.0, 100.0, 105.0];
    const BETWEEN: Row = [50.0, 95.0, 105.0];
    const OVERBOUGHT: Row = [95.0, 95.0, 105.0];
    const AT_OVERBOUGHT: Row = [90.0, 95.0, 105.0];
    const BACK: Row = [50.0, 90.0, 99.0];
    const AT_MIDDLE: Row = [50.0, 90.0, 100.0];
    const NO_RSI: Row = [NAN, 101.0, 105.0];
    const NO_BANDS: Row = [5.0, NAN, NAN];
    const BACK_WITHOUT_RSI: Row = [NAN, 90.0, 99.0];
    const OVERBOUGHT_WITHOUT_BANDS: Row = [95.0, NAN, NAN];

    fn features_of(table: &[(&str, &[Row])]) -> FixedFeatures {
        let names = [
            "rsi(period=2)",
            "bollinger_lower(period=20, width=2)",
            "bollinger_middle(period=20, width=2)",
        ];
        let mut features = FixedFeatures::new();
        for (symbol, rows) in table {
            for (field, name) in names.into_iter().enumerate() {
                let column = rows.iter().map(|row| row[field]).collect();
                features = features.with(symbol, Timeframe::H4, name, column);
            }
        }
        features
    }

    fn model(symbols: &[&str]) -> IndexMeanReversionModel {
        let universe = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
        IndexMeanReversionModel::new(&IndexMeanReversionParameters::new(universe)).unwrap()
    }

    fn decisions(table: &[(&str, &[Row])]) -> Vec<Decision> {
        let symbols: Vec<_> = table.iter().map(|(symbol, _)| *symbol).collect();
        let market = coins(&symbols, Timeframe::H4, FIRST_DAY, table[0].1.len());
        Replay::new(&market, &mut features_of(table)).decisions(&mut model(&symbols))
    }

    /// The target of one symbol after each bar; an empty text where it is not mentioned.
    fn spoken(rows: &[Row]) -> Vec<String> {
        let said = decisions(&[("A", rows)]);
        let start = instant(FIRST_DAY);
        let at = |bar: usize| start.saturating_add((bar as i64 + 1) * Timeframe::H4.nanos());
        let word = |bar: usize| {
            said.iter()
                .find(|one| one.time == at(bar))
                .map(|one| one.targets[0].1.to_string())
        };
        (0..rows.len()).map(|bar| word(bar).unwrap_or_default()).collect()
    }

    #[test]
    fn one_symbol_enters_and_leaves_by_rule() {
        let rows: [(&str, &[Row], &[&str]); 10] = [
            ("enters when both hold", &[FALLEN], &["1"]),
            (
                "one of the two is not enough",
                &[OVERSOLD_ONLY, BELOW_ONLY],
                &["", ""],
            ),
            ("at a level is not beyond it", &[AT_OVERSOLD, AT_BAND], &["", ""]),
            (
                "says nothing while it holds",
                &[FALLEN, FALLEN, BETWEEN],
                &["1", "", ""],
            ),
            (
                "leaves when overbought",
                &[FALLEN, BETWEEN, OVERBOUGHT],
                &["1", "", "0"],
            ),
            ("leaves above the middle band", &[FALLEN, BACK], &["1", "0"]),
            (
                "at a level it stays",
                &[FALLEN, AT_OVERBOUGHT, AT_MIDDLE],
                &["1", "", ""],
            ),
            (
                "does not sell what it does not hold",
                &[OVERBOUGHT, BACK],
                &["", ""],
            ),
            (
                "waits for every feature",
                &[NO_RSI, NO_BANDS, FALLEN],
                &["", "", "1"],
            ),
            ("comes back", &[FALLEN, BACK, FALLEN], &["1", "0", "1"]),
        ];
        for (name, bars, expected) in rows {
            assert_eq!(spoken(bars), expected, "{name}");
        }
    }

    #[test]
    fn one_known_reason_to_leave_is_enough() {
        assert_eq!(spoken(&[FALLEN, BACK_WITHOUT_RSI]), ["1", "0"]);
        assert_eq!(spoken(&[FALLEN, OVERBOUGHT_WITHOUT_BANDS]), ["1", "0"]);
        assert_eq!(spoken(&[FALLEN, NO_RSI, NO_BANDS]), ["1", "", ""]);
    }

    #[test]
    fn symbols_have_equal_parts_and_do_not_wait_for_each_other() {
        let table: [(&str, &[Row]); 4] = [
            ("A", &[FALLEN, BETWEEN]),
            ("B", &[BETWEEN, FALLEN]),
            ("C", &[BETWEEN, BETWEEN]),
            ("D", &[FALLEN, BACK]),
        ];
        let targets: Vec<_> = decisions(&table).into_iter().map(|one| one.targets).collect();
        let target = |symbol: &str, weight: f64| (symbol.to_owned(), weight);
        let expected = [
            vec![target("A", 0.25), target("D", 0.25)],
            vec![target("B", 0.25), target("D", 0.0)],
        ];
        assert_eq!(targets, expected);
    }

    /// Orders fill on daily bars, but the decision falls at the close of a 4-hour bar.
    #[test]
    fn it_decides_on_four_hour_bars_whatever_fills_its_orders() {
        let start = instant(FIRST_DAY);
        let market = MarketBuilder::new()
            .equity("A", Timeframe::D1)
            .bars(
                "A",
                Timeframe::D1,
                from_closes(&daily_sessions(start, 1), &[100.0]),
            )
            .bars(
                "A",
                Timeframe::H4,
                from_closes(&half_sessions(start, 1), &[100.0, 100.0]),
            )
            .build();
        let mut features = features_of(&[("A", &[FALLEN, BETWEEN])]);
        let found = Replay::new(&market, &mut features).decisions(&mut model(&["A"]));
        assert_eq!(found[0].time.to_string(), "2020-01-06T17:00:00Z");
    }

    /// The share's bar closed before the run began; the coin's next bar must not wake its signal.
    #[test]
    fn a_bar_that_closed_before_the_run_began_is_no_signal() {
        let start = instant(FIRST_DAY);
        let market = MarketBuilder::new()
            .equity("A", Timeframe::H4)
            .closes("A", Timeframe::H4, &half_sessions(start, 2), &[100.0; 4])
            .crypto("C", Timeframe::H4)
            .closes(
                "C",
                Timeframe::H4,
                &round_the_clock(start, Timeframe::H4, 12),
                &[100.0; 12],
            )
            .build();
        let table: [(&str, &[Row]); 2] = [("A", &[BETWEEN, FALLEN, BETWEEN, FALLEN]), ("C", &[BETWEEN; 12])];
        let mut features = features_of(&table);
        let mut replay = Replay::new(&market, &mut features).starting(instant("2020-01-06T23:00:00Z"));
        let found = replay.decisions(&mut model(&["A", "C"]));
        let times: Vec<_> = found.iter().map(|one| one.time.to_string()).collect();
        assert_eq!(
            times,
            ["2020-01-07T21:00:00Z"],
            "only the bar that closed in the run"
        );
    }

    /// The coin's bars come first on each day; the share's have closed on the day before.
    #[test]
    fn asked_once_a_day_it_decides_on_every_instrument_with_a_new_bar() {
        let start = instant(FIRST_DAY);
        let market = MarketBuilder::new()
            .equity("A", Timeframe::H4)
            .closes("A", Timeframe::H4, &half_sessions(start, 1), &[100.0; 2])
            .crypto("C", Timeframe::H4)
            .closes(
                "C",
                Timeframe::H4,
                &round_the_clock(start, Timeframe::H4, 12),
                &[100.0; 12],
            )
            .build();
        let table: [(&str, &[Row]); 2] = [("A", &[BETWEEN, FALLEN]), ("C", &[BETWEEN; 12])];
        let mut features = features_of(&table);
        let mut daily = Scheduled::new(model(&["A", "C"]), Rebalance::Daily);
        let found = Replay::new(&market, &mut features).decisions(&mut daily);
        let said: Vec<_> = found
            .iter()
            .map(|one| (one.time.to_string(), one.targets.clone()))
            .collect();
        let expected = ("2020-01-07T00:00:00Z".to_owned(), vec![("A".to_owned(), 0.5)]);
        assert_eq!(said, [expected]);
    }
}
