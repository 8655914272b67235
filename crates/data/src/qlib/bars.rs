//! From the rows of a series to bars, and back.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use sextant_domain::{Bar, BarSeries, UtcNanos};

use super::place::{Places, allowed};
use super::{
    QlibColumn, QlibConventions, QlibDefect, QlibError, QlibFrequency, QlibRefused, QlibSeries, SeriesDefect,
};
use crate::calendar::BarSlot;
use crate::text::listed;
use crate::validate::broken_by;
use crate::{BadRows, RawBars, Rule};

pub(super) const PRICES: [&str; 4] = ["open", "high", "low", "close"];
pub(super) const VOLUME: &str = "volume";
pub(super) const FACTOR: &str = "factor";
pub(super) const TIME: &str = "time";
const ADJUSTMENT: &str =
    "by the field factor of a Qlib folder: raw price = price / factor, raw volume = volume x factor";
/// How many bad rows an error lists.
const LISTED_ROWS: usize = 10;

/// Bars of a series, and what became of its other rows.
#[derive(Debug, Clone, PartialEq)]
pub struct QlibBars {
    /// The bars with the prices of the folder, adjusted if it has factors.
    pub bars: BarSeries,
    /// The bars as traded, where the series has the field `factor`; same times.
    pub raw: Option<RawBars>,
    /// Rows without a price and without a volume: the instrument was suspended, or not listed. No bar is made of them.
    pub suspended: usize,
    /// Rows on a trading day, outside of its session; left out.
    pub outside_session: usize,
    /// Rows that break a rule, left out because the conventions say so. Oldest first.
    pub quarantined: Vec<QlibDefect>,
    /// Fields that were not used.
    pub unused_fields: Vec<String>,
}

/// Makes bars of the fields `open`, `high`, `low`, `close`, and where there are `volume` and `factor`.
///
/// Without a field `volume` the volumes are zero. A row in which all prices are NaN and the volume is NaN or zero is one of
/// a suspended day and counted. Every other row must have all of them: finite prices above zero that high and low enclose,
/// a volume that is not negative, a finite factor above zero. Raw prices are price / factor, in 64 bits and not rounded.
/// No row at all gives no bars.
///
/// # Errors
/// [`QlibError::Series`] when a price is missing altogether, [`QlibError::Rows`] when rows break a rule and are to be
/// refused, [`QlibError::Conventions`] when the conventions contradict themselves.
pub fn to_bars(series: &QlibSeries, conventions: &QlibConventions) -> Result<QlibBars, QlibError> {
    QlibBarMaker::new(series.frequency(), conventions)?.bars(series)
}

/// Makes bars of many series of one frequency; finds the sessions of their calendar once. See [`to_bars`].
#[derive(Debug, Clone)]
pub struct QlibBarMaker {
    places: Places,
    bad_rows: BadRows,
}

impl QlibBarMaker {
    /// Begins with conventions.
    ///
    /// # Errors
    /// [`QlibError::Conventions`] when they contradict themselves.
    pub fn new(frequency: QlibFrequency, conventions: &QlibConventions) -> Result<Self, QlibError> {
        Ok(Self {
            places: Places::new(conventions, frequency)?,
            bad_rows: conventions.bad_rows,
        })
    }

    /// Makes the bars of a series, as [`to_bars`] does.
    ///
    /// # Errors
    /// As for [`to_bars`], and [`QlibError::Conventions`] when the series has another frequency.
    pub fn bars(&mut self, series: &QlibSeries) -> Result<QlibBars, QlibError> {
        if series.frequency() != self.places.frequency() {
            return Err(QlibError::Conventions {
                field: "frequency",
                found: format!("a {} series", series.frequency()),
                allowed: "series of the frequency for which the maker was made",
            });
        }
        let columns = Columns::of(series)?;
        let mut rows = Rows::default();
        for row in 0..series.len() {
            let time = series.times()[row];
            match read_row(&columns.row(row), time, &mut self.places) {
                Ok(Row::Bar(bar, factor)) => rows.bars.push((bar, factor)),
                Ok(Row::Suspended) => rows.suspended += 1,
                Ok(Row::OutsideSession) => rows.outside_session += 1,
                Err(problem) => rows.bad.push(problem.at(time, series.first_step() + row)),
            }
        }
        if !rows.bad.is_empty() && self.bad_rows == BadRows::Refuse {
            return Err(refused(series, &rows.bad));
        }
        rows.into_bars(series, columns.factor.is_some())
    }
}

/// The way back: bars as rows with the fields `open`, `high`, `low`, `close`, `volume`, and `factor` where factors are
/// given, one per bar. `bars` are the adjusted ones then. Numbers are rounded to 32 bits.
///
/// # Errors
/// [`QlibError::Series`] when there is no bar, one does not begin where the conventions have one, a number is none in 32 bits, or the
/// factors are not one per bar; [`QlibError::Name`] for the symbol.
pub fn from_bars(
    symbol: &str,
    frequency: QlibFrequency,
    (bars, factors): (&BarSeries, Option<&[f64]>),
    conventions: &QlibConventions,
) -> Result<QlibSeries, QlibError> {
    let error = |defect| QlibError::Series {
        symbol: symbol.to_owned(),
        frequency,
        defect,
    };
    let view = bars.view();
    if bars.is_empty() {
        return Err(error(SeriesDefect::NoBars));
    }
    if let Some(factors) = factors.filter(|factors| factors.len() != bars.len()) {
        let (factors, bars) = (factors.len(), bars.len());
        return Err(error(SeriesDefect::Factors { factors, bars }));
    }
    let mut places = Places::new(conventions, frequency)?;
    let mut times = Vec::with_capacity(bars.len());
    for open_time in view.open_time {
        let not_on_grid = SeriesDefect::NotOnGrid {
            open_time: *open_time,
            frequency,
        };
        times.push(places.time(*open_time).ok_or_else(|| error(not_on_grid))?);
    }
    let fields = [
        (PRICES[0], Some(view.open)),
        (PRICES[1], Some(view.high)),
        (PRICES[2], Some(view.low)),
        (PRICES[3], Some(view.close)),
        (VOLUME, Some(view.volume)),
        (FACTOR, factors),
    ];
    let mut columns = Vec::new();
    for (field, values) in fields {
        if let Some(values) = values {
            columns.push(column(field, values, view.open_time).map_err(error)?);
        }
    }
    QlibSeries::new(symbol, frequency, times, columns)
}

fn column(field: &'static str, values: &[f64], open_times: &[UtcNanos]) -> Result<QlibColumn, SeriesDefect> {
    let single = |(value, open_time): (&f64, &UtcNanos)| {
        let single = *value as f32;
        let positive = single.is_finite() && single > 0.0;
        let no_volume = field == VOLUME && *value == 0.0;
        (positive || no_volume)
            .then_some(single)
            .ok_or(SeriesDefect::NotASingle {
                open_time: *open_time,
                field,
                value: *value,
            })
    };
    Ok(QlibColumn {
        field: field.to_owned(),
        start: 0,
        values: values
            .iter()
            .zip(open_times)
            .map(single)
            .collect::<Result<_, _>>()?,
    })
}

/// The columns that bars are made of.
struct Columns<'s> {
    prices: [&'s QlibColumn; 4],
    volume: Option<&'s QlibColumn>,
    factor: Option<&'s QlibColumn>,
}

/// The numbers of a row.
struct Numbers {
    prices: [f32; 4],
    volume: Option<f32>,
    factor: Option<f32>,
}

impl<'s> Columns<'s> {
    fn of(series: &'s QlibSeries) -> Result<Self, QlibError> {
        let price = |field: &str| {
            series.column(field).ok_or_else(|| {
                series.error(SeriesDefect::FieldMissing {
                    field: field.to_owned(),
                    there: listed(series.columns().iter().map(|column| column.field.clone())),
                })
            })
        };
        Ok(Self {
            prices: [
                price(PRICES[0])?,
                price(PRICES[1])?,
                price(PRICES[2])?,
                price(PRICES[3])?,
            ],
            volume: series.column(VOLUME),
            factor: series.column(FACTOR),
        })
    }

    fn row(&self, row: usize) -> Numbers {
        Numbers {
            prices: self.prices.map(|column| column.at(row)),
            volume: self.volume.map(|column| column.at(row)),
            factor: self.factor.map(|column| column.at(row)),
        }
    }
}

/// What a row is.
enum Row {
    /// A bar, and its factor.
    Bar(Bar, f64),
    /// No trading.
    Suspended,
    /// On a trading day, before its open or after its close.
    OutsideSession,
}

/// Why a row is none of these.
struct Problem {
    field: &'static str,
    rule: Rule,
    value: f32,
    allowed: &'static str,
}

impl Problem {
    fn at(self, time: NaiveDateTime, step: usize) -> QlibDefect {
        QlibDefect {
            time,
            step,
            field: self.field,
            rule: self.rule,
            value: self.value,
            allowed: self.allowed,
        }
    }
}

/// Checks the numbers of a row before its time, because rows without trading may stand anywhere.
fn read_row(numbers: &Numbers, time: NaiveDateTime, places: &mut Places) -> Result<Row, Problem> {
    let no_price = numbers.prices.iter().all(|price| price.is_nan());
    let no_volume = numbers
        .volume
        .is_none_or(|volume| volume.is_nan() || volume == 0.0);
    if no_price && no_volume {
        return Ok(Row::Suspended);
    }
    let [open, high, low, close] = numbers.prices.map(f64::from);
    let volume = f64::from(numbers.volume.unwrap_or(0.0));
    if let Some(rule) = broken_by([open, high, low, close, volume]) {
        return Err(culprit(rule, numbers));
    }
    let factor = numbers.factor.unwrap_or(1.0);
    check_factor(factor)?;
    let BarSlot {
        open_time,
        close_time,
    } = match places.slot(time) {
        Ok(slot) => slot,
        Err(Rule::OutsideSession) => return Ok(Row::OutsideSession),
        Err(rule) => {
            return Err(Problem {
                field: TIME,
                rule,
                value: f32::NAN,
                allowed: allowed(rule),
            });
        }
    };
    let bar = Bar {
        open_time,
        close_time,
        open,
        high,
        low,
        close,
        volume,
    };
    Ok(Row::Bar(bar, f64::from(factor)))
}

fn check_factor(value: f32) -> Result<(), Problem> {
    let rule = if !value.is_finite() {
        Rule::Nan
    } else if value <= 0.0 {
        Rule::NonPositive
    } else {
        return Ok(());
    };
    Err(Problem {
        field: FACTOR,
        rule,
        value,
        allowed: "a finite number above zero on every day with prices",
    })
}

/// The number that breaks a rule, and what it may be.
fn culprit(rule: Rule, numbers: &Numbers) -> Problem {
    let [open, high, low, close] = numbers.prices;
    let volume = numbers.volume.unwrap_or(0.0);
    let first = |bad: fn(f32) -> bool| {
        let all = [open, high, low, close, volume];
        let index = all.iter().position(|value| bad(*value)).unwrap_or(0);
        (
            [PRICES[0], PRICES[1], PRICES[2], PRICES[3], VOLUME][index],
            all[index],
        )
    };
    let ((field, value), allowed) = match rule {
        Rule::Nan => (
            first(|value| !value.is_finite()),
            "a finite number, or NaN in all prices of the day and no volume",
        ),
        Rule::NonPositive => (first(|value| value <= 0.0), "a number above zero"),
        Rule::NegativeVolume => ((VOLUME, volume), "zero or a number above zero"),
        _ if high < open.max(close) => ((PRICES[1], high), "at least open and close"),
        _ => ((PRICES[2], low), "at most open and close"),
    };
    Problem {
        field,
        rule,
        value,
        allowed,
    }
}

#[derive(Default)]
struct Rows {
    bars: Vec<(Bar, f64)>,
    suspended: usize,
    outside_session: usize,
    bad: Vec<QlibDefect>,
}

impl Rows {
    fn into_bars(self, series: &QlibSeries, has_factor: bool) -> Result<QlibBars, QlibError> {
        let made = |bars: &mut dyn Iterator<Item = Bar>| {
            BarSeries::from_bars(bars).map_err(|source| QlibError::Bars {
                symbol: series.symbol().to_owned(),
                source,
            })
        };
        let bars = made(&mut self.bars.iter().map(|(bar, _)| *bar))?;
        let raw = has_factor.then(|| {
            Ok::<_, QlibError>(RawBars {
                bars: made(&mut self.bars.iter().map(|(bar, factor)| as_traded(bar, *factor)))?,
                adjustment_factor: self.bars.iter().map(|(_, factor)| *factor).collect(),
                adjustment: ADJUSTMENT.to_owned(),
            })
        });
        let used = |field: &str| PRICES.contains(&field) || field == VOLUME || field == FACTOR;
        let fields = series.columns().iter().map(|column| &column.field);
        Ok(QlibBars {
            bars,
            raw: raw.transpose()?,
            suspended: self.suspended,
            outside_session: self.outside_session,
            quarantined: self.bad,
            unused_fields: fields.filter(|field| !used(field)).cloned().collect(),
        })
    }
}

fn as_traded(bar: &Bar, factor: f64) -> Bar {
    Bar {
        open: bar.open / factor,
        high: bar.high / factor,
        low: bar.low / factor,
        close: bar.close / factor,
        volume: bar.volume * factor,
        ..*bar
    }
}

fn refused(series: &QlibSeries, bad: &[QlibDefect]) -> QlibError {
    let mut by_rule: BTreeMap<Rule, u64> = BTreeMap::new();
    for defect in bad {
        *by_rule.entry(defect.rule).or_default() += 1;
    }
    QlibError::Rows(Box::new(QlibRefused {
        symbol: series.symbol().to_owned(),
        frequency: series.frequency(),
        total: bad.len(),
        by_rule: by_rule.into_iter().collect(),
        first: bad.iter().take(LISTED_ROWS).cloned().collect(),
    }))
}
