//! Returns per calendar month and year, UTC.

use serde::{Deserialize, Serialize};

use crate::series::{NANOS_PER_DAY, NavSeries};

/// The return of a calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MonthlyReturn {
    /// Calendar year.
    pub year: i32,
    /// Calendar month, 1 to 12.
    pub month: u32,
    /// Simple return of the month, a part of a month at either end of the series.
    pub value: f64,
}

/// The return of a calendar year.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AnnualReturn {
    /// Calendar year.
    pub year: i32,
    /// Simple return of the year, a part of a year at either end of the series.
    pub value: f64,
}

/// The return of every month that has a mark: its last value over the last value of the month before that has one (the
/// initial capital for the first), minus one.
///
/// A mark closes the time before it, so one at midnight UTC belongs to the day that ends there. After ruin there are no
/// further months. External flows are linked away.
pub fn monthly_returns(nav: &NavSeries) -> Vec<MonthlyReturn> {
    let periods = returns_by(nav, |date| (date.year, date.month));
    periods
        .into_iter()
        .map(|((year, month), value)| MonthlyReturn { year, month, value })
        .collect()
}

/// The return of every year that has a mark, as [`monthly_returns`].
pub fn annual_returns(nav: &NavSeries) -> Vec<AnnualReturn> {
    let periods = returns_by(nav, |date| date.year);
    periods
        .into_iter()
        .map(|(year, value)| AnnualReturn { year, value })
        .collect()
}

fn returns_by<K: PartialEq + Copy>(nav: &NavSeries, key: impl Fn(CivilDate) -> K) -> Vec<(K, f64)> {
    let mut lasts: Vec<(K, f64)> = Vec::new();
    for (mark, &wealth) in nav.marks().iter().zip(nav.wealth()) {
        let key = key(CivilDate::closing_at(mark.time_ns));
        match lasts.last_mut().filter(|(last, _)| *last == key) {
            Some(entry) => entry.1 = wealth,
            None => lasts.push((key, wealth)),
        }
    }
    let mut base = nav.initial_capital();
    let mut returns = Vec::with_capacity(lasts.len());
    for (key, wealth) in lasts {
        if base <= 0.0 {
            break;
        }
        returns.push((key, wealth / base - 1.0));
        base = wealth;
    }
    returns
}

/// The instant as many calendar months earlier at the same time of day; the 31st becomes the last day of a shorter month.
pub(crate) fn months_before(time_ns: i64, months: i64) -> i64 {
    let (day, time_of_day) = (
        time_ns.div_euclid(NANOS_PER_DAY),
        time_ns.rem_euclid(NANOS_PER_DAY),
    );
    let date = CivilDate::of_day(day);
    let month_index = i64::from(date.year) * 12 + i64::from(date.month) - 1 - months;
    let first = day_of_month_start(month_index);
    let length = day_of_month_start(month_index + 1) - first;
    let earlier = first + (i64::from(date.day) - 1).min(length - 1);
    earlier.saturating_mul(NANOS_PER_DAY).saturating_add(time_of_day)
}

/// A date of the proleptic Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CivilDate {
    year: i32,
    month: u32,
    day: u32,
}

impl CivilDate {
    /// The UTC date of the last nanosecond before an instant.
    fn closing_at(time_ns: i64) -> Self {
        Self::of_day(time_ns.saturating_sub(1).div_euclid(NANOS_PER_DAY))
    }

    /// The date of a day number since 1970-01-01.
    ///
    /// A calendar that begins in March has its leap day at the very end, so years of 400-year cycles and months follow
    /// by division (Hinnant, *chrono-Compatible Low-Level Date Algorithms*).
    fn of_day(day_number: i64) -> Self {
        let since_march_0000 = day_number + DAYS_FROM_MARCH_0000_TO_1970;
        let cycle = since_march_0000.div_euclid(DAYS_PER_CYCLE);
        let day = since_march_0000.rem_euclid(DAYS_PER_CYCLE);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year + year / 4 - year / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = cycle * 400 + year + i64::from(month <= 2);
        Self {
            year: year as i32,
            month: month as u32,
            day: day_of_month as u32,
        }
    }
}

const DAYS_PER_CYCLE: i64 = 146_097;
const DAYS_FROM_MARCH_0000_TO_1970: i64 = 719_468;

/// The day number of the first day of a month counted from January of year 0.
fn day_of_month_start(month_index: i64) -> i64 {
    let (year, month) = (month_index.div_euclid(12), month_index.rem_euclid(12));
    let march_year = if month < 2 { year - 1 } else { year };
    let month_from_march = (month + 10) % 12;
    let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
    march_year * 365 + leap_days + (153 * month_from_march + 2) / 5 - DAYS_FROM_MARCH_0000_TO_1970
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::series::NavMark;

    fn date(year: i32, month: u32, day: u32) -> CivilDate {
        CivilDate { year, month, day }
    }

    #[test]
    fn dates_table() {
        let cases = [
            (0, date(1970, 1, 1)),
            (-1, date(1969, 12, 31)),
            (59, date(1970, 3, 1)),
            (11_016, date(2000, 2, 29)),
            (11_017, date(2000, 3, 1)),
            (18_261, date(2019, 12, 31)),
            (-25_509, date(1900, 2, 28)),
            (-25_508, date(1900, 3, 1)),
            (106_751, date(2262, 4, 11)),
        ];
        for (day, wanted) in cases {
            assert_eq!(CivilDate::of_day(day), wanted, "{day}");
        }
    }

    #[test]
    fn every_day_of_the_range_follows_the_one_before() {
        let mut previous = CivilDate::of_day(-106_752);
        for day in -106_751..=106_751 {
            let next = CivilDate::of_day(day);
            let same_month =
                (next.year, next.month, next.day) == (previous.year, previous.month, previous.day + 1);
            let next_month = next.day == 1 && previous.day >= 28 && next.month == previous.month % 12 + 1;
            assert!(same_month || next_month, "{previous:?} {next:?}");
            let month_index = i64::from(next.year) * 12 + i64::from(next.month) - 1;
            assert_eq!(day_of_month_start(month_index) + i64::from(next.day) - 1, day);
            previous = next;
        }
    }

    #[test]
    fn months_before_keeps_the_time_and_shortens_the_day() {
        let may_31 = 18_413 * NANOS_PER_DAY + 7;
        assert_eq!(CivilDate::of_day(18_413), date(2020, 5, 31));
        let back = months_before(may_31, 3);
        assert_eq!(
            CivilDate::of_day(back.div_euclid(NANOS_PER_DAY)),
            date(2020, 2, 29)
        );
        assert_eq!(back.rem_euclid(NANOS_PER_DAY), 7);
        assert_eq!(
            CivilDate::of_day(months_before(may_31, 36).div_euclid(NANOS_PER_DAY)),
            date(2017, 5, 31)
        );
    }

    #[test]
    fn months_and_years_compound_to_the_whole() {
        let marks: Vec<NavMark> = (1..=800)
            .map(|day| NavMark {
                time_ns: (18_250 + day) * NANOS_PER_DAY,
                nav: 100.0 + (day * 37 % 23) as f64,
            })
            .collect();
        let last = marks[799].nav;
        let nav = NavSeries::new(18_250 * NANOS_PER_DAY, 100.0, marks).unwrap();
        let months = monthly_returns(&nav);
        let years = annual_returns(&nav);
        assert_eq!((months[0].year, months[0].month), (2019, 12));
        assert_eq!((months.len(), years.len()), (27, 4));
        let compounded = months
            .iter()
            .fold(100.0, |value, month| value * (1.0 + month.value));
        assert!((compounded / last - 1.0).abs() < 1e-13);
        let compounded = years.iter().fold(100.0, |value, year| value * (1.0 + year.value));
        assert!((compounded / last - 1.0).abs() < 1e-13);
    }

    #[test]
    fn midnight_closes_the_day_before() {
        let february_first = 18_293 * NANOS_PER_DAY;
        let nav = NavSeries::new(
            0,
            100.0,
            vec![NavMark {
                time_ns: february_first,
                nav: 110.0,
            }],
        )
        .unwrap();
        assert_eq!(
            (monthly_returns(&nav)[0].year, monthly_returns(&nav)[0].month),
            (2020, 1)
        );
    }

    #[test]
    fn months_end_with_ruin() {
        let marks = [(31, -5.0), (59, 10.0)].map(|(day, nav)| NavMark {
            time_ns: day * NANOS_PER_DAY,
            nav,
        });
        let nav = NavSeries::new(0, 100.0, marks.to_vec()).unwrap();
        assert_eq!(monthly_returns(&nav).len(), 1);
    }
}
