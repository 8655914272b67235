//! Alpaca: bars of US shares and funds, with keys.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{NaiveTime, Timelike};
use chrono_tz::America::New_York;
use sextant_data::{
    BarProvider, BarRequest, FetchedBar, FetchedBars, Offer, Progress, ProviderError, StampConvention,
};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use crate::ProviderSettings;
use crate::fault::{Fault, excerpt};
use crate::http::{Answer, PageRequest, Secret};
use crate::json::{Node, parse};
use crate::pages::{BarPages, Page, Party, Window, collect, encoded, midnight_ceil, settled_windows};

const NAME: &str = "alpaca";
const BASE: &str = "https://data.alpaca.markets";
/// 200 requests a minute are allowed.
const PACE: Duration = Duration::from_millis(300);
const ROWS_A_PAGE: u32 = 10_000;
const KEY_ID: &str = "APCA_API_KEY_ID";
const SECRET_KEY: &str = "APCA_API_SECRET_KEY";

/// Bars of US shares and funds by the Market Data API v2 of Alpaca, `GET /v2/stocks/{symbol}/bars`.
///
/// * Needs a key; the one of a free account will do. Keys go into headers only.
/// * 200 requests a minute; at most 10000 bars a page, and `next_page_token` leads to the next one.
/// * Feed `iex` (the default) is free and has the trades of one exchange, about one in fifty of all; `sip` has all
///   exchanges, and without a subscription its last 15 minutes are refused with status 403.
/// * Prices are asked for as traded (`adjustment=raw`).
/// * Times are the begin of a bar. Bars outside of the session are delivered too; the import leaves them out. A `1Hour`
///   bar is a clock hour: the one of 09:00 New York contains the half hour before the open. Who does not want that loads
///   30M and resamples.
/// * A `1Day` bar has the time of midnight in New York, which is 04:00 or 05:00 UTC; it becomes the session's date.
/// * `4Hour` bars begin at 00:00, 04:00, ... UTC, not on the session's grid, and are not offered.
/// * A symbol that nobody knows but that could be one gives no bars, as one without trades does.
///
/// Address and fields: Alpaca's reference, "Historical bars (single symbol)".
#[derive(Debug)]
pub struct Alpaca {
    party: Party,
    keys: AlpacaKeys,
    feed: AlpacaFeed,
}

/// The two keys of an account. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct AlpacaKeys {
    /// The public part, sent as `APCA-API-KEY-ID`.
    pub key_id: String,
    /// The secret part, sent as `APCA-API-SECRET-KEY`.
    pub secret_key: String,
}

impl fmt::Debug for AlpacaKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AlpacaKeys(..)")
    }
}

/// Whose trades the bars are made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AlpacaFeed {
    /// Those of the exchange IEX; free.
    #[default]
    Iex,
    /// Those of all exchanges.
    Sip,
}

impl AlpacaFeed {
    /// The name on the command line and in addresses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iex => "iex",
            Self::Sip => "sip",
        }
    }
}

impl FromStr for AlpacaFeed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "iex" => Ok(Self::Iex),
            "sip" => Ok(Self::Sip),
            _ => Err(format!("unknown feed `{text}`: allowed are iex, sip")),
        }
    }
}

impl AlpacaKeys {
    /// The keys in the environment variables `APCA_API_KEY_ID` and `APCA_API_SECRET_KEY`.
    ///
    /// # Errors
    /// [`ProviderError::MissingKey`] when one is not set or empty.
    pub fn from_env() -> Result<Self, ProviderError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ProviderError> {
        let read = |name: &'static str| {
            let value = variable(name).filter(|value| !value.trim().is_empty());
            value.ok_or_else(|| ProviderError::MissingKey {
                provider: NAME,
                variable: name,
                help: "make keys for a free account at alpaca.markets, or use the provider yahoo, which needs none"
                    .to_owned(),
            })
        };
        Ok(Self {
            key_id: read(KEY_ID)?,
            secret_key: read(SECRET_KEY)?,
        })
    }
}

impl Alpaca {
    /// A client with keys.
    pub fn new(settings: &ProviderSettings, keys: AlpacaKeys) -> Self {
        Self {
            party: Party::new(NAME, BASE, PACE, settings),
            keys,
            feed: settings.feed,
        }
    }

    /// A client with the keys of the environment.
    ///
    /// # Errors
    /// As [`AlpacaKeys::from_env`].
    pub fn from_env(settings: &ProviderSettings) -> Result<Self, ProviderError> {
        AlpacaKeys::from_env().map(|keys| Self::new(settings, keys))
    }
}

impl BarProvider for Alpaca {
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
            adjustment: "none: prices as traded".to_owned(),
            revises_history: false,
        })
    }

    fn fetch(&self, request: &BarRequest, progress: &dyn Progress) -> Result<FetchedBars, ProviderError> {
        let pages = Bars::new(self, request)?;
        let (start, end) = match request.key.timeframe() {
            // The time of a daily bar is a few hours after the midnight UTC that names its session.
            Timeframe::D1 => (midnight_ceil(request.start), midnight_ceil(request.end)),
            _ => (request.start, request.end),
        };
        let windows = settled_windows(start, end, self.party.now);
        Ok(FetchedBars {
            rows: collect(&self.party, &pages, &windows, progress)?,
            source: format!(
                "{NAME} {} {}, feed {}",
                pages.symbol,
                pages.interval,
                self.feed.name()
            ),
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
        Timeframe::M1 => Ok("1Min"),
        Timeframe::M5 => Ok("5Min"),
        Timeframe::M15 => Ok("15Min"),
        Timeframe::M30 => Ok("30Min"),
        Timeframe::H1 => Ok("1Hour"),
        Timeframe::D1 => Ok("1Day"),
        Timeframe::H4 => Err(unsupported(
            "1M, 5M, 15M, 30M, 1H and 1D (its 4-hour bars are not on the session's grid: load 30M and resample)",
        )),
    }
}

/// The pages of one symbol.
pub(crate) struct Bars<'a> {
    client: &'a Alpaca,
    symbol: String,
    interval: &'static str,
    timeframe: Timeframe,
}

impl<'a> Bars<'a> {
    pub(crate) fn new(client: &'a Alpaca, request: &BarRequest) -> Result<Self, ProviderError> {
        let timeframe = request.key.timeframe();
        let own = request.provider_symbol.clone();
        Ok(Self {
            client,
            symbol: own.unwrap_or_else(|| request.key.symbol().to_owned()),
            interval: interval(request.key.class(), timeframe)?,
            timeframe,
        })
    }

    fn refusal(&self, answer: &Answer) -> Fault {
        let message = words(&answer.body);
        match answer.status {
            status @ (401 | 403) => Fault::Failed(ProviderError::Unauthorized {
                provider: NAME,
                status,
                message,
            }),
            _ if message.contains("invalid symbol") || message.contains("asset not found") => {
                Fault::Failed(ProviderError::UnknownSymbol {
                    provider: NAME,
                    symbol: self.symbol.clone(),
                    message,
                    help: "It writes share classes with a point; name it with `--symbols BRK-B=BRK.B`"
                        .to_owned(),
                })
            }
            status => Fault::Refused { status, message },
        }
    }

    fn row(&self, bar: &Node<'_>) -> Result<FetchedBar, Fault> {
        Ok(FetchedBar {
            stamp: self.stamp(&bar.field("t")?)?,
            open: bar.field("o")?.number()?,
            high: bar.field("h")?.number()?,
            low: bar.field("l")?.number()?,
            close: bar.field("c")?.number()?,
            volume: bar.field("v")?.number()?,
        })
    }

    fn stamp(&self, node: &Node<'_>) -> Result<UtcNanos, Fault> {
        let text = node.text()?;
        let misfit = || node.misfit("a time such as 2024-01-02T14:30:00Z");
        // A date alone is a time for the vocabulary crate, but not here.
        let time: UtcNanos = text.parse().map_err(|_| misfit())?;
        if !text.contains('T') {
            return Err(misfit());
        }
        if self.timeframe != Timeframe::D1 {
            return Ok(time);
        }
        let local = time.datetime().with_timezone(&New_York);
        let midnight = local.time() == NaiveTime::MIN && local.nanosecond() == 0;
        let label = UtcNanos::from_date(local.date_naive()).filter(|_| midnight);
        label.ok_or_else(|| node.misfit("midnight in New York, the time of a daily bar"))
    }
}

impl BarPages for Bars<'_> {
    fn request(&self, window: &Window, cursor: Option<&str>) -> PageRequest {
        let AlpacaKeys { key_id, secret_key } = &self.client.keys;
        // The end is inclusive there.
        let (start, last) = (window.start, window.end.saturating_add(-1));
        let token = cursor.map_or_else(String::new, |token| format!("&page_token={}", encoded(token)));
        PageRequest {
            url: format!(
                "{}/v2/stocks/{}/bars?timeframe={}&start={start}&end={last}&adjustment=raw&feed={}&limit={ROWS_A_PAGE}&sort=asc{token}",
                self.client.party.base,
                encoded(&self.symbol),
                self.interval,
                self.client.feed.name(),
            ),
            headers: vec![
                ("APCA-API-KEY-ID", Secret(key_id.clone())),
                ("APCA-API-SECRET-KEY", Secret(secret_key.clone())),
            ],
            finality: window.finality,
        }
    }

    fn read(&self, _window: &Window, answer: &Answer) -> Result<Page, Fault> {
        if answer.status != 200 {
            return Err(self.refusal(answer));
        }
        let body = parse(&answer.body)?;
        let root = Node::root(&body);
        let symbol = root.field("symbol")?;
        if !symbol.text()?.eq_ignore_ascii_case(&self.symbol) {
            return Err(symbol.misfit(&format!("the symbol asked for, {}", self.symbol)));
        }
        let bars = root.field("bars")?;
        let rows = match bars.is_null() {
            true => Vec::new(),
            false => bars
                .items()?
                .map(|bar| self.row(&bar))
                .collect::<Result<_, _>>()?,
        };
        let token = root.field("next_page_token")?;
        let next = match token.is_null() {
            true => None,
            false => Some(token.text()?.to_owned()).filter(|token| !token.is_empty()),
        };
        Ok(Page { rows, next })
    }
}

/// What a refusal says: its field `message`, or the beginning of the body.
fn words(body: &[u8]) -> String {
    let message = parse(body).ok().and_then(|body| {
        let root = Node::root(&body);
        root.field("message")
            .and_then(|message| message.text().map(|text| excerpt(text.as_bytes())))
            .ok()
    });
    message.unwrap_or_else(|| excerpt(body))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::Finality;
    use crate::support::{answer, bar, failed, request, settings, shape, time, window};

    fn client() -> Alpaca {
        let keys = AlpacaKeys {
            key_id: "the-id".to_owned(),
            secret_key: "the-secret".to_owned(),
        };
        Alpaca::new(&settings(), keys)
    }

    fn read(timeframe: Timeframe, status: u16, body: &str) -> Result<Page, Fault> {
        let client = client();
        let request = request(AssetClass::Equity, "SPY", timeframe, ["2024-01-01", "2024-02-01"]);
        let pages = Bars::new(&client, &request).unwrap();
        pages.read(&window("2024-01-01", "2024-02-01"), &answer(status, body))
    }

    #[test]
    fn the_address_says_what_is_wanted_and_hides_the_keys() {
        let client = client();
        let request = request(
            AssetClass::Equity,
            "BRK.B",
            Timeframe::M5,
            ["2024-01-01", "2024-02-01"],
        );
        let pages = Bars::new(&client, &request).unwrap();
        let first = pages.request(&window("2024-01-01", "2024-02-01"), None);
        assert_eq!(
            first.url,
            "https://data.alpaca.markets/v2/stocks/BRK.B/bars?timeframe=5Min&start=2024-01-01T00:00:00Z\
             &end=2024-01-31T23:59:59.999999999Z&adjustment=raw&feed=iex&limit=10000&sort=asc"
        );
        assert_eq!(first.finality, Finality::Final);
        assert_eq!(first.headers.len(), 2);
        assert_eq!(first.headers[0].1.0, "the-id");
        assert!(!format!("{first:?} {client:?}").contains("the-"));
        let second = pages.request(&window("2024-01-01", "2024-02-01"), Some("U1BZ+|="));
        assert_eq!(second.url, format!("{}&page_token=U1BZ%2B%7C%3D", first.url));
        assert!(!second.url.contains("the-"));
    }

    #[test]
    fn bars_are_read_with_their_token() {
        let body = r#"{"bars":[
            {"t":"2024-01-02T14:30:00Z","o":10,"h":11.0,"l":9.5,"c":10,"v":100,"n":7,"vw":10.1},
            {"t":"2024-01-02T14:35:00.000000001Z","o":12.5,"h":13.5,"l":12.0,"c":12.5,"v":100}
        ],"next_page_token":"abc","symbol":"SPY","currency":"USD"}"#;
        let page = read(Timeframe::M5, 200, body).unwrap();
        let second = time("2024-01-02T14:35:00Z").saturating_add(1);
        assert_eq!(
            page.rows,
            [bar(time("2024-01-02T14:30:00Z"), 10.0), bar(second, 12.5)]
        );
        assert_eq!(page.next.as_deref(), Some("abc"));
        for bars in ["null", "[]"] {
            let body = format!(r#"{{"bars":{bars},"next_page_token":null,"symbol":"SPY"}}"#);
            let page = read(Timeframe::M5, 200, &body).unwrap();
            assert_eq!((page.rows.len(), page.next), (0, None));
        }
    }

    #[test]
    fn daily_bars_have_the_date_of_the_session() {
        let daily = |t: &str| {
            let body = format!(
                r#"{{"bars":[{{"t":"{t}","o":10,"h":11,"l":9.5,"c":10,"v":100}}],"next_page_token":null,"symbol":"SPY"}}"#
            );
            read(Timeframe::D1, 200, &body).map(|page| page.rows[0].stamp)
        };
        for (t, date) in [
            ("2024-01-02T05:00:00Z", "2024-01-02"),
            ("2024-07-02T04:00:00Z", "2024-07-02"),
            ("2024-07-02T00:00:00-04:00", "2024-07-02"),
        ] {
            assert_eq!(daily(t).unwrap(), time(date), "{t}");
        }
        for t in [
            "2024-01-02T04:00:00Z",
            "2024-01-02T14:30:00Z",
            "2024-01-02T05:00:00.5Z",
        ] {
            assert!(shape(daily(t)).contains("midnight in New York"), "{t}");
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        let row = |row: &str| format!(r#"{{"bars":[{row}],"next_page_token":null,"symbol":"SPY"}}"#);
        let good = r#"{"t":"2024-01-02T14:30:00Z","o":10,"h":11,"l":9.5,"c":10,"v":100}"#;
        assert!(read(Timeframe::M5, 200, &row(good)).is_ok());
        for (body, problem) in [
            (
                row(&good.replace("\"o\"", "\"open\"")),
                "bars[0] has no field `o`; it has [t, open, h, l, c, v]",
            ),
            (
                row(&good.replace(":100", ":\"100\"")),
                "bars[0].v is `\"100\"`; expected a number",
            ),
            (
                row(&good.replace(":100", ":null")),
                "bars[0].v is `null`; expected a number",
            ),
            (
                row(&good.replace("\"2024-01-02T14:30:00Z\"", "1704205800")),
                "bars[0].t is `1704205800`; expected a text",
            ),
            (
                row(&good.replace("T14:30:00Z", "")),
                "bars[0].t is `\"2024-01-02\"`; expected a time such as",
            ),
            (
                row(&good.replace("2024", "9999")),
                "bars[0].t is `\"9999-01-02T14:30:00Z\"`; expected a time such as",
            ),
            (
                row(good).replace("SPY", "QQQ"),
                "symbol is `\"QQQ\"`; expected the symbol asked for, SPY",
            ),
            (
                row(good).replace("next_page_token", "next"),
                "the body has no field `next_page_token`",
            ),
            (
                r#"{"bars":{"SPY":[]},"next_page_token":null,"symbol":"SPY"}"#.to_owned(),
                "bars is an object; expected an array",
            ),
            (
                "[]".to_owned(),
                "the body is an array of 0 items; expected an object",
            ),
            ("<html></html>".to_owned(), "the body is not JSON"),
            (row(good)[..60].to_owned(), "the body is not JSON"),
            (String::new(), "the body is not JSON"),
        ] {
            let found = shape(read(Timeframe::M5, 200, &body));
            assert!(found.starts_with(problem), "{found}");
        }
    }

    #[test]
    fn refusals_have_their_own_errors() {
        for status in [401, 403] {
            let error = failed(read(Timeframe::M5, status, r#"{"message":"forbidden."}"#));
            assert!(matches!(&error, ProviderError::Unauthorized { message, .. } if message == "forbidden."));
        }
        let error = failed(read(
            Timeframe::M5,
            422,
            r#"{"code":42210000,"message":"invalid symbol: S-Y"}"#,
        ));
        assert!(
            matches!(&error, ProviderError::UnknownSymbol { symbol, .. } if symbol == "SPY"),
            "{error}"
        );
        for (body, words) in [
            (r#"{"message":"invalid limit"}"#, "invalid limit"),
            ("<html>", "<html>"),
        ] {
            let Err(Fault::Refused { status: 400, message }) = read(Timeframe::M5, 400, body) else {
                panic!("{body}")
            };
            assert_eq!(message, words);
        }
    }

    #[test]
    fn keys_come_from_the_environment() {
        let keys = AlpacaKeys::from_variables(|name| Some(name.to_lowercase())).unwrap();
        assert_eq!(
            (keys.key_id.as_str(), keys.secret_key.as_str()),
            ("apca_api_key_id", "apca_api_secret_key")
        );
        for missing in [KEY_ID, SECRET_KEY] {
            for value in [None, Some(" ".to_owned())] {
                let variable = |name: &str| {
                    if name == missing {
                        value.clone()
                    } else {
                        Some("x".to_owned())
                    }
                };
                let error = AlpacaKeys::from_variables(variable).unwrap_err();
                assert!(matches!(error, ProviderError::MissingKey { variable, .. } if variable == missing));
            }
        }
    }

    #[test]
    fn the_offer_is_exact() {
        let client = client();
        for timeframe in Timeframe::ALL {
            let offer = client.offer(AssetClass::Equity, timeframe);
            match timeframe {
                Timeframe::H4 => assert!(offer.unwrap_err().to_string().contains("resample")),
                Timeframe::D1 => assert_eq!(offer.unwrap().stamp, StampConvention::SessionDate),
                _ => assert_eq!(offer.unwrap().stamp, StampConvention::BarOpen),
            }
            assert!(client.offer(AssetClass::Crypto, timeframe).is_err());
        }
        assert_eq!("sip".parse(), Ok(AlpacaFeed::Sip));
        assert!("otc".parse::<AlpacaFeed>().is_err());
    }
}
