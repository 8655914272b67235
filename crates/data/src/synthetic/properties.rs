//! Properties that hold for every seed, span and schedule.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use sextant_domain::Timeframe;

use super::tests::{aggregate, date, session};
use super::{SessionTimes, SyntheticConfig, SyntheticMarket, generate};

/// A span of one to sixty days after 2015-01-01, with sessions of every length on some of its days.
fn spans() -> impl Strategy<Value = (SyntheticConfig, Vec<SessionTimes>)> {
    let lengths = prop::collection::vec(prop::option::weighted(0.7, 1_i64..=26), 1..60);
    (any::<u64>(), 0_u64..400, lengths).prop_filter_map("a span has a session", |(seed, offset, lengths)| {
        let from = date(2015, 1, 1) + chrono::Days::new(offset);
        let days = from.iter_days().zip(&lengths);
        let sessions: Vec<_> = days
            .filter_map(|(day, quarters)| Some(session(day, 15 * (*quarters)?)))
            .collect();
        let to = from + chrono::Days::new(lengths.len() as u64 - 1);
        (!sessions.is_empty()).then_some((SyntheticConfig { seed, from, to }, sessions))
    })
}

fn every_day_is_the_aggregate_of_its_4h_bars(market: &SyntheticMarket) -> Result<(), TestCaseError> {
    for pair in market.bars.chunks(2) {
        prop_assert_eq!((pair[0].2, pair[1].2), (Timeframe::H4, Timeframe::D1));
        for day in pair[1].3.iter() {
            prop_assert_eq!(aggregate(&pair[0].3, &day), day);
        }
        let volume = |index: usize| pair[index].3.view().volume.iter().sum::<f64>();
        prop_assert_eq!(volume(0), volume(1));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_market_is_consistent_and_repeats((config, sessions) in spans()) {
        let market = generate(&config, &sessions).unwrap();
        prop_assert_eq!(&market, &generate(&config, &sessions).unwrap());
        every_day_is_the_aggregate_of_its_4h_bars(&market)?;
        prop_assert_eq!(market.bars[1].3.len(), sessions.len());
        for (bar, session) in market.bars[1].3.iter().zip(&sessions) {
            prop_assert_eq!((bar.open_time, bar.close_time), (session.open, session.close));
        }
    }
}
