//! Which bars of a lake a command is about, and how they are written for people.

use std::fmt::Display;

use anyhow::bail;
use chrono::{Duration, NaiveDate};
use sextant_data::update::Origin;
use sextant_data::{BarKey, BarMeta, Calendar, Lake, RawBars, StoredBars};
use sextant_domain::{AssetClass, BarSeries, Timeframe, UtcNanos};

use crate::args::{FilterArgs, SelectArgs, SeriesArgs};
use crate::compose::synthetic_root;

const SHOWN_ITEMS: usize = 20;
const DIGEST_CHARS: usize = 64;
/// How a provider's words about prices that it does not adjust begin.
const AS_TRADED: &str = "none";
/// How the source of bars begins that were made from finer ones.
pub(super) const RESAMPLED: &str = "resampled from ";

/// The bars that options choose, by class, symbol and timeframe.
///
/// # Errors
/// When the lake cannot be read, or has nothing of a symbol or timeframe that is named.
pub(super) fn chosen(select: &SelectArgs) -> anyhow::Result<Vec<BarKey>> {
    let lake = Lake::new(&select.root.data);
    let keys = lake.bar_keys()?;
    check_there(&lake, &keys, &select.filter)?;
    Ok(keys.into_iter().filter(|key| fits(key, &select.filter)).collect())
}

/// Whether bars pass a filter.
pub(super) fn fits(key: &BarKey, filter: &FilterArgs) -> bool {
    let FilterArgs {
        symbols,
        asset_class,
        timeframes,
    } = filter;
    (symbols.is_empty() || symbols.iter().any(|symbol| symbol == key.symbol()))
        && asset_class.is_none_or(|class| class == key.class())
        && (timeframes.is_empty() || timeframes.contains(&key.timeframe()))
}

/// The one series of a symbol and timeframe, whatever its class is.
///
/// # Errors
/// When there is none, or there are several and the class is not given.
pub(super) fn find(
    lake: &Lake,
    symbol: &str,
    timeframe: Timeframe,
    class: Option<AssetClass>,
) -> anyhow::Result<BarKey> {
    let keys = lake.bar_keys()?;
    let fits = |key: &&BarKey| {
        key.symbol() == symbol
            && key.timeframe() == timeframe
            && class.is_none_or(|class| class == key.class())
    };
    let found: Vec<&BarKey> = keys.iter().filter(fits).collect();
    match found.as_slice() {
        [key] => Ok((*key).clone()),
        [] => bail!(
            "there are no {timeframe} bars of {symbol}{} in {}; there is: {}. {}",
            class.map_or(String::new(), |class| format!(" ({class})")),
            lake.root().display(),
            listed(&near(&keys, symbol)),
            elsewhere(lake, symbol, timeframe),
        ),
        several => bail!(
            "{symbol} {timeframe} is there several times: {}; say which one with --asset-class",
            listed(several)
        ),
    }
}

/// The one series that options name, and its content.
///
/// # Errors
/// As for [`find`]; and when the file must not be used.
pub(super) fn load(lake: &Lake, args: &SeriesArgs) -> anyhow::Result<(BarKey, StoredBars)> {
    let key = find(lake, &args.symbol, args.timeframe, args.asset_class)?;
    let stored = lake.load_bars(key.class(), key.symbol(), key.timeframe())?;
    Ok((key, stored))
}

/// What was traded.
///
/// # Errors
/// When the provider of the bars had restated their prices already, so that nobody here knows what was traded.
pub(super) fn traded(stored: StoredBars) -> anyhow::Result<BarSeries> {
    let BarMeta {
        symbol,
        timeframe,
        asset_class,
        ..
    } = &stored.meta;
    if let Some(Origin {
        provider, adjustment, ..
    }) = restated(&stored.meta)
    {
        bail!(
            "the {timeframe} bars of {symbol} ({asset_class}) do not hold prices as traded: they come from {provider}, \
             whose prices are adjusted already ({adjustment}), and events would be applied twice. Import prices as \
             traded with `cargo xtask data import`, or download them from a provider that has them, such as alpaca: \
             cargo xtask data download --symbols {symbol} --asset-class {asset_class} --timeframes {timeframe} \
             --start <date> --provider alpaca --replace"
        );
    }
    Ok(match stored.raw {
        Some(RawBars { bars, .. }) => bars,
        None => stored.bars,
    })
}

/// Who adjusted the prices before they came into the lake; `None` where they came as traded, or from a file.
pub(super) fn restated(meta: &BarMeta) -> Option<Origin> {
    origin(&meta.source).filter(|origin| !origin.adjustment.starts_with(AS_TRADED))
}

/// The download that bars come from, be it by way of finer bars; `None` where they were not downloaded.
pub(super) fn origin(source: &str) -> Option<Origin> {
    match source.strip_prefix(RESAMPLED) {
        Some(rest) => origin(rest.split_once("; ")?.1),
        None => Origin::parse(source),
    }
}

/// Items, comma-separated and cut where they are many; `nothing` for none.
pub(super) fn listed(items: &[impl Display]) -> String {
    let shown: Vec<String> = items.iter().take(SHOWN_ITEMS).map(ToString::to_string).collect();
    match items.len() {
        0 => "nothing".to_owned(),
        count if count > SHOWN_ITEMS => format!("{} and {} more", shown.join(", "), count - SHOWN_ITEMS),
        _ => shown.join(", "),
    }
}

/// `1 bar`, `2 bars`.
pub(super) fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

/// The first characters of a digest.
pub(super) fn short(digest: &str) -> String {
    digest.get(..12).unwrap_or(digest).to_owned()
}

/// A source in which digests are as short as in their own column.
pub(super) fn shortened(source: &str) -> String {
    let is_digest =
        |word: &str| word.len() == DIGEST_CHARS && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let words = source
        .split_inclusive(|c: char| !c.is_ascii_alphanumeric())
        .map(|word| {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_digest(bare) {
                format!("{}{}", short(bare), &word[bare.len()..])
            } else {
                word.to_owned()
            }
        });
    words.collect()
}

/// A time without what is zero for every bar: `2021-03-31 13:30`, with seconds where there are any.
pub(super) fn minute(time: UtcNanos) -> String {
    let whole_minutes = time.nanos().rem_euclid(Timeframe::M1.nanos()) == 0;
    let format = if whole_minutes {
        "%Y-%m-%d %H:%M"
    } else {
        "%Y-%m-%d %H:%M:%S%.f"
    };
    time.datetime().format(format).to_string()
}

/// The date of a daily bar by its begin: that of the session, or UTC's where the bar has other hours than the calendar.
pub(super) fn session(calendar: &Calendar, open_time: UtcNanos) -> NaiveDate {
    let date = calendar.date_of(open_time);
    let fits = calendar
        .session(date)
        .is_some_and(|session| session.open == open_time);
    if fits { date } else { open_time.date() }
}

/// The date of a daily bar by its end, as for [`session`].
pub(super) fn last_session(calendar: &Calendar, close_time: UtcNanos) -> NaiveDate {
    let within = close_time.saturating_add(-1);
    let date = calendar.date_of(within);
    let fits = calendar
        .session(date)
        .is_some_and(|session| session.close == close_time);
    if fits { date } else { within.date() }
}

/// The bars whose sessions lie from one date to another, both included, as indices.
pub(super) fn between(
    bars: &BarSeries,
    calendar: &Calendar,
    (from, to): (Option<NaiveDate>, Option<NaiveDate>),
) -> std::ops::Range<usize> {
    let open_time = bars.view().open_time;
    let before = |date: NaiveDate| open_time.partition_point(|time| calendar.date_of(*time) < date);
    let begin = from.map_or(0, before);
    let end = to
        .and_then(|to| to.checked_add_signed(Duration::days(1)))
        .map_or(bars.len(), before);
    begin..end.max(begin)
}

fn check_there(lake: &Lake, keys: &[BarKey], filter: &FilterArgs) -> anyhow::Result<()> {
    for symbol in &filter.symbols {
        let one = FilterArgs {
            symbols: vec![symbol.clone()],
            ..filter.clone()
        };
        if !keys.iter().any(|key| fits(key, &one)) {
            bail!(
                "there are no such bars of {symbol} in {}; there is: {}. Import them with `cargo xtask data import`",
                lake.root().display(),
                listed(&near(keys, symbol))
            );
        }
    }
    Ok(())
}

/// What a message lists: the bars of the same symbol; where there are none, all.
fn near<'k>(keys: &'k [BarKey], symbol: &str) -> Vec<&'k BarKey> {
    let same: Vec<&BarKey> = keys
        .iter()
        .filter(|key| key.symbol().eq_ignore_ascii_case(symbol))
        .collect();
    if same.is_empty() {
        keys.iter().collect()
    } else {
        same
    }
}

/// Where bars could come from that a lake does not have.
fn elsewhere(lake: &Lake, symbol: &str, timeframe: Timeframe) -> String {
    let synthetic = synthetic_root(lake.root());
    let keys = Lake::new(&synthetic).bar_keys().unwrap_or_default();
    if keys
        .iter()
        .any(|key| key.symbol() == symbol && key.timeframe() == timeframe)
    {
        return format!("The synthetic market has them: --data {}", synthetic.display());
    }
    "Import them with `cargo xtask data import`, or make them from finer ones with `cargo xtask data resample`".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_download_is_known_through_the_bars_that_were_made_from_it() {
        let source = "yahoo: SPY 30m [prices: splits: all]";
        for made in [
            source.to_owned(),
            format!("resampled from 30M of digest 01ab; {source}"),
            format!("resampled from 4H of digest 23cd; resampled from 30M of digest 01ab; {source}"),
        ] {
            assert_eq!(origin(&made), Origin::parse(source), "{made}");
        }
        assert_eq!(origin("resampled from 1H of digest 01ab; CSV file spy.csv"), None);
    }

    #[test]
    fn digests_in_a_source_are_cut() {
        let digest = "0123456789abcdef".repeat(4);
        let source = format!("resampled from 1H of digest {digest}; spy_1h.csv.gz");
        assert_eq!(
            shortened(&source),
            "resampled from 1H of digest 0123456789ab; spy_1h.csv.gz"
        );
        assert_eq!(shortened("größe.csv"), "größe.csv");
        assert_eq!(shortened(&digest), "0123456789ab");
    }
}
