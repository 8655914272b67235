//! Running a model over a market with costs and limits that a test chooses.

use sextant_backtest::{
    AccountModel, BacktestConfig, BacktestError, Costs, EndOfRun, ExitActivation, FillConvention,
    IntrabarRule, ProportionalCosts, Recorder, RunOutcome, VenueConfig, run,
};
use sextant_domain::ports::{Model, ModelError, ResultSink};
use sextant_domain::{Cash, Intents, MarketData, MarketView, Requirements, UtcNanos};
use sextant_engine::{EngineParts, Scope};
use sextant_features::FeatureColumns;
use sextant_portfolio::BudgetedPortfolio;
use sextant_risk::{KillFlag, RiskLimits, RiskRules};

/// What a test decides about a run.
pub(crate) struct Setup {
    pub(crate) cash: &'static str,
    pub(crate) commission_bps: &'static str,
    pub(crate) slippage_bps: &'static str,
    pub(crate) fills: FillConvention,
    pub(crate) intrabar: IntrabarRule,
    pub(crate) exits: ExitActivation,
    pub(crate) participation: Option<&'static str>,
    pub(crate) latency_bars: usize,
    pub(crate) account: AccountModel,
    pub(crate) at_end: EndOfRun,
    pub(crate) limits: RiskLimits,
    pub(crate) no_trade_band: f64,
}

impl Setup {
    /// No costs, next open, wide limits.
    pub(crate) fn plain(cash: &'static str) -> Self {
        Self {
            cash,
            commission_bps: "0",
            slippage_bps: "0",
            fills: FillConvention::NextOpen,
            intrabar: IntrabarRule::Pessimistic,
            exits: ExitActivation::AtOnce,
            participation: None,
            latency_bars: 0,
            account: AccountModel::trades_only(),
            at_end: EndOfRun::MarkToMarket,
            limits: RiskLimits::permissive(2.0),
            no_trade_band: 0.0,
        }
    }

    pub(crate) fn config(&self, market: &MarketData) -> BacktestConfig {
        let views = market.series().iter().map(|series| series.bars.view().close_time);
        let last = views.filter_map(|times| times.last()).max().copied().unwrap();
        let mut marks: Vec<UtcNanos> = market.series()[0].bars.view().close_time.to_vec();
        marks.dedup();
        let costs = ProportionalCosts {
            commission_bps: self.commission_bps.parse().unwrap(),
            slippage_bps: self.slippage_bps.parse().unwrap(),
        };
        BacktestConfig {
            initial_capital: Cash::new(self.cash.parse().unwrap()),
            start: UtcNanos::MIN,
            end: last,
            venue: VenueConfig {
                intrabar: self.intrabar,
                exits: self.exits,
                participation: self.participation.map(|part| part.parse().unwrap()),
                latency_bars: self.latency_bars,
                ..VenueConfig::simple(self.fills, Costs::uniform(costs).unwrap())
            },
            account: self.account.clone(),
            at_end: self.at_end,
            daily_marks: marks,
        }
    }

    /// Runs models that share the budget equally.
    pub(crate) fn run(
        &self,
        market: &MarketData,
        models: Vec<Box<dyn Model>>,
    ) -> Result<(RunOutcome, Recorder), BacktestError> {
        self.run_with(&self.config(market), market, models)
    }

    /// The same, with what the setup has no field for.
    pub(crate) fn run_adjusted(
        &self,
        market: &MarketData,
        models: Vec<Box<dyn Model>>,
        adjust: impl FnOnce(&mut BacktestConfig),
    ) -> Result<(RunOutcome, Recorder), BacktestError> {
        let mut config = self.config(market);
        adjust(&mut config);
        self.run_with(&config, market, models)
    }

    /// The same with another configuration of the run.
    pub(crate) fn run_with(
        &self,
        config: &BacktestConfig,
        market: &MarketData,
        models: Vec<Box<dyn Model>>,
    ) -> Result<(RunOutcome, Recorder), BacktestError> {
        let mut recorder = Recorder::default();
        let outcome = self.run_into(config, market, models, &mut recorder)?;
        check_last_point(market, &outcome, &recorder);
        Ok((outcome, recorder))
    }

    /// The same into a sink of the test's choice.
    pub(crate) fn run_into(
        &self,
        config: &BacktestConfig,
        market: &MarketData,
        models: Vec<Box<dyn Model>>,
        sink: &mut dyn ResultSink,
    ) -> Result<RunOutcome, BacktestError> {
        let names: Vec<String> = models.iter().map(|model| model.id().to_owned()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let parts = EngineParts {
            models,
            regime: None,
            portfolio: Box::new(BudgetedPortfolio::equal(&names, self.no_trade_band).unwrap()),
            risk: Box::new(RiskRules::new(self.limits.clone(), KillFlag::new()).unwrap()),
        };
        run(market, &mut FeatureColumns::new(), parts, config, sink)
    }
}

/// The equity that models saw last is that of the exact books; with open positions up to the tick of their prices.
fn check_last_point(market: &MarketData, outcome: &RunOutcome, recorder: &Recorder) {
    let exact = outcome.ledger.exact_equity().unwrap().to_f64();
    let book = outcome.ledger.book(Scope::Portfolio);
    let held = market.instruments().iter().map(|(id, instrument)| {
        let tick: f64 = instrument.price_tick.try_into().unwrap();
        book.instrument(id).quantity().abs().to_f64() * tick
    });
    let tolerance = held.sum::<f64>() + 1e-9 * exact.abs().max(1.0);
    let (_, last) = recorder.equity.last().unwrap();
    assert!(
        (last.equity - exact).abs() <= tolerance,
        "the last step says {}, the books say {exact}",
        last.equity
    );
}

/// A model whose decision a test writes as a function.
pub(crate) struct Rule<F> {
    pub(crate) name: &'static str,
    pub(crate) needs: Requirements,
    pub(crate) decide: F,
}

impl<F> Model for Rule<F>
where
    F: FnMut(&MarketView<'_>, &mut Intents) + Send,
{
    fn id(&self) -> &str {
        self.name
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        (self.decide)(view, out);
        Ok(())
    }
}
