//! Trend following in shares and funds: long what is above its slow mean and rising.

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{FeatureRef, InstrumentRef, Intents, MarketView, Requirements, SeriesRef, Timeframe};

use crate::parameters::{Checks, LOOKBACK_BARS, PERIOD_BARS, ParameterErrors};
use crate::schedule::Rebalance;
use crate::signal::fresh_close;

const POSITIONS: RangeInclusive<u32> = 1..=1_000;

/// Parameters of `EquityTrendModel_v1`. Periods count daily bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EquityTrendParameters {
    /// The symbols it may hold, each once. Where two are equally good, the one named first comes first.
    #[schemars(length(min = 1))]
    pub universe: Vec<String>,
    /// Period of the slow moving average above which a close makes an instrument eligible.
    #[serde(default = "default::slow_ma_period")]
    #[schemars(range(min = *PERIOD_BARS.start(), max = *PERIOD_BARS.end()))]
    pub slow_ma_period: u32,
    /// How many daily bars back the momentum looks; it must be above zero for an instrument to be eligible.
    #[serde(default = "default::momentum_lookback_days")]
    #[schemars(range(min = *LOOKBACK_BARS.start(), max = *LOOKBACK_BARS.end()))]
    pub momentum_lookback_days: u32,
    /// Period of the moving average below which a close ends a position.
    #[serde(default = "default::exit_ma_period")]
    #[schemars(range(min = *PERIOD_BARS.start(), max = *PERIOD_BARS.end()))]
    pub exit_ma_period: u32,
    /// How many positions it holds at most. Each is worth one part in `max_positions` of the budget.
    #[serde(default = "default::max_positions")]
    #[schemars(range(min = *POSITIONS.start(), max = *POSITIONS.end()))]
    pub max_positions: u32,
    /// At which of its decisions it is asked: `each_bar`, `daily`, `weekly` or `monthly`.
    #[serde(default, skip_serializing_if = "Rebalance::is_each_bar")]
    pub rebalance: Rebalance,
}

mod default {
    pub(super) fn slow_ma_period() -> u32 {
        200
    }

    pub(super) fn momentum_lookback_days() -> u32 {
        60
    }

    pub(super) fn exit_ma_period() -> u32 {
        50
    }

    pub(super) fn max_positions() -> u32 {
        2
    }
}

impl EquityTrendParameters {
    /// The default parameters for a universe.
    pub fn new(universe: Vec<String>) -> Self {
        Self {
            universe,
            slow_ma_period: default::slow_ma_period(),
            momentum_lookback_days: default::momentum_lookback_days(),
            exit_ma_period: default::exit_ma_period(),
            max_positions: default::max_positions(),
            rebalance: Rebalance::EachBar,
        }
    }

    fn check(&self) -> Result<(), ParameterErrors> {
        let mut checks = Checks::of(EquityTrendModel::NAME);
        checks.universe(&self.universe);
        checks.range("slow_ma_period", self.slow_ma_period, PERIOD_BARS);
        checks.range(
            "momentum_lookback_days",
            self.momentum_lookback_days,
            LOOKBACK_BARS,
        );
        checks.range("exit_ma_period", self.exit_ma_period, PERIOD_BARS);
        checks.range("max_positions", self.max_positions, POSITIONS);
        checks.rebalance(self.rebalance);
        checks.finish()
    }
}

/// `EquityTrendModel_v1`: holds the strongest instruments in an up-trend, until their trend breaks.
///
/// The signal is daily, the decision falls at every close of an execution bar (4-hour bars by default), so that a daily
/// bar is acted on at the first execution bar that closes with or after it.
///
/// 1. A held instrument is sold when its close is below its exit mean. Otherwise it keeps its place, whatever stronger
///    ones there are.
/// 2. An instrument is eligible when its close is above its slow mean, its momentum is above zero and its close is not
///    below its exit mean; without the last condition it would be sold again at the next decision.
/// 3. Free places go to the eligible ones in order of momentum; where it is equal, in order of the universe.
///
/// Every place is worth `1 / max_positions` of the budget, however many are taken: a single holding does not get all of
/// it, the rest stays in cash.
///
/// Targets are given when the set of held instruments changes, and then for every instrument that is in it or has just
/// left it: each change brings all positions back to equal weight, and between changes they drift.
///
/// An instrument whose features are warming up, or whose newest daily bar is too old, is neither bought nor sold.
#[derive(Debug)]
pub struct EquityTrendModel {
    requirements: Requirements,
    max_positions: usize,
    slots: Vec<Slot>,
    /// Reused from decision to decision.
    candidates: Vec<Candidate>,
}

#[derive(Debug)]
struct Slot {
    instrument: InstrumentRef,
    daily: SeriesRef,
    slow_mean: FeatureRef,
    exit_mean: FeatureRef,
    momentum: FeatureRef,
    state: State,
}

/// Where an instrument stands after a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Out,
    JustEntered,
    Held,
    JustLeft,
}

impl State {
    fn is_in(self) -> bool {
        matches!(self, Self::JustEntered | Self::Held)
    }

    /// What is new at one decision is settled at the next.
    fn settled(self) -> Self {
        if self.is_in() { Self::Held } else { Self::Out }
    }
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    slot: usize,
    momentum: f64,
}

impl EquityTrendModel {
    /// The name under which it is configured and recorded.
    pub const NAME: &'static str = "EquityTrendModel_v1";

    /// Checks the parameters and makes the model.
    ///
    /// # Errors
    /// Every parameter that is out of its range.
    pub fn new(parameters: &EquityTrendParameters) -> Result<Self, ParameterErrors> {
        parameters.check()?;
        let mut requirements = Requirements::new();
        let slots = parameters
            .universe
            .iter()
            .map(|symbol| Slot::new(symbol, parameters, &mut requirements));
        let slots = slots.collect();
        let max_positions = parameters.max_positions as usize;
        Ok(Self {
            requirements,
            max_positions,
            slots,
            candidates: Vec::new(),
        })
    }

    fn leave(&mut self, view: &MarketView<'_>) {
        for slot in &mut self.slots {
            slot.state = slot.state.settled();
            if slot.state.is_in() && slot.must_leave(view) {
                slot.state = State::JustLeft;
            }
        }
    }

    fn enter(&mut self, view: &MarketView<'_>) {
        let taken = self.slots.iter().filter(|slot| slot.state.is_in()).count();
        if taken >= self.max_positions {
            return;
        }
        self.candidates.clear();
        let outside = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.state == State::Out);
        self.candidates.extend(outside.filter_map(|(index, slot)| {
            slot.eligible_momentum(view).map(|momentum| Candidate {
                slot: index,
                momentum,
            })
        }));
        // The sort is stable: where momentum is equal, the order of the universe stays.
        self.candidates
            .sort_by(|one, other| other.momentum.total_cmp(&one.momentum));
        for candidate in self.candidates.iter().take(self.max_positions - taken) {
            self.slots[candidate.slot].state = State::JustEntered;
        }
    }

    fn speak(&self, out: &mut Intents) {
        if self.slots.iter().all(|slot| slot.state == slot.state.settled()) {
            return;
        }
        let weight = 1.0 / self.max_positions as f64;
        for slot in &self.slots {
            match slot.state {
                State::JustEntered | State::Held => out.target(slot.instrument, weight),
                State::JustLeft => out.target(slot.instrument, 0.0),
                State::Out => {}
            }
        }
    }
}

impl Slot {
    fn new(symbol: &str, parameters: &EquityTrendParameters, requirements: &mut Requirements) -> Self {
        let instrument = requirements.trade(symbol);
        let daily = requirements.series(symbol, Timeframe::D1);
        let mut feature =
            |name: &str, period: u32| requirements.feature(name, &[("period", f64::from(period))], daily);
        Self {
            instrument,
            daily,
            slow_mean: feature("sma", parameters.slow_ma_period),
            exit_mean: feature("sma", parameters.exit_ma_period),
            momentum: feature("momentum", parameters.momentum_lookback_days),
            state: State::Out,
        }
    }

    fn must_leave(&self, view: &MarketView<'_>) -> bool {
        let broken = || Some(fresh_close(view, self.daily)? < view.feature(self.exit_mean)?);
        broken().unwrap_or(false)
    }

    /// The momentum of an eligible instrument; `None` when it is not eligible or nothing can be said.
    fn eligible_momentum(&self, view: &MarketView<'_>) -> Option<f64> {
        let close = fresh_close(view, self.daily)?;
        let momentum = view.feature(self.momentum)?;
        let rising = close > view.feature(self.slow_mean)? && momentum > 0.0;
        let intact = close >= view.feature(self.exit_mean)?;
        (rising && intact).then_some(momentum)
    }
}

impl Model for EquityTrendModel {
    fn id(&self) -> &str {
        Self::NAME
    }

    fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        self.leave(view);
        self.enter(view);
        self.speak(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::MarketData;
    use sextant_testkit::{Decision, FixedFeatures, Replay};

    use super::*;
    use crate::test_market::{held_books, sessions};

    const NAN: f64 = f64::NAN;

    /// One daily bar of one instrument: close, slow mean, momentum, exit mean.
    type Day = [f64; 4];
    /// The days of several instruments.
    type Days<'a, const N: usize> = [&'a [Day]; N];

    const UP: Day = [110.0, 100.0, 0.1, 105.0];
    const UP_STRONGER: Day = [110.0, 100.0, 0.3, 105.0];
    const BELOW_EXIT: Day = [104.0, 100.0, 0.1, 105.0];
    const BELOW_SLOW: Day = [106.0, 107.0, 0.1, 105.0];
    const FALLING: Day = [110.0, 100.0, -0.1, 105.0];
    const FLAT: Day = [110.0, 100.0, 0.0, 105.0];
    const AT_SLOW: Day = [110.0, 110.0, 0.1, 105.0];
    const AT_EXIT: Day = [105.0, 100.0, 0.1, 105.0];
    const NO_SLOW: Day = [110.0, NAN, 0.1, 105.0];
    const NO_MOMENTUM: Day = [110.0, 100.0, NAN, 105.0];
    const NO_EXIT: Day = [110.0, 100.0, 0.1, NAN];

    fn with_columns(mut features: FixedFeatures, symbol: &str, days: &[Day]) -> FixedFeatures {
        for (name, field) in [
            ("sma(period=200)", 1),
            ("momentum(period=60)", 2),
            ("sma(period=50)", 3),
        ] {
            let column = days.iter().map(|day| day[field]).collect();
            features = features.with(symbol, Timeframe::D1, name, column);
        }
        features
    }

    fn features_of(table: &[(&str, &[Day])]) -> FixedFeatures {
        table
            .iter()
            .fold(FixedFeatures::new(), |features, (symbol, days)| {
                with_columns(features, symbol, days)
            })
    }

    fn closes(days: &[Day]) -> Vec<f64> {
        days.iter().map(|day| day[0]).collect()
    }

    fn market_of(table: &[(&str, &[Day])]) -> MarketData {
        let closes: Vec<_> = table
            .iter()
            .map(|(symbol, days)| (*symbol, closes(days)))
            .collect();
        sessions(&closes)
    }

    fn model(table: &[(&str, &[Day])], max_positions: u32) -> EquityTrendModel {
        let universe = table.iter().map(|(symbol, _)| (*symbol).to_owned()).collect();
        EquityTrendModel::new(&EquityTrendParameters {
            max_positions,
            ..EquityTrendParameters::new(universe)
        })
        .unwrap()
    }

    fn decisions(table: &[(&str, &[Day])], max_positions: u32) -> Vec<Decision> {
        let market = market_of(table);
        Replay::new(&market, &mut features_of(table)).decisions(&mut model(table, max_positions))
    }

    /// The symbols held after each day.
    fn books(table: &[(&str, &[Day])], max_positions: u32) -> Vec<String> {
        held_books(&market_of(table), &decisions(table, max_positions))
    }

    #[test]
    fn one_symbol_enters_and_leaves_by_rule() {
        let rows: [(&str, &[Day], &[&str]); 11] = [
            ("enters when all holds", &[UP], &["A"]),
            ("stays out below the slow mean", &[BELOW_SLOW], &[""]),
            ("a close at the slow mean is not above it", &[AT_SLOW], &[""]),
            ("stays out without momentum", &[FALLING, FLAT], &["", ""]),
            (
                "is not bought only to be sold again",
                &[BELOW_EXIT, BELOW_EXIT],
                &["", ""],
            ),
            ("leaves below the exit mean", &[UP, BELOW_EXIT], &["A", ""]),
            (
                "a close at the exit mean is not below it",
                &[UP, AT_EXIT],
                &["A", "A"],
            ),
            (
                "keeps its place below the slow mean",
                &[UP, BELOW_SLOW, FALLING],
                &["A", "A", "A"],
            ),
            ("comes back", &[UP, BELOW_EXIT, UP], &["A", "", "A"]),
            (
                "waits for every feature",
                &[NO_SLOW, NO_MOMENTUM, NO_EXIT, UP],
                &["", "", "", "A"],
            ),
            (
                "without an exit mean nothing is sold",
                &[UP, NO_EXIT, BELOW_EXIT],
                &["A", "A", ""],
            ),
        ];
        for (name, days, expected) in rows {
            assert_eq!(books(&[("A", days)], 2), expected, "{name}");
        }
    }

    #[test]
    fn places_go_to_the_strongest_and_are_kept() {
        let rows: [(&str, Days<3>, &[&str]); 5] = [
            (
                "two places, three eligible",
                [&[UP], &[UP_STRONGER], &[UP]],
                &["A B"],
            ),
            (
                "the strongest first",
                [&[UP], &[UP_STRONGER], &[UP_STRONGER]],
                &["B C"],
            ),
            (
                "equal ones in order of the universe",
                [&[UP], &[UP], &[UP]],
                &["A B"],
            ),
            (
                "a stronger one does not push out a held one",
                [&[UP, UP], &[UP, UP], &[FALLING, UP_STRONGER]],
                &["A B", "A B"],
            ),
            (
                "a free place is filled at the same decision",
                [&[UP, BELOW_EXIT], &[UP, UP], &[FALLING, UP_STRONGER]],
                &["A B", "B C"],
            ),
        ];
        for (name, [a, b, c], expected) in rows {
            assert_eq!(books(&[("A", a), ("B", b), ("C", c)], 2), expected, "{name}");
        }
    }

    #[test]
    fn targets_are_given_only_when_the_set_changes() {
        let table: [(&str, &[Day]); 2] = [
            ("A", &[UP, UP, UP, BELOW_EXIT, FALLING]),
            ("B", &[FALLING, FALLING, UP, UP, UP]),
        ];
        let targets: Vec<_> = decisions(&table, 2).into_iter().map(|one| one.targets).collect();
        let target = |symbol: &str, weight: f64| (symbol.to_owned(), weight);
        let expected = [
            vec![target("A", 0.5)],
            vec![target("A", 0.5), target("B", 0.5)],
            vec![target("A", 0.0), target("B", 0.5)],
        ];
        assert_eq!(targets, expected);
    }

    #[test]
    fn a_place_is_worth_its_part_however_many_are_taken() {
        for (max_positions, weight) in [(1, 1.0), (2, 0.5), (4, 0.25)] {
            let found = decisions(&[("A", &[UP])], max_positions);
            assert_eq!(found[0].targets, [("A".to_owned(), weight)]);
        }
    }

    /// The daily bar closes with the second 4-hour bar of its session; the first one of the next day says nothing new.
    #[test]
    fn a_daily_signal_is_acted_on_at_the_execution_bar_that_closes_with_it() {
        let table: [(&str, &[Day]); 1] = [("A", &[FALLING, UP, UP, BELOW_EXIT])];
        let times: Vec<_> = decisions(&table, 2)
            .iter()
            .map(|one| one.time.to_string())
            .collect();
        assert_eq!(times, ["2020-01-07T21:00:00Z", "2020-01-09T21:00:00Z"]);
    }

    /// When the run begins at noon, the first decision uses the session before.
    #[test]
    fn the_first_decision_uses_the_newest_closed_day() {
        let table: [(&str, &[Day]); 1] = [("A", &[UP, FALLING, FALLING])];
        let market = market_of(&table);
        let mut features = features_of(&table);
        let start = "2020-01-07T10:00:00Z".parse().unwrap();
        let found = Replay::new(&market, &mut features)
            .starting(start)
            .decisions(&mut model(&table, 2));
        assert_eq!(found[0].time.to_string(), "2020-01-07T17:00:00Z");
    }

    /// B trades on for a month without daily bars of A: nothing is known about A any more.
    #[test]
    fn a_series_with_a_hole_gives_no_signal() {
        let (a, b) = ([UP], [FALLING; 25]);
        let days: [(&str, &[Day]); 2] = [("A", &a), ("B", &b)];
        let market = market_of(&days);
        let mut features = features_of(&days);
        let start = "2020-01-20".parse().unwrap();
        let late = Replay::new(&market, &mut features)
            .starting(start)
            .decisions(&mut model(&days, 2));
        assert_eq!(late, []);
        let start = "2020-01-15".parse().unwrap();
        let early = Replay::new(&market, &mut features)
            .starting(start)
            .decisions(&mut model(&days, 2));
        assert_eq!(early[0].targets, [("A".to_owned(), 0.5)]);
    }
}
