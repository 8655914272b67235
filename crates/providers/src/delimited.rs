//! Tables of dates and numbers as comma-separated text, read strictly.

use chrono::NaiveDate;

use crate::fault::{Fault, excerpt};

/// A date and one value per column.
pub(crate) type MacroRow = (NaiveDate, Vec<f64>);

/// A header and rows of the same width.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    header: Vec<&'a str>,
    rows: Vec<Vec<&'a str>>,
}

impl<'a> Table<'a> {
    /// Reads a body. Empty lines are no rows, and a field loses the quotation marks around it; no field of these tables
    /// has a comma in it.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| {
            let found = excerpt(body);
            Fault::Shape(format!(
                "the body is not text; it begins `{found}`; expected comma-separated values"
            ))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let header = lines
            .next()
            .map(split)
            .ok_or_else(|| Fault::Shape("the body is empty; expected a table with a header".to_owned()))?;
        let rows = lines
            .map(|line| {
                let row = split(line);
                if row.len() == header.len() {
                    return Ok(row);
                }
                Err(Fault::Shape(format!(
                    "the row `{}` has {} fields; expected {} as in the header",
                    excerpt(line.as_bytes()),
                    row.len(),
                    header.len()
                )))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { header, rows })
    }

    /// The place of the column that has one of the names.
    pub(crate) fn column(&self, names: &[&str]) -> Result<usize, Fault> {
        let found = self.header.iter().position(|name| names.contains(name));
        found.ok_or_else(|| {
            Fault::Shape(format!(
                "the header is `{}`; expected a column {}",
                excerpt(self.header.join(",").as_bytes()),
                names.join(" or ")
            ))
        })
    }

    /// The dates in one column and the numbers in others; dates increase. The table may have them in either order.
    pub(crate) fn by_date(
        &self,
        (dates, format): (usize, &str),
        columns: &[usize],
    ) -> Result<Vec<MacroRow>, Fault> {
        let read = |row: &Vec<&str>| {
            let values = columns
                .iter()
                .map(|column| number(row[*column], self.header[*column]));
            Ok((date(row[dates], format)?, values.collect::<Result<_, _>>()?))
        };
        let mut rows: Vec<MacroRow> = self.rows.iter().map(read).collect::<Result<_, _>>()?;
        if let [first, .., last] = rows.as_slice()
            && last.0 < first.0
        {
            rows.reverse();
        }
        match rows.windows(2).find(|pair| pair[1].0 <= pair[0].0) {
            None => Ok(rows),
            Some(pair) => Err(Fault::Shape(format!(
                "the dates {} and {} stand side by side; expected them to go one way",
                pair[0].0, pair[1].0
            ))),
        }
    }
}

fn split(line: &str) -> Vec<&str> {
    let clean = |field| {
        let field = str::trim(field);
        let inner = field.strip_prefix('"').and_then(|inner| inner.strip_suffix('"'));
        inner.unwrap_or(field)
    };
    line.split(',').map(clean).collect()
}

fn date(text: &str, format: &str) -> Result<NaiveDate, Fault> {
    NaiveDate::parse_from_str(text, format).map_err(|_| {
        let found = excerpt(text.as_bytes());
        Fault::Shape(format!("a date is `{found}`; expected the form {format}"))
    })
}

/// A finite number, or NaN where there is none: an empty field, a point, or `N/A`.
fn number(text: &str, column: &str) -> Result<f64, Fault> {
    if matches!(text, "" | "." | "N/A") {
        return Ok(f64::NAN);
    }
    let number: Option<f64> = text.parse().ok();
    number.filter(|number| number.is_finite()).ok_or_else(|| {
        let found = excerpt(text.as_bytes());
        Fault::Shape(format!(
            "a value of {column} is `{found}`; expected a number or nothing"
        ))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::support::shape;

    fn read(body: &str) -> Result<Vec<MacroRow>, Fault> {
        let table = Table::read(body.as_bytes())?;
        let columns = [table.column(&["a"])?, table.column(&["b", "c"])?];
        table.by_date((table.column(&["Date"])?, "%m/%d/%Y"), &columns)
    }

    #[test]
    fn tables_are_read_in_either_order() {
        let date = |day| NaiveDate::from_ymd_opt(2024, 1, day).unwrap();
        let expected = vec![(date(2), vec![1.5, -2.0]), (date(3), vec![3.0, 4.0])];
        for body in [
            "Date,\"a\", c\n01/02/2024,1.5,-2\n01/03/2024,3,4\n",
            "\u{feff}b,x,Date,a\r\n4,,01/03/2024,3\r\n\r\n-2,y,1/2/2024,1.5",
        ] {
            assert_eq!(read(body).unwrap(), expected, "{body}");
        }
        assert!(read("Date,a,b\n").unwrap().is_empty());
        let gaps = read("Date,a,b\n01/02/2024,,.\n01/03/2024,N/A,1\n").unwrap();
        assert!(gaps[0].1.iter().all(|value| value.is_nan()) && gaps[1].1[0].is_nan());
    }

    #[test]
    fn other_tables_are_refused() {
        for (body, problem) in [
            ("", "the body is empty; expected a table with a header"),
            ("<html>\n<p>", "the header is `<html>`; expected a column a"),
            ("Date,a,d\n", "the header is `Date,a,d`; expected a column b or c"),
            (
                "Date,a,b\n01/02/2024,1\n",
                "the row `01/02/2024,1` has 2 fields; expected 3 as in the header",
            ),
            (
                "Date,a,b\n01/02/2024,1,x\n",
                "a value of b is `x`; expected a number or nothing",
            ),
            (
                "Date,a,b\n01/02/2024,1,inf\n",
                "a value of b is `inf`; expected a number or nothing",
            ),
            (
                "Date,a,b\n2024-01-02,1,1\n",
                "a date is `2024-01-02`; expected the form %m/%d/%Y",
            ),
            (
                "Date,a,b\n02/30/2024,1,1\n",
                "a date is `02/30/2024`; expected the form %m/%d/%Y",
            ),
            (
                "Date,a,b\n01/02/2024,1,1\n01/02/2024,1,1\n",
                "the dates 2024-01-02 and 2024-01-02 stand side by side",
            ),
            (
                "Date,a,b\n01/02/2024,1,1\n01/05/2024,1,1\n01/03/2024,1,1\n",
                "the dates 2024-01-05 and 2024-01-03 stand",
            ),
        ] {
            let found = shape(read(body));
            assert!(found.starts_with(problem), "{found}");
        }
        assert!(shape(Table::read(b"Date,\xff")).starts_with("the body is not text"));
    }
}
