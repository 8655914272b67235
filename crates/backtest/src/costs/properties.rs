//! Properties of every cost model over random trades and parameters.
#![allow(clippy::unwrap_used)]

use std::fmt;

use proptest::prelude::*;
use rust_decimal::Decimal;
use sextant_domain::{Price, Quantity};

use super::test_support::Sample;
use super::{
    Costs, FeeModel, FeeTier, Liquidity, MakerTakerFee, PerShareFee, ProportionalCosts, SlippageModel,
    SpreadSlippage, SquareRootImpact, SumOfSlippage, Trade, VolumeShareSlippage,
};

fn hundredths(range: std::ops::RangeInclusive<i64>) -> impl Strategy<Value = Decimal> {
    range.prop_map(|value| Decimal::new(value, 2))
}

fn proportional() -> impl Strategy<Value = Costs> {
    (hundredths(0..=100_000), hundredths(0..=100_000)).prop_map(|(commission_bps, slippage_bps)| {
        let costs = ProportionalCosts {
            commission_bps,
            slippage_bps,
        };
        Costs::uniform(costs).unwrap()
    })
}

fn spread() -> impl Strategy<Value = SpreadSlippage> {
    hundredths(0..=100_000).prop_map(|rate| SpreadSlippage::by_class(|_| rate).unwrap())
}

fn volume_share() -> impl Strategy<Value = VolumeShareSlippage> {
    (hundredths(0..=1000), hundredths(1..=100))
        .prop_map(|(impact, limit)| VolumeShareSlippage::new(impact, limit).unwrap())
}

fn square_root() -> impl Strategy<Value = SquareRootImpact> {
    (0.01_f64..10.0, 3_usize..12, hundredths(1..=100_000))
        .prop_map(|(coefficient, window, rate)| SquareRootImpact::new(coefficient, window, rate).unwrap())
}

/// A model of any kind, with the text that stands for it when a property fails.
struct Any<M: ?Sized> {
    model: Box<M>,
    text: String,
}

impl<M: ?Sized> fmt::Debug for Any<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn any_slippage(model: impl SlippageModel + fmt::Debug + 'static) -> Any<dyn SlippageModel> {
    Any {
        text: format!("{model:?}"),
        model: Box::new(model),
    }
}

fn any_fee(model: impl FeeModel + fmt::Debug + 'static) -> Any<dyn FeeModel> {
    Any {
        text: format!("{model:?}"),
        model: Box::new(model),
    }
}

/// A slippage model of any kind, a sum of two among them.
fn slippage() -> impl Strategy<Value = Any<dyn SlippageModel>> {
    let sum = (spread(), square_root()).prop_map(|(spread, impact)| -> Any<dyn SlippageModel> {
        let text = format!("{spread:?} + {impact:?}");
        let sum = SumOfSlippage::new(vec![Box::new(spread), Box::new(impact)]).unwrap();
        Any {
            text,
            model: Box::new(sum),
        }
    });
    prop_oneof![
        proportional().prop_map(any_slippage),
        spread().prop_map(any_slippage),
        volume_share().prop_map(any_slippage),
        square_root().prop_map(any_slippage),
        sum,
    ]
}

fn maker_taker(maker_bps: std::ops::RangeInclusive<i64>) -> impl Strategy<Value = MakerTakerFee> {
    let rates = (hundredths(maker_bps), hundredths(0..=100_000));
    proptest::collection::vec(rates, 1..5).prop_map(|rates| {
        let tiers = rates
            .into_iter()
            .enumerate()
            .map(|(index, (maker_bps, taker_bps))| FeeTier {
                from_value_30d: index as f64 * 1e6,
                maker_bps,
                taker_bps,
            });
        MakerTakerFee::new(tiers.collect()).unwrap()
    })
}

fn per_share() -> impl Strategy<Value = PerShareFee> {
    (hundredths(0..=100), hundredths(0..=1000), hundredths(1..=100))
        .prop_map(|(rate, least, cap)| PerShareFee::new(rate, least, cap).unwrap())
}

/// A fee model that pays no rebates.
fn fee() -> impl Strategy<Value = Any<dyn FeeModel>> {
    prop_oneof![
        proportional().prop_map(any_fee),
        per_share().prop_map(any_fee),
        maker_taker(0..=100_000).prop_map(any_fee),
    ]
}

/// A share whose history has from none to a dozen bars, some without volume.
fn sample() -> impl Strategy<Value = Sample> {
    let volume = prop_oneof![1 => Just(0.0), 9 => 1.0_f64..1e7];
    proptest::collection::vec((1.0_f64..1000.0, volume), 0..13).prop_map(|bars| Sample::with_history(&bars))
}

/// Price and magnitude of a trade.
fn terms() -> impl Strategy<Value = (Decimal, Decimal)> {
    (1_i64..10_000_000, 1_i64..1_000_000)
        .prop_map(|(price, quantity)| (Decimal::new(price, 2), Decimal::from(quantity)))
}

/// How far a model moves a price against the trader, on the side of the quantity.
fn distance(model: &impl SlippageModel, trade: &Trade<'_>) -> Decimal {
    let paid = model.price(trade).unwrap().decimal() - trade.price.decimal();
    if trade.quantity.is_positive() { paid } else { -paid }
}

proptest! {
    #[test]
    fn slippage_never_favours_the_trader(
        model in slippage(), sample in sample(), (price, quantity) in terms(),
        before in 0_i64..100_000, volume in 0.0_f64..1e6,
    ) {
        let sample = sample.with_volume(volume);
        for quantity in [quantity, -quantity] {
            let mut trade = sample.trade_of(quantity, price);
            trade.traded_in_bar = Quantity::new(before.into());
            prop_assert!(distance(&model.model, &trade) >= Decimal::ZERO);
            prop_assert!(model.model.price(&trade).unwrap() > Price::ZERO);
        }
    }

    #[test]
    fn impact_is_never_free(model in square_root(), sample in sample(), (price, quantity) in terms()) {
        for quantity in [quantity, -quantity] {
            prop_assert!(distance(&model, &sample.trade_of(quantity, price)) > Decimal::ZERO);
        }
    }

    #[test]
    fn larger_orders_never_pay_less_per_share(
        model in slippage(), sample in sample(), (price, quantity) in terms(), more in 1_i64..1_000_000,
        volume in 0.0_f64..1e6,
    ) {
        let sample = sample.with_volume(volume);
        for side in [Decimal::ONE, -Decimal::ONE] {
            let trade = |quantity: Decimal| sample.trade_of(side * quantity, price);
            let (small, large) = (trade(quantity), trade(quantity + Decimal::from(more)));
            prop_assert!(distance(&model.model, &small) <= distance(&model.model, &large));
            // Nor does one who splits an order within a bar.
            let rest = Trade { traded_in_bar: small.quantity.abs(), ..trade(Decimal::from(more)) };
            prop_assert!(distance(&model.model, &rest) == distance(&model.model, &large));
        }
    }

    #[test]
    fn a_sum_costs_what_its_parts_cost(
        spread in spread(), share in volume_share(), sample in sample(), (price, quantity) in terms(),
    ) {
        let sum = SumOfSlippage::new(vec![Box::new(spread.clone()), Box::new(share)]).unwrap();
        let trade = sample.trade_of(quantity, price);
        prop_assert_eq!(distance(&sum, &trade), distance(&spread, &trade) + distance(&share, &trade));
    }

    #[test]
    fn fees_without_rebates_are_never_negative(
        model in fee(), (price, quantity) in terms(), traded in 0.0_f64..1e7,
    ) {
        let sample = Sample::equity();
        for (quantity, liquidity) in [(quantity, Liquidity::Maker), (-quantity, Liquidity::Taker)] {
            let trade = Trade { liquidity, traded_value_30d: traded, ..sample.trade_of(quantity, price) };
            prop_assert!(model.model.fee(&trade).unwrap().decimal() >= Decimal::ZERO);
        }
    }

    #[test]
    fn proportional_fees_grow_with_the_value(
        proportional in proportional(), tiers in maker_taker(-100_000..=100_000),
        (price, quantity) in terms(), times in 1_i64..1000,
    ) {
        let (sample, times) = (Sample::equity(), Decimal::from(times));
        for liquidity in [Liquidity::Maker, Liquidity::Taker] {
            let one = Trade { liquidity, ..sample.trade_of(quantity, price) };
            let many = Trade { liquidity, ..sample.trade_of(quantity * times, price) };
            for model in [&proportional as &dyn FeeModel, &tiers] {
                // One fee is rounded up by less than one unit of the eighth decimal, so many are by less than as many.
                let excess = model.fee(&one).unwrap().decimal() * times - model.fee(&many).unwrap().decimal();
                prop_assert!(excess >= Decimal::ZERO && excess < Decimal::new(1, 8) * times, "{}", excess);
            }
        }
    }

    #[test]
    fn a_fee_per_share_stays_between_its_bounds(model in per_share(), (price, quantity) in terms(), more in 1_i64..1000) {
        let sample = Sample::equity();
        let fee = |quantity| model.fee(&sample.trade_of(quantity, price)).unwrap().decimal();
        prop_assert!(fee(quantity) <= price * quantity);
        prop_assert!(fee(quantity) <= fee(quantity + Decimal::from(more)));
        prop_assert_eq!(fee(quantity), fee(-quantity));
    }
}
