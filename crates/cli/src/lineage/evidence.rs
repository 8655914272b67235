//! What a model looked at: rows of bars with digests, features, macro series.

use sextant_domain::{
    BarsView, Binding, FeatureRef, FeatureRequirement, MacroRef, MarketView, Requirements, SeriesKey,
    SeriesRef, UtcNanos,
};
use sextant_features::{FeatureColumns, resolve};

use crate::pipeline::LoadedMarket;

/// How many hexadecimal digits of a digest are kept.
const DIGITS: usize = 16;

/// What a model had before it at one instant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evidence {
    /// The instant.
    pub(crate) as_of: UtcNanos,
    /// Its features.
    pub(crate) features: Vec<FeatureEvidence>,
    /// The newest bar of each series that it reads.
    pub(crate) bars: Vec<BarEvidence>,
    /// Its macro series with the newest value.
    pub(crate) macros: Vec<(String, Option<f64>)>,
}

/// A feature and the rows it was computed from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FeatureEvidence {
    /// Name and parameters.
    pub(crate) name: String,
    /// The value; `None` while it warmed up.
    pub(crate) value: Option<f64>,
    /// The rows of each input, the main one first. Of a recursive feature, those that matter to nine digits.
    pub(crate) rows: Vec<RowsEvidence>,
}

/// A bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BarEvidence {
    /// The row.
    pub(crate) rows: RowsEvidence,
    /// Open, high, low, close and volume.
    pub(crate) values: [f64; 5],
}

/// Rows of a series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RowsEvidence {
    /// The series, such as `SPY 1D`.
    pub(crate) series: String,
    /// The digest of the whole series, as the manifest has it; of a renamed security those of all its tickers.
    pub(crate) series_digest: String,
    /// Close times of the first and the last row.
    pub(crate) span: (UtcNanos, UtcNanos),
    /// How many rows.
    pub(crate) count: usize,
    /// blake3 over close time, open, high, low, close and volume of each row, in little endian.
    pub(crate) digest: String,
}

/// A market and the columns of a run over it.
pub(crate) struct Witness<'a> {
    pub(crate) market: &'a LoadedMarket,
    pub(crate) features: &'a mut FeatureColumns,
}

impl Evidence {
    /// What the model `owner` had before it at `as_of`. Without `only`, every series it reads; else those of that symbol, and
    /// features whose main input is one of them.
    ///
    /// # Errors
    /// When a requirement cannot be resolved, which the run itself would have found.
    pub(crate) fn of(
        (owner, needs): (&str, &Requirements),
        as_of: UtcNanos,
        only: Option<&str>,
        witness: &mut Witness<'_>,
    ) -> anyhow::Result<Self> {
        let data = &witness.market.data;
        let binding = Binding::resolve(owner, needs, data, witness.features)?;
        let available: Vec<usize> = data
            .series()
            .iter()
            .map(|series| series.bars.close_times().partition_point(|time| *time <= as_of))
            .collect();
        let scene = Scene {
            view: MarketView::new(as_of, data, &available, &*witness.features, &binding),
            needs,
            market: witness.market,
        };
        let is_wanted = |key: &SeriesKey| only.is_none_or(|symbol| key.symbol == symbol);
        let bars = needs.series_refs().zip(needs.series_keys());
        let features = needs.feature_refs().zip(needs.features());
        let macros = needs.macro_refs().zip(needs.macros());
        Ok(Self {
            as_of,
            features: features
                .filter(|(_, feature)| is_wanted(scene.key(feature.inputs[0])))
                .map(|(reference, feature)| scene.feature(reference, feature))
                .collect::<anyhow::Result<_>>()?,
            bars: bars
                .filter(|(_, key)| is_wanted(key))
                .filter_map(|(reference, _)| scene.bar(reference))
                .collect(),
            macros: macros
                .map(|(reference, name): (MacroRef, &String)| {
                    (name.clone(), scene.view.macro_value(reference))
                })
                .collect(),
        })
    }
}

/// One instant as one model sees it.
struct Scene<'a> {
    view: MarketView<'a>,
    needs: &'a Requirements,
    market: &'a LoadedMarket,
}

impl Scene<'_> {
    fn key(&self, series: SeriesRef) -> &SeriesKey {
        &self.needs.series_keys()[series.position()]
    }

    fn feature(
        &self,
        reference: FeatureRef,
        feature: &FeatureRequirement,
    ) -> anyhow::Result<FeatureEvidence> {
        let window = resolve(&feature.spec)?.settled_bars();
        let rows = feature.inputs.iter().map(|input| self.rows(*input, window));
        Ok(FeatureEvidence {
            name: feature.spec.to_string(),
            value: self.view.feature(reference),
            rows: rows.flatten().collect(),
        })
    }

    fn bar(&self, reference: SeriesRef) -> Option<BarEvidence> {
        let bars = self.view.bars(reference);
        let last = bars.len().checked_sub(1)?;
        Some(BarEvidence {
            rows: self.rows(reference, 1)?,
            values: [bars.open, bars.high, bars.low, bars.close, bars.volume].map(|column| column[last]),
        })
    }

    /// The newest rows of a series, at most so many; `None` where there is none.
    fn rows(&self, series: SeriesRef, most: usize) -> Option<RowsEvidence> {
        let bars = self.view.bars(series);
        let first = bars.len().saturating_sub(most);
        let times = &bars.close_time[first..];
        let key = self.key(series);
        // Of a renamed security there is one for each ticker; where one serves two instruments it stands there twice.
        let mut digests: Vec<String> = Vec::new();
        for input in self.market.inputs_of(key) {
            let digest = shortened(&input.digest);
            if !digests.contains(&digest) {
                digests.push(digest);
            }
        }
        Some(RowsEvidence {
            series: key.to_string(),
            series_digest: digests.join(" + "),
            span: (*times.first()?, *times.last()?),
            count: times.len(),
            digest: digest(&bars, first),
        })
    }
}

fn digest(bars: &BarsView<'_>, first: usize) -> String {
    let mut hasher = blake3::Hasher::new();
    for row in first..bars.len() {
        hasher.update(&bars.close_time[row].nanos().to_le_bytes());
        for column in [bars.open, bars.high, bars.low, bars.close, bars.volume] {
            hasher.update(&column[row].to_bits().to_le_bytes());
        }
    }
    shortened(hasher.finalize().to_hex().as_str())
}

fn shortened(digest: &str) -> String {
    digest.get(..DIGITS).unwrap_or(digest).to_owned()
}
