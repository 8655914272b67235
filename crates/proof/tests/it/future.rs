//! Markets with another future.

use sextant_domain::UtcNanos;
use sextant_proof::{Replacement, cut, raise_what_follows, replace_future};
use sextant_testkit::bars::instant;
use sextant_testkit::standard_market;

const REPLACEMENTS: [Replacement; 3] = [
    Replacement::Noise(1),
    Replacement::TimesTen,
    Replacement::Shuffle(2),
];

/// In the middle of a 4-hour bar of every series, and of every daily bar.
fn middle() -> UtcNanos {
    instant("2018-02-07T18:00:00Z")
}

#[test]
fn a_cut_keeps_what_is_known_and_nothing_else() {
    let market = standard_market(60, 1);
    let past = cut(&market, middle());
    for (before, after) in market.series().iter().zip(past.series()) {
        let known = before
            .bars
            .view()
            .close_time
            .partition_point(|time| *time <= middle());
        assert_eq!(after.bars.len(), known + 1, "the bar that is open stays");
        assert!(before.bars.iter().take(known).eq(after.bars.iter().take(known)));
        let (whole, open) = (before.bars.bar(known), after.bars.bar(known));
        assert_eq!(
            (open.open_time, open.close_time),
            (whole.open_time, whole.close_time)
        );
        assert_eq!([open.open, open.high, open.low, open.close, open.volume], {
            [whole.open, whole.open, whole.open, whole.open, 0.0]
        });
    }
    for (before, after) in market.macros().iter().zip(past.macros()) {
        assert_eq!(after.values(), &before.values()[..before.available(middle())]);
        assert!(after.published().iter().all(|time| *time <= middle()));
    }
}

#[test]
fn a_bar_that_opens_at_the_cut_is_open_and_one_that_closes_there_is_whole() {
    let market = standard_market(10, 1);
    let noon = instant("2018-01-03T17:00:00Z");
    let past = cut(&market, noon).series()[0].bars.clone();
    let count = past.len();
    let whole = &market.series()[0].bars;
    assert_eq!(past.bar(count - 2), whole.bar(count - 2));
    assert_eq!(
        (past.bar(count - 1).open_time, past.bar(count - 1).close),
        (noon, whole.bar(count - 1).open)
    );
    let night = instant("2018-01-03T21:00:00Z");
    assert_eq!(
        cut(&market, night).series()[0].bars.view().close_time.last(),
        Some(&night)
    );
}

#[test]
fn replacing_changes_the_whole_future_and_nothing_before() {
    let market = standard_market(60, 1);
    for replacement in REPLACEMENTS {
        let other = replace_future(&market, middle(), replacement);
        for (before, after) in market.series().iter().zip(other.series()) {
            let (before, after) = (&before.bars, &after.bars);
            let known = before.view().close_time.partition_point(|time| *time <= middle());
            assert!(
                before.iter().take(known).eq(after.iter().take(known)),
                "{replacement:?}"
            );
            assert_eq!(before.view().close_time, after.view().close_time);
            assert_eq!(before.view().open_time, after.view().open_time);
            assert_eq!(before.bar(known).open, after.bar(known).open, "the open is known");
            let future = known..before.len();
            let same = future
                .clone()
                .filter(|index| before.bar(*index) == after.bar(*index))
                .count();
            assert!(
                same * 5 < future.len(),
                "{replacement:?}: {same} of {} unchanged",
                future.len()
            );
        }
        for (before, after) in market.macros().iter().zip(other.macros()) {
            let known = before.available(middle());
            assert_eq!(before.published(), after.published());
            assert_eq!(before.values()[..known], after.values()[..known]);
        }
        let (before, after) = (&market.macros()[0], &other.macros()[0]);
        assert_ne!(before.values(), after.values(), "{replacement:?}");
    }
}

#[test]
fn series_do_not_share_their_noise() {
    let market = standard_market(60, 1);
    let other = replace_future(&market, middle(), Replacement::Noise(9));
    let ratio = |series: usize| {
        let last = market.series()[series].bars.len() - 1;
        other.series()[series].bars.bar(last).open / market.series()[series].bars.bar(last).open
    };
    assert!((ratio(0) - ratio(2)).abs() > 1e-6);
}

#[test]
fn what_follows_is_raised_from_the_open_at_the_point_on() {
    let market = standard_market(20, 1);
    let t = instant("2018-01-10T20:00:00Z");
    let raised = raise_what_follows(&market, t);
    let coins = market.series_id(
        market.instruments().id("BTC-USD").unwrap(),
        sextant_domain::Timeframe::H4,
    );
    let (before, after) = (&market.get(coins.unwrap()).bars, &raised.get(coins.unwrap()).bars);
    let known = before.close_times().partition_point(|time| *time <= t);
    assert!(before.iter().take(known).eq(after.iter().take(known)));
    assert_eq!(before.bar(known).open_time, t, "a bar opens at the very point");
    assert_eq!(after.bar(known).open, 10.0 * before.bar(known).open);
    // The stock's bar is open at the point: its open is known.
    let (before, after) = (&market.series()[0].bars, &raised.series()[0].bars);
    let open = before.close_times().partition_point(|time| *time <= t);
    assert!(before.bar(open).open_time < t);
    assert_eq!(after.bar(open).open, before.bar(open).open);
    assert_eq!(after.bar(open).close, 10.0 * before.bar(open).close);
}
