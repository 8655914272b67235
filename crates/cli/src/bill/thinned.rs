//! A market of which some bars are missing.

use sextant_domain::{BarSeries, MarketData, Series};

/// One bar of so many is missing.
const ONE_OF: u64 = 50;
/// The same in words.
pub(super) const WORDS: &str = "2 %";

/// The market without one bar in fifty of each series, drawn by hash from the seed and the number of the draw: which bars are
/// missing depends on nothing but them, the series and the bar.
///
/// # Errors
/// When nothing is left of a series.
pub(super) fn thinned(market: &MarketData, seed: u64, draw: u64) -> anyhow::Result<MarketData> {
    let mut left = Vec::new();
    for series in market.series() {
        let name = format!(
            "{seed} {draw} {} {}",
            market.instruments().get(series.instrument).symbol,
            series.timeframe
        );
        let bars = series.bars.iter().filter(|bar| {
            let hash = blake3::hash(format!("{name} {}", bar.close_time.nanos()).as_bytes());
            let mut first = [0; 8];
            first.copy_from_slice(&hash.as_bytes()[..8]);
            u64::from_le_bytes(first) % ONE_OF != 0
        });
        left.push(Series {
            bars: BarSeries::from_bars(bars)?,
            ..series.clone()
        });
    }
    Ok(MarketData::new(
        market.instruments().clone(),
        left,
        market.macros().to_vec(),
    )?)
}
