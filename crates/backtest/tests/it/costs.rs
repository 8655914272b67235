//! Cost models in whole runs: what the venue tells them, and what it does by them.

use rust_decimal::Decimal;
use sextant_backtest::{
    FeeModel, FeeTier, MakerTakerFee, Recorder, SlippageModel, SpreadSlippage, SquareRootImpact,
    SumOfSlippage, VolumeShareSlippage,
};
use sextant_domain::{MarketData, OrderSize, Quantity, Timeframe};
use sextant_testkit::{MarketBuilder, bars};

use crate::account::{Script, Wish};
use crate::fixture::Setup;

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Daily bars round the clock from 2020-01-01 with a volume of 1,000: 100 each day, or 100 and 102 in turn.
fn days(count: usize, other: f64) -> MarketData {
    let spans = bars::round_the_clock(bars::instant("2020-01-01"), Timeframe::D1, count);
    let price = |index: usize| if index.is_multiple_of(2) { 100.0 } else { other };
    MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .bars(
            "ACME",
            Timeframe::D1,
            bars::from_fn(&spans, |index| [price(index); 4]),
        )
        .build()
}

fn units(count: i64) -> Wish {
    Wish::Order(OrderSize::Units(Quantity::new(count.into())))
}

/// Runs a script with other models of fees or slippage than the fixture's, which cost nothing.
fn run(
    market: &MarketData,
    wishes: &[(usize, Wish)],
    fees: Option<Box<dyn FeeModel>>,
    slippage: Option<Box<dyn SlippageModel>>,
) -> Recorder {
    let setup = Setup::plain("1000000");
    let mut config = setup.config(market);
    if let Some(fees) = fees {
        config.venue.fees = fees;
    }
    if let Some(slippage) = slippage {
        config.venue.slippage = slippage;
    }
    let script = Script::new("script", "ACME", wishes);
    setup.run_with(&config, market, vec![Box::new(script)]).unwrap().1
}

/// Day, signed quantity, price and fee of every fill.
fn fills(recorder: &Recorder) -> Vec<(String, String, String, String)> {
    let row = |fill: &sextant_domain::Fill| {
        (
            fill.time.date().to_string(),
            fill.quantity.to_string(),
            fill.price.to_string(),
            fill.fee.to_string(),
        )
    };
    recorder.fills.iter().map(row).collect()
}

fn row(day: &str, quantity: &str, price: &str, fee: &str) -> (String, String, String, String) {
    (
        day.to_owned(),
        quantity.to_owned(),
        price.to_owned(),
        fee.to_owned(),
    )
}

/// 100 of a bar of 1,000 units: a spread of 0.02, and 0.1 x 0.1 squared x 100 = 0.1 of impact.
#[test]
fn a_fill_says_which_part_of_its_slippage_is_impact() {
    let slippage = SumOfSlippage::new(vec![
        Box::new(SpreadSlippage::by_class(|_| dec("2")).unwrap()),
        Box::new(VolumeShareSlippage::new(dec("0.1"), dec("0.5")).unwrap()),
    ]);
    let market = days(4, 100.0);
    let wishes = [(0, units(100))];
    let recorder = run(&market, &wishes, None, Some(Box::new(slippage.unwrap())));
    let [fill] = recorder.fills.as_slice() else {
        panic!("{:?}", recorder.fills);
    };
    assert_eq!(fill.slippage.decimal(), dec("12"));
    assert_eq!(fill.impact.decimal(), dec("10"));
}

#[test]
fn fees_follow_the_value_of_the_thirty_days_before() {
    let tier = |from_value_30d, taker: &str| FeeTier {
        from_value_30d,
        maker_bps: dec("0"),
        taker_bps: dec(taker),
    };
    let fees = MakerTakerFee::new(vec![tier(0.0, "10"), tier(20_000.0, "4")]).unwrap();
    let wishes = [
        (0, units(100)),
        (0, units(100)),
        (1, units(-50)),
        (30, units(-50)),
        (31, units(-50)),
    ];
    let recorder = run(&days(40, 100.0), &wishes, Some(Box::new(fees)), None);
    // The decision at the end of day 1 fills at the open of day 2. 100 x 100 at 10 bp is 10 for either order of the first
    // day, whose 20,000 count from the next day to the thirtieth (2020-02-01): 5,000 at 4 bp is 2. On the day after only the
    // sales of 5,000 each on 2020-01-03 and 2020-02-01 are left: 5,000 at 10 bp is 5.
    assert_eq!(
        fills(&recorder),
        [
            row("2020-01-02", "100", "100", "10"),
            row("2020-01-02", "100", "100", "10"),
            row("2020-01-03", "-50", "100", "2"),
            row("2020-02-01", "-50", "100", "2"),
            row("2020-02-02", "-50", "100", "5"),
        ]
    );
}

#[test]
fn a_volume_share_model_limits_what_trades_and_counts_all_orders_of_a_bar() {
    let slippage = || VolumeShareSlippage::new(dec("0.1"), dec("0.025")).unwrap();
    let market = days(6, 100.0);
    let recorder = run(&market, &[(0, units(60))], None, Some(Box::new(slippage())));
    // 25 of 1,000 a bar: 0.025^2 x 0.1 x 100 = 0.00625; the last 10: 0.01^2 x 0.1 x 100 = 0.001.
    assert_eq!(
        fills(&recorder),
        [
            row("2020-01-02", "25", "100.00625", "0"),
            row("2020-01-03", "25", "100.00625", "0"),
            row("2020-01-04", "10", "100.001", "0"),
        ]
    );
    let wishes = [(0, units(10)), (0, units(10)), (0, units(10))];
    let recorder = run(&market, &wishes, None, Some(Box::new(slippage())));
    // The second order pays for a share of 20: 0.02^2 x 0.1 x 100 = 0.004; 5 of the third are left to the next bar.
    assert_eq!(
        fills(&recorder),
        [
            row("2020-01-02", "10", "100.001", "0"),
            row("2020-01-02", "10", "100.004", "0"),
            row("2020-01-02", "5", "100.00625", "0"),
            row("2020-01-03", "5", "100.00025", "0"),
        ]
    );
}

#[test]
fn impact_comes_from_the_bars_before_and_an_order_for_a_part_of_equity_stays_within_it() {
    let market = days(8, 102.0);
    let impact = SquareRootImpact::new(1.0, 3, dec("50")).unwrap();
    let wishes = [
        (0, units(10)),
        (3, units(-10)),
        (5, Wish::Order(OrderSize::EquityFraction(1.0))),
    ];
    let recorder = run(&market, &wishes, None, Some(Box::new(impact)));
    let found = fills(&recorder);
    // One bar before the first fill: 50 bp of 102.
    assert_eq!(found[0], row("2020-01-02", "10", "102.51", "0"));
    // 102, 100, 102 before the second: returns of 100/102 - 1 and 0.02, whose standard deviation is their distance over
    // sqrt(2): (0.02 + 0.0196078431...) / 1.4142135... = 0.0280069745...; x sqrt(10 / 1,000) x 100 = 0.280069745...
    // Four bars have closed before the open of the fifth: 100, 102, 100, 102.
    assert_eq!(found[1], row("2020-01-05", "-10", "99.71993025", "0"));
    // Without slippage 1,000,000 buys 10,000 at 100, which would move the price by 0.028 x sqrt(10) = 8.86 %. What 1,000,000 buys
    // at that price, about 9,186, moves it by 8.49 % and costs about 996,600.
    let last = &recorder.fills[2];
    let paid = last.price.times(last.quantity).unwrap();
    assert!(last.price > last.reference_price);
    assert!(
        paid.to_f64() <= 1_000_000.0 && paid.to_f64() > 0.98 * 1_000_000.0,
        "{paid}"
    );
}
