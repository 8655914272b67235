//! Cboe: the volatility index VIX.

use std::time::Duration;

use chrono::NaiveDate;
use sextant_data::{FetchedMacro, MacroProvider, Progress, ProviderError, PublicationRule};

use crate::ProviderSettings;
use crate::delimited::{MacroRow, Table};
use crate::fault::{Fault, excerpt};
use crate::http::{Answer, Finality, PageRequest};
use crate::pages::Party;

pub(crate) const NAME: &str = "cboe";
pub(crate) const TABLE: &str = "vix";
const BASE: &str = "https://cdn.cboe.com";
const PACE: Duration = Duration::from_millis(500);

/// The daily history of the volatility index VIX of Cboe, one CSV file from 1990 on, without keys.
///
/// The table `vix` has the series `vix`: the close, in percent a year.
///
/// * Columns are `DATE,OPEN,HIGH,LOW,CLOSE`, dates `MM/DD/YYYY`, oldest first.
/// * The file is written anew after each session, so it is never kept. While it is written, the day may be missing.
/// * The index is calculated until 16:15 New York time, and the close counts as known at 18:00.
///
/// Address: "Historical Data for Cboe VIX Index" at cboe.com.
#[derive(Debug)]
pub struct CboeVix {
    party: Party,
}

impl CboeVix {
    /// A client.
    pub fn new(settings: &ProviderSettings) -> Self {
        Self {
            party: Party::new(NAME, BASE, PACE, settings),
        }
    }

    fn request(&self) -> PageRequest {
        PageRequest {
            url: format!(
                "{}/api/global/us_indices/daily_prices/VIX_History.csv",
                self.party.base
            ),
            headers: Vec::new(),
            finality: Finality::Changing,
        }
    }
}

impl MacroProvider for CboeVix {
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
        let mut rows = self.party.ask(&self.request(), read)?;
        progress.advance(1);
        rows.retain(|(date, _)| start <= *date && *date <= end);
        Ok(FetchedMacro {
            series: vec!["vix".to_owned()],
            rows,
            publication: PublicationRule::default(),
            source: format!("{NAME} VIX history, close"),
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
    let dates = table.column(&["DATE"])?;
    let close = table.column(&["CLOSE"])?;
    let mut rows = table.by_date((dates, "%m/%d/%Y"), &[close])?;
    rows.retain(|(_, values)| !values[0].is_nan());
    if rows.is_empty() {
        return Err(Fault::Shape(
            "there are no rows; expected those from 1990 on".to_owned(),
        ));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::support::{answer, settings, shape};

    const BODY: &str = "DATE,OPEN,HIGH,LOW,CLOSE\r\n01/02/1990,17.240000,17.240000,17.240000,17.240000\r\n\
        01/03/1990,18.19,18.20,18.18,18.190000\r\n";

    #[test]
    fn the_close_of_each_day_is_read() {
        let request = CboeVix::new(&settings()).request();
        assert_eq!(
            request.url,
            "https://cdn.cboe.com/api/global/us_indices/daily_prices/VIX_History.csv"
        );
        assert_eq!(request.finality, Finality::Changing);
        let date = |day| NaiveDate::from_ymd_opt(1990, 1, day).unwrap();
        assert_eq!(
            read(&answer(200, BODY)).unwrap(),
            [(date(2), vec![17.24]), (date(3), vec![18.19])]
        );
    }

    #[test]
    fn other_tables_are_refused() {
        for (body, problem) in [
            (
                BODY.replace("CLOSE", "Close"),
                "the header is `DATE,OPEN,HIGH,LOW,Close`; expected a column CLOSE",
            ),
            (BODY.replace("18.190000", "x"), "a value of CLOSE is `x`"),
            (BODY[..84].to_owned(), "the row `01/03/` has 1 fields"),
            ("DATE,OPEN,HIGH,LOW,CLOSE\n".to_owned(), "there are no rows"),
            ("<html>".to_owned(), "the header is `<html>`"),
            (String::new(), "the body is empty"),
        ] {
            let found = shape(read(&answer(200, body)));
            assert!(found.starts_with(problem), "{found}");
        }
        assert!(matches!(
            read(&answer(403, "no")),
            Err(Fault::Refused { status: 403, .. })
        ));
    }
}
