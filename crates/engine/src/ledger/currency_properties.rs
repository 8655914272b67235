//! The books of random accounts over three currencies, with multipliers and daily settlement.

use proptest::prelude::*;
use rust_decimal::Decimal;
use sextant_domain::ports::AccountSource;
use sextant_domain::{
    Allocation, AssetClass, Cash, CashEvent, CashKind, Contract, Currency, Fill, Instrument, InstrumentId,
    InstrumentTable, Margin, ModelId, Multiplier, OrderId, Price, Quantity, Timeframe, UtcNanos,
};

use super::{Ledger, Scope};

/// The most models of an account; one alone shares the portfolio's book.
const MODELS: usize = 2;
const CURRENCIES: [Currency; 3] = [Currency::USD, Currency::EUR, Currency::JPY];
const START: i64 = 1_000_000;

/// One thing that happens to the account.
#[derive(Debug, Clone)]
enum Act {
    /// An instrument, units by model, ticks of price, ticks of fee.
    Trade(usize, [i64; MODELS], i64, i64),
    /// An instrument, ticks of price.
    Mark(usize, i64),
    /// What is settled daily is settled at its last price.
    Settle,
    /// A currency, amounts by model in hundredths.
    Interest(usize, [i64; MODELS]),
}

fn act() -> impl Strategy<Value = Act> {
    let units = || [-60i64..60, -60i64..60];
    prop_oneof![
        4 => (0usize..6, units(), 500i64..2_000, 0i64..500).prop_map(|(which, units, price, fee)| Act::Trade(which, units, price, fee)),
        4 => (0usize..6, 500i64..2_000).prop_map(|(which, price)| Act::Mark(which, price)),
        1 => Just(Act::Settle),
        1 => (0usize..3, units()).prop_map(|(which, amounts)| Act::Interest(which, amounts)),
    ]
}

/// What happens to an account of one model or of two.
fn acts() -> impl Strategy<Value = (usize, Vec<Act>)> {
    (1..=MODELS).prop_flat_map(|count| (Just(count), acts_of(count)))
}

/// Models that are not among the first ones do nothing.
fn acts_of(count: usize) -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 1..60).prop_map(move |mut acts| {
        for act in &mut acts {
            if let Act::Trade(_, of_models, ..) | Act::Interest(_, of_models) = act {
                of_models[count..].fill(0);
            }
        }
        acts
    })
}

fn hundredths(value: i64) -> Decimal {
    Decimal::new(value, 2)
}

fn id(index: usize) -> InstrumentId {
    InstrumentId::from_index(index)
}

fn models(count: usize) -> impl Iterator<Item = ModelId> {
    (0..count).map(ModelId::from_index)
}

/// A share in dollars, a future in euros, a future and an option-like contract in yen, and the pairs.
fn instruments() -> Vec<Instrument> {
    let times = |text: &str| Multiplier::new(text.parse().unwrap()).unwrap();
    let paid = |currency, multiplier| Contract {
        multiplier,
        ..Contract::paid_in(currency)
    };
    let contracts = [
        ("ACME", AssetClass::Equity, paid(Currency::USD, Multiplier::ONE)),
        (
            "STOXX",
            AssetClass::Equity,
            Contract::future(Currency::EUR, times("50"), Margin::None),
        ),
        (
            "NIKKEI",
            AssetClass::Equity,
            Contract::future(Currency::JPY, times("0.5"), Margin::None),
        ),
        ("OPTION", AssetClass::Equity, paid(Currency::JPY, times("100"))),
        ("EURUSD", AssetClass::Fx, paid(Currency::USD, Multiplier::ONE)),
        ("USDJPY", AssetClass::Fx, paid(Currency::JPY, Multiplier::ONE)),
    ];
    let instrument = |(symbol, class, contract): (&str, _, _)| Instrument {
        symbol: symbol.to_owned(),
        class,
        execution: Timeframe::D1,
        price_tick: hundredths(1),
        lot_size: Decimal::ONE,
        contract,
    };
    contracts.map(instrument).to_vec()
}

fn ledger(count: usize, currency: Currency, instruments: Vec<Instrument>) -> Ledger {
    let table = InstrumentTable::new(instruments).unwrap();
    let mut ledger = Ledger::new(Cash::new(START.into()), currency, count, &table).unwrap();
    for (id, _) in table.iter() {
        ledger.set_price(id, 10.0);
    }
    ledger
}

fn by_model<T>(count: usize, values: [i64; MODELS], make: impl Fn(ModelId, i64) -> T) -> Vec<T> {
    models(count)
        .zip(values)
        .map(|(model, value)| make(model, value))
        .collect()
}

fn fill(count: usize, (which, units): (usize, [i64; MODELS]), price: Decimal, fee: i64) -> Fill {
    Fill {
        order: OrderId::from_index(1),
        instrument: id(which),
        time: UtcNanos::from_nanos(1),
        quantity: Quantity::new(units.iter().sum::<i64>().into()),
        price: Price::new(price),
        reference_price: Price::new(price),
        fee: Cash::new(hundredths(fee)),
        slippage: Cash::ZERO,
        impact: Cash::ZERO,
        allocations: by_model(count, units, |model, units| Allocation {
            model,
            quantity: Quantity::new(units.into()),
        }),
    }
}

/// Pays what every daily settled position has gained since it was settled last.
fn settle(count: usize, ledger: &mut Ledger, instruments: &[Instrument]) {
    for (index, one) in instruments.iter().enumerate() {
        if one.contract.settlement != sextant_domain::Settlement::Daily {
            continue;
        }
        let price = ledger.exact_price(id(index)).unwrap();
        let gained = |model| {
            let value = one
                .contract
                .multiplier
                .value(price, ledger.model_position(model, id(index)));
            (
                model,
                value
                    .unwrap()
                    .minus(ledger.settled_value(model, id(index)))
                    .unwrap(),
            )
        };
        let event = CashEvent {
            time: UtcNanos::from_nanos(1),
            instrument: Some(id(index)),
            kind: CashKind::VariationMargin,
            currency: one.contract.currency,
            amounts: models(count).map(gained).collect(),
        };
        ledger.post_cash(&event).unwrap();
        // Nothing is left of a position that has just been settled.
        let left = models(count).map(|model| {
            let value = one
                .contract
                .multiplier
                .value(price, ledger.model_position(model, id(index)));
            value
                .unwrap()
                .minus(ledger.settled_value(model, id(index)))
                .unwrap()
        });
        assert!(sum(left).is_zero());
    }
}

fn apply(count: usize, ledger: &mut Ledger, act: &Act, instruments: &[Instrument]) {
    match act {
        Act::Trade(_, units, ..) if *units == [0; MODELS] => {}
        Act::Trade(which, units, price, fee) => {
            ledger
                .post(&fill(count, (*which, *units), hundredths(*price), *fee))
                .unwrap();
        }
        Act::Mark(which, price) => ledger.set_price(id(*which), *price as f64 / 100.0),
        Act::Settle => settle(count, ledger, instruments),
        Act::Interest(which, amounts) => {
            let event = CashEvent {
                time: UtcNanos::from_nanos(1),
                instrument: None,
                kind: CashKind::CashInterest,
                currency: CURRENCIES[*which],
                amounts: by_model(count, *amounts, |model, amount| {
                    (model, Cash::new(hundredths(amount)))
                }),
            };
            ledger.post_cash(&event).unwrap();
        }
    }
}

fn sum(values: impl Iterator<Item = Cash>) -> Cash {
    values.fold(Cash::ZERO, |sum, one| sum.plus(one).unwrap())
}

/// What has been gained in each currency, kept without books: payments for trades, fees and interest, and units.
#[derive(Default)]
struct Plain {
    flow: [Decimal; 3],
    units: [Decimal; 6],
}

impl Plain {
    fn apply(&mut self, act: &Act, instruments: &[Instrument]) {
        let currency = |which: usize| {
            let currency = instruments[which].contract.currency;
            CURRENCIES.iter().position(|one| *one == currency).unwrap()
        };
        match act {
            Act::Trade(which, units, price, fee) if *units != [0; MODELS] => {
                let units = Decimal::from(units.iter().sum::<i64>());
                let multiplier = instruments[*which].contract.multiplier.decimal();
                self.flow[currency(*which)] -= units * hundredths(*price) * multiplier + hundredths(*fee);
                self.units[*which] += units;
            }
            Act::Interest(which, amounts) => self.flow[*which] += hundredths(amounts.iter().sum()),
            _ => {}
        }
    }

    /// Cash and positions of a currency.
    fn net(&self, currency: usize, ledger: &Ledger, instruments: &[Instrument]) -> Decimal {
        let quoted = instruments.iter().enumerate();
        let quoted = quoted.filter(|(_, one)| one.contract.currency == CURRENCIES[currency]);
        let values = quoted.map(|(index, one)| {
            let price = ledger.exact_price(id(index)).unwrap().decimal();
            self.units[index] * price * one.contract.multiplier.decimal()
        });
        self.flow[currency] + values.sum::<Decimal>()
    }
}

proptest! {
    #[test]
    fn every_currency_balances_after_every_event((count, acts) in acts()) {
        let instruments = instruments();
        let (mut ledger, mut plain) = (ledger(count, Currency::USD, instruments.clone()), Plain::default());
        for act in &acts {
            apply(count, &mut ledger, act, &instruments);
            plain.apply(act, &instruments);
            // Each currency is exact: cash and positions are what an account without books holds.
            let balances = ledger.balances().unwrap();
            for (index, currency) in CURRENCIES.iter().enumerate() {
                let balance = balances.iter().find(|one| one.currency == *currency).unwrap();
                let initial = if index == 0 { Decimal::from(START) } else { Decimal::ZERO };
                let net = balance.cash.plus(balance.positions).unwrap().decimal();
                prop_assert_eq!(net, plain.net(index, &ledger, &instruments) + initial);
                let models = sum(models(count).map(|model| ledger.model_cash(model, *currency).unwrap()));
                prop_assert_eq!(models.decimal() + initial, balance.cash.decimal());
            }
            // Together they are equity, and the models' profits are the portfolio's, to the last digit.
            let equity = ledger.exact_equity().unwrap();
            prop_assert_eq!(sum(balances.iter().map(|one| one.value)), equity);
            let pnl = sum(models(count).map(|model| ledger.pnl(Scope::Model(model)).unwrap()));
            prop_assert_eq!(pnl, ledger.pnl(Scope::Portfolio).unwrap());
            // The research world agrees.
            let point = ledger.equity_point();
            let scale = point.gross + point.cash.abs() + 1.0;
            prop_assert!((point.equity - equity.to_f64()).abs() <= 1e-9 * scale, "{} {equity}", point.equity);
            let mirrored: f64 = models(count).map(|model| ledger.model_pnl(model)).sum();
            prop_assert!((mirrored - pnl.to_f64()).abs() <= 1e-9 * scale);
        }
    }

    /// A single model shares the portfolio's book; nobody can tell.
    #[test]
    fn a_single_model_has_the_balances_it_has_beside_an_idle_one(acts in acts_of(1)) {
        let instruments = instruments();
        let [mut alone, mut several] = [1, 2].map(|count| ledger(count, Currency::USD, instruments.clone()));
        let model = ModelId::from_index(0);
        for act in &acts {
            apply(1, &mut alone, act, &instruments);
            apply(2, &mut several, act, &instruments);
            prop_assert_eq!(alone.balances().unwrap(), several.balances().unwrap());
            prop_assert_eq!(alone.equity_point(), several.equity_point());
            prop_assert_eq!(alone.model_pnl(model), several.model_pnl(model));
            for scope in [Scope::Portfolio, Scope::Model(model)] {
                prop_assert_eq!(alone.pnl(scope).unwrap(), several.pnl(scope).unwrap());
            }
            for index in 0..instruments.len() {
                prop_assert_eq!(alone.settled_value(model, id(index)), several.settled_value(model, id(index)));
            }
            for currency in CURRENCIES {
                let cash = |ledger: &Ledger| ledger.model_cash(model, currency).unwrap();
                prop_assert_eq!(cash(&alone), cash(&several));
            }
        }
    }

    /// A change of a rate is all that happens to an account that does not hold the pair, and nothing else is a gain of rates.
    #[test]
    fn gains_of_rates_are_told_from_those_of_prices((count, acts) in acts()) {
        let instruments = instruments();
        let mut ledger = ledger(count, Currency::USD, instruments.clone());
        let gains = |ledger: &Ledger| sum(ledger.balances().unwrap().iter().map(|one| one.rate_gain));
        for act in &acts {
            let (equity, gained) = (ledger.exact_equity().unwrap(), gains(&ledger));
            apply(count, &mut ledger, act, &instruments);
            let of_rates = gains(&ledger).minus(gained).unwrap();
            let change = ledger.exact_equity().unwrap().minus(equity).unwrap();
            let holds_euros = models(count).any(|model| ledger.model_units(model)[4] != 0.0);
            match act {
                Act::Mark(4, _) if !holds_euros => prop_assert_eq!(of_rates, change),
                Act::Mark(4 | 5, _) => {}
                _ => prop_assert!(of_rates.is_zero()),
            }
        }
    }

    /// A contract at a multiplier of m is a share at m times its price, whether it is settled daily or paid in full.
    #[test]
    fn a_multiplier_is_a_larger_price(
        (count, acts) in acts(),
        factor in prop::sample::select(vec![2i64, 5, 50, 1_000]),
        is_future in any::<bool>(),
    ) {
        let multiplier = Multiplier::new(factor.into()).unwrap();
        let contract = if is_future {
            Contract::future(Currency::USD, multiplier, Margin::None)
        } else {
            Contract { multiplier, ..Contract::paid_in(Currency::USD) }
        };
        let share = Instrument { contract: Contract::paid_in(Currency::USD), ..instruments().remove(0) };
        let contracts = vec![Instrument { contract, ..share.clone() }];
        let (mut one, mut other) = (ledger(count, Currency::USD, contracts.clone()), ledger(count, Currency::USD, vec![share.clone()]));
        other.set_price(id(0), 10.0 * factor as f64);
        for act in &acts {
            match act {
                Act::Trade(_, units, price, fee) if *units != [0; MODELS] => {
                    one.post(&fill(count, (0, *units), hundredths(*price), *fee)).unwrap();
                    other.post(&fill(count, (0, *units), hundredths(*price * factor), *fee)).unwrap();
                }
                Act::Mark(_, price) => {
                    one.set_price(id(0), *price as f64 / 100.0);
                    other.set_price(id(0), (*price * factor) as f64 / 100.0);
                }
                Act::Settle => settle(count, &mut one, &contracts),
                _ => {}
            }
            prop_assert_eq!(one.exact_equity().unwrap(), other.exact_equity().unwrap());
            for model in models(count) {
                prop_assert_eq!(one.pnl(Scope::Model(model)).unwrap(), other.pnl(Scope::Model(model)).unwrap());
            }
        }
    }

    /// The same account gains the same, whatever currency it counts in.
    #[test]
    fn another_account_currency_gives_the_same_gains((count, acts) in acts()) {
        let instruments = instruments();
        let [mut dollars, mut euros] = [Currency::USD, Currency::EUR].map(|own| ledger(count, own, instruments.clone()));
        for act in &acts {
            apply(count, &mut dollars, act, &instruments);
            apply(count, &mut euros, act, &instruments);
            let rate = dollars.price(id(4));
            let scale = dollars.equity_point().gross + dollars.equity_point().cash.abs() + 1.0;
            for scope in [Scope::Portfolio, Scope::Model(ModelId::from_index(count - 1))] {
                let in_dollars = dollars.pnl(scope).unwrap().to_f64();
                let in_euros = euros.pnl(scope).unwrap().to_f64();
                prop_assert!((in_dollars - in_euros * rate).abs() <= 1e-9 * scale, "{in_dollars} {in_euros} {rate}");
            }
        }
    }
}
