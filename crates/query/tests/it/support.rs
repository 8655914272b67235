//! Lakes and bars of the tests.

use std::path::PathBuf;

use sextant_data::{BarKey, Calendar, Lake, Provenance, RawBars};
use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};
use sextant_query::{LakeQuery, LakeQueryOptions};

/// A lake in a folder that goes with it.
pub(crate) struct TestLake {
    pub(crate) lake: Lake,
    pub(crate) folder: tempfile::TempDir,
}

impl TestLake {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::new(folder.path().join("it's a lake"));
        Self { lake, folder }
    }

    pub(crate) fn write(&self, key: &BarKey, bars: &BarSeries) {
        self.write_raw(key, bars, None);
    }

    pub(crate) fn write_raw(&self, key: &BarKey, bars: &BarSeries, raw: Option<&RawBars>) {
        self.lake.write_bars(key, bars, raw, &provenance()).unwrap();
    }

    pub(crate) fn load(&self, key: &BarKey) -> BarSeries {
        let (class, timeframe) = (key.class(), key.timeframe());
        self.lake.load_bars(class, key.symbol(), timeframe).unwrap().bars
    }

    pub(crate) fn query(&self) -> LakeQuery {
        LakeQuery::new(self.lake.clone(), LakeQueryOptions::default()).unwrap()
    }

    /// The files of a series, oldest first.
    pub(crate) fn files(&self, key: &BarKey) -> Vec<PathBuf> {
        let files = self.lake.series_files(key).unwrap().files;
        files.into_iter().map(|file| file.path).collect()
    }
}

pub(crate) fn provenance() -> Provenance {
    Provenance {
        source: "a test".to_owned(),
        synthetic: true,
    }
}

pub(crate) fn key(class: AssetClass, symbol: &str, timeframe: Timeframe) -> BarKey {
    BarKey::new(class, symbol, timeframe).unwrap()
}

pub(crate) fn time(text: &str) -> UtcNanos {
    text.parse().unwrap()
}

/// Bars on the calendar from one instant to another, with prices of many digits; every 17th bar is missing.
pub(crate) fn bars(class: AssetClass, timeframe: Timeframe, span: [&str; 2]) -> BarSeries {
    let slots = Calendar::for_class(class).expected_bars(timeframe, time(span[0]), time(span[1]));
    let bars = slots
        .iter()
        .enumerate()
        .filter(|(n, _)| n % 17 != 5)
        .map(|(n, slot)| {
            let close = 100.0 + (n as f64 * 0.37).sin() / 3.0;
            Bar {
                open_time: slot.open_time,
                close_time: slot.close_time,
                open: close + 0.1,
                high: close + 0.7,
                low: close - 0.3,
                close,
                volume: n as f64 / 7.0,
            }
        });
    BarSeries::from_bars(bars).unwrap()
}

/// The bars that open in a span.
pub(crate) fn cut(bars: &BarSeries, from: UtcNanos, to: UtcNanos) -> BarSeries {
    BarSeries::from_bars(bars.iter().filter(|bar| (from..to).contains(&bar.open_time))).unwrap()
}
