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

const NAME: &str = "yahoo";
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

    /// Reads `chart.error`, or an answer that is not even that.
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
        let columns = Columns::read(&quote, stamps.len())?;
        let bars = stamps.iter().zip(columns.rows);
        let mut rows: Vec<(UtcNanos, Option<FetchedBar>)> = bars
            .map(|(stamp, values)| (*stamp, values.map(|values| to_bar(*stamp, values))))
            .collect();
        if self.ends_with_quote(&stamps) {
            rows.pop();
        }
        Ok(rows.into_iter().filter_map(|(_, bar)| bar).collect())
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
            Ok(body) => body,
            Err(fault) if answer.status == 200 => return Err(fault),
            Err(_) => return self.refusal(answer.status, "", excerpt(&answer.body)),
        };
        let root = Node::root(&body);
        let chart = match root.field("chart") {
            Ok(chart) => chart,
            Err(fault) if answer.status == 200 => return Err(fault),
            Err(_) => return self.refusal(answer.status, "", excerpt(&answer.body)),
        };
        if let Some(error) = chart.optional("error")? {
            let code = error.field("code")?;
            let message = error
                .optional("description")?
                .map(|words| words.text())
                .transpose()?;
            let message = excerpt(message.unwrap_or(code.text()?).as_bytes());
            return self.refusal(answer.status, code.text()?, message);
        }
        if answer.status != 200 {
            return self.refusal(answer.status, "", excerpt(&answer.body));
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
struct Columns {
    rows: Vec<Option<[f64; 5]>>,
}

impl Columns {
    fn read(quote: &Node<'_>, rows: usize) -> Result<Self, Fault> {
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
        Ok(Self {
            rows: (0..rows).map(row).collect::<Result<_, _>>()?,
        })
    }
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::support::{answer, bar, failed, request, settings, shape, time, window};
    use serde_json::{Value, json};

    fn read_as(timeframe: Timeframe, status: u16, body: &str) -> Result<Page, Fault> {
        let yahoo = Yahoo::new(&settings());
        let request = request(AssetClass::Equity, "SPY", timeframe, ["2025-06-01", "2025-06-10"]);
        let pages = Bars::new(&yahoo.party, &request).unwrap();
        pages.read(&window("2025-06-01", "2025-06-10"), &answer(status, body))
    }

    fn read(status: u16, body: &str) -> Result<Page, Fault> {
        read_as(Timeframe::D1, status, body)
    }

    fn chart(interval: &str, times: &[&str]) -> Value {
        let rows = times.len();
        let times: Vec<i64> = times.iter().map(|text| seconds_floor(time(text))).collect();
        json!({"chart": {"error": null, "result": [{
            "meta": {"currency": "USD", "symbol": "SPY", "exchangeTimezoneName": "America/New_York",
                     "gmtoffset": -14400, "dataGranularity": interval, "range": ""},
            "timestamp": times,
            "events": {"dividends": {}},
            "indicators": {
                "quote": [{"open": vec![10.0; rows], "high": vec![11.0; rows], "low": vec![9.5; rows],
                           "close": vec![10.0; rows], "volume": vec![100; rows]}],
                "adjclose": [{"adjclose": vec![9.9; rows]}],
            },
        }]}})
    }

    fn result(chart: &mut Value) -> &mut Value {
        &mut chart["chart"]["result"][0]
    }

    #[test]
    fn the_address_has_a_margin_for_daily_bars() {
        let yahoo = Yahoo::new(&settings());
        let daily = request(
            AssetClass::Equity,
            "BRK.B",
            Timeframe::D1,
            ["2025-06-01", "2025-06-10"],
        );
        let url = |request: &BarRequest| {
            let pages = Bars::new(&yahoo.party, request).unwrap();
            pages.request(&window("2025-06-01", "2025-06-10"), None).url
        };
        assert_eq!(
            url(&daily),
            "https://query1.finance.yahoo.com/v8/finance/chart/BRK-B?period1=1748649600&period2=1749600000\
             &interval=1d&events=div,splits&includeAdjustedClose=true"
        );
        let mut own = request(
            AssetClass::Equity,
            "VIX",
            Timeframe::M5,
            ["2025-06-01", "2025-06-10"],
        );
        own.provider_symbol = Some("^VIX".to_owned());
        assert!(url(&own).contains("/chart/%5EVIX?period1=1748736000&period2=1749513600&interval=5m"));
        assert_eq!(
            (party_symbol("BMW.DE"), party_symbol("SPY")),
            ("BMW.DE".to_owned(), "SPY".to_owned())
        );
    }

    #[test]
    fn daily_rows_get_the_date_of_their_session() {
        let body = chart("1d", &["2025-01-02T14:30:00Z", "2025-06-03T13:30:00Z"]);
        let page = read(200, &body.to_string()).unwrap();
        assert_eq!(
            page.rows,
            [bar(time("2025-01-02"), 10.0), bar(time("2025-06-03"), 10.0)]
        );
        let mut tokyo = chart("1d", &["2025-06-03T00:00:00Z"]);
        result(&mut tokyo)["meta"]["exchangeTimezoneName"] = json!("Australia/Sydney");
        result(&mut tokyo)["timestamp"] = json!([seconds_floor(time("2025-01-02T23:00:00Z"))]);
        assert_eq!(
            read(200, &tokyo.to_string()).unwrap().rows[0].stamp,
            time("2025-01-03")
        );
    }

    #[test]
    fn intraday_rows_keep_their_time() {
        let body = chart("5m", &["2025-06-03T13:30:00Z", "2025-06-03T13:35:00Z"]);
        let page = read_as(Timeframe::M5, 200, &body.to_string()).unwrap();
        assert_eq!(page.rows[1], bar(time("2025-06-03T13:35:00Z"), 10.0));
        assert_eq!(page.next, None);
    }

    #[test]
    fn the_latest_quote_is_no_bar() {
        let intraday = chart("5m", &["2025-06-03T13:30:00Z", "2025-06-03T13:33:21Z"]);
        let page = read_as(Timeframe::M5, 200, &intraday.to_string()).unwrap();
        assert_eq!(page.rows, [bar(time("2025-06-03T13:30:00Z"), 10.0)]);
        let daily = chart("1d", &["2025-06-03T13:30:00Z", "2025-06-03T18:01:02Z"]);
        assert_eq!(
            read(200, &daily.to_string()).unwrap().rows,
            [bar(time("2025-06-03"), 10.0)]
        );
    }

    #[test]
    fn rows_without_trades_are_left_out() {
        for volume in [json!(null), json!(0)] {
            let mut body = chart("1d", &["2025-06-03T13:30:00Z", "2025-06-04T13:30:00Z"]);
            let quote = &mut result(&mut body)["indicators"]["quote"][0];
            for name in ["open", "high", "low", "close"] {
                quote[name][0] = json!(null);
            }
            quote["volume"][0] = volume;
            assert_eq!(
                read(200, &body.to_string()).unwrap().rows,
                [bar(time("2025-06-04"), 10.0)]
            );
            result(&mut body)["indicators"]["quote"][0]["open"][0] = json!(10.0);
            let found = shape(read(200, &body.to_string()));
            assert!(found.contains("all values of row 0 or none"), "{found}");
        }
    }

    #[test]
    fn a_range_without_rows_is_empty() {
        let mut body = chart("1d", &[]);
        result(&mut body).as_object_mut().unwrap().remove("timestamp");
        let found = shape(read(200, &body.to_string()));
        assert!(
            found.contains("no columns where there is no field `timestamp`"),
            "{found}"
        );
        result(&mut body)["indicators"]["quote"] = json!([{}]);
        assert_eq!(read(200, &body.to_string()).unwrap(), nothing());
        let none = r#"{"chart":{"result":null,"error":{"code":"Bad Request","description":
            "Data doesn't exist for startDate = 1748649600, endTime = 1748736000"}}}"#;
        assert_eq!(read(400, none).unwrap(), nothing());
    }

    #[test]
    fn other_shapes_are_refused() {
        let changed = |change: &dyn Fn(&mut Value)| {
            let mut body = chart("1d", &["2025-06-03T13:30:00Z"]);
            change(&mut body);
            shape(read(200, &body.to_string()))
        };
        let at = "chart.result[0]";
        let quote =
            |body: &mut Value, name: &str, value: Value| result(body)["indicators"]["quote"][0][name] = value;
        for (found, problem) in [
            (
                changed(&|b| quote(b, "open", json!(["10.0"]))),
                format!("{at}.indicators.quote[0].open[0] is `\"10.0\"`; expected a number"),
            ),
            (
                changed(&|b| quote(b, "open", json!([]))),
                format!(
                    "{at}.indicators.quote[0].open is an array of 0 items; expected one item for each of the 1 times"
                ),
            ),
            (
                changed(&|b| quote(b, "volume", json!(null))),
                format!("{at}.indicators.quote[0].volume is `null`; expected an array"),
            ),
            (
                changed(&|b| result(b)["timestamp"] = json!(["2025"])),
                format!("{at}.timestamp[0] is `\"2025\"`; expected a whole number"),
            ),
            (
                changed(&|b| result(b)["timestamp"] = json!([i64::MAX])),
                format!("{at}.timestamp[0] is `9223372036854775807`; expected seconds since 1970"),
            ),
            (
                changed(&|b| result(b)["meta"]["exchangeTimezoneName"] = json!("Mars")),
                format!("{at}.meta.exchangeTimezoneName is `\"Mars\"`; expected the name of a time zone"),
            ),
            (
                changed(&|b| result(b)["meta"]["dataGranularity"] = json!("1mo")),
                format!("{at}.meta.dataGranularity is `\"1mo\"`; expected the interval asked for, 1d"),
            ),
            (
                changed(&|b| result(b)["meta"]["symbol"] = json!("QQQ")),
                format!("{at}.meta.symbol is `\"QQQ\"`; expected the symbol asked for, SPY"),
            ),
            (
                changed(&|b| b["chart"]["result"] = json!([])),
                "chart.result is an array of 0 items; expected an array of 1 items".to_owned(),
            ),
            (
                changed(&|b| b["chart"]["result"] = json!(null)),
                "chart.result is `null`; expected an array".to_owned(),
            ),
            (shape(read(200, "{}")), "the body has no field `chart`".to_owned()),
            (shape(read(200, "<html>")), "the body is not JSON".to_owned()),
            (
                shape(read(200, r#"{"chart":{"result":["#)),
                "the body is not JSON".to_owned(),
            ),
        ] {
            assert!(found.starts_with(&problem), "{found}");
        }
    }

    #[test]
    fn refusals_have_their_own_errors() {
        let gone = r#"{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}"#;
        for (status, body) in [(404, gone), (200, gone), (404, "<html>"), (404, "{}")] {
            let error = failed(read(status, body));
            assert!(
                matches!(&error, ProviderError::UnknownSymbol { symbol, .. } if symbol == "SPY"),
                "{error}"
            );
        }
        let late = r#"{"chart":{"result":null,"error":{"code":"Unprocessable Entity","description":"1m data not available"}}}"#;
        for (status, body, words) in [
            (422, late, "1m data not available"),
            (403, "Forbidden", "Forbidden"),
            (401, "{}", "{}"),
        ] {
            let Err(Fault::Refused {
                status: found,
                message,
            }) = read(status, body)
            else {
                panic!("{body}")
            };
            assert_eq!((found, message.as_str()), (status, words));
        }
    }

    #[test]
    fn what_lies_before_the_history_is_refused_without_asking() {
        let yahoo = Yahoo::new(&settings());
        for (timeframe, earliest) in [
            (Timeframe::M1, "2025-05-17T00:00:00Z"),
            (Timeframe::M5, "2025-04-17T00:00:00Z"),
            (Timeframe::M30, "2025-04-17T00:00:00Z"),
        ] {
            let mut request = request(AssetClass::Equity, "SPY", timeframe, [earliest, "2025-06-10"]);
            yahoo.check_reach(&request).unwrap();
            request.start = request.start.saturating_add(-1);
            let error = yahoo.check_reach(&request).unwrap_err().to_string();
            assert!(error.contains(earliest), "{error}");
        }
        let daily = request(
            AssetClass::Equity,
            "SPY",
            Timeframe::D1,
            ["1950-01-01", "2025-06-10"],
        );
        yahoo.check_reach(&daily).unwrap();
    }

    #[test]
    fn the_offer_says_that_history_is_restated() {
        let yahoo = Yahoo::new(&settings());
        let offer = yahoo.offer(AssetClass::Equity, Timeframe::D1).unwrap();
        assert!(offer.revises_history && offer.adjustment.starts_with("splits"));
        assert_eq!(offer.stamp, StampConvention::SessionDate);
        assert_eq!(
            yahoo.offer(AssetClass::Equity, Timeframe::M30).unwrap().stamp,
            StampConvention::BarOpen
        );
        for timeframe in [Timeframe::H1, Timeframe::H4] {
            let error = yahoo
                .offer(AssetClass::Equity, timeframe)
                .unwrap_err()
                .to_string();
            assert!(error.contains("load 30M and resample"), "{error}");
        }
        assert!(yahoo.offer(AssetClass::Crypto, Timeframe::D1).is_err());
    }
}
