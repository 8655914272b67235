//! Models that offer their rule by columns.

use std::process::Command;

use sextant_backtest::{FillConvention, vectorised};
use sextant_domain::ports::{Model, ModelError, SignalColumns};
use sextant_domain::{
    ColumnTargets, ColumnView, FeatureRef, InstrumentRef, Intents, MarketData, MarketView, Requirements,
    Timeframe,
};
use sextant_engine::EngineParts;
use sextant_features::FeatureColumns;
use sextant_portfolio::BudgetedPortfolio;
use sextant_risk::{KillFlag, RiskLimits, RiskRules};
use sextant_testkit::{MarketBuilder, assert_columns_decide, bars};

use super::compare;
use crate::fixture::Setup;

/// Long while a fast mean is above a slow one, short while it is below.
struct Reversal {
    name: &'static str,
    needs: Requirements,
    instrument: InstrumentRef,
    means: (FeatureRef, FeatureRef),
    side: f64,
    /// How far ahead its columns look: 0 for an honest rule.
    ahead: usize,
}

impl Reversal {
    fn new(name: &'static str, symbol: &str, ahead: usize) -> Self {
        Self {
            ahead,
            ..Self::with_periods(name, symbol, (3, 8))
        }
    }

    fn with_periods(name: &'static str, symbol: &str, (fast, slow): (u32, u32)) -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade(symbol);
        let series = needs.series(symbol, Timeframe::D1);
        let mut mean = |period| needs.feature("sma", &[("period", f64::from(period))], series);
        let means = (mean(fast), mean(slow));
        Self {
            name,
            needs,
            instrument,
            means,
            side: 0.0,
            ahead: 0,
        }
    }
}

impl Model for Reversal {
    fn id(&self) -> &str {
        self.name
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        if let (Some(fast), Some(slow)) = (view.feature(self.means.0), view.feature(self.means.1)) {
            let side = if fast > slow { 0.8 } else { -0.8 };
            if side != self.side {
                self.side = side;
                out.target(self.instrument, side);
            }
        }
        Ok(())
    }

    fn by_columns(&self) -> Option<&dyn SignalColumns> {
        Some(self)
    }
}

impl SignalColumns for Reversal {
    fn signals(&self, columns: &ColumnView<'_>, out: &mut ColumnTargets) {
        let (fast, slow) = (columns.feature(self.means.0), columns.feature(self.means.1));
        let mut before = 0.0;
        for bar in columns.decisions() {
            let seen = (bar + self.ahead).min(fast.len() - 1);
            if fast[seen].is_nan() || slow[seen].is_nan() {
                continue;
            }
            let side = if fast[seen] > slow[seen] { 0.8 } else { -0.8 };
            if side != before {
                before = side;
                out.target(bar, self.instrument, side);
            }
        }
    }
}

fn market(seed: u64) -> MarketData {
    let days = bars::daily_sessions(bars::instant("2018-01-01"), 300);
    MarketBuilder::new()
        .equity("A", Timeframe::D1)
        .random("A", Timeframe::D1, &days, seed)
        .equity("B", Timeframe::D1)
        .random("B", Timeframe::D1, &days, seed + 1)
        .build()
}

#[test]
fn a_rule_by_columns_is_held_against_decide() {
    for seed in 0..5 {
        let honest = || Box::new(Reversal::new("Reversal", "A", 0)) as Box<dyn Model>;
        let compared = assert_columns_decide(honest, &market(seed), &mut FeatureColumns::new());
        assert!(compared > 50, "{compared} decisions say too little");
    }
}

#[test]
#[should_panic(expected = "Leak says something else by columns")]
fn columns_that_look_ahead_are_found() {
    let leak = || Box::new(Reversal::new("Leak", "A", 1)) as Box<dyn Model>;
    assert_columns_decide(leak, &market(1), &mut FeatureColumns::new());
}

#[test]
fn models_by_columns_and_bar_by_bar_make_one_run() {
    let parts = || {
        let mut needs = Requirements::new();
        let b = needs.trade("B");
        let walker = crate::fixture::Rule {
            name: "Walker",
            needs,
            decide: move |view: &MarketView<'_>, out: &mut Intents| {
                if view.as_of().day_number() % 4 == 0 {
                    out.target(b, (view.as_of().day_number() % 3) as f64 / 3.0);
                }
            },
        };
        EngineParts {
            models: vec![
                Box::new(walker),
                Box::new(Reversal::new("First", "A", 0)),
                Box::new(Reversal::new("Second", "B", 0)),
            ],
            regime: None,
            portfolio: Box::new(BudgetedPortfolio::equal(&["Walker", "First", "Second"], 0.01).unwrap()),
            risk: Box::new(RiskRules::new(RiskLimits::mission_defaults(), KillFlag::new()).unwrap()),
        }
    };
    for seed in 0..5 {
        for fills in FillConvention::ALL {
            let market = market(seed);
            let setup = Setup {
                commission_bps: "5",
                fills,
                ..Setup::plain("100000")
            };
            let mut config = setup.config(&market);
            config.start = market.series()[0].bars.close_times()[40];
            let seen = compare(&market, parts, &config).unwrap_or_else(|difference| panic!("{difference}"));
            assert!(seen.orders > 50, "{seen:?} says too little");
        }
    }
}

fn alone(model: Reversal) -> EngineParts {
    EngineParts {
        portfolio: Box::new(BudgetedPortfolio::equal(&[model.name], 0.01).unwrap()),
        models: vec![Box::new(model)],
        regime: None,
        risk: Box::new(RiskRules::new(RiskLimits::mission_defaults(), KillFlag::new()).unwrap()),
    }
}

#[test]
fn models_by_columns_alone_make_the_run_of_the_event_engine() {
    let market = market(1);
    let config = Setup::plain("100000").config(&market);
    let seen = compare(&market, || alone(Reversal::new("Reversal", "A", 0)), &config);
    let seen = seen.unwrap_or_else(|difference| panic!("{difference}"));
    assert!(seen.orders > 5, "{seen:?} says too little");
}

/// Gives a target by columns at the last bar of the warm-up.
struct TooEarly(Requirements, InstrumentRef);

impl Model for TooEarly {
    fn id(&self) -> &str {
        "TooEarly"
    }

    fn requirements(&self) -> &Requirements {
        &self.0
    }

    fn decide(&mut self, _: &MarketView<'_>, _: &mut Intents) -> Result<(), ModelError> {
        Ok(())
    }

    fn by_columns(&self) -> Option<&dyn SignalColumns> {
        Some(self)
    }
}

impl SignalColumns for TooEarly {
    fn signals(&self, columns: &ColumnView<'_>, out: &mut ColumnTargets) {
        out.target(columns.decisions().start - 1, self.1, 1.0);
    }
}

#[test]
#[should_panic(expected = "model TooEarly gives a target at bar 40, outside 41..300")]
fn a_target_by_columns_outside_the_decisions_is_found() {
    let market = market(1);
    let mut config = Setup::plain("100000").config(&market);
    config.start = market.series()[0].bars.close_times()[40];
    let mut needs = Requirements::new();
    let instrument = needs.trade("A");
    let parts = EngineParts {
        portfolio: Box::new(BudgetedPortfolio::equal(&["TooEarly"], 0.01).unwrap()),
        models: vec![Box::new(TooEarly(needs, instrument))],
        regime: None,
        risk: Box::new(RiskRules::new(RiskLimits::mission_defaults(), KillFlag::new()).unwrap()),
    };
    let mut sink = sextant_backtest::NullSink;
    vectorised::run(&market, &mut FeatureColumns::new(), parts, &config, &mut sink).unwrap();
}

/// Set for the process that does the search.
const MEASURES: &str = "SEXTANT_TEST_MEASURES_SEARCH";

/// The search is done by a process of its own, which starts this test again, so that its peak is the peak of the search.
#[test]
#[cfg(target_os = "linux")]
fn a_search_over_a_thousand_pairs_takes_less_than_100_mib() {
    if std::env::var_os(MEASURES).is_some() {
        return search();
    }
    let name = "vectorised::columns::a_search_over_a_thousand_pairs_takes_less_than_100_mib";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--test-threads=1"])
        .env(MEASURES, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// A thousand pairs of periods over 5,000 bars; trials share the means that they have in common.
fn search() {
    let days = bars::round_the_clock(bars::instant("2005-01-01"), Timeframe::D1, 5_000);
    let market = MarketBuilder::new()
        .equity("A", Timeframe::D1)
        .random("A", Timeframe::D1, &days, 1)
        .build();
    let config = Setup::plain("100000").config(&market);
    let mut features = FeatureColumns::new();
    let pairs = (2..=26).flat_map(|fast| (1..=40).map(move |more| (fast, fast + 5 * more)));
    let mut orders = 0;
    for pair in pairs {
        let parts = EngineParts {
            models: vec![Box::new(Reversal::with_periods("Reversal", "A", pair))],
            regime: None,
            portfolio: Box::new(BudgetedPortfolio::single("Reversal", 1.0, 0.0).unwrap()),
            risk: Box::new(RiskRules::new(RiskLimits::permissive(2.0), KillFlag::new()).unwrap()),
        };
        let run = vectorised::evaluate(&market, &mut features, parts, &config).unwrap();
        orders += run.orders().len();
    }
    assert!(orders > 20_000, "{orders} orders say too little");
    let peak = peak_kib();
    assert!(peak < 100 * 1024, "the search took {} MiB", peak / 1024);
}

/// The largest resident set that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
}
