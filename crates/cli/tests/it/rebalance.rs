//! Calendars of models in a configured run.

use std::collections::BTreeSet;

use sextant_domain::UtcNanos;
use sextant_store::RunFolders;

use crate::workspace::Place;

/// When the trend model asked for anything, with this calendar.
fn asked(rebalance: &str) -> BTreeSet<UtcNanos> {
    let place = Place::new();
    // A model that changes its mind often.
    place.edit(
        "configs/base/models.yaml",
        "  slow_ma_period: 200\n  momentum_lookback_days: 60\n  exit_ma_period: 50",
        &format!(
            "  slow_ma_period: 5\n  momentum_lookback_days: 2\n  exit_ma_period: 3\n  rebalance: {rebalance}"
        ),
    );
    place.backtest(&[]).printed();
    let folders = RunFolders::new(place.path("results"));
    let run = folders.ids().unwrap().remove(0);
    let tables = folders.load_run(&run).unwrap().tables;
    let intents = tables
        .intents
        .iter()
        .filter(|row| row.model == "EquityTrendModel_v1");
    intents.map(|row| row.time).collect()
}

#[test]
fn a_model_is_asked_at_the_first_session_of_its_period_alone() {
    let free = asked("each_bar");
    let weekly = asked("{weekly: {on: tuesday}}");
    let monthly = asked("{monthly: {from_day: 1}}");
    assert!(
        free.len() > weekly.len() && weekly.len() > monthly.len(),
        "{} {}",
        free.len(),
        weekly.len()
    );
    // Tuesdays at the first 4-hour close of the day, or the session after a holiday.
    let day = |time: &UtcNanos| (time.day_number() + 3).rem_euclid(7);
    assert!(weekly.iter().filter(|time| day(time) == 1).count() > weekly.len() / 2);
    let weeks: BTreeSet<i64> = weekly
        .iter()
        .map(|time| (time.day_number() + 2).div_euclid(7))
        .collect();
    assert_eq!(weeks.len(), weekly.len());
    let months: BTreeSet<String> = monthly
        .iter()
        .map(|time| time.to_string()[..7].to_owned())
        .collect();
    assert_eq!(months.len(), monthly.len());
    assert!(!monthly.is_empty());
    // New Year's Day is no session: the 4th of January 2016 is the first.
    assert!(
        monthly
            .iter()
            .all(|time| time.to_string()[8..10].parse::<u32>().unwrap() <= 5),
        "{monthly:?}"
    );
}
