//! The calendar against an independent list of holidays and against the days on which SPY traded.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, Weekday};
use serde::Deserialize;
use sextant_data::Calendar;
use sextant_domain::{AssetClass, Timeframe};

use crate::support::{TestLake, key, lean, market_data};

/// The part of the vendor's database that is compared.
#[derive(Deserialize)]
struct MarketHours {
    entries: BTreeMap<String, Hours>,
}

#[derive(Deserialize)]
struct Hours {
    holidays: Vec<String>,
    #[serde(default, rename = "earlyCloses")]
    early_closes: BTreeMap<String, String>,
}

fn date(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%m/%d/%Y").unwrap()
}

fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The New York time of a session's close, when it is an early one.
fn early_close(calendar: &Calendar, date: NaiveDate) -> Option<String> {
    let close = calendar
        .session(date)?
        .close
        .datetime()
        .with_timezone(&chrono_tz::America::New_York);
    let time = close.format("%H:%M:%S").to_string();
    (time != "16:00:00").then_some(time)
}

#[test]
fn holidays_and_early_closes_are_those_of_an_independent_list() {
    let Some(root) = market_data() else { return };
    let text = std::fs::read_to_string(root.join("corporate_actions/market_hours_subset_lean.json")).unwrap();
    let hours: MarketHours = serde_json::from_str(&text).unwrap();
    let theirs = &hours.entries["Equity-usa-[*]"];
    let mut holidays: Vec<_> = theirs
        .holidays
        .iter()
        .map(|day| date(day))
        .filter(|day| !is_weekend(*day))
        .collect();
    holidays.sort();
    let early: BTreeMap<_, _> = theirs
        .early_closes
        .iter()
        .map(|(day, time)| (date(day), time.clone()))
        .collect();

    let calendar = Calendar::for_class(AssetClass::Equity);
    let (first, last) = (holidays[0], holidays[holidays.len() - 1]);
    assert!(holidays.len() > 250 && last.year() >= 2028);
    let closed: Vec<_> = first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter(|day| !is_weekend(*day) && calendar.session(*day).is_none())
        .collect();
    assert_eq!(closed, holidays);

    let ours: BTreeMap<_, _> = first
        .iter_days()
        .take_while(|day| *day <= last)
        .filter_map(|day| Some((day, early_close(&calendar, day)?)))
        .collect();
    let only_ours: Vec<_> = ours
        .keys()
        .filter(|day| !early.contains_key(day))
        .map(NaiveDate::to_string)
        .collect();
    // Their list begins in November 1999 and leaves out the last day of that year; SPY ended early on all three.
    assert_eq!(only_ours, ["1998-11-27", "1998-12-24", "1999-12-31"]);
    for (day, close) in early.iter().filter(|(day, _)| !is_weekend(**day)) {
        assert_eq!(ours.get(day), Some(close), "{day}");
    }
}

#[test]
fn spy_traded_on_exactly_the_sessions() {
    let Some(request) = lean("SPY", Timeframe::D1) else {
        return;
    };
    let lake = TestLake::new();
    lake.import(&request).unwrap();
    let stored = lake.load(&key(AssetClass::Equity, "SPY", Timeframe::D1));
    let calendar = Calendar::for_class(AssetClass::Equity);
    let view = stored.bars.view();
    let traded: Vec<_> = view
        .open_time
        .iter()
        .map(|time| calendar.date_of(*time))
        .collect();
    let sessions = calendar.sessions(traded[0], traded[traded.len() - 1]);
    assert_eq!(
        traded,
        sessions.iter().map(|session| session.date).collect::<Vec<_>>()
    );
    assert_eq!(
        view.close_time,
        calendar.daily_marks(view.close_time[0], view.close_time[view.len() - 1])
    );
    assert_eq!(traded.len(), 5_849);
}
