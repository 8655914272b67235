//! `sextant data stitch`.

use std::process::ExitCode;

use anyhow::bail;
use chrono::NaiveDate;
use sextant_data::actions::Stitched;
use sextant_data::{
    AdjustmentEngine, AdjustmentMode, BarKey, BarMeta, Calendar, EventList, Lake, Provenance, RawBars,
    SecurityHistory, SecurityId, StoredBars, stitch,
};
use sextant_domain::BarSeries;

use super::select::{listed, short, traded};
use super::tickers::{mapper, redenomination};
use crate::args::StitchArgs;
use crate::out::say;
use crate::table::table;

/// Joins what was traded under the tickers of a security and writes it under a symbol of its own.
pub(super) fn run(args: &StitchArgs) -> anyhow::Result<ExitCode> {
    let mapper = mapper(args.asset_class, &args.listings)?;
    let history = mapper.security(&SecurityId::new(&args.symbol)?)?;
    let lake = Lake::new(&args.root.data);
    let target = BarKey::new(mapper.class(), &args.into, args.timeframe)?;
    let parts = parts(&lake, &target, history)?;
    let metas: Vec<BarMeta> = parts.iter().map(|part| part.meta.clone()).collect();
    let raw: Vec<(String, BarSeries)> = parts
        .into_iter()
        .map(|part| Ok((part.meta.symbol.clone(), traded(part)?)))
        .collect::<anyhow::Result<_>>()?;
    let named: Vec<(&str, &BarSeries)> = raw.iter().map(|(ticker, bars)| (ticker.as_str(), bars)).collect();
    let calendar = Calendar::for_class(mapper.class());
    let joined = stitch(&named, history.spans(), &calendar)?;
    let written = write((&lake, &target), history, &joined, &metas)?;
    say!(
        "{}",
        table(&["", "ticker", "first", "last", "#count"], rows(&joined))
    );
    for rename in history.redenominations() {
        say!(
            "{}: the bars before are adjusted for that, what was traded stands beside them",
            redenomination(rename)
        );
    }
    if !joined.missing.is_empty() {
        say!(
            "no {} bars of {} are in the lake",
            args.timeframe,
            joined.missing.join(", ")
        );
    }
    say!(
        "{target}: {} bars, digest {}, in {}",
        written.rows,
        short(&written.digest),
        lake.bars_path(&target).display()
    );
    Ok(ExitCode::SUCCESS)
}

/// The bars that the lake has of the tickers of a security.
fn parts(lake: &Lake, target: &BarKey, history: &SecurityHistory) -> anyhow::Result<Vec<StoredBars>> {
    let mut tickers: Vec<&str> = history.spans().iter().map(|span| span.ticker.as_str()).collect();
    tickers.sort_unstable();
    tickers.dedup();
    if tickers.contains(&target.symbol()) {
        bail!(
            "--into {}: that is a ticker of the security, whose own bars would be lost; choose another symbol",
            target.symbol()
        );
    }
    let keys = lake.bar_keys()?;
    let mut parts = Vec::new();
    for ticker in &tickers {
        let key = BarKey::new(target.class(), ticker, target.timeframe())?;
        if keys.contains(&key) {
            parts.push(lake.load_bars(key.class(), key.symbol(), key.timeframe())?);
        }
    }
    if parts.is_empty() {
        bail!(
            "there are no {} {} bars of {} in {}; import them with `cargo xtask data import`",
            target.class(),
            target.timeframe(),
            listed(&tickers),
            lake.root().display()
        );
    }
    Ok(parts)
}

/// Where old units became another number of new ones, prices before are put in new ones: nothing else knows of that.
fn write(
    (lake, target): (&Lake, &BarKey),
    history: &SecurityHistory,
    joined: &Stitched,
    parts: &[BarMeta],
) -> anyhow::Result<BarMeta> {
    let pieces: Vec<String> = joined
        .pieces
        .iter()
        .map(|piece| format!("{} {} to {}", piece.ticker, piece.first, piece.last))
        .collect();
    let sources: Vec<String> = parts
        .iter()
        .map(|part| format!("{}: {}", part.symbol, part.source))
        .collect();
    let provenance = Provenance {
        source: format!("stitched from {}; {}", pieces.join(", "), sources.join("; ")),
        synthetic: parts.iter().any(|part| part.synthetic),
    };
    let renames = history.redenominations();
    if renames.is_empty() {
        return Ok(lake.write_bars(target, &joined.bars, None, &provenance)?);
    }
    let name = format!("the renames of {}", history.id());
    let events = EventList::new(&name, renames.iter().copied())?;
    let engine = AdjustmentEngine::from_events(events, Calendar::for_class(target.class()));
    let adjusted = engine.adjusted(&joined.bars, AdjustmentMode::Splits, NaiveDate::MAX)?;
    let raw = RawBars {
        bars: joined.bars.clone(),
        adjustment_factor: adjusted.adjustment_factor,
        adjustment: adjusted.adjustment,
    };
    Ok(lake.write_bars(target, &adjusted.bars, Some(&raw), &provenance)?)
}

fn rows(joined: &Stitched) -> Vec<Vec<String>> {
    let row = |what: &str, ticker: &str, (first, last): (NaiveDate, NaiveDate), count: usize| {
        vec![
            what.to_owned(),
            ticker.to_owned(),
            first.to_string(),
            last.to_string(),
            count.to_string(),
        ]
    };
    let used = joined
        .pieces
        .iter()
        .map(|piece| row("bars used", &piece.ticker, (piece.first, piece.last), piece.bars));
    let gaps = joined.gaps.iter().map(|gap| {
        row(
            "sessions without bars",
            &gap.ticker,
            (gap.first, gap.last),
            gap.sessions,
        )
    });
    let outside = joined.outside.iter().map(|bars| {
        row(
            "bars left out, of other dates",
            &bars.ticker,
            (bars.first, bars.last),
            bars.bars,
        )
    });
    let overlaps = joined.overlaps.iter().map(|overlap| {
        let what = format!("of these, beside bars of {}", overlap.used);
        row(
            &what,
            &overlap.left_out,
            (overlap.first, overlap.last),
            overlap.bars,
        )
    });
    used.chain(gaps).chain(outside).chain(overlaps).collect()
}
