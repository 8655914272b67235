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

pub(crate) const NAME: &str = "alpaca";
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
/// * Times are the begin of a bar. Bars outside of the session are delivered too; the import leaves them out.
/// * A `1Hour` bar is a clock hour: the one of 09:00 New York contains trades of the half hour before the open. They are
///   not offered; 30M resampled gives the session's.
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
            settling_seconds: 900,
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
        Timeframe::D1 => Ok("1Day"),
        Timeframe::H1 | Timeframe::H4 => Err(unsupported(
            "1M, 5M, 15M, 30M and 1D (its 1-hour bar of 09:00 contains trades before the open, and its 4-hour bars are not \
             on the session's grid: load 30M and resample)",
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
        let rows = if bars.is_null() {
            Vec::new()
        } else {
            let read = bars.items()?.map(|bar| self.row(&bar));
            read.collect::<Result<_, _>>()?
        };
        let token = root.field("next_page_token")?;
        let next = if token.is_null() {
            None
        } else {
            Some(token.text()?)
        };
        let next = next.filter(|token| !token.is_empty()).map(str::to_owned);
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
mod tests;
