//! FRED: a free survey in place of the purchasing managers' index.

use std::time::Duration;

use chrono::{Datelike, NaiveDate};
use sextant_data::{FetchedMacro, MacroProvider, Progress, ProviderError, PublicationRule};

use crate::ProviderSettings;
use crate::delimited::{MacroRow, Table};
use crate::fault::{Fault, excerpt};
use crate::http::{Answer, Finality, PageRequest};
use crate::pages::Party;

pub(crate) const NAME: &str = "fred";
pub(crate) const TABLE: &str = "pmi";
const BASE: &str = "https://fred.stlouisfed.org";
const PACE: Duration = Duration::from_millis(500);
const SURVEY: &str = "GACDFSA066MSFRBPHI";

/// The manufacturing survey of the Federal Reserve Bank of Philadelphia, by the chart files of FRED, without keys: a
/// free stand-in for the purchasing managers' index (PMI) of the ISM, which is not free.
///
/// The table `pmi` has the series `pmi`. The survey's index of current general activity is a diffusion index, the share
/// of firms that report an increase less the share that report a decrease, from -100 to 100. A PMI is the share that
/// report an increase plus half of those that report no change, from 0 to 100. The three shares add up to 100, so the
/// same answers as a PMI are `pmi = 50 + d / 2`. It is a survey of one district and of one question, where the ISM asks
/// the whole country and averages five.
///
/// * One value a month, dated the first of it, seasonally adjusted. The seasonal factors are revised each January, for
///   years back: the values are not those that were known at the time, and are never kept.
/// * The survey comes out on the third Thursday of its month. A value counts as known 31 days after its date at 18:00 New
///   York time, which is the first day of the next month or, after a shorter month, up to three days later; never early.
/// * Columns are `observation_date` (once `DATE`) and the name of the series; no value is empty or a point.
///
/// Address: the download of a chart at fred.stlouisfed.org, series GACDFSA066MSFRBPHI. Formula: the definitions of both
/// indices, "Manufacturing Business Outlook Survey" (Philadelphia Fed) and "Report On Business" (ISM).
#[derive(Debug)]
pub struct FredSurvey {
    party: Party,
}

impl FredSurvey {
    /// A client.
    pub fn new(settings: &ProviderSettings) -> Self {
        Self {
            party: Party::new(NAME, BASE, PACE, settings),
        }
    }

    fn request(&self, start: NaiveDate, end: NaiveDate) -> PageRequest {
        // Values are dated the first of their month.
        let first = start.with_day(1).unwrap_or(start);
        PageRequest {
            url: format!(
                "{}/graph/fredgraph.csv?id={SURVEY}&cosd={first}&coed={end}",
                self.party.base
            ),
            headers: Vec::new(),
            finality: Finality::Changing,
        }
    }
}

impl MacroProvider for FredSurvey {
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
        progress.start(1, &format!("file from {NAME}"));
        let mut rows = self.party.ask(&self.request(start, end), read)?;
        progress.advance(1);
        rows.retain(|(date, _)| start <= *date && *date <= end);
        Ok(FetchedMacro {
            series: vec!["pmi".to_owned()],
            rows,
            publication: PublicationRule {
                delay_days: 31,
                ..PublicationRule::default()
            },
            source: format!("{NAME} {SURVEY} as 50 + d / 2, a stand-in for the PMI"),
        })
    }
}

pub(crate) fn read(answer: &Answer) -> Result<Vec<MacroRow>, Fault> {
    if answer.status != 200 {
        return Err(Fault::Refused {
            status: answer.status,
            message: excerpt(&answer.body),
        });
    }
    let table = Table::read(&answer.body)?;
    let dates = table.column(&["observation_date", "DATE"])?;
    let index = table.column(&[SURVEY])?;
    let mut rows = table.by_date((dates, "%Y-%m-%d"), &[index])?;
    rows.retain(|(_, values)| !values[0].is_nan());
    rows.into_iter()
        .map(|(date, values)| Ok((date, vec![pmi(date, values[0])?])))
        .collect()
}

/// A diffusion index as a PMI.
fn pmi(month: NaiveDate, diffusion: f64) -> Result<f64, Fault> {
    if month.day() != 1 {
        return Err(Fault::Shape(format!(
            "a value is dated {month}; expected the first of a month"
        )));
    }
    if !(-100.0..=100.0).contains(&diffusion) {
        let problem = format!("the value of {month} is {diffusion}; expected a diffusion index, -100 to 100");
        return Err(Fault::Shape(problem));
    }
    Ok(50.0 + diffusion / 2.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::support::{answer, settings, shape};

    const BODY: &str =
        "observation_date,GACDFSA066MSFRBPHI\n2024-01-01,-10.5\n2024-02-01,.\n2024-03-01,\n2024-04-01,15\n";

    fn date(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn the_diffusion_index_becomes_a_pmi() {
        let request = FredSurvey::new(&settings()).request(date(2024, 1, 15), date(2024, 4, 30));
        assert_eq!(
            request.url,
            "https://fred.stlouisfed.org/graph/fredgraph.csv?id=GACDFSA066MSFRBPHI&cosd=2024-01-01&coed=2024-04-30"
        );
        assert_eq!(request.finality, Finality::Changing);
        let expected = [(date(2024, 1, 1), vec![44.75]), (date(2024, 4, 1), vec![57.5])];
        assert_eq!(read(&answer(200, BODY)).unwrap(), expected);
        assert_eq!(
            read(&answer(200, BODY.replace("observation_date", "DATE"))).unwrap(),
            expected
        );
        // Of 100 firms, 40 report more and 25 less: 40 + 35 / 2.
        assert_eq!(pmi(date(2024, 1, 1), 40.0 - 25.0).unwrap(), 57.5);
    }

    #[test]
    fn no_value_is_known_before_its_month_is_over() {
        for (year, month) in (2020..2030).flat_map(|year| (1..=12).map(move |month| (year, month))) {
            let known = date(year, month, 1) + chrono::Days::new(31);
            assert!((known.year(), known.month()) > (year, month), "{year}-{month}");
            assert!(known.day() <= 4, "{year}-{month}");
        }
    }

    #[test]
    fn other_tables_are_refused() {
        for (body, problem) in [
            (
                BODY.replace("GACDFSA", "X"),
                "the header is `observation_date,X066MSFRBPHI`; expected a column GACDFSA066MSFRBPHI",
            ),
            (
                BODY.replace("observation_date", "day"),
                "the header is `day,GACDFSA066MSFRBPHI`; expected a column observation_date or DATE",
            ),
            (
                BODY.replace("-10.5", "-100.5"),
                "the value of 2024-01-01 is -100.5; expected a diffusion index",
            ),
            (
                BODY.replace("2024-01-01", "2024-01-02"),
                "a value is dated 2024-01-02; expected the first of a month",
            ),
            (BODY.replace("-10.5", "n"), "a value of GACDFSA066MSFRBPHI is `n`"),
            ("<html>".to_owned(), "the header is `<html>`"),
        ] {
            let found = shape(read(&answer(200, body)));
            assert!(found.starts_with(problem), "{found}");
        }
        assert!(matches!(
            read(&answer(404, "no")),
            Err(Fault::Refused { status: 404, .. })
        ));
    }
}
