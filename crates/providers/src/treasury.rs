//! The Treasury: the daily par yield curve of the United States.

use std::time::Duration;

use chrono::{Datelike, NaiveDate};
use sextant_data::{FetchedMacro, MacroProvider, Progress, ProviderError, PublicationRule};
use sextant_domain::UtcNanos;

use crate::ProviderSettings;
use crate::delimited::{MacroRow, Table};
use crate::fault::{Fault, excerpt};
use crate::http::{Answer, Finality, PageRequest};
use crate::pages::{Party, finality};

pub(crate) const NAME: &str = "treasury";
pub(crate) const TABLE: &str = "yield_curve";
const BASE: &str = "https://home.treasury.gov";
const PACE: Duration = Duration::from_millis(500);
const FIRST_YEAR: i32 = 1990;
const SERIES: [&str; 4] = ["yield_curve_10y_3m", "treasury_3m", "treasury_2y", "treasury_10y"];

/// The daily par yield curve of the Treasury of the United States, a CSV file for each year, without keys.
///
/// The table `yield_curve` has the series `yield_curve_10y_3m`, the 10-year rate minus the 3-month rate, and the rates
/// `treasury_3m`, `treasury_2y` and `treasury_10y`, all in percent a year. Where the Treasury has no rate for a day, the
/// value is NaN; days without any are left out.
///
/// * The first year is 1990. Which maturities there are, and so the columns, differs from year to year; the three used
///   here have always been there.
/// * Dates are `MM/DD/YYYY`, newest first.
/// * Files of past years do not change and are kept; the current year is asked for anew.
/// * Rates come out by 18:00 New York time of their day, and count as known from then on.
///
/// Address and method: "Daily Treasury Par Yield Curve Rates" at home.treasury.gov.
#[derive(Debug)]
pub struct Treasury {
    party: Party,
}

impl Treasury {
    /// A client.
    pub fn new(settings: &ProviderSettings) -> Self {
        Self {
            party: Party::new(NAME, BASE, PACE, settings),
        }
    }

    fn request(&self, year: i32) -> PageRequest {
        PageRequest {
            url: format!(
                "{}/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/{year}/all\
                 ?type=daily_treasury_yield_curve&field_tdr_date_value={year}&page&_format=csv",
                self.party.base
            ),
            headers: Vec::new(),
            finality: self.finality_of(year),
        }
    }

    fn finality_of(&self, year: i32) -> Finality {
        let end = NaiveDate::from_ymd_opt(year + 1, 1, 1).and_then(UtcNanos::from_date);
        end.map_or(Finality::Changing, |end| finality(end, self.party.now))
    }
}

impl MacroProvider for Treasury {
    fn name(&self) -> &'static str {
        NAME
    }

    fn table(&self) -> &'static str {
        TABLE
    }

    fn fetch(
        &self,
        start: NaiveDate,
        end: NaiveDate,
        progress: &dyn Progress,
    ) -> Result<FetchedMacro, ProviderError> {
        let years = start.year().max(FIRST_YEAR)..=end.year().min(self.party.now.date().year());
        progress.start(years.clone().count() as u64, &format!("years from {NAME}"));
        let mut rows: Vec<MacroRow> = Vec::new();
        for year in years {
            let request = self.request(year);
            rows.extend(
                self.party
                    .ask(&request, |answer| read(year, request.finality, answer))?,
            );
            progress.advance(1);
        }
        rows.retain(|(date, _)| start <= *date && *date <= end);
        Ok(FetchedMacro {
            series: SERIES.map(str::to_owned).to_vec(),
            rows,
            publication: PublicationRule::default(),
            source: format!("{NAME} daily par yield curve"),
        })
    }
}

pub(crate) fn read(year: i32, finality: Finality, answer: &Answer) -> Result<Vec<MacroRow>, Fault> {
    if answer.status != 200 {
        return Err(Fault::Refused {
            status: answer.status,
            message: excerpt(&answer.body),
        });
    }
    let rows = rates(&answer.body)?;
    if let Some((date, _)) = rows.iter().find(|(date, _)| date.year() != year) {
        return Err(Fault::Shape(format!(
            "a row has the date {date}; expected one of {year}"
        )));
    }
    if rows.is_empty() && finality == Finality::Final {
        return Err(Fault::Shape(format!(
            "there are no rows; expected those of {year}"
        )));
    }
    let slope = |(date, rates): MacroRow| {
        let [short, middle, long] = [rates[0], rates[1], rates[2]];
        (date, vec![long - short, short, middle, long])
    };
    Ok(rows.into_iter().map(slope).collect())
}

/// The rates of 3 months, 2 years and 10 years.
fn rates(body: &[u8]) -> Result<Vec<MacroRow>, Fault> {
    let table = Table::read(body)?;
    let dates = table.column(&["Date"])?;
    let columns = [
        table.column(&["3 Mo"])?,
        table.column(&["2 Yr"])?,
        table.column(&["10 Yr"])?,
    ];
    let mut rows = table.by_date((dates, "%m/%d/%Y"), &columns)?;
    rows.retain(|(_, values)| values.iter().any(|value| !value.is_nan()));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::support::{answer, settings, shape};

    const BODY: &str = "Date,\"1 Mo\",\"2 Mo\",\"3 Mo\",\"6 Mo\",\"2 Yr\",\"10 Yr\",\"30 Yr\"\n\
        01/04/2024,5.5,5.5,5.25,5.25,4.25,4.0,4.25\n\
        01/03/2024,,,,,,,\n\
        01/02/2024,5.5,,5.5,N/A,4.5,,4.0\n";

    fn read_year(year: i32, body: &str) -> Result<Vec<MacroRow>, Fault> {
        read(year, Finality::Final, &answer(200, body))
    }

    fn date(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2024, 1, day).unwrap()
    }

    #[test]
    fn past_years_are_final() {
        let treasury = Treasury::new(&settings());
        assert_eq!(
            treasury.request(2024).url,
            "https://home.treasury.gov/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/2024/all\
             ?type=daily_treasury_yield_curve&field_tdr_date_value=2024&page&_format=csv"
        );
        assert_eq!(treasury.request(2024).finality, Finality::Final);
        assert_eq!(treasury.request(2025).finality, Finality::Changing);
    }

    #[test]
    fn the_slope_is_the_long_rate_less_the_short_one() {
        let rows = read_year(2024, BODY).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (rows[1].0, rows[1].1.as_slice()),
            (date(4), [-1.25, 5.25, 4.25, 4.0].as_slice())
        );
        let (first, values) = &rows[0];
        assert_eq!((*first, values[1], values[2]), (date(2), 5.5, 4.5));
        assert!(values[0].is_nan() && values[3].is_nan());
    }

    #[test]
    fn other_tables_are_refused() {
        for (found, problem) in [
            (
                shape(read_year(2023, BODY)),
                "a row has the date 2024-01-02; expected one of 2023",
            ),
            (
                shape(read_year(2024, "Date,\"3 Mo\",\"2 Yr\",\"10 Yr\"\n")),
                "there are no rows; expected those of 2024",
            ),
            (
                shape(read_year(2024, &BODY.replace("10 Yr", "10 Year"))),
                "the header is `Date,1 Mo,2 Mo,3 Mo,6 Mo,2 Yr,10 Year,30 Yr`; expected a column 10 Yr",
            ),
            (
                shape(read_year(2024, &BODY.replace("01/04/2024", "2024-01-04"))),
                "a date is `2024-01-04`",
            ),
            (
                shape(read_year(2024, "<!DOCTYPE html>\n<html></html>")),
                "the header is `<!DOCTYPE html>`",
            ),
            (shape(read_year(2024, "")), "the body is empty"),
        ] {
            assert!(found.starts_with(problem), "{found}");
        }
        let new_year = answer(200, "Date,\"3 Mo\",\"2 Yr\",\"10 Yr\"\n");
        assert!(read(2025, Finality::Changing, &new_year).unwrap().is_empty());
        let refused = read(2024, Finality::Final, &answer(404, "gone"));
        assert!(matches!(refused, Err(Fault::Refused { status: 404, message }) if message == "gone"));
    }
}
