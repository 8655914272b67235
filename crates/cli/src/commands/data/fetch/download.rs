//! Bars of a span.

use anyhow::Context;
use chrono::Days;
use sextant_data::update::{DownloadRequest, Existing, download as fetch};
use sextant_data::{BarKey, BarProvider, Lake, ProviderError};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};
use sextant_providers::{ProviderSettings, bar_provider, default_bar_provider};

use super::resampled::{Overwrite, resample};
use super::{Done, bad_rows};
use crate::args::{DownloadArgs, SymbolPair};
use crate::progress::Bars;

/// Downloads every symbol and timeframe; one that fails stops no other.
pub(super) fn download(
    args: &DownloadArgs,
    settings: &ProviderSettings,
    done: &mut Done,
) -> anyhow::Result<()> {
    let class = args
        .asset_class
        .context("--asset-class says what the symbols are: equity or crypto")?;
    let name = match &args.provider.provider {
        Some(name) => name.as_str(),
        None => default_bar_provider(class)?,
    };
    let provider = bar_provider(name, settings)?;
    let plan = Plan::new(provider.as_ref(), class, &args.timeframes)?;
    let lake = Lake::new(&args.root.data);
    let bars = Bars::new();
    for pair in &args.symbols {
        let mut failed = Vec::new();
        for timeframe in &plan.fetched {
            let key = BarKey::new(class, &pair.symbol, *timeframe)?;
            let request = request(args, &key, pair)?;
            match fetch(&lake, provider.as_ref(), &request, settings.now, &bars) {
                Ok(report) => done.bars(&report),
                Err(error) => {
                    failed.push(*timeframe);
                    done.failure(&key, error);
                }
            }
        }
        for (from, to) in &plan.resampled {
            let key = BarKey::new(class, &pair.symbol, *from)?;
            if failed.contains(from) {
                done.failure(
                    key.with_timeframe(*to),
                    format!("it is made from {from} bars, which failed"),
                );
                continue;
            }
            done.note(
                key.with_timeframe(*to),
                &format!("{name} does not have them; they are made from {from} bars"),
            );
            resample(&lake, &key, *to, overwrite(args), done);
        }
    }
    bars.finish();
    Ok(())
}

/// Which timeframes are fetched, finest first, and which are made from them.
#[derive(Debug, PartialEq)]
struct Plan {
    fetched: Vec<Timeframe>,
    resampled: Vec<(Timeframe, Timeframe)>,
}

impl Plan {
    /// A timeframe that is not offered is made from the coarsest finer one that is.
    fn new(
        provider: &dyn BarProvider,
        class: AssetClass,
        wanted: &[Timeframe],
    ) -> Result<Self, ProviderError> {
        let mut plan = Self {
            fetched: Vec::new(),
            resampled: Vec::new(),
        };
        for timeframe in wanted {
            let refusal = match provider.offer(class, *timeframe) {
                Ok(_) => {
                    plan.fetched.push(*timeframe);
                    continue;
                }
                Err(refusal) => refusal,
            };
            let offered = |finer: &Timeframe| finer < timeframe && provider.offer(class, *finer).is_ok();
            let finer = Timeframe::ALL.into_iter().rev().find(offered).ok_or(refusal)?;
            plan.fetched.push(finer);
            plan.resampled.push((finer, *timeframe));
        }
        plan.fetched.sort_unstable();
        plan.fetched.dedup();
        plan.resampled.sort_unstable();
        plan.resampled.dedup();
        Ok(plan)
    }
}

fn request(args: &DownloadArgs, key: &BarKey, pair: &SymbolPair) -> anyhow::Result<DownloadRequest> {
    let start = UtcNanos::from_date(args.start);
    let end = args.end.map(|end| {
        let after = end.checked_add_days(Days::new(1)).and_then(UtcNanos::from_date);
        after.with_context(|| format!("--end {end}: no bar is so late"))
    });
    Ok(DownloadRequest {
        key: key.clone(),
        provider_symbol: pair.provider_symbol.clone(),
        start: start.with_context(|| format!("--start {}: no bar is so early or late", args.start))?,
        end: end.transpose()?,
        bad_rows: bad_rows(&args.provider),
        existing: existing(args),
    })
}

pub(super) fn existing(args: &DownloadArgs) -> Existing {
    if args.replace {
        Existing::Replace
    } else {
        Existing::Keep
    }
}

fn overwrite(args: &DownloadArgs) -> Overwrite {
    if args.replace {
        Overwrite::Anything
    } else {
        Overwrite::OwnKind
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use sextant_providers::HttpConfig;

    use super::*;

    fn plan(provider: &str, class: AssetClass, wanted: &[Timeframe]) -> Result<Plan, ProviderError> {
        let settings = ProviderSettings::new(HttpConfig::new(None), UtcNanos::from_nanos(0));
        Plan::new(bar_provider(provider, &settings).unwrap().as_ref(), class, wanted)
    }

    #[test]
    fn what_is_not_offered_is_made_from_the_next_finer() {
        use Timeframe::{D1, H4, M5, M30};
        let yahoo = plan("yahoo", AssetClass::Equity, &[D1, H4, M5, D1]).unwrap();
        assert_eq!(yahoo.fetched, [M5, M30, D1]);
        assert_eq!(yahoo.resampled, [(M30, H4)]);
        let binance = plan("binance", AssetClass::Crypto, &[H4]).unwrap();
        assert_eq!(
            (binance.fetched.as_slice(), binance.resampled.len()),
            ([H4].as_slice(), 0)
        );
        let refused = plan("binance", AssetClass::Equity, &[D1])
            .unwrap_err()
            .to_string();
        assert!(refused.contains("crypto"), "{refused}");
    }
}
