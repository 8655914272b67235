//! Binance: bars of crypto assets, without keys.

use std::time::Duration;

use sextant_data::{
    BarProvider, BarRequest, FetchedBar, FetchedBars, Offer, Progress, ProviderError, StampConvention,
};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use crate::ProviderSettings;
use crate::fault::{Fault, excerpt};
use crate::http::{Answer, PageRequest};
use crate::json::{Node, parse};
use crate::pages::{BarPages, Page, Party, Window, collect, encoded, settled_windows};

pub(crate) const NAME: &str = "binance";
const BASE: &str = "https://data-api.binance.vision";
/// 6000 units a minute are allowed and a page costs 2; this takes two fifths of it.
const PACE: Duration = Duration::from_millis(50);
const ROWS_A_PAGE: u32 = 1000;
const NANOS_A_MILLISECOND: i64 = 1_000_000;
const UNKNOWN_SYMBOL: i64 = -1121;

/// Bars of crypto assets by the spot interface of Binance, `GET /api/v3/klines`, at the address for public market data.
///
/// * No key. Requests have weights, a page of bars 2, and 6000 are allowed a minute for each address; who goes on after
///   status 429 is banned with status 418, for two minutes up to three days.
/// * At most 1000 bars a page, oldest first; the next page begins after the last bar. `endTime` is inclusive.
/// * A row is an array of twelve, prices and volumes as texts. The volume is that of the base asset.
/// * The time of a bar is its begin, on the UTC grid. The last bar may be forming.
/// * Bars without trades are there with a volume of zero; bars are missing while the exchange was down.
/// * Symbols have no hyphen: `BTC-USDT` is asked for as `BTCUSDT`. There is hardly a pair with US dollars, and which
///   stablecoin stands for them is for the user to say: `--symbols BTC-USD=BTCUSDT`.
///
/// Address and fields: "Kline/Candlestick data" in Binance's spot documentation.
#[derive(Debug)]
pub struct Binance {
    pub(crate) party: Party,
}

impl Binance {
    /// A client.
    pub fn new(settings: &ProviderSettings) -> Self {
        Self {
            party: Party::new(NAME, BASE, PACE, settings),
        }
    }
}

impl BarProvider for Binance {
    fn name(&self) -> &'static str {
        NAME
    }

    fn offer(&self, class: AssetClass, timeframe: Timeframe) -> Result<Offer, ProviderError> {
        if class != AssetClass::Crypto {
            return Err(ProviderError::Unsupported {
                provider: NAME,
                wanted: format!("{class} bars of {timeframe}"),
                allowed: "crypto bars".to_owned(),
            });
        }
        Ok(Offer {
            stamp: StampConvention::BarOpen,
            adjustment: "none: prices as traded".to_owned(),
            revises_history: false,
            settling_seconds: 60,
        })
    }

    fn fetch(&self, request: &BarRequest, progress: &dyn Progress) -> Result<FetchedBars, ProviderError> {
        self.offer(request.key.class(), request.key.timeframe())?;
        let pages = Bars::new(&self.party, request);
        let windows = settled_windows(request.start, request.end, self.party.now);
        Ok(FetchedBars {
            rows: collect(&self.party, &pages, &windows, progress)?,
            source: format!("{NAME} spot {} {}", pages.symbol, pages.interval),
        })
    }
}

/// The party's name for a timeframe.
const fn interval(timeframe: Timeframe) -> &'static str {
    match timeframe {
        Timeframe::M1 => "1m",
        Timeframe::M5 => "5m",
        Timeframe::M15 => "15m",
        Timeframe::M30 => "30m",
        Timeframe::H1 => "1h",
        Timeframe::H4 => "4h",
        Timeframe::D1 => "1d",
    }
}

/// The pages of one symbol. A cursor is the first millisecond of the page.
pub(crate) struct Bars<'a> {
    party: &'a Party,
    symbol: String,
    interval: &'static str,
    timeframe: Timeframe,
}

impl<'a> Bars<'a> {
    pub(crate) fn new(party: &'a Party, request: &BarRequest) -> Self {
        let own = request.provider_symbol.clone();
        let timeframe = request.key.timeframe();
        Self {
            party,
            symbol: own.unwrap_or_else(|| request.key.symbol().replace('-', "").to_ascii_uppercase()),
            interval: interval(timeframe),
            timeframe,
        }
    }

    fn refusal(&self, answer: &Answer) -> Fault {
        let (code, message) = code_and_message(&answer.body).unwrap_or_else(|| (0, excerpt(&answer.body)));
        if code == UNKNOWN_SYMBOL {
            let help = "Its symbols name the stablecoin and have no hyphen; map yours with `--symbols BTC-USD=BTCUSDT`";
            return Fault::Failed(ProviderError::UnknownSymbol {
                provider: NAME,
                symbol: self.symbol.clone(),
                message,
                help: help.to_owned(),
            });
        }
        Fault::Refused {
            status: answer.status,
            message,
        }
    }

    /// The cursor of the page after a last row; none where the window has no room for another bar.
    fn after(&self, window: &Window, last: Option<&FetchedBar>) -> Option<String> {
        let last = last?.stamp;
        let room = last.saturating_add(self.timeframe.nanos()) < window.end;
        room.then(|| (last.nanos() / NANOS_A_MILLISECOND + 1).to_string())
    }
}

impl BarPages for Bars<'_> {
    fn request(&self, window: &Window, cursor: Option<&str>) -> PageRequest {
        let first = milliseconds_ceil(window.start).to_string();
        let last = milliseconds_ceil(window.end) - 1;
        PageRequest {
            url: format!(
                "{}/api/v3/klines?symbol={}&interval={}&startTime={}&endTime={last}&limit={ROWS_A_PAGE}",
                self.party.base,
                encoded(&self.symbol),
                self.interval,
                cursor.unwrap_or(&first),
            ),
            headers: Vec::new(),
            finality: window.finality,
        }
    }

    fn read(&self, window: &Window, answer: &Answer) -> Result<Page, Fault> {
        if answer.status != 200 {
            return Err(self.refusal(answer));
        }
        let body = parse(&answer.body)?;
        let root = Node::root(&body);
        let rows = root
            .items()?
            .map(|row| bar(&row))
            .collect::<Result<Vec<_>, _>>()?;
        let next = self.after(window, rows.last());
        Ok(Page { rows, next })
    }
}

/// Open time, open, high, low, close, volume, close time, quote volume, trades, two volumes of takers, and nothing.
fn bar(row: &Node<'_>) -> Result<FetchedBar, Fault> {
    let [open_time, open, high, low, close, volume, ..] = row.tuple::<12>()?;
    Ok(FetchedBar {
        stamp: milliseconds(&open_time)?,
        open: open.decimal()?,
        high: high.decimal()?,
        low: low.decimal()?,
        close: close.decimal()?,
        volume: volume.decimal()?,
    })
}

fn milliseconds(node: &Node<'_>) -> Result<UtcNanos, Fault> {
    let nanos = node.integer()?.checked_mul(NANOS_A_MILLISECOND);
    nanos
        .map(UtcNanos::from_nanos)
        .ok_or_else(|| node.misfit("milliseconds since 1970"))
}

fn milliseconds_ceil(time: UtcNanos) -> i64 {
    -(-time.nanos().max(-i64::MAX)).div_euclid(NANOS_A_MILLISECOND)
}

/// An error body, `{"code": -1121, "msg": "Invalid symbol."}`.
fn code_and_message(body: &[u8]) -> Option<(i64, String)> {
    let body = parse(body).ok()?;
    let root = Node::root(&body);
    let code = root.field("code").ok()?.integer().ok()?;
    let message = root
        .field("msg")
        .ok()?
        .text()
        .ok()
        .map(|text| excerpt(text.as_bytes()))?;
    Some((code, message))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::Finality;
    use crate::support::{answer, bar as expected, failed, request, settings, shape, time, window};

    fn with_bars<T>(symbol: &str, work: impl Fn(&Bars<'_>) -> T) -> T {
        let client = Binance::new(&settings());
        let request = request(
            AssetClass::Crypto,
            symbol,
            Timeframe::H1,
            ["2024-01-01", "2024-01-02"],
        );
        work(&Bars::new(&client.party, &request))
    }

    fn read(status: u16, body: &str) -> Result<Page, Fault> {
        with_bars("BTC-USDT", |pages| {
            pages.read(&window("2024-01-01", "2024-01-02"), &answer(status, body))
        })
    }

    fn row(time: i64) -> String {
        let close = time + 3_599_999;
        format!(r#"[{time},"10.00","11.0","9.50000000","10","100.0",{close},"1000.0",7,"50.0","500.0","0"]"#)
    }

    #[test]
    fn the_address_has_an_inclusive_end() {
        with_bars("btc-usdt", |pages| {
            let first = pages.request(&window("2024-01-01", "2024-01-02"), None);
            assert_eq!(
                first.url,
                "https://data-api.binance.vision/api/v3/klines?symbol=BTCUSDT&interval=1h\
                 &startTime=1704067200000&endTime=1704153599999&limit=1000"
            );
            assert_eq!(first.finality, Finality::Final);
            let odd = window("2024-01-01T00:00:00.0000001Z", "2024-01-02T00:00:00.0000001Z");
            let odd = pages.request(&odd, None).url;
            assert!(
                odd.contains("startTime=1704067200001&endTime=1704153600000"),
                "{odd}"
            );
            let next = pages.request(&window("2024-01-01", "2024-01-02"), Some("1704110400001"));
            assert!(next.url.contains("startTime=1704110400001&endTime=1704153599999"));
        });
        assert_eq!(milliseconds_ceil(UtcNanos::from_nanos(-1_000_001)), -1);
        assert_eq!(milliseconds_ceil(UtcNanos::MIN), i64::MIN / NANOS_A_MILLISECOND);
    }

    #[test]
    fn rows_are_read_and_lead_to_the_next_page() {
        let page = read(
            200,
            &format!("[{},{}]", row(1_704_067_200_000), row(1_704_070_800_000)),
        )
        .unwrap();
        assert_eq!(
            page.rows,
            [
                expected(time("2024-01-01T00:00:00Z"), 10.0),
                expected(time("2024-01-01T01:00:00Z"), 10.0)
            ]
        );
        assert_eq!(page.next.as_deref(), Some("1704070800001"));
        let last = read(200, &format!("[{}]", row(1_704_150_000_000))).unwrap();
        assert_eq!(
            (last.rows[0].stamp, last.next),
            (time("2024-01-01T23:00:00Z"), None)
        );
        assert_eq!(
            read(200, "[]").unwrap(),
            Page {
                rows: Vec::new(),
                next: None
            }
        );
    }

    #[test]
    fn other_shapes_are_refused() {
        let good = row(1_704_067_200_000);
        for (body, problem) in [
            (
                format!("[{}]", good.replace("\"10.00\"", "10.00")),
                "the body[0][1] is `10.0`; expected a decimal number as a text",
            ),
            (
                format!("[{}]", good.replace("\"100.0\"", "\"\"")),
                "the body[0][5] is `\"\"`; expected a decimal number as a text",
            ),
            (
                format!("[{}]", good.replace("\"11.0\"", "\"NaN\"")),
                "the body[0][2] is `\"NaN\"`; expected a decimal number as a text",
            ),
            (
                format!("[{}]", good.replace("1704067200000", "\"1704067200000\"")),
                "the body[0][0] is `\"1704067200000\"`; expected a whole number",
            ),
            (
                format!("[{}]", row(i64::MAX - 4_000_000)),
                "the body[0][0] is `9223372036850775807`; expected milliseconds since 1970",
            ),
            (
                format!("[{}]", good.replace(",\"0\"]", "]")),
                "the body[0] is an array of 11 items; expected an array of 12 items",
            ),
            (
                r#"{"klines":[]}"#.to_owned(),
                "the body is an object; expected an array",
            ),
            (
                r#"[{"t":1}]"#.to_owned(),
                "the body[0] is an object; expected an array",
            ),
            (format!("[{}", &good[..40]), "the body is not JSON"),
            ("<html>".to_owned(), "the body is not JSON"),
        ] {
            let found = shape(read(200, &body));
            assert!(found.starts_with(problem), "{found}");
        }
    }

    #[test]
    fn refusals_have_their_own_errors() {
        let error = failed(read(400, r#"{"code":-1121,"msg":"Invalid symbol."}"#));
        assert!(matches!(&error, ProviderError::UnknownSymbol { symbol, .. } if symbol == "BTCUSDT"));
        assert!(error.to_string().contains("--symbols BTC-USD=BTCUSDT"), "{error}");
        for (status, body, words) in [
            (400, "<html>", "<html>"),
            (
                400,
                r#"{"code":-1120,"msg":"Invalid interval."}"#,
                "Invalid interval.",
            ),
            (
                451,
                r#"{"code":0,"msg":"Service unavailable from a restricted location"}"#,
                "Service unavailable from a restricted location",
            ),
            (403, "{}", "{}"),
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
    fn the_offer_is_every_timeframe_of_crypto() {
        let client = Binance::new(&settings());
        for timeframe in Timeframe::ALL {
            assert_eq!(
                client.offer(AssetClass::Crypto, timeframe).unwrap().stamp,
                StampConvention::BarOpen
            );
            assert!(client.offer(AssetClass::Equity, timeframe).is_err());
        }
    }
}
