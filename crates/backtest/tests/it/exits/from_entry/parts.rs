//! Entries that fill in parts move the exits that are measured from them.

use sextant_backtest::{FillConvention, IntrabarRule};
use sextant_domain::{FromEntry, InstrumentRef, Offset, OrderKind, OrderRequest};

use super::{FILL, Plan, Which, buys, fills};
use crate::fixture::Setup;

/// Ten units trade in a bar, whose low comes before its high.
fn in_parts(units: i64, exits: fn(InstrumentRef) -> Vec<OrderRequest>) -> Plan {
    Plan {
        units,
        volume: 10.0,
        setup: Setup {
            participation: Some("1"),
            intrabar: IntrabarRule::LowFirst,
            ..Setup::plain("100000")
        },
        ..buys(exits)
    }
}

/// A stop at a loss of a tenth.
fn stop_loss(coin: InstrumentRef) -> Vec<OrderRequest> {
    vec![OrderRequest::stop_loss(coin, FILL, Offset::Fraction(0.1))]
}

/// A stop that trails at five from a profit of a tenth on.
fn trailing(coin: InstrumentRef) -> Vec<OrderRequest> {
    let (trail, profit) = (Offset::Distance(5.0), Offset::Fraction(0.1));
    vec![OrderRequest::trailing_stop_from_profit(coin, FILL, trail, profit)]
}

/// Begun in bar 1 at 110, with a best price of 112; the second half costs 108 in bar 2.
const BEGUN: [[f64; 4]; 3] = [
    [100.0; 4],
    [100.0, 112.0, 99.0, 111.0],
    [108.0, 109.0, 107.5, 108.5],
];

#[test]
fn an_entry_in_parts_has_its_exits_at_its_average() {
    let plan = in_parts(30, stop_loss);
    // Averages of 100, 105 and 110; stops at 90, 94.5 and 99, of which only the last is reached. It leaves in parts, too:
    // at its price, then as a market order.
    let prices = [
        [100.0; 4],
        [100.0, 110.0, 95.0, 108.0],
        [110.0, 120.0, 96.0, 118.0],
        [120.0, 121.0, 100.0, 104.0],
        [104.0, 105.0, 98.0, 101.0],
        [101.0; 4],
        [102.0; 4],
    ];
    let expected = [
        (10.0, 100.0),
        (10.0, 110.0),
        (10.0, 120.0),
        (-10.0, 99.0),
        (-10.0, 101.0),
        (-10.0, 102.0),
    ];
    assert_eq!(fills(plan, &prices), expected);
}

#[test]
fn a_trailing_stop_that_waits_begins_anew_with_each_part_of_its_entry() {
    // It waits for 110 and sees 109; then the average falls to 90, and it waits for 99. What was seen before does not count.
    let seen = [
        [100.0; 4],
        [100.0, 109.0, 99.0, 100.0],
        [80.0, 98.0, 79.0, 81.0],
        [81.0, 82.0, 80.0, 81.0],
    ];
    assert_eq!(
        fills(in_parts(20, trailing), &seen),
        [(10.0, 100.0), (10.0, 80.0)]
    );
    // The same where both halves trade at a close: the second bar has been to 109 before.
    let at_closes = Plan {
        setup: Setup {
            fills: FillConvention::NextClose,
            ..in_parts(20, trailing).setup
        },
        ..in_parts(20, trailing)
    };
    let seen = [
        [100.0; 4],
        [100.0, 101.0, 99.0, 100.0],
        [100.0, 109.0, 79.0, 80.0],
        [81.0, 82.0, 80.0, 81.0],
    ];
    assert_eq!(fills(at_closes, &seen), [(10.0, 100.0), (10.0, 80.0)]);
}

#[test]
fn a_trailing_stop_that_has_begun_goes_on() {
    let entry = [(10.0, 100.0), (10.0, 108.0)];
    let rest = [[107.0, 107.5, 106.0, 107.0], [107.0; 4]];
    let left = [(-10.0, 107.0), (-10.0, 107.0)];
    assert_eq!(
        fills(in_parts(20, trailing), &[&BEGUN[..], &rest].concat()),
        [entry, left].concat()
    );
    // At another distance from the same best price, though a tenth above the new average would be 114.4.
    let trail = OrderKind::FromEntry(FromEntry::TrailingStop {
        trail: Offset::Distance(4.0),
        profit: Offset::Fraction(0.1),
    });
    let tighter = Plan {
        change: Some((2, Which::Exit, trail)),
        ..in_parts(20, trailing)
    };
    let rest = [[107.75, 108.0, 107.5, 107.75], [107.75; 4]];
    let left = [(-10.0, 107.75), (-10.0, 107.75)];
    assert_eq!(
        fills(tighter, &[&BEGUN[..], &rest].concat()),
        [entry, left].concat()
    );
}

#[test]
fn a_stop_that_has_been_reached_is_not_waited_for_again_at_the_same_price() {
    let plan = Plan {
        change: Some((3, Which::Exit, OrderKind::Stop { stop: 90.0 })),
        ..in_parts(20, stop_loss)
    };
    let prices = [
        [100.0; 4],
        [100.0; 4],
        [100.0; 4],
        [99.0, 99.0, 89.0, 94.0],
        [95.0; 4],
    ];
    let expected = [(10.0, 100.0), (10.0, 100.0), (-10.0, 90.0), (-10.0, 95.0)];
    assert_eq!(fills(plan, &prices), expected);
}

#[test]
fn a_short_entry_in_parts_has_its_exits_at_its_average() {
    let plan = in_parts(-20, stop_loss);
    // 100 and 90 are 95 on average; a tenth more is 104.5.
    let prices = [
        [100.0; 4],
        [100.0, 101.0, 95.0, 96.0],
        [90.0, 91.0, 89.0, 90.0],
        [90.0, 105.0, 89.0, 100.0],
        [100.0; 4],
    ];
    let expected = [(-10.0, 100.0), (-10.0, 90.0), (10.0, 104.5), (10.0, 100.0)];
    assert_eq!(fills(plan, &prices), expected);
}
