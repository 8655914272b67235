//! Random models over random markets: whatever is expressible comes out the same.

use proptest::prelude::*;
use rust_decimal::Decimal;
use sextant_backtest::{
    AccountModel, BacktestConfig, Costs, EndOfRun, FeeModel, FeeTier, FillConvention, MakerTakerFee,
    PerShareFee, ProportionalCosts, SlippageModel, SpreadSlippage, SquareRootImpact, VenueConfig,
};
use sextant_domain::ports::{Model, ModelError, RegimeDetector};
use sextant_domain::{
    AssetClass, Cash, EquityRegime, Instrument, InstrumentRef, Intents, MarketData, MarketView,
    RegimeEstimate, RegimeInput, Requirements, Timeframe, UtcNanos,
};
use sextant_engine::EngineParts;
use sextant_portfolio::{BudgetedPortfolio, ModelBudget, RegimeBudgets, RegimeMultipliers, TrendFactors};
use sextant_risk::{
    AdvLimit, AfterHalt, ClassCaps, DrawdownLimits, GroupCap, KillFlag, MinimumTrade, RiskLimits, RiskRules,
    TurnoverLimit, UnknownVolume, VolatilityCap,
};
use sextant_testkit::bars::{
    Span, Walk, daily_sessions, half_sessions, instant, random_walk, round_the_clock,
};
use sextant_testkit::{MarketBuilder, SplitMix64};

use super::compare;

/// A run, by the seeds and choices it is made from.
#[derive(Debug, Clone)]
struct Case {
    seed: u64,
    instruments: usize,
    models: usize,
    fills: FillConvention,
    at_end: EndOfRun,
    latency: usize,
    costs: usize,
    /// Out of 100: how often a model that may decide gives a target.
    talk: u64,
    band: f64,
    drawdown: bool,
    per_asset_cap: f64,
    gross: f64,
    regime: bool,
    /// Whether the rules are on that a configuration may leave out.
    optional: bool,
}

fn case() -> impl Strategy<Value = Case> {
    let shape = (any::<u64>(), 1usize..5, 1usize..4, 0usize..4, 1u64..60);
    let venue = (
        prop::sample::select(FillConvention::ALL.to_vec()),
        prop::sample::select(vec![
            EndOfRun::MarkToMarket,
            EndOfRun::MarkToMarket,
            EndOfRun::CloseAtLastClose,
            EndOfRun::CloseAtLastOpen,
        ]),
        prop::sample::select(vec![0usize, 0, 0, 1, 3]),
    );
    let limits = (
        prop::sample::select(vec![0.0, 0.01, 0.1]),
        any::<bool>(),
        prop::sample::select(vec![0.2, 0.5, 2.0]),
        prop::sample::select(vec![0.5, 1.0, 3.0]),
        any::<bool>(),
        any::<bool>(),
    );
    (shape, venue, limits).prop_map(|(shape, venue, limits)| Case {
        seed: shape.0,
        instruments: shape.1,
        models: shape.2,
        costs: shape.3,
        talk: shape.4,
        fills: venue.0,
        at_end: venue.1,
        latency: venue.2,
        band: limits.0,
        drawdown: limits.1,
        per_asset_cap: limits.2,
        gross: limits.3,
        regime: limits.4,
        optional: limits.5,
    })
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The spans of one instrument: sessions or round the clock, fine or daily, with small holes, one hole that is longer than
/// orders wait, late starts and early ends.
fn calendar(random: &mut SplitMix64) -> (Timeframe, Vec<Span>) {
    let start = instant("2018-01-01");
    let (timeframe, spans) = match random.index(4) {
        0 => (Timeframe::D1, daily_sessions(start, 120)),
        1 => (Timeframe::H4, half_sessions(start, 120)),
        2 => (Timeframe::D1, round_the_clock(start, Timeframe::D1, 168)),
        _ => (Timeframe::H4, round_the_clock(start, Timeframe::H4, 600)),
    };
    let from = if random.index(3) == 0 {
        random.index(spans.len() / 2)
    } else {
        0
    };
    let to = if random.index(3) == 0 {
        spans.len() - random.index(spans.len() / 3)
    } else {
        spans.len()
    };
    let holes = if random.index(2) == 0 { 8 } else { usize::MAX };
    let long = if random.index(3) == 0 {
        spans.len() / 3
    } else {
        spans.len()
    };
    let silent = long..long + spans.len() / 3;
    let kept = (from..to).filter(|index| !silent.contains(index));
    let kept = kept.filter(|_| holes == usize::MAX || random.index(holes) != 0);
    (timeframe, kept.map(|index| spans[index]).collect())
}

fn symbol(index: usize) -> String {
    format!("S{index}")
}

fn market(case: &Case) -> MarketData {
    let mut random = SplitMix64::new(case.seed);
    let mut market = MarketBuilder::new();
    for index in 0..case.instruments {
        let (timeframe, spans) = calendar(&mut random);
        let name = symbol(index);
        market = match random.index(3) {
            0 => market.equity(&name, timeframe),
            1 => market.crypto(&name, timeframe),
            _ => market.instrument(Instrument {
                lot_size: decimal("0.25"),
                price_tick: decimal("0.005"),
                ..share(&name, timeframe)
            }),
        };
        let walk = Walk {
            start_price: random.between(5.0, 500.0),
            step: random.between(0.005, 0.08),
            seed: random.next_u64(),
        };
        market = market.bars(&name, timeframe, random_walk(&spans, walk));
    }
    market.build()
}

fn share(symbol: &str, execution: Timeframe) -> Instrument {
    let market = MarketBuilder::new()
        .equity(symbol, execution)
        .random(symbol, execution, &daily_sessions(instant("2018-01-01"), 1), 1)
        .build();
    let id = market.instruments().id(symbol).unwrap();
    market.instruments().get(id).clone()
}

/// Gives random targets at random times: a function of its seed and the instant.
struct Talker {
    name: String,
    needs: Requirements,
    instruments: Vec<InstrumentRef>,
    seed: u64,
    talk: u64,
}

impl Talker {
    fn new(case: &Case, index: usize) -> Self {
        let mut needs = Requirements::new();
        let traded = (0..case.instruments).filter(|one| index == 0 || !(one + index).is_multiple_of(3));
        let instruments = traded.map(|one| needs.trade(&symbol(one))).collect();
        Self {
            name: format!("Talker{index}"),
            needs,
            instruments,
            seed: case.seed.wrapping_add(index as u64),
            talk: case.talk,
        }
    }
}

impl Model for Talker {
    fn id(&self) -> &str {
        &self.name
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let mut random = SplitMix64::new(self.seed ^ view.as_of().nanos().unsigned_abs());
        for instrument in &self.instruments {
            if random.next_u64() % 100 >= self.talk {
                continue;
            }
            let weight = match random.index(4) {
                0 => 0.0,
                1 => 1.0,
                _ => random.between(-1.5, 1.5),
            };
            out.target(*instrument, weight);
        }
        Ok(())
    }
}

/// Another label every few days: a function of the day.
struct Weather {
    needs: Requirements,
    seed: u64,
}

impl RegimeDetector for Weather {
    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn update(&mut self, view: &MarketView<'_>, inputs: &mut Vec<RegimeInput>) -> RegimeEstimate {
        let period = view.as_of().day_number() / 5;
        let mut random = SplitMix64::new(self.seed ^ period.unsigned_abs());
        inputs.push(RegimeInput {
            dimension: sextant_domain::RegimeDimension::Equity,
            name: "period",
            value: Some(period as f64),
        });
        RegimeEstimate {
            equity: EquityRegime::ALL[random.index(EquityRegime::ALL.len())],
            ..RegimeEstimate::default()
        }
    }
}

fn budgets(case: &Case) -> BudgetedPortfolio {
    let multipliers = RegimeMultipliers {
        equity: Some(TrendFactors {
            bull: 1.0,
            neutral: 0.6,
            bear: 0.0,
            unknown: 0.3,
        }),
        ..RegimeMultipliers::default()
    };
    let models = (0..case.models).map(|index| {
        let budget = ModelBudget {
            budget: 1.0 / case.models as f64,
            multipliers,
        };
        (format!("Talker{index}"), budget)
    });
    BudgetedPortfolio::new(RegimeBudgets {
        models: models.collect(),
        no_trade_band: case.band,
    })
    .unwrap()
}

fn limits(case: &Case) -> RiskLimits {
    RiskLimits {
        per_asset_cap: case.per_asset_cap,
        class_caps: ClassCaps {
            crypto: Some(case.per_asset_cap),
            ..ClassCaps::default()
        },
        gross_leverage: case.gross,
        drawdown: case.drawdown.then_some(DrawdownLimits {
            trigger: 0.05,
            reduced_exposure: 0.5,
            recover_at: 0.02,
            halt: 0.12,
            after_halt: AfterHalt::ResumeAfterDays { days: 4 },
        }),
        ..optional_limits(case)
    }
}

/// The limits that a configuration may leave out, some of which are judged by trailing statistics.
fn optional_limits(case: &Case) -> RiskLimits {
    let plain = RiskLimits::permissive(case.gross);
    if !case.optional {
        return plain;
    }
    let group = GroupCap {
        cap: 0.4,
        symbols: vec![symbol(0)],
    };
    RiskLimits {
        group_caps: [("first".to_owned(), group)].into(),
        volatility_cap: Some(VolatilityCap {
            annual: 0.2,
            window_days: 4,
        }),
        adv_limit: Some(AdvLimit {
            fraction: 0.3,
            window_days: 3,
            unknown: UnknownVolume::Refuse,
        }),
        turnover_limit: Some(TurnoverLimit { per_rebalance: 0.7 }),
        minimum_trade: Some(MinimumTrade { notional: 250.0 }),
        ..plain
    }
}

fn parts(case: &Case, market: &MarketData) -> EngineParts {
    let models = (0..case.models).map(|index| Box::new(Talker::new(case, index)) as Box<dyn Model>);
    let weather = Weather {
        needs: Requirements::new(),
        seed: case.seed,
    };
    EngineParts {
        models: models.collect(),
        regime: case.regime.then(|| Box::new(weather) as Box<dyn RegimeDetector>),
        portfolio: Box::new(budgets(case)),
        risk: Box::new(
            RiskRules::for_instruments(limits(case), KillFlag::new(), market.instruments()).unwrap(),
        ),
    }
}

/// Fees and slippage, some of which depend on what was traded before.
fn costs(choice: usize) -> (Box<dyn FeeModel>, Box<dyn SlippageModel>) {
    let proportional = |commission: &str, slippage: &str| {
        Costs::uniform(ProportionalCosts {
            commission_bps: decimal(commission),
            slippage_bps: decimal(slippage),
        })
        .unwrap()
    };
    let tier = |from_value_30d, taker: &str| FeeTier {
        from_value_30d,
        maker_bps: decimal("1"),
        taker_bps: decimal(taker),
    };
    let spread =
        SpreadSlippage::by_class(|class| decimal(if class == AssetClass::Crypto { "4" } else { "1.5" }));
    match choice {
        0 => (Box::new(proportional("0", "0")), Box::new(proportional("0", "0"))),
        1 => (Box::new(proportional("7", "3")), Box::new(proportional("7", "3"))),
        2 => {
            let tiers = vec![tier(0.0, "20"), tier(150_000.0, "10"), tier(900_000.0, "3")];
            (
                Box::new(MakerTakerFee::new(tiers).unwrap()),
                Box::new(spread.unwrap()),
            )
        }
        _ => {
            let shares = PerShareFee::new(decimal("0.005"), decimal("1"), decimal("0.005"));
            let impact = SquareRootImpact::new(0.5, 10, decimal("5"));
            (Box::new(shares.unwrap()), Box::new(impact.unwrap()))
        }
    }
}

fn config(case: &Case) -> BacktestConfig {
    let start = instant("2018-01-06");
    let days = (1..180).map(|day| start.saturating_add(day * 86_400_000_000_000 + 7));
    let (fees, slippage) = costs(case.costs);
    let nothing = ProportionalCosts {
        commission_bps: Decimal::ZERO,
        slippage_bps: Decimal::ZERO,
    };
    BacktestConfig {
        initial_capital: Cash::new(decimal("100000")),
        start,
        end: UtcNanos::MAX,
        venue: VenueConfig {
            fees,
            slippage,
            latency_bars: case.latency,
            ..VenueConfig::simple(case.fills, Costs::uniform(nothing).unwrap())
        },
        account: AccountModel::trades_only(),
        at_end: case.at_end,
        daily_marks: days.collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn random_runs_are_the_same_in_both_engines(case in case()) {
        let market = market(&case);
        if let Err(difference) = compare(&market, || parts(&case, &market), &config(&case)) {
            prop_assert!(false, "{difference}");
        }
    }
}

/// The cases above are about something: over many of them everything that can happen does.
#[test]
fn random_runs_trade_are_limited_change_standing_and_end_without_a_market() {
    let mut sums = [0; 4];
    for seed in 0..60 {
        let case = Case {
            seed,
            instruments: 4,
            models: 3,
            fills: FillConvention::ALL[seed as usize % 4],
            at_end: EndOfRun::MarkToMarket,
            latency: 0,
            costs: seed as usize % 4,
            talk: 20,
            band: 0.01,
            drawdown: true,
            per_asset_cap: 0.5,
            gross: 1.0,
            regime: true,
            optional: seed.is_multiple_of(3),
        };
        let market = market(&case);
        let seen = compare(&market, || parts(&case, &market), &config(&case));
        let seen = seen.unwrap_or_else(|difference| panic!("{case:?}: {difference}"));
        let counts = [seen.orders, seen.interventions, seen.statuses, seen.ended];
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    assert!(
        sums[0] > 5_000 && sums[1] > 1_000 && sums[2] > 100 && sums[3] > 20,
        "{sums:?}"
    );
}
