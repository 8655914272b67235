//! Yahoo: bars of US shares and funds, free and without keys.

use std::time::Duration;

use chrono_tz::Tz;
use sextant_data::{
    BarProvider, BarRequest, FetchedBar, FetchedBars, Offer, Progress, ProviderError, StampConvention,
};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use crate::ProviderSettings;
use crate::fault::{Fault, excerpt};
use crate::http::{Answer, PageRequest, Secret};
use crate::json::{Node, parse};
use crate::pages::{
    BarPages, Page, Party, Window, collect, encoded, midnight_ceil, passing_windows, seconds_floor,
};

pub(crate) const NAME: &str = "yahoo";
const BASE: &str = "https://query1.finance.yahoo.com";
/// The party publishes no limit; this is what it bears.
const PACE: Duration = Duration::from_millis(500);
/// Programs whose name does not begin like this are often turned away with status 429.
const USER_AGENT: &str = concat!(
    "Mozilla/5.0 (compatible; sextant/",
    env!("CARGO_PKG_VERSION"),
    ")"
);
const DAY: i64 = Timeframe::D1.nanos();

/// Bars of US shares and funds by the chart interface of Yahoo Finance, `GET /v8/finance/chart/{symbol}`.
///
/// The interface is the one of Yahoo's own pages. It is not documented, not promised to anybody, and may change or end at
/// any time; terms of use apply. No key is needed.
///
/// * Daily bars go back decades. Intraday bars have a short history: 1M 30 days and 7 days a request, 5M, 15M and 30M 60
///   days. What lies before is refused without asking.
/// * Its hourly bars begin at 09:30, 10:30, ... New York time, half an hour off the grid of the platform, and are not
///   offered; 30M resampled gives them.
/// * Prices and volumes are adjusted for splits, not for dividends, back to the first bar. They are restated at every
///   split, so answers are never kept.
/// * A daily row has the time of the session's open and becomes its date, by the time zone that the answer names.
/// * A row without any price had no trades and is left out. While a market is open, the newest row may be the latest
///   quote instead of a bar; it has a time off the grid, or a date twice, and is left out.
/// * It writes share classes with a hyphen: `BRK.B` is asked for as `BRK-B`.
#[derive(Debug)]
pub struct Yahoo {
    pub(crate) party: Party,
}

impl Yahoo {
    /// A client.
    pub fn new(settings: &ProviderSettings) -> Self {
        Self {
            party: Party::new(NAME, BASE, PACE, settings),
        }
    }

    /// Refuses what lies before the party's history.
    fn check_reach(&self, request: &BarRequest) -> Result<(), ProviderError> {
        let timeframe = request.key.timeframe();
        let Some(days) = history_days(timeframe) else {
            return Ok(());
        };
        let earliest = midnight_ceil(self.party.now.saturating_add(-days * DAY));
        if request.start >= earliest {
            return Ok(());
        }
        Err(ProviderError::OutOfReach {
            provider: NAME,
            wanted: request.key.to_string(),
            earliest,
            help: "begin there, or load 1D, which goes back decades".to_owned(),
        })
    }
}

impl BarProvider for Yahoo {
    fn name(&self) -> &'static str {
        NAME
    }

    fn offer(&self, class: AssetClass, timeframe: Timeframe) -> Result<Offer, ProviderError> {
        interval(class, timeframe)?;
        Ok(Offer {
            stamp: match timeframe {
                Timeframe::D1 => StampConvention::SessionDate,
                _ => StampConvention::BarOpen,
            },
            adjustment: "splits: prices and volumes restated for all later splits, dividends left in"
                .to_owned(),
            revises_history: true,
            settling_seconds: 900,
        })
    }

    fn fetch(&self, request: &BarRequest, progress: &dyn Progress) -> Result<FetchedBars, ProviderError> {
        let pages = Bars::new(&self.party, request)?;
        self.check_reach(request)?;
        let longest = match request.key.timeframe() {
            Timeframe::M1 => 7 * DAY,
            _ => i64::MAX,
        };
        let windows = passing_windows(request.start, request.end, longest);
        Ok(FetchedBars {
            rows: collect(&self.party, &pages, &windows, progress)?,
            source: format!("{NAME} {} {}, split-adjusted", pages.symbol, pages.interval),
        })
    }
}

/// The party's name for a timeframe.
fn interval(class: AssetClass, timeframe: Timeframe) -> Result<&'static str, ProviderError> {
    let unsupported = |allowed: &str| ProviderError::Unsupported {
        provider: NAME,
        wanted: format!("{class} bars of {timeframe}"),
        allowed: allowed.to_owned(),
    };
    if class != AssetClass::Equity {
        return Err(unsupported("equity bars"));
    }
    match timeframe {
        Timeframe::M1 => Ok("1m"),
        Timeframe::M5 => Ok("5m"),
        Timeframe::M15 => Ok("15m"),
        Timeframe::M30 => Ok("30m"),
        Timeframe::D1 => Ok("1d"),
        Timeframe::H1 | Timeframe::H4 => Err(unsupported(
            "1M, 5M, 15M, 30M and 1D (its hourly bars are half an hour off the session's grid: load 30M and resample)",
        )),
    }
}

/// How many days back the bars of a timeframe go.
fn history_days(timeframe: Timeframe) -> Option<i64> {
    match timeframe {
        Timeframe::M1 => Some(30),
        Timeframe::D1 => None,
        _ => Some(60),
    }
}

/// `BRK.B` in the party's way; `BMW.DE` has an exchange behind the point and stays.
fn party_symbol(symbol: &str) -> String {
    match symbol.rsplit_once('.') {
        Some((name, class)) if class.len() == 1 => format!("{name}-{class}"),
        _ => symbol.to_owned(),
    }
}

/// The pages of one symbol.
pub(crate) struct Bars<'a> {
    party: &'a Party,
    symbol: String,
    interval: &'static str,
    timeframe: Timeframe,
}

impl<'a> Bars<'a> {
    pub(crate) fn new(party: &'a Party, request: &BarRequest) -> Result<Self, ProviderError> {
        let timeframe = request.key.timeframe();
        let own = request.provider_symbol.clone();
        Ok(Self {
            party,
            symbol: own.unwrap_or_else(|| party_symbol(request.key.symbol())),
            interval: interval(request.key.class(), timeframe)?,
            timeframe,
        })
    }

    fn unknown_symbol(&self, message: String) -> Fault {
        Fault::Failed(ProviderError::UnknownSymbol {
            provider: NAME,
            symbol: self.symbol.clone(),
            message,
            help: "Look the symbol up on its pages and name it with `--symbols <yours>=<its>`".to_owned(),
        })
    }

    /// What a refusal means.
    fn refusal(&self, status: u16, code: &str, message: String) -> Result<Page, Fault> {
        // A range without a session is no mistake.
        if message.starts_with("Data doesn't exist for startDate") {
            return Ok(nothing());
        }
        if status == 404 || code == "Not Found" {
            return Err(self.unknown_symbol(message));
        }
        Err(Fault::Refused { status, message })
    }

    /// A refusal in another form than `chart.error`.
    fn unread(&self, answer: &Answer) -> Result<Page, Fault> {
        self.refusal(answer.status, "", excerpt(&answer.body))
    }

    fn rows(&self, result: &Node<'_>) -> Result<Vec<FetchedBar>, Fault> {
        let meta = result.field("meta")?;
        self.check_meta(&meta)?;
        let indicators = result.field("indicators")?;
        let quotes = indicators.field("quote")?;
        let [quote] = quotes.tuple()?;
        let Some(times) = result.optional("timestamp")? else {
            return no_quotes(&quote);
        };
        let zone = time_zone(&meta.field("exchangeTimezoneName")?)?;
        let stamps = times
            .items()?
            .map(|time| self.stamp(&time, zone))
            .collect::<Result<Vec<_>, _>>()?;
        let bars = stamps.iter().zip(values_by_row(&quote, stamps.len())?);
        let mut rows: Vec<Option<FetchedBar>> = bars
            .map(|(stamp, values)| values.map(|values| to_bar(*stamp, values)))
            .collect();
        if self.ends_with_quote(&stamps) {
            rows.pop();
        }
        Ok(rows.into_iter().flatten().collect())
    }

    /// It answers with another interval or symbol than asked for when it does not have it.
    fn check_meta(&self, meta: &Node<'_>) -> Result<(), Fault> {
        let symbol = meta.field("symbol")?;
        if !symbol.text()?.eq_ignore_ascii_case(&self.symbol) {
            return Err(symbol.misfit(&format!("the symbol asked for, {}", self.symbol)));
        }
        let granularity = meta.field("dataGranularity")?;
        if granularity.text()? != self.interval {
            return Err(granularity.misfit(&format!("the interval asked for, {}", self.interval)));
        }
        Ok(())
    }

    fn stamp(&self, node: &Node<'_>, zone: Tz) -> Result<UtcNanos, Fault> {
        let misfit = || node.misfit("seconds since 1970");
        let time = UtcNanos::from_seconds(node.integer()?).ok_or_else(misfit)?;
        if self.timeframe != Timeframe::D1 {
            return Ok(time);
        }
        let date = time.datetime().with_timezone(&zone).date_naive();
        UtcNanos::from_date(date).ok_or_else(misfit)
    }

    fn ends_with_quote(&self, stamps: &[UtcNanos]) -> bool {
        match stamps {
            [.., before, last] if before == last => true,
            [.., last] => last.nanos().rem_euclid(self.timeframe.nanos()) != 0,
            [] => false,
        }
    }
}

impl BarPages for Bars<'_> {
    fn request(&self, window: &Window, _cursor: Option<&str>) -> PageRequest {
        // A session's open lies within a day of the midnight UTC that names it.
        let margin = if self.timeframe == Timeframe::D1 { DAY } else { 0 };
        let start = seconds_floor(window.start.saturating_add(-margin));
        let end = seconds_floor(window.end.saturating_add(margin + 999_999_999));
        PageRequest {
            url: format!(
                "{}/v8/finance/chart/{}?period1={start}&period2={end}&interval={}&events=div,splits&includeAdjustedClose=true",
                self.party.base,
                encoded(&self.symbol),
                self.interval,
            ),
            headers: vec![("user-agent", Secret(USER_AGENT.to_owned()))],
            finality: window.finality,
        }
    }

    fn read(&self, _window: &Window, answer: &Answer) -> Result<Page, Fault> {
        let body = match parse(&answer.body) {
            Err(_) if answer.status != 200 => return self.unread(answer),
            body => body?,
        };
        let root = Node::root(&body);
        let chart = match root.field("chart") {
            Err(_) if answer.status != 200 => return self.unread(answer),
            chart => chart?,
        };
        if let Some(error) = chart.optional("error")? {
            let code = error.field("code")?.text()?.to_owned();
            let description = error.optional("description")?;
            let message = description.map_or(Ok(code.as_str()), |words| words.text())?;
            return self.refusal(answer.status, &code, excerpt(message.as_bytes()));
        }
        if answer.status != 200 {
            return self.unread(answer);
        }
        let results = chart.field("result")?;
        let [result] = results.tuple()?;
        Ok(Page {
            rows: self.rows(&result)?,
            next: None,
        })
    }
}

fn nothing() -> Page {
    Page {
        rows: Vec::new(),
        next: None,
    }
}

/// A range without rows has no times, and quotes without columns.
fn no_quotes(quote: &Node<'_>) -> Result<Vec<FetchedBar>, Fault> {
    match quote.names()?.next() {
        None => Ok(Vec::new()),
        Some(_) => Err(quote.misfit("no columns where there is no field `timestamp`")),
    }
}

fn time_zone(node: &Node<'_>) -> Result<Tz, Fault> {
    let misfit = |_| node.misfit("the name of a time zone, such as America/New_York");
    node.text()?.parse().map_err(misfit)
}

fn to_bar(stamp: UtcNanos, [open, high, low, close, volume]: [f64; 5]) -> FetchedBar {
    FetchedBar {
        stamp,
        open,
        high,
        low,
        close,
        volume,
    }
}

/// The columns of a quote, turned into rows; `None` for a row without trades.
fn values_by_row(quote: &Node<'_>, rows: usize) -> Result<Vec<Option<[f64; 5]>>, Fault> {
    let mut columns: [Vec<Option<f64>>; 5] = Default::default();
    for (column, name) in columns.iter_mut().zip(["open", "high", "low", "close", "volume"]) {
        let node = quote.field(name)?;
        *column = node
            .items()?
            .map(|value| maybe(&value))
            .collect::<Result<_, _>>()?;
        if column.len() != rows {
            return Err(node.misfit(&format!("one item for each of the {rows} times")));
        }
    }
    let row = |index: usize| whole(columns.each_ref().map(|column| column[index]), quote, index);
    (0..rows).map(row).collect()
}

fn maybe(value: &Node<'_>) -> Result<Option<f64>, Fault> {
    if value.is_null() {
        Ok(None)
    } else {
        value.number().map(Some)
    }
}

/// A row with all of its values, or one without trades: no prices, and no volume or one of zero.
fn whole(values: [Option<f64>; 5], quote: &Node<'_>, index: usize) -> Result<Option<[f64; 5]>, Fault> {
    match values {
        [Some(open), Some(high), Some(low), Some(close), Some(volume)] => {
            Ok(Some([open, high, low, close, volume]))
        }
        [None, None, None, None, volume] if volume.unwrap_or(0.0) == 0.0 => Ok(None),
        _ => Err(quote.misfit(&format!("all values of row {index} or none; some are null"))),
    }
}

#[cfg(test)]
mod tests;
