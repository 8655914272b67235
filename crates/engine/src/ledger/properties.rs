//! The books of random accounts: fills, splits and income in any order.

use proptest::prelude::*;
use rust_decimal::Decimal;
use sextant_domain::ports::AccountSource;
use sextant_domain::{
    Allocation, AssetClass, Cash, CashEvent, CashKind, Contract, Currency, CurrencyId, Fill, Instrument,
    InstrumentId, InstrumentTable, ModelId, Multiplier, OrderId, Price, Quantity, SplitEvent, SplitPart,
    SplitRatio, Timeframe, UtcNanos,
};

use super::{Ledger, LedgerError, Scope};

const MODELS: usize = 3;
const ACME: usize = 0;

/// One thing that happens to the account.
#[derive(Debug, Clone)]
enum Act {
    /// Units by model, cents per unit, cents of commission.
    Trade([i64; MODELS], i64, i64),
    /// New shares for old ones.
    Split(u32, u32),
    /// A kind and cents by model.
    Cash(usize, [i64; MODELS]),
    /// A new last price in cents.
    Mark(i64),
}

fn act() -> impl Strategy<Value = Act> {
    let units = || [-60i64..60, -60i64..60, -60i64..60];
    prop_oneof![
        4 => (units(), 1i64..100_000, 0i64..500).prop_map(|(units, price, fee)| Act::Trade(units, price, fee)),
        2 => (1u32..12, 1u32..12).prop_map(|(new, old)| Act::Split(new, old)),
        1 => (0usize..CashKind::VariationMargin.index(), units()).prop_map(|(kind, cents)| Act::Cash(kind, cents)),
        1 => (1i64..100_000).prop_map(Act::Mark),
    ]
}

fn multiplier() -> impl Strategy<Value = Multiplier> {
    let factors = prop::sample::select(vec!["1", "50", "0.1"]);
    factors.prop_map(|factor| Multiplier::new(factor.parse().unwrap()).unwrap())
}

fn cents(value: i64) -> Decimal {
    Decimal::new(value, 2)
}

fn ledger(multiplier: Multiplier) -> Ledger {
    ledger_of(MODELS, multiplier)
}

fn ledger_of(models: usize, multiplier: Multiplier) -> Ledger {
    let acme = Instrument {
        symbol: "ACME".to_owned(),
        class: AssetClass::Equity,
        execution: Timeframe::D1,
        price_tick: cents(1),
        lot_size: Decimal::ONE,
        contract: Contract {
            multiplier,
            ..Contract::paid_in(Currency::USD)
        },
    };
    let mut ledger = Ledger::new(
        Cash::new(1_000_000.into()),
        Currency::USD,
        models,
        &InstrumentTable::new(vec![acme]).unwrap(),
    )
    .unwrap();
    ledger.set_price(InstrumentId::from_index(ACME), 100.0);
    ledger
}

fn by_model<T>(values: [i64; MODELS], make: impl Fn(ModelId, i64) -> T) -> Vec<T> {
    let models = values.into_iter().enumerate();
    models
        .map(|(model, value)| make(ModelId::from_index(model), value))
        .collect()
}

fn fill(units: [i64; MODELS], price: i64, fee: i64) -> Fill {
    let price = Price::new(cents(price));
    Fill {
        order: OrderId::from_index(1),
        instrument: InstrumentId::from_index(ACME),
        time: UtcNanos::from_nanos(1),
        quantity: Quantity::new(units.iter().sum::<i64>().into()),
        price,
        reference_price: price,
        fee: Cash::new(cents(fee)),
        impact: Cash::ZERO,
        slippage: Cash::ZERO,
        allocations: by_model(units, |model, units| Allocation {
            model,
            quantity: Quantity::new(units.into()),
        }),
    }
}

/// Fractions are paid at the last price, so that nothing is gained or lost.
fn split(ledger: &Ledger, ratio: SplitRatio, multiplier: Multiplier) -> SplitEvent {
    let instrument = InstrumentId::from_index(ACME);
    let old_price = ledger.exact_price(instrument).unwrap();
    let part = |model| {
        let held = ledger.model_position(model, instrument);
        let quantity = ratio.position(held, Decimal::ONE).unwrap();
        let left = multiplier
            .times(ratio.value(old_price, quantity).unwrap())
            .unwrap();
        SplitPart {
            model,
            quantity,
            cash_in_lieu: multiplier.value(old_price, held).unwrap().minus(left).unwrap(),
        }
    };
    SplitEvent {
        time: UtcNanos::from_nanos(1),
        instrument,
        ratio,
        old_price,
        parts: (0..MODELS).map(ModelId::from_index).map(part).collect(),
    }
}

fn cash_event(kind: usize, amounts: [i64; MODELS]) -> CashEvent {
    CashEvent {
        time: UtcNanos::from_nanos(1),
        instrument: Some(InstrumentId::from_index(ACME)),
        kind: CashKind::ALL[kind],
        currency: Currency::USD,
        amounts: by_model(amounts, |model, amount| (model, Cash::new(cents(amount)))),
    }
}

/// What the account should hold, kept without lots.
#[derive(Debug, Clone)]
struct Plain {
    multiplier: Multiplier,
    cash: Cash,
    units: [Quantity; MODELS],
    is_marked: bool,
}

impl Plain {
    fn apply(&mut self, act: &Act, ledger: &mut Ledger) {
        match act {
            // A fill trades something.
            Act::Trade(units, ..) if *units == [0; MODELS] => {}
            Act::Trade(units, price, fee) => {
                let fill = fill(*units, *price, *fee);
                ledger.post(&fill).unwrap();
                let paid = self.multiplier.value(fill.price, fill.quantity).unwrap();
                let paid = paid.plus(fill.fee).unwrap();
                self.cash = self.cash.minus(paid).unwrap();
                for (held, one) in self.units.iter_mut().zip(&fill.allocations) {
                    *held = held.plus(one.quantity).unwrap();
                }
            }
            Act::Split(new, old) => {
                // A second split before the next price would be paid at a rounded price.
                if !std::mem::take(&mut self.is_marked) {
                    return;
                }
                let event = split(ledger, SplitRatio::new(*new, *old).unwrap(), self.multiplier);
                let before = ledger.exact_equity().unwrap();
                ledger.post_split(&event).unwrap();
                assert_eq!(ledger.exact_equity().unwrap(), before);
                for (held, part) in self.units.iter_mut().zip(&event.parts) {
                    *held = part.quantity;
                    self.cash = self.cash.plus(part.cash_in_lieu).unwrap();
                }
            }
            Act::Cash(kind, amounts) => {
                let event = cash_event(*kind, *amounts);
                ledger.post_cash(&event).unwrap();
                self.cash = self.cash.plus(event.total().unwrap()).unwrap();
            }
            Act::Mark(price) => {
                ledger.set_price(InstrumentId::from_index(ACME), *price as f64 / 100.0);
                self.is_marked = true;
            }
        }
    }
}

/// An act of the first model, in a ledger of several models and in one of its own.
fn apply_to_both(act: &Act, (several, alone): (&mut Ledger, &mut Ledger), multiplier: Multiplier) {
    match act {
        Act::Trade([0, ..], ..) => {}
        Act::Trade([units, ..], price, fee) => {
            let mut fill = fill([*units, 0, 0], *price, *fee);
            several.post(&fill).unwrap();
            fill.allocations.truncate(1);
            alone.post(&fill).unwrap();
        }
        Act::Split(new, old) => {
            let mut event = split(several, SplitRatio::new(*new, *old).unwrap(), multiplier);
            several.post_split(&event).unwrap();
            event.parts.truncate(1);
            alone.post_split(&event).unwrap();
        }
        Act::Cash(kind, [amount, ..]) => {
            let mut event = cash_event(*kind, [*amount, 0, 0]);
            several.post_cash(&event).unwrap();
            event.amounts.truncate(1);
            alone.post_cash(&event).unwrap();
        }
        Act::Mark(price) => {
            let id = InstrumentId::from_index(ACME);
            several.set_price(id, *price as f64 / 100.0);
            alone.set_prices(std::iter::once((id, *price as f64 / 100.0)));
        }
    }
}

fn sum(values: impl Iterator<Item = Cash>) -> Cash {
    values.fold(Cash::ZERO, |sum, one| sum.plus(one).unwrap())
}

#[test]
fn a_part_that_is_not_the_whole_fill_is_a_defect() {
    let mut ledger = ledger_of(1, Multiplier::ONE);
    let mut wrong = fill([5, 0, 0], 100, 0);
    wrong.allocations.truncate(1);
    wrong.quantity = Quantity::new(6.into());
    let refused = ledger.post(&wrong).unwrap_err();
    assert!(
        matches!(refused, LedgerError::OutOfBalance { what: "model", .. }),
        "{refused}"
    );
}

#[test]
fn a_part_of_a_model_that_is_not_there_is_a_defect() {
    let mut wrong = fill([5, 0, 0], 100, 0);
    wrong.allocations.truncate(1);
    ledger_of(1, Multiplier::ONE).post(&wrong).unwrap();
    wrong.allocations[0].model = ModelId::from_index(1);
    let refused = ledger_of(1, Multiplier::ONE).post(&wrong).unwrap_err();
    assert!(
        matches!(refused, LedgerError::OutOfBalance { what: "model", .. }),
        "{refused}"
    );
}

#[test]
#[should_panic(expected = "no book of another")]
fn income_of_a_model_that_is_not_there_is_a_defect() {
    let mut wrong = cash_event(0, [5, 0, 0]);
    wrong.amounts.truncate(1);
    wrong.amounts[0].0 = ModelId::from_index(1);
    let _ = ledger_of(1, Multiplier::ONE).post_cash(&wrong);
}

proptest! {
    /// A single model shares the portfolio's book; nobody can tell.
    #[test]
    fn a_single_model_has_the_books_it_has_beside_idle_ones(
        acts in prop::collection::vec(act(), 1..60), multiplier in multiplier(),
    ) {
        let (mut several, mut alone) = (ledger(multiplier), ledger_of(1, multiplier));
        let model = Scope::Model(ModelId::from_index(0));
        for act in &acts {
            apply_to_both(act, (&mut several, &mut alone), multiplier);
            for scope in [Scope::Portfolio, model] {
                prop_assert_eq!(several.pnl(scope).unwrap(), alone.pnl(scope).unwrap());
                prop_assert_eq!(several.book(scope).trades(), alone.book(scope).trades());
            }
            prop_assert_eq!(several.equity_point(), alone.equity_point());
            prop_assert_eq!(several.model_pnl(ModelId::from_index(0)), alone.model_pnl(ModelId::from_index(0)));
            prop_assert_eq!(several.cash(Currency::USD).unwrap(), alone.cash(Currency::USD).unwrap());
        }
    }

    #[test]
    fn books_balance_after_every_event(acts in prop::collection::vec(act(), 1..60), multiplier in multiplier()) {
        let mut ledger = ledger(multiplier);
        let mut plain = Plain {
            multiplier,
            cash: ledger.initial(),
            units: [Quantity::ZERO; MODELS],
            is_marked: true,
        };
        let instrument = InstrumentId::from_index(ACME);
        for act in &acts {
            plain.apply(act, &mut ledger);
            // The books agree with an account kept without lots.
            prop_assert_eq!(ledger.cash(Currency::USD).unwrap(), plain.cash);
            for (model, held) in plain.units.iter().enumerate() {
                prop_assert_eq!(ledger.model_position(ModelId::from_index(model), instrument), *held);
            }
            // Models add up to the portfolio.
            let models = (0..MODELS).map(|model| ledger.pnl(Scope::Model(ModelId::from_index(model))).unwrap());
            prop_assert_eq!(sum(models), ledger.pnl(Scope::Portfolio).unwrap());
            // Cash and positions are equity, in both worlds.
            let equity = ledger.exact_equity().unwrap();
            let value = equity.minus(plain.cash).unwrap().to_f64();
            let point = ledger.equity_point();
            // Until the next price, a price from before a split and each model's value at it are rounded to ten decimals in
            // the exact world, before the multiplier.
            let held: f64 = plain.units.iter().map(|units| units.to_f64().abs()).sum();
            let rounded = 1e-10 * (held + MODELS as f64) * multiplier.to_f64();
            prop_assert!((point.net - value).abs() <= rounded + 1e-9 * value.abs().max(1.0));
            let tolerance = rounded + 1e-9 * equity.to_f64().abs().max(1.0);
            prop_assert!((point.equity - equity.to_f64()).abs() <= tolerance);
        }
    }

    /// Units and price change by the same ratio, and fractions are paid for what they were worth.
    #[test]
    fn a_split_leaves_equity_unchanged(
        acts in prop::collection::vec(act(), 0..40), price in 1i64..100_000, new in 1u32..12, old in 1u32..12,
        multiplier in multiplier(),
    ) {
        let mut ledger = ledger(multiplier);
        let mut plain = Plain {
            multiplier,
            cash: ledger.initial(),
            units: [Quantity::ZERO; MODELS],
            is_marked: true,
        };
        for act in acts.iter().chain(&[Act::Mark(price)]) {
            plain.apply(act, &mut ledger);
        }
        let before = ledger.exact_equity().unwrap();
        plain.apply(&Act::Split(new, old), &mut ledger);
        prop_assert_eq!(ledger.exact_equity().unwrap(), before);
    }

    /// Trades of a book that a split has converted earn what an account without lots earns.
    #[test]
    fn closed_trades_add_up_over_splits(acts in prop::collection::vec(act(), 1..40), multiplier in multiplier()) {
        let mut ledger = ledger(multiplier);
        let mut plain = Plain {
            multiplier,
            cash: ledger.initial(),
            units: [Quantity::ZERO; MODELS],
            is_marked: true,
        };
        for act in &acts {
            plain.apply(act, &mut ledger);
        }
        let out = plain.units.map(|held| i64::try_from(-held.decimal().trunc().mantissa()).unwrap());
        plain.apply(&Act::Trade(out, 5_000, 0), &mut ledger);
        for model in (0..MODELS).map(ModelId::from_index) {
            let book = ledger.book(Scope::Model(model));
            let net = sum(book.trades().iter().map(|trade| trade.net));
            prop_assert_eq!(net.plus(book.totals(CurrencyId::OWN).income()).unwrap(), ledger.pnl(Scope::Model(model)).unwrap());
        }
    }
}
