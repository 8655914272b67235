//! The whole chain looks at nothing later than its present: features, regimes, models, portfolio, risk, orders and what
//! happens to the account without them.

use std::collections::{BTreeMap, BTreeSet};

use sextant_backtest::{
    AccountAction, AccountModel, BacktestConfig, BorrowModel, BorrowRates, CorporateActionDue,
    CorporateActions, Costs, EndOfRun, FillConvention, FundingModel, FundingRate, InterestModel, MarginCall,
    MissingFunding, ProportionalCosts, VenueConfig, run,
};
use sextant_domain::ports::{DailyMark, FeatureSource, ResultSink};
use sextant_domain::{
    Cash, Currency, FeatureError, FeatureId, FeatureSpec, MarketData, Price, SeriesId, SplitRatio,
    StepRecord, UtcNanos,
};
use sextant_features::FeatureColumns;
use sextant_testkit::{Observed, assert_causal, check_look_ahead, cut_points, standard_market};

use crate::shipped::parts;

/// Everything decided in each step, and the state it was decided in.
#[derive(Default)]
struct Witness(Vec<(UtcNanos, Observed)>);

impl ResultSink for Witness {
    fn record(&mut self, step: &StepRecord) {
        let decided = (&step.regime, &step.regime_inputs, &step.intents, &step.targets);
        let limited = (&step.interventions, &step.orders, &step.refused, step.status);
        self.0.push((step.time, Observed::debug(&decided)));
        self.0.push((step.time, Observed::debug(&limited)));
        self.0.push((
            step.time,
            Observed::debug(&(&step.fills, step.equity, &step.model_pnl)),
        ));
        self.0
            .push((step.time, Observed::debug(&(&step.cash_events, &step.splits))));
    }

    fn mark(&mut self, mark: &DailyMark<'_>) {
        self.0.push((mark.time, Observed::debug(mark)));
    }
}

fn witness(
    market: &MarketData,
    features: &mut dyn FeatureSource,
    account: AccountModel,
) -> Vec<(UtcNanos, Observed)> {
    let costs = ProportionalCosts {
        commission_bps: "2".parse().unwrap(),
        slippage_bps: "3".parse().unwrap(),
    };
    let start: UtcNanos = "2018-01-20".parse().unwrap();
    let days = (1..400).map(|day| start.saturating_add(day * 86_400_000_000_000));
    let config = BacktestConfig {
        initial_capital: Cash::new("100000".parse().unwrap()),
        start,
        end: UtcNanos::MAX,
        venue: VenueConfig::simple(FillConvention::NextOpen, Costs::uniform(costs).unwrap()),
        account,
        at_end: EndOfRun::MarkToMarket,
        daily_marks: days.collect(),
    };
    let mut seen = Witness::default();
    run(market, features, parts(), &config, &mut seen).unwrap();
    seen.0
}

/// The end of the data is the end of the run, whose last mark is no decision; it is left out of the comparison.
fn without_end(mut outputs: Vec<(UtcNanos, Observed)>) -> Vec<(UtcNanos, Observed)> {
    outputs.pop();
    outputs
}

#[test]
fn nothing_in_the_chain_looks_ahead() {
    let market = standard_market(120, 11);
    let whole = witness(&market, &mut FeatureColumns::new(), AccountModel::trades_only());
    let text = whole.iter().map(|(_, seen)| seen.to_string()).collect::<String>();
    assert!(
        text.contains("OrderId(30)"),
        "the chain must trade for the proof to mean anything"
    );
    assert_causal(&market, &cut_points(&market, 50, 5), |market| {
        without_end(witness(
            market,
            &mut FeatureColumns::new(),
            AccountModel::trades_only(),
        ))
    });
}

/// An account to which everything happens, with dividends each week and a split each month.
fn eventful() -> AccountModel {
    let start: UtcNanos = "2018-01-01".parse().unwrap();
    let after = |days: i64| start.saturating_add(days * 86_400_000_000_000);
    let mut due = Vec::new();
    for symbol in ["SPY", "QQQ"] {
        let mut add = |day, action| {
            due.push(CorporateActionDue {
                symbol: symbol.to_owned(),
                time: after(day),
                action,
            });
        };
        for week in 0..20 {
            let per_share = Price::new("0.37".parse().unwrap());
            add(7 * week + 2, AccountAction::Dividend { per_share });
        }
        for month in 1..4 {
            add(30 * month, AccountAction::Split(SplitRatio::new(3, 2).unwrap()));
        }
    }
    let rates = (0..400).map(|eighth| FundingRate {
        time: start.saturating_add(eighth * 28_800_000_000_000),
        rate: "0.0001".parse().unwrap(),
    });
    AccountModel {
        currency: Currency::USD,
        margin_call: MarginCall::CloseAll,
        corporate_actions: CorporateActions::Listed {
            covered: BTreeSet::from(["SPY".to_owned(), "QQQ".to_owned()]),
            due,
        },
        borrow: BorrowModel::Pessimistic {
            rates: BorrowRates::default(),
            annual: "0.05".parse().unwrap(),
        },
        funding: FundingModel::Rates {
            by_symbol: BTreeMap::from([("BTC-USD".to_owned(), rates.collect())]),
            interval_nanos: 28_800_000_000_000,
            missing: MissingFunding::Stop,
        },
        margin_interest: InterestModel::Annual("0.08".parse().unwrap()),
        cash_interest: InterestModel::Annual("0.03".parse().unwrap()),
    }
}

#[test]
fn account_events_look_at_nothing_later() {
    let market = standard_market(120, 11);
    let whole = witness(&market, &mut FeatureColumns::new(), eventful());
    let text = whole.iter().map(|(_, seen)| seen.to_string()).collect::<String>();
    for kind in ["Dividend", "Funding", "CashInterest", "SplitPart"] {
        assert!(
            text.contains(kind),
            "{kind} must happen for the proof to mean anything"
        );
    }
    assert_causal(&market, &cut_points(&market, 20, 5), |market| {
        without_end(witness(market, &mut FeatureColumns::new(), eventful()))
    });
}

#[test]
fn corporate_actions_are_known_at_their_time() {
    let market = standard_market(120, 11);
    let whole = witness(&market, &mut FeatureColumns::new(), eventful());
    for cut in cut_points(&market, 8, 3) {
        let mut model = eventful();
        if let CorporateActions::Listed { due, .. } = &mut model.corporate_actions {
            due.retain(|one| one.time <= cut);
        }
        let known = witness(&market, &mut FeatureColumns::new(), model);
        let before = |seen: &[(UtcNanos, Observed)]| seen.iter().filter(|(time, _)| *time <= cut).count();
        let count = before(&whole);
        assert_eq!(before(&known), count);
        for (expected, found) in whole[..count].iter().zip(&known) {
            assert_eq!(expected.1.to_string(), found.1.to_string(), "at {}", expected.0);
        }
    }
}

/// A feature source that shows every value one bar early.
#[derive(Default)]
struct OneBarEarly {
    inner: FeatureColumns,
    shifted: Vec<(FeatureId, Vec<f64>)>,
}

impl FeatureSource for OneBarEarly {
    fn prepare(
        &mut self,
        spec: &FeatureSpec,
        inputs: &[SeriesId],
        market: &MarketData,
    ) -> Result<FeatureId, FeatureError> {
        let id = self.inner.prepare(spec, inputs, market)?;
        let mut column = self.inner.column(id).to_vec();
        column.rotate_left(1);
        self.shifted.push((id, column));
        Ok(id)
    }

    fn column(&self, id: FeatureId) -> &[f64] {
        &self.shifted.iter().find(|(known, _)| *known == id).unwrap().1
    }
}

#[test]
fn a_leaking_feature_is_caught() {
    let market = standard_market(120, 11);
    let report = check_look_ahead(&market, &cut_points(&market, 10, 5), |market| {
        without_end(witness(
            market,
            &mut OneBarEarly::default(),
            AccountModel::trades_only(),
        ))
    });
    assert!(!report.violations.is_empty());
}
