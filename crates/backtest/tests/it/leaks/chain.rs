//! The chain around a leak: a model that says what a function tells it to, and everything behind it.

use sextant_backtest::{
    AccountModel, BacktestConfig, Costs, EndOfRun, FillConvention, ProportionalCosts, SimulatedVenue,
    Timeline, VenueConfig, run,
};
use sextant_domain::ports::{Broker, Model, ModelError, RegimeDetector, ResultSink};
use sextant_domain::{
    Cash, InstrumentRef, Intents, MarketData, MarketView, OrderRequest, OrderSize, Quantity, Requirements,
    StepRecord, Timeframe, UtcNanos,
};
use sextant_engine::{AccountStart, Engine, EngineParts, MarketEvent};
use sextant_features::FeatureColumns;
use sextant_portfolio::BudgetedPortfolio;
use sextant_proof::{Testimony, Witness, watch_regime};
use sextant_risk::{KillFlag, RiskLimits, RiskRules};

use super::{Leak, Run};

/// Weights to ask for, by time and symbol. What computes it has the whole market in its hands, as somebody who prepares
/// data in a notebook has.
pub(super) type Script = Vec<(UtcNanos, &'static str, f64)>;

/// A leak and its twin as scripts.
pub(super) fn scripted(
    name: &'static str,
    planted: impl Fn(&MarketData) -> Script + 'static,
    honest: impl Fn(&MarketData) -> Script + 'static,
) -> Leak {
    Leak {
        name,
        planted: script_run(planted),
        honest: script_run(honest),
    }
}

fn script_run(script: impl Fn(&MarketData) -> Script + 'static) -> Run {
    Box::new(move |market| {
        let model = Box::new(Scripted::new(script(market)));
        through_the_chain(market, model, None, FillConvention::NextOpen)
    })
}

pub(super) const SYMBOLS: [&str; 2] = ["SPY", "QQQ"];

/// Asks for what its script says, at the closes of the 4-hour bars of shares.
pub(super) struct Scripted {
    requirements: Requirements,
    instruments: [InstrumentRef; 2],
    script: Script,
}

impl Scripted {
    pub(super) fn new(script: Script) -> Self {
        let mut requirements = Requirements::new();
        let instruments = SYMBOLS.map(|symbol| requirements.trade(symbol));
        Self {
            requirements,
            instruments,
            script,
        }
    }
}

impl Model for Scripted {
    fn id(&self) -> &str {
        "scripted"
    }

    fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        for (_, symbol, weight) in self.script.iter().filter(|(time, ..)| *time == view.as_of()) {
            let place = SYMBOLS.iter().position(|one| one == symbol).unwrap();
            out.target(self.instruments[place], *weight);
        }
        Ok(())
    }
}

/// Buys ten shares of SPY every fifth bar with a stop at a price that its script says.
pub(super) struct Stopped {
    requirements: Requirements,
    spy: InstrumentRef,
    stops: Script,
}

impl Stopped {
    pub(super) fn new(stops: Script) -> Self {
        let mut requirements = Requirements::new();
        let spy = requirements.trade("SPY");
        Self {
            requirements,
            spy,
            stops,
        }
    }
}

impl Model for Stopped {
    fn id(&self) -> &str {
        "stopped"
    }

    fn requirements(&self) -> &Requirements {
        &self.requirements
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        let at_now = self.stops.iter().position(|(time, ..)| *time == view.as_of());
        let Some(place) = at_now.filter(|place| place % 5 == 0) else {
            return Ok(());
        };
        let ten = OrderSize::Units(Quantity::new(10.into()));
        let entry = OrderRequest::market(self.spy, ten);
        let stop = OrderRequest::stop(self.spy, OrderSize::EntryFill, self.stops[place].2);
        out.bracket(entry, &[stop]);
        Ok(())
    }
}

fn parts(model: Box<dyn Model>, regime: Option<Box<dyn RegimeDetector>>) -> EngineParts {
    let portfolio = BudgetedPortfolio::equal(&[model.id()], 0.0).unwrap();
    EngineParts {
        models: vec![model],
        regime,
        portfolio: Box::new(portfolio),
        risk: Box::new(RiskRules::new(RiskLimits::permissive(2.0), KillFlag::new()).unwrap()),
    }
}

/// How every system here is run.
pub(super) fn settings(fills: FillConvention) -> BacktestConfig {
    let costs = ProportionalCosts {
        commission_bps: "1".parse().unwrap(),
        slippage_bps: "2".parse().unwrap(),
    };
    BacktestConfig {
        initial_capital: Cash::new("100000".parse().unwrap()),
        start: UtcNanos::MIN,
        end: UtcNanos::MAX,
        venue: VenueConfig::simple(fills, Costs::uniform(costs).unwrap()),
        account: AccountModel::trades_only(),
        at_end: EndOfRun::MarkToMarket,
        daily_marks: Vec::new(),
    }
}

/// Runs a model, and a regime that is written down.
pub(super) fn through_the_chain(
    market: &MarketData,
    model: Box<dyn Model>,
    regime: Option<Box<dyn RegimeDetector>>,
    fills: FillConvention,
) -> Testimony {
    let mut witness = Witness::new(market.instruments(), &[model.id().to_owned()], &[]);
    let (regime, log) = match regime.map(watch_regime) {
        Some((regime, log)) => (Some(regime), Some(log)),
        None => (None, None),
    };
    let parts = parts(model, regime);
    run(
        market,
        &mut FeatureColumns::new(),
        parts,
        &settings(fills),
        &mut witness,
    )
    .unwrap();
    let mut testimony = witness.finish();
    if let Some(log) = log {
        log.testify(&mut testimony.trace);
    }
    testimony
}

/// Runs a script against a broker that stands before the venue.
pub(super) fn with_broker<'m, B: Broker>(
    market: &'m MarketData,
    script: Script,
    settings: &'m BacktestConfig,
    broker: impl FnOnce(SimulatedVenue<'m>) -> B,
) -> Testimony {
    let model = Box::new(Scripted::new(script));
    let mut witness = Witness::new(market.instruments(), &[model.id().to_owned()], &[]);
    let mut features = FeatureColumns::new();
    let parts = Engine::bind(parts(model, None), market, &mut features).unwrap();
    let start = AccountStart {
        cash: settings.initial_capital,
        currency: settings.account.currency,
        margin_call: settings.account.margin_call,
    };
    let mut engine = Engine::new(parts, start, market, &features).unwrap();
    let mut broker = broker(SimulatedVenue::new(market, &settings.venue, settings.at_end));
    let (mut timeline, mut record) = (Timeline::new(market, settings.end), StepRecord::new(1));
    while let Some(time) = timeline.advance() {
        let event = MarketEvent {
            time,
            available: timeline.available(),
            closed: timeline.closed(),
            trading: true,
        };
        engine.step(&event, &mut broker, &mut record).unwrap();
        witness.record(&record);
    }
    witness.finish()
}

/// The bars of a symbol.
pub(super) fn bars<'m>(
    market: &'m MarketData,
    symbol: &str,
    timeframe: Timeframe,
) -> sextant_domain::BarsView<'m> {
    let id = market.instruments().id(symbol).unwrap();
    market.get(market.series_id(id, timeframe).unwrap()).bars.view()
}

/// The 4-hour bars of SPY, at whose closes most scripts speak.
pub(super) fn spy(market: &MarketData) -> sextant_domain::BarsView<'_> {
    bars(market, "SPY", Timeframe::H4)
}

/// A script that speaks at every close of SPY for which a function has a number.
pub(super) fn at_closes(market: &MarketData, value: impl Fn(usize) -> Option<f64>) -> Script {
    let times = spy(market).close_time.iter().enumerate();
    times
        .filter_map(|(index, time)| Some((*time, "SPY", weight(value(index)?))))
        .collect()
}

/// A weight between 5 and 75 percent that moves with a number.
pub(super) fn weight(value: f64) -> f64 {
    0.4 + 0.35 * value / (1.0 + value.abs())
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

pub(super) fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    mean(
        &values
            .iter()
            .map(|value| (value - centre).powi(2))
            .collect::<Vec<_>>(),
    )
    .sqrt()
}

/// The return of bar `index`; `None` for the first.
pub(super) fn bar_return(close: &[f64], index: usize) -> Option<f64> {
    let before = index.checked_sub(1)?;
    Some(close[index] / close[before] - 1.0)
}

/// The `count` values that end with `index`; `None` where there are fewer.
pub(super) fn trailing(values: &[f64], index: usize, count: usize) -> Option<&[f64]> {
    let first = (index + 1).checked_sub(count)?;
    Some(&values[first..=index])
}
