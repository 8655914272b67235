//! Bars that were downloaded before.

use std::collections::BTreeMap;

use sextant_data::update::{Origin, UpdateReport, UpdateRequest, update as fetch};
use sextant_data::{BarKey, BarMeta, BarProvider, Lake, ProviderError};
use sextant_domain::{Timeframe, UtcNanos};
use sextant_providers::{ProviderSettings, bar_provider, default_bar_provider};

use super::super::select::{chosen, listed};
use super::resampled::{Overwrite, made_from, resample};
use super::{Done, bad_rows};
use crate::args::{FilterArgs, SelectArgs, UpdateArgs};
use crate::progress::Bars;

/// A market of a provider that its sources name before the symbol.
const SPOT: &str = "spot";

/// Updates every chosen series that was downloaded, and makes those anew that were made from one; what came from
/// elsewhere is left alone. One that fails stops no other.
pub(super) fn update(args: &UpdateArgs, settings: &ProviderSettings, done: &mut Done) -> anyhow::Result<()> {
    let lake = Lake::new(&args.root.data);
    let (mut downloaded, mut made, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for key in chosen(&selection(args))? {
        match lake.load_bars(key.class(), key.symbol(), key.timeframe()) {
            Err(error) => done.failure(&key, error),
            Ok(stored) => match Kind::of(&stored.meta) {
                Kind::Downloaded(origin) => downloaded.push((key, origin)),
                Kind::Made(from) => made.push((key, from)),
                Kind::Other => others.push(key),
            },
        }
    }
    let mut providers = Providers {
        settings,
        known: BTreeMap::new(),
    };
    let bars = Bars::new();
    for (key, origin) in downloaded {
        if args
            .provider
            .provider
            .as_ref()
            .is_none_or(|name| *name == origin.provider)
        {
            match update_one(
                (&lake, &bars),
                providers.get(&origin.provider),
                (&key, &origin),
                (args, settings.now),
            ) {
                Ok(report) => done.bars(&report),
                Err(error) => done.failure(&key, format!("{error:#}")),
            }
        }
    }
    bars.finish();
    for (key, from) in made {
        resample(
            &lake,
            &key.with_timeframe(from),
            key.timeframe(),
            Overwrite::OwnKind,
            done,
        );
    }
    if args.symbols.is_empty() {
        if !others.is_empty() {
            done.notes.push(format!(
                "not downloaded, and left as they are: {}",
                listed(&others)
            ));
        }
    } else {
        others
            .iter()
            .for_each(|key| done.failure(key, not_downloaded(key)));
    }
    Ok(())
}

/// How bars came into the lake.
enum Kind {
    Downloaded(Origin),
    /// From finer ones of this timeframe, which were downloaded.
    Made(Timeframe),
    Other,
}

impl Kind {
    fn of(meta: &BarMeta) -> Self {
        if let Some(origin) = Origin::parse(&meta.source) {
            return Self::Downloaded(origin);
        }
        let below = meta.source.split_once("; ").map(|(_, source)| source);
        match (made_from(meta), below.and_then(Origin::parse)) {
            (Some((from, _)), Some(_)) => Self::Made(from),
            _ => Self::Other,
        }
    }
}

/// Clients, each made once.
struct Providers<'a> {
    settings: &'a ProviderSettings,
    known: BTreeMap<String, Result<Box<dyn BarProvider>, ProviderError>>,
}

impl Providers<'_> {
    fn get(&mut self, name: &str) -> Result<&dyn BarProvider, String> {
        let settings = self.settings;
        let provider = self
            .known
            .entry(name.to_owned())
            .or_insert_with(|| bar_provider(name, settings));
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
