//! Bars that were downloaded before.

use std::collections::BTreeMap;

use sextant_data::update::{Origin, UpdateReport, UpdateRequest, update as fetch};
use sextant_data::{BarKey, BarProvider, Lake, ProviderError};
use sextant_domain::{Timeframe, UtcNanos};
use sextant_providers::{AlpacaFeed, ProviderSettings, bar_provider, default_bar_provider};

use super::super::select::{chosen, listed, origin};
use super::resampled::{Overwrite, made_from, resample};
use super::{Done, bad_rows};
use crate::args::{FilterArgs, SelectArgs, UpdateArgs};
use crate::progress::Bars;

/// A market of a provider that its sources name before the symbol.
const SPOT: &str = "spot";

/// A provider, or why there is none.
type Made = Result<Box<dyn BarProvider>, ProviderError>;

/// Updates every chosen series that was downloaded, and those from which a chosen one was made, which is then made anew;
/// what came from elsewhere is left alone. One that fails stops no other.
pub(super) fn update(args: &UpdateArgs, settings: &ProviderSettings, done: &mut Done) -> anyhow::Result<()> {
    let lake = Lake::new(&args.root.data);
    let sorted = sort(&lake, args, done)?;
    let mut providers = Providers {
        settings,
        feed: args.provider.feed,
        known: BTreeMap::new(),
    };
    let bars = Bars::new();
    for (key, origin) in &sorted.downloaded {
        match update_one(
            (&lake, &bars),
            providers.get(origin),
            (key, origin),
            (args, settings.now),
        ) {
            Ok(report) => done.bars(&report),
            Err(error) => done.failure(key, format!("{error:#}")),
        }
    }
    bars.finish();
    for (key, from) in &sorted.made {
        resample(
            &lake,
            &key.with_timeframe(*from),
            key.timeframe(),
            Overwrite::OwnKind,
            done,
        );
    }
    sorted.say_left(args, done);
    Ok(())
}

/// Series by what an update does with them.
#[derive(Default)]
struct Sorted {
    downloaded: Vec<(BarKey, Origin)>,
    /// With the timeframe they are made from, finest first.
    made: Vec<(BarKey, Timeframe)>,
    others: Vec<BarKey>,
    /// Downloaded from another provider than the one that is named.
    elsewhere: Vec<(BarKey, String)>,
}

/// The chosen series, and the finer ones from which they were made.
fn sort(lake: &Lake, args: &UpdateArgs, done: &mut Done) -> anyhow::Result<Sorted> {
    let there = lake.bar_keys()?;
    let mut keys = chosen(&selection(args))?;
    let mut sorted = Sorted::default();
    let mut next = 0;
    while let Some(key) = keys.get(next).cloned() {
        next += 1;
        let meta = match lake.load_bars(key.class(), key.symbol(), key.timeframe()) {
            Err(error) => {
                done.failure(&key, error);
                continue;
            }
            Ok(stored) => stored.meta,
        };
        let Some(origin) = origin(&meta.source) else {
            sorted.others.push(key);
            continue;
        };
        let wanted = args.provider.provider.as_ref();
        if wanted.is_some_and(|name| *name != origin.provider) {
            sorted.elsewhere.push((key, origin.provider));
            continue;
        }
        let Some((from, _)) = made_from(&meta) else {
            sorted.downloaded.push((key, origin));
            continue;
        };
        let finer = key.with_timeframe(from);
        if there.contains(&finer) && !keys.contains(&finer) {
            keys.push(finer);
        }
        sorted.made.push((key, from));
    }
    sorted.made.sort_by_key(|(key, _)| key.timeframe());
    Ok(sorted)
}

impl Sorted {
    /// Says what is left as it is; that is a failure where its symbol was named.
    fn say_left(&self, args: &UpdateArgs, done: &mut Done) {
        if !args.symbols.is_empty() {
            self.others
                .iter()
                .for_each(|key| done.failure(key, not_downloaded(key)));
            self.elsewhere
                .iter()
                .for_each(|(key, provider)| done.failure(key, downloaded_elsewhere(provider)));
            return;
        }
        if !self.others.is_empty() {
            let others = listed(&self.others);
            done.notes
                .push(format!("not downloaded, and left as they are: {others}"));
        }
        if !self.elsewhere.is_empty() {
            let keys: Vec<String> = self
                .elsewhere
                .iter()
                .map(|(key, provider)| format!("{key} from {provider}"))
                .collect();
            done.notes.push(format!(
                "downloaded from another provider, and left as they are: {}",
                listed(&keys)
            ));
        }
    }
}

/// Clients, each made once.
struct Providers<'a> {
    settings: &'a ProviderSettings,
    /// The feed to ask whatever the bars come from; that of the bars when there is none.
    feed: Option<AlpacaFeed>,
    known: BTreeMap<(String, &'static str), Made>,
}

impl Providers<'_> {
    fn get(&mut self, origin: &Origin) -> Result<&dyn BarProvider, String> {
        let settings = ProviderSettings {
            feed: self.feed.or_else(|| feed(origin)).unwrap_or(self.settings.feed),
            ..self.settings.clone()
        };
        let provider = self
            .known
            .entry((origin.provider.clone(), settings.feed.name()))
            .or_insert_with(|| bar_provider(&origin.provider, &settings));
        provider.as_deref().map_err(ToString::to_string)
    }
}

fn update_one(
    (lake, bars): (&Lake, &Bars),
    provider: Result<&dyn BarProvider, String>,
    (key, origin): (&BarKey, &Origin),
    (args, now): (&UpdateArgs, UtcNanos),
) -> anyhow::Result<UpdateReport> {
    let provider = provider.map_err(anyhow::Error::msg)?;
    let request = UpdateRequest {
        key: key.clone(),
        provider_symbol: provider_symbol(origin).map(str::to_owned),
        bad_rows: bad_rows(&args.provider),
    };
    Ok(fetch(lake, provider, &request, now, bars)?)
}

/// The provider's name for a symbol, which is the first word of what was asked after the provider's own name: `binance
/// spot BTCUSDT 1d`.
fn provider_symbol(origin: &Origin) -> Option<&str> {
    let words = origin.asked.split([' ', ',']);
    words
        .filter(|word| !word.is_empty())
        .find(|word| *word != origin.provider && *word != SPOT)
}

/// The feed that a source names: `SPY 1Day, feed iex`.
fn feed(origin: &Origin) -> Option<AlpacaFeed> {
    origin.asked.rsplit_once(", feed ")?.1.parse().ok()
}

fn selection(args: &UpdateArgs) -> SelectArgs {
    SelectArgs {
        root: args.root.clone(),
        filter: FilterArgs {
            symbols: args.symbols.clone(),
            asset_class: args.asset_class,
            timeframes: args.timeframes.clone(),
        },
    }
}

fn not_downloaded(key: &BarKey) -> String {
    let provider =
        default_bar_provider(key.class()).map_or(String::new(), |name| format!(" --provider {name}"));
    format!(
        "it was not downloaded, so that nobody can be asked for more of it. To put a download in its place: cargo xtask \
         data download --symbols {} --asset-class {} --timeframes {} --start <date>{provider} --replace",
        key.symbol(),
        key.class(),
        key.timeframe()
    )
}

fn downloaded_elsewhere(provider: &str) -> String {
    format!(
        "it was downloaded from {provider}, and only {provider} can be asked for more of it: leave --provider out, or say \
         --provider {provider}"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_symbol_of_a_provider_stands_in_the_source() {
        for (source, symbol) in [
            ("binance: binance spot BTCUSDT 1d [prices: none]", "BTCUSDT"),
            ("kraken: kraken XBTUSD 1D [prices: none]", "XBTUSD"),
            ("yahoo: yahoo SPY 1d, split-adjusted [prices: splits]", "SPY"),
            ("alpaca: SPY 1Day, feed iex [prices: none]", "SPY"),
        ] {
            let origin = Origin::parse(source).unwrap();
            assert_eq!(provider_symbol(&origin), Some(symbol), "{source}");
        }
    }
}
