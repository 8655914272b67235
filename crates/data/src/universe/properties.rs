//! What holds for every universe.
#![allow(clippy::unwrap_used)]

use chrono::Days;
use proptest::prelude::*;

use super::*;
use crate::actions::tests::date;

const EQUITY: AssetClass = AssetClass::Equity;

fn day(number: u64) -> NaiveDate {
    date("2020-01-01") + Days::new(number)
}

/// Day, name and values, one for each day and name.
type Rows = Vec<((u64, usize), (f64, u32))>;

fn rows() -> impl Strategy<Value = Rows> {
    let values = (1.0..50.0, 0..20_u32);
    proptest::collection::btree_map((0..6_u64, 0..12_usize), values, 1..50)
        .prop_map(|rows| rows.into_iter().collect())
}

fn builder<'r>(rows: impl IntoIterator<Item = &'r ((u64, usize), (f64, u32))>) -> UniverseBuilder {
    let mut text = "date,security_id,symbol,close,volume,dollar_volume\n".to_owned();
    for ((number, name), (close, volume)) in rows {
        text += &format!("{},S{name},T{name},{close},{volume},{volume}\n", day(*number));
    }
    let snapshots = CoarseUniverse::read("coarse.csv", text.as_bytes()).unwrap();
    UniverseBuilder::new()
        .with_coarse(EQUITY, snapshots, 100)
        .unwrap()
}

fn filters() -> impl Strategy<Value = UniverseFilter> {
    let limit = || proptest::option::of(0.0..30.0);
    (limit(), limit(), proptest::option::of(1..8_usize)).prop_map(|(min_price, min_dollar_volume, top)| {
        UniverseFilter {
            min_price,
            min_dollar_volume,
            top_by_dollar_volume: top,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_order_of_rows_and_later_days_change_nothing(
        rows in rows(),
        shuffled in Just(()).prop_perturb(|(), mut random| random.next_u64()),
        number in 0..8_u64,
        filter in filters(),
    ) {
        let mut other: Vec<_> = rows.iter().filter(|((on, _), _)| *on <= number).collect();
        prop_assume!(!other.is_empty());
        let length = other.len();
        other.rotate_left(shuffled as usize % length);
        other.reverse();
        let one = builder(&rows).filtered(day(number), EQUITY, &filter).unwrap();
        let two = builder(other).filtered(day(number), EQUITY, &filter).unwrap();
        prop_assert_eq!(one, two);
    }

    #[test]
    fn members_are_rows_of_one_day_that_pass(rows in rows(), number in 0..8_u64, filter in filters()) {
        let builder = builder(&rows);
        let Ok(all) = builder.universe(day(number), EQUITY) else {
            prop_assert!(rows.iter().all(|((on, _), _)| *on > number));
            return Ok(());
        };
        let newest = rows.iter().map(|((on, _), _)| *on).filter(|on| *on <= number).max().unwrap();
        prop_assert_eq!(all.len(), rows.iter().filter(|((on, _), _)| *on == newest).count());
        prop_assert!(all.iter().all(|member| member.known_on == day(newest)));
        let passes = |member: &&Member| {
            let liquidity = member.liquidity.unwrap();
            filter.min_price.is_none_or(|limit| liquidity.close >= limit)
                && filter.min_dollar_volume.is_none_or(|limit| liquidity.dollar_volume >= limit)
        };
        let passing: Vec<_> = all.iter().filter(passes).cloned().collect();
        let found = builder.filtered(day(number), EQUITY, &filter).unwrap();
        let count = filter.top_by_dollar_volume.unwrap_or(usize::MAX).min(passing.len());
        prop_assert_eq!(found.len(), count);
        prop_assert!(found.iter().all(|member| passing.contains(member)));
        // Nobody that was left out has more than somebody that was taken.
        let worth = |member: &Member| member.liquidity.unwrap().dollar_volume;
        let least = found.iter().map(worth).fold(f64::INFINITY, f64::min);
        prop_assert!(passing.iter().filter(|member| !found.contains(member)).all(|member| worth(member) <= least));
        prop_assert!(found.is_sorted_by_key(|member| (member.ticker.clone(), member.security.clone())));
    }
}
