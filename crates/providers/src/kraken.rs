//! Kraken: the newest bars of crypto assets, without keys.

use std::time::Duration;

use sextant_data::{
    BarProvider, BarRequest, FetchedBar, FetchedBars, Offer, Progress, ProviderError, StampConvention,
};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use crate::ProviderSettings;
use crate::fault::{Fault, excerpt};
use crate::http::{Answer, Finality, PageRequest};
use crate::json::{Node, parse};
use crate::pages::{BarPages, Page, Party, Window, collect, encoded};

pub(crate) const NAME: &str = "kraken";
const BASE: &str = "https://api.kraken.com";
/// About one public request a second is allowed.
const PACE: Duration = Duration::from_secs(1);
const BUSY: [&str; 6] = [
    "EAPI:Rate limit exceeded",
    "EGeneral:Too many requests",
    "EGeneral:Temporary lockout",
    "EService:Busy",
    "EService:Unavailable",
    "EService:Timeout",
];

/// Bars of crypto assets by the public interface of Kraken, `GET /0/public/OHLC`.
///
/// * No key; about one request a second.
/// * Only the newest 720 bars of a timeframe are there. A range that begins before them is refused with the first time
///   there is: 1D reaches back two years, 1H a month, 1M half a day. Older bars are in the CSV files that Kraken offers
///   for download, which can be imported.
/// * The parameter `since` only makes the answer shorter, and does not bring older bars; it is not sent, so that the first
///   row says how far back the party reaches.
/// * Errors come with status 200, in the field `error`.
/// * A row is an array of eight: time in seconds, open, high, low, close, average price, volume as texts, and a count.
///   The last row is the forming bar.
/// * Bitcoin is `XBT` and Dogecoin `XDG`: `BTC-USD` is asked for as `XBTUSD`. The answer names the pair in yet another
///   way, such as `XXBTZUSD`.
///
/// Address and fields: "Get OHLC Data" in Kraken's documentation.
#[derive(Debug)]
pub struct Kraken {
    pub(crate) party: Party,
}

impl Kraken {
    /// A client.
    pub fn new(settings: &ProviderSettings) -> Self {
        Self {
            party: Party::new(NAME, BASE, PACE, settings),
        }
    }
}

impl BarProvider for Kraken {
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
        let window = Window {
            start: request.start,
            end: request.end,
            finality: Finality::Changing,
        };
        let windows: &[Window] = if request.start < request.end {
            &[window]
        } else {
            &[]
        };
        Ok(FetchedBars {
            rows: collect(&self.party, &pages, windows, progress)?,
            source: format!("{NAME} {} {}", pages.pair, request.key.timeframe()),
        })
    }
}

/// `BTC-USD` in the party's way.
fn party_pair(symbol: &str) -> String {
    let asset = |name: &str| match name.to_ascii_uppercase().as_str() {
        "BTC" => "XBT".to_owned(),
        "DOGE" => "XDG".to_owned(),
        other => other.to_owned(),
    };
    symbol.split('-').map(asset).collect()
}

/// The one page of a pair.
pub(crate) struct Bars<'a> {
    party: &'a Party,
    pair: String,
    timeframe: Timeframe,
    /// The bars in words, for messages.
    wanted: String,
}

impl<'a> Bars<'a> {
    pub(crate) fn new(party: &'a Party, request: &BarRequest) -> Self {
        let own = request.provider_symbol.clone();
        Self {
            party,
            pair: own.unwrap_or_else(|| party_pair(request.key.symbol())),
            timeframe: request.key.timeframe(),
            wanted: request.key.to_string(),
        }
    }

    fn check_errors(&self, root: &Node<'_>) -> Result<(), Fault> {
        let list = root.field("error")?;
        let items: Vec<Node<'_>> = list.items()?.collect();
        let texts = items.iter().map(Node::text).collect::<Result<Vec<_>, _>>()?;
        // Severity is the first letter: errors begin with E, warnings with W.
        let Some(first) = texts.iter().find(|text| !text.starts_with('W')) else {
            return Ok(());
        };
        let message = excerpt(texts.join(", ").as_bytes());
        if BUSY.iter().any(|busy| first.starts_with(busy)) {
            return Err(Fault::TryAgain(message));
        }
        if first.starts_with("EQuery:Unknown asset pair") {
            return Err(Fault::Failed(ProviderError::UnknownSymbol {
                provider: NAME,
                symbol: self.pair.clone(),
                message,
                help: "Map yours to one of its pairs, such as `--symbols BTC-USD=XBTUSD`".to_owned(),
            }));
        }
        Err(Fault::Refused { status: 200, message })
    }

    /// Refuses a range that begins before the rows do, a bar or more.
    fn check_reach(&self, window: &Window, rows: &[FetchedBar]) -> Result<(), Fault> {
        let Some(first) = rows.first().map(|row| row.stamp) else {
            return Ok(());
        };
        if window.start.saturating_add(self.timeframe.nanos()) > first {
            return Ok(());
        }
        Err(Fault::Failed(ProviderError::OutOfReach {
            provider: NAME,
            wanted: self.wanted.clone(),
            earliest: first,
            help: "it has only the newest 720 bars of each timeframe: begin there, take a longer timeframe or another \
                   provider (binance), or import the CSV files that it offers for download"
                .to_owned(),
        }))
    }
}

impl BarPages for Bars<'_> {
    fn request(&self, window: &Window, _cursor: Option<&str>) -> PageRequest {
        let minutes = self.timeframe.nanos() / Timeframe::M1.nanos();
        PageRequest {
            url: format!(
                "{}/0/public/OHLC?pair={}&interval={minutes}",
                self.party.base,
                encoded(&self.pair)
            ),
            headers: Vec::new(),
            finality: window.finality,
        }
    }

    fn read(&self, window: &Window, answer: &Answer) -> Result<Page, Fault> {
        if answer.status != 200 {
            return Err(Fault::Refused {
                status: answer.status,
                message: excerpt(&answer.body),
            });
        }
        let body = parse(&answer.body)?;
        let root = Node::root(&body);
        self.check_errors(&root)?;
        let result = root.field("result")?;
        result.field("last")?.integer()?;
        let pairs: Vec<&str> = result.names()?.filter(|name| *name != "last").collect();
        let [pair] = pairs.as_slice() else {
            let expected = format!("one pair beside `last`; it has {}", pairs.len());
            return Err(result.misfit(&expected));
        };
        let list = result.field(pair)?;
        let rows = list
            .items()?
            .map(|row| bar(&row))
            .collect::<Result<Vec<_>, _>>()?;
        self.check_reach(window, &rows)?;
        Ok(Page { rows, next: None })
    }
}

/// Time, open, high, low, close, average price, volume, number of trades.
fn bar(row: &Node<'_>) -> Result<FetchedBar, Fault> {
    let [time, open, high, low, close, _, volume, _] = row.tuple::<8>()?;
    let stamp = UtcNanos::from_seconds(time.integer()?);
    Ok(FetchedBar {
        stamp: stamp.ok_or_else(|| time.misfit("seconds since 1970"))?,
        open: open.decimal()?,
        high: high.decimal()?,
        low: low.decimal()?,
        close: close.decimal()?,
        volume: volume.decimal()?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::support::{answer, bar as expected, failed, request, settings, shape, time, window};

    fn read_from(start: &str, status: u16, body: &str) -> Result<Page, Fault> {
        let client = Kraken::new(&settings());
        let request = request(
            AssetClass::Crypto,
            "BTC-USD",
            Timeframe::H1,
            [start, "2024-01-02"],
        );
        let pages = Bars::new(&client.party, &request);
        pages.read(&window(start, "2024-01-02"), &answer(status, body))
    }

    fn read(status: u16, body: &str) -> Result<Page, Fault> {
        read_from("2024-01-01", status, body)
    }

    const ROW: &str = r#"[1704067200,"10.0","11.0","9.5","10.0","10.1","100.00000000",42]"#;

    fn body(row: &str) -> String {
        format!(r#"{{"error":[],"result":{{"XXBTZUSD":[{row}],"last":1704063600}}}}"#)
    }

    #[test]
    fn the_address_names_the_pair_in_the_partys_way() {
        let client = Kraken::new(&settings());
        let request = request(
            AssetClass::Crypto,
            "BTC-USD",
            Timeframe::H4,
            ["2024-01-01", "2024-01-02"],
        );
        let url = Bars::new(&client.party, &request)
            .request(&window("2024-01-01", "2024-01-02"), None)
            .url;
        assert_eq!(
            url,
            "https://api.kraken.com/0/public/OHLC?pair=XBTUSD&interval=240"
        );
        for (symbol, pair) in [
            ("btc-usd", "XBTUSD"),
            ("DOGE-BTC", "XDGXBT"),
            ("ETH-USDT", "ETHUSDT"),
            ("SOLUSD", "SOLUSD"),
        ] {
            assert_eq!(party_pair(symbol), pair);
        }
    }

    #[test]
    fn rows_are_read_whatever_the_pair_is_called() {
        for name in ["XXBTZUSD", "XBTUSD", "XBT/USD"] {
            let page = read(200, &body(ROW).replace("XXBTZUSD", name)).unwrap();
            assert_eq!(
                page,
                Page {
                    rows: vec![expected(time("2024-01-01"), 10.0)],
                    next: None
                }
            );
        }
        assert!(read(200, &body("")).unwrap().rows.is_empty());
        assert_eq!(
            read(200, &body(ROW).replace("[],", "[\"WGeneral:Slow\"],"))
                .unwrap()
                .rows
                .len(),
            1
        );
    }

    #[test]
    fn a_range_that_begins_before_the_rows_is_out_of_reach() {
        for (start, in_reach) in [
            ("2024-01-01T00:00:00Z", true),
            ("2024-01-01T05:00:00Z", true),
            ("2023-12-31T23:00:00.000000001Z", true),
            ("2023-12-31T23:00:00Z", false),
            ("2020-01-01", false),
        ] {
            let result = read_from(start, 200, &body(ROW));
            assert_eq!(result.is_ok(), in_reach, "{start}");
            if !in_reach {
                let error = failed(result).to_string();
                assert!(
                    error.contains("only from 2024-01-01T00:00:00Z on; it has only the newest 720"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn errors_in_the_body_are_told_apart() {
        let with = |error: &str| read(200, &format!(r#"{{"error":["{error}"]}}"#));
        for busy in [
            "EAPI:Rate limit exceeded",
            "EService:Busy",
            "EService:Unavailable",
            "EGeneral:Too many requests",
        ] {
            assert!(
                matches!(with(busy), Err(Fault::TryAgain(words)) if words == busy),
                "{busy}"
            );
        }
        let unknown = failed(with("EQuery:Unknown asset pair"));
        assert!(
            matches!(&unknown, ProviderError::UnknownSymbol { symbol, .. } if symbol == "XBTUSD"),
            "{unknown}"
        );
        for other in ["EGeneral:Invalid arguments", "EAPI:Invalid nonce", ""] {
            assert!(
                matches!(with(other), Err(Fault::Refused { status: 200, .. })),
                "{other}"
            );
        }
        assert!(matches!(read(404, "x"), Err(Fault::Refused { status: 404, message }) if message == "x"));
    }

    #[test]
    fn other_shapes_are_refused() {
        for (body, problem) in [
            (
                body(&ROW.replace("\"11.0\"", "11.0")),
                "result.XXBTZUSD[0][2] is `11.0`; expected a decimal number as a text",
            ),
            (
                body(&ROW.replace("1704067200", "\"1704067200\"")),
                "result.XXBTZUSD[0][0] is `\"1704067200\"`; expected a whole number",
            ),
            (
                body(&ROW.replace("1704067200", "9223372036854775807")),
                "result.XXBTZUSD[0][0] is `9223372036854775807`; expected seconds",
            ),
            (
                body(&ROW.replace(",42", "")),
                "result.XXBTZUSD[0] is an array of 7 items; expected an array of 8 items",
            ),
            (
                body(ROW).replace("\"last\"", "\"Last\""),
                "result has no field `last`; it has [XXBTZUSD, Last]",
            ),
            (
                body(ROW).replace("\"last\"", "\"XETHZUSD\":[],\"last\""),
                "result is an object; expected one pair beside `last`; it has 2",
            ),
            (
                body(ROW).replace("\"error\"", "\"errors\""),
                "the body has no field `error`",
            ),
            (r#"{"error":[7]}"#.to_owned(), "error[0] is `7`; expected a text"),
            (r#"{"error":[]}"#.to_owned(), "the body has no field `result`"),
            (body(ROW)[..50].to_owned(), "the body is not JSON"),
            ("<html>".to_owned(), "the body is not JSON"),
        ] {
            let found = shape(read(200, &body));
            assert!(found.starts_with(problem), "{found}");
        }
    }

    #[test]
    fn the_offer_is_every_timeframe_of_crypto() {
        let client = Kraken::new(&settings());
        for timeframe in Timeframe::ALL {
            assert_eq!(
                client.offer(AssetClass::Crypto, timeframe).unwrap().stamp,
                StampConvention::BarOpen
            );
            assert!(client.offer(AssetClass::Fx, timeframe).is_err());
        }
    }
}
