//! Sessions of the New York Stock Exchange, from a checked-in list of exceptions.

use chrono::{Datelike, NaiveDate, NaiveTime, Weekday};

use super::{Session, new_york};

/// Made by `calendars/make_xnys.py`.
const EXCEPTIONS: &str = include_str!("../../calendars/xnys_exceptions.csv");

const OPEN: NaiveTime = NaiveTime::from_hms_opt(9, 30, 0).expect("a time of day");
const CLOSE: NaiveTime = NaiveTime::from_hms_opt(16, 0, 0).expect("a time of day");

/// Weekdays from 09:30 to 16:00 New York time, but for the listed ones. The late opens of 2002-09-11 and before 1985
/// are not known to the source; bars missing there show as gaps.
#[derive(Debug, Clone)]
pub(super) struct Nyse {
    first: NaiveDate,
    last: NaiveDate,
    closed: Vec<NaiveDate>,
    early: Vec<(NaiveDate, NaiveTime)>,
}

impl Nyse {
    pub(super) fn embedded() -> Self {
        parse(EXCEPTIONS).expect("the list in the repository is read by the tests")
    }

    pub(super) fn span(&self) -> (NaiveDate, NaiveDate) {
        (self.first, self.last)
    }

    pub(super) fn session(&self, date: NaiveDate) -> Option<Session> {
        let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        let known = (self.first..=self.last).contains(&date);
        if weekend || !known || self.closed.binary_search(&date).is_ok() {
            return None;
        }
        let early = self.early.binary_search_by_key(&date, |(day, _)| *day);
        let close = early.map_or(CLOSE, |index| self.early[index].1);
        Some(Session {
            date,
            open: new_york(date, OPEN)?,
            close: new_york(date, close)?,
        })
    }
}

/// 16:00 New York time.
pub(super) fn regular_close(date: NaiveDate) -> Option<sextant_domain::UtcNanos> {
    new_york(date, CLOSE)
}

/// Reads the rows `date,kind,close_local`, ordered by date; `None` when one has another form.
fn parse(text: &str) -> Option<Nyse> {
    let mut calendar = Nyse {
        first: NaiveDate::MAX,
        last: NaiveDate::MIN,
        closed: Vec::new(),
        early: Vec::new(),
    };
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let date = fields.next()?.parse().ok()?;
        match (fields.next()?, fields.next()?) {
            ("first_date", "") => calendar.first = date,
            ("last_date", "") => calendar.last = date,
            ("closed", "") => calendar.closed.push(date),
            ("early_close", close) => {
                calendar
                    .early
                    .push((date, NaiveTime::parse_from_str(close, "%H:%M").ok()?));
            }
            _ => return None,
        }
    }
    (calendar.closed.is_sorted() && calendar.early.is_sorted() && calendar.first < calendar.last)
        .then_some(calendar)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_list_in_the_repository_is_read() {
        let calendar = parse(EXCEPTIONS).unwrap();
        assert_eq!(calendar.first, NaiveDate::from_ymd_opt(1970, 1, 1).unwrap());
        assert!(calendar.last >= NaiveDate::from_ymd_opt(2027, 12, 31).unwrap());
        assert!(
            calendar
                .closed
                .iter()
                .chain(calendar.early.iter().map(|(date, _)| date))
                .all(|date| {
                    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
                        && (calendar.first..=calendar.last).contains(date)
                })
        );
        assert!(
            calendar
                .early
                .iter()
                .all(|(_, close)| OPEN < *close && *close < CLOSE)
        );
    }

    #[test]
    fn another_form_is_not_read() {
        let head = "date,kind,close_local\n1970-01-01,first_date,\n1970-12-31,last_date,\n";
        assert!(parse(head).is_some());
        for tail in [
            "1970-02-30,closed,\n",
            "1970-02-02,shut,\n",
            "1970-02-02,early_close,noon\n",
            "1970-02-02\n",
        ] {
            assert!(parse(&format!("{head}{tail}")).is_none(), "{tail}");
        }
        assert!(parse(&format!("{head}1970-03-02,closed,\n1970-02-02,closed,\n")).is_none());
    }
}
