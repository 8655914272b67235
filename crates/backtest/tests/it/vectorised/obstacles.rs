//! What has no columns is refused by name, with the reason and what to do.

use sextant_backtest::vectorised::{self, Obstacle, VectorisedError};
use sextant_backtest::{
    AccountModel, BacktestConfig, BacktestError, CorporateActions, NullSink, SpreadSlippage,
    VolumeShareSlippage,
};
use sextant_domain::ports::Model;
use sextant_domain::{
    Contract, Currency, InstrumentRef, Intents, Margin, MarketData, MarketView, Multiplier, OrderRequest,
    OrderSize, Requirements, Settlement, Timeframe,
};
use sextant_engine::{EngineError, EngineParts};
use sextant_features::FeatureColumns;
use sextant_portfolio::BudgetedPortfolio;
use sextant_risk::{KillFlag, RiskLimits, RiskRules};
use sextant_testkit::{MarketBuilder, bars};

use crate::fixture::{Rule, Setup};

fn market() -> MarketData {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 30);
    MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .random("ACME", Timeframe::D1, &spans, 1)
        .build()
}

fn model(
    name: &'static str,
    decide: impl Fn(&MarketView<'_>, InstrumentRef, &mut Intents) + Send + 'static,
) -> Box<dyn Model> {
    let mut needs = Requirements::new();
    let acme = needs.trade("ACME");
    Box::new(Rule {
        name,
        needs,
        decide: move |view: &MarketView<'_>, out: &mut Intents| decide(view, acme, out),
    })
}

/// A model that has columns.
fn holder() -> Box<dyn Model> {
    model("Holder", |_, acme, out| out.target(acme, 0.5))
}

/// Equal budgets; a name that is there twice has one.
fn budgets(names: &[&str]) -> BudgetedPortfolio {
    let mut distinct = names.to_vec();
    distinct.dedup();
    BudgetedPortfolio::equal(&distinct, 0.0).unwrap()
}

fn outcome(
    models: Vec<Box<dyn Model>>,
    adjust: impl FnOnce(&mut BacktestConfig),
) -> Result<(), VectorisedError> {
    outcome_on(&market(), models, adjust)
}

fn outcome_on(
    market: &MarketData,
    models: Vec<Box<dyn Model>>,
    adjust: impl FnOnce(&mut BacktestConfig),
) -> Result<(), VectorisedError> {
    let mut config = Setup::plain("100000").config(market);
    adjust(&mut config);
    let names: Vec<String> = models.iter().map(|model| model.id().to_owned()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let parts = EngineParts {
        models,
        regime: None,
        portfolio: Box::new(budgets(&names)),
        risk: Box::new(RiskRules::new(RiskLimits::permissive(2.0), KillFlag::new()).unwrap()),
    };
    vectorised::run(market, &mut FeatureColumns::new(), parts, &config, &mut NullSink).map(|_| ())
}

fn obstacles(models: Vec<Box<dyn Model>>, adjust: impl FnOnce(&mut BacktestConfig)) -> Vec<Obstacle> {
    match outcome(models, adjust).unwrap_err() {
        VectorisedError::NotExpressible(obstacles) => obstacles,
        other => panic!("{other}"),
    }
}

#[test]
fn each_obstacle_is_named() {
    let named = |obstacles: Vec<Obstacle>, what: &str| {
        let [only] = obstacles.as_slice() else {
            panic!("{obstacles:?}")
        };
        assert!(only.what.contains(what), "{only}");
        assert!(
            !only.why.is_empty() && only.advice.contains("event engine"),
            "{only}"
        );
    };
    named(
        obstacles(vec![holder()], |config| {
            config.venue.participation = Some("0.1".parse().unwrap());
        }),
        "fills.participation is 0.1",
    );
    named(
        obstacles(vec![holder()], |config| {
            let share = VolumeShareSlippage::new("0.1".parse().unwrap(), "0.025".parse().unwrap());
            config.venue.slippage = Box::new(share.unwrap());
        }),
        "limits ACME to 0.025 of a bar's volume",
    );
    named(
        obstacles(vec![holder()], |config| {
            config.account = AccountModel {
                corporate_actions: CorporateActions::Listed {
                    covered: ["ACME".to_owned()].into(),
                    due: Vec::new(),
                },
                ..AccountModel::trades_only()
            };
        }),
        "the account has dividends, splits or delistings",
    );
}

#[test]
fn each_model_that_needs_more_is_named() {
    let looks = |name, look: fn(&MarketView<'_>, InstrumentRef) -> bool| {
        model(name, move |view, acme, out| {
            if view.bars_closed_enough() && look(view, acme) {
                out.target(acme, 0.5);
            }
        })
    };
    let found = obstacles(
        vec![
            looks("Position", |view, acme| view.position(acme) == 0.0),
            looks("News", |view, _| view.notices().is_empty()),
            looks("Account", |view, _| view.account().model_pnl >= 0.0),
            holder(),
            model("Orders", |_, acme, out| {
                out.order(OrderRequest::market(acme, OrderSize::ClosePosition));
            }),
        ],
        |config| config.venue.participation = Some("0.5".parse().unwrap()),
    );
    let said: Vec<_> = found.iter().map(|one| one.what.as_str()).collect();
    assert_eq!(said.len(), 5, "{said:?}");
    assert!(said[0].contains("participation"), "{said:?}");
    for (index, name) in ["Position", "News", "Account"].iter().enumerate() {
        let words = format!("model {name} looks at its account");
        assert!(
            found.iter().any(|one| one.what.contains(&words)),
            "{index} {said:?}"
        );
    }
    assert!(
        found
            .iter()
            .any(|one| one.what.contains("model Orders asks for an order"))
    );
}

/// Not every decision of these models looks; the fifth does.
trait Patience {
    fn bars_closed_enough(&self) -> bool;
}

impl Patience for MarketView<'_> {
    fn bars_closed_enough(&self) -> bool {
        self.as_of() >= bars::instant("2020-01-10")
    }
}

#[test]
fn one_message_lists_all() {
    let error = outcome(vec![holder()], |config| {
        config.venue.participation = Some("0.1".parse().unwrap());
        let share = VolumeShareSlippage::new("0.1".parse().unwrap(), "0.025".parse().unwrap());
        config.venue.slippage = Box::new(share.unwrap());
    });
    let words = error.unwrap_err().to_string();
    assert!(
        words.starts_with("the vectorised engine cannot express this run:\n  fills.participation is 0.1: "),
        "{words}"
    );
    assert_eq!(words.lines().count(), 3, "{words}");
}

#[test]
fn a_spread_is_no_obstacle() {
    let spread = SpreadSlippage::by_class(|_| "2".parse().unwrap()).unwrap();
    assert!(outcome(vec![holder()], |config| config.venue.slippage = Box::new(spread)).is_ok());
}

#[test]
fn what_stops_the_event_engine_stops_the_columns() {
    let weight = outcome(
        vec![model("Nan", |_, acme, out| out.target(acme, f64::NAN))],
        |_| (),
    );
    assert!(
        matches!(
            weight,
            Err(VectorisedError::Backtest(BacktestError::Engine(
                EngineError::Weight { .. }
            )))
        ),
        "{weight:?}"
    );
    let twice = outcome(vec![holder(), holder()], |_| ());
    assert!(twice.unwrap_err().to_string().contains("Holder"));
    let period = outcome(vec![holder()], |config| config.end = config.start);
    assert!(matches!(
        period,
        Err(VectorisedError::Backtest(BacktestError::Period { .. }))
    ));
    let empty = outcome(vec![holder()], |config| {
        config.start = "2021-01-01".parse().unwrap()
    });
    assert!(empty.is_err());
}

#[test]
fn terms_of_a_contract_are_named() {
    let spans = bars::daily_sessions(bars::instant("2020-01-06"), 30);
    let future = Contract {
        currency: Currency::EUR,
        multiplier: Multiplier::new("50".parse().unwrap()).unwrap(),
        settlement: Settlement::Daily,
        margin: Margin::OfNotional {
            initial: "0.1".parse().unwrap(),
            maintenance: "0.05".parse().unwrap(),
        },
    };
    let market = MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .contract(future)
        .random("ACME", Timeframe::D1, &spans, 1)
        .build();
    let words = outcome_on(&market, vec![holder()], |_| ())
        .unwrap_err()
        .to_string();
    let terms = "ACME has prices in EUR, while the account is in USD, a multiplier of 50, daily settlement, margin requirements: ";
    assert!(words.contains(terms), "{words}");
    assert_eq!(words.lines().count(), 2, "{words}");
}
