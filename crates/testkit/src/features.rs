//! Feature sources without a feature crate.

use sextant_domain::ports::FeatureSource;
use sextant_domain::{BarsView, FeatureError, FeatureId, FeatureSpec, MarketData, SeriesId, Timeframe};

/// Columns given by hand: by symbol, timeframe and the feature's display name, such as `sma(period=200)`.
///
/// Parameters stand in alphabetical order, as [`FeatureSpec`] displays them. Where a feature has several inputs, the
/// first one counts.
#[derive(Debug, Clone, Default)]
pub struct FixedFeatures {
    rows: Vec<FixedColumn>,
}

#[derive(Debug, Clone)]
struct FixedColumn {
    symbol: String,
    timeframe: Timeframe,
    feature: String,
    values: Vec<f64>,
}

impl FixedFeatures {
    /// No columns.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a column: one value per bar of the series, NaN while warming up.
    pub fn with(mut self, symbol: &str, timeframe: Timeframe, feature: &str, values: Vec<f64>) -> Self {
        self.rows.push(FixedColumn {
            symbol: symbol.to_owned(),
            timeframe,
            feature: feature.to_owned(),
            values,
        });
        self
    }
}

impl FeatureSource for FixedFeatures {
    /// # Panics
    /// When the column does not have one value per bar: the test is wrong then.
    fn prepare(
        &mut self,
        spec: &FeatureSpec,
        inputs: &[SeriesId],
        market: &MarketData,
    ) -> Result<FeatureId, FeatureError> {
        let Some(first) = inputs.first() else {
            return Err(FeatureError::Inputs {
                name: spec.name.clone(),
                expected: 1,
                found: 0,
            });
        };
        let series = market.get(*first);
        let symbol = &market.instruments().get(series.instrument).symbol;
        let wanted = spec.to_string();
        let same = |row: &FixedColumn| {
            row.feature == wanted && row.symbol == *symbol && row.timeframe == series.timeframe
        };
        let Some(index) = self.rows.iter().position(same) else {
            let known: Vec<_> = self
                .rows
                .iter()
                .map(|row| format!("{} of {} {}", row.feature, row.symbol, row.timeframe))
                .collect();
            let name = format!("{wanted} of {symbol} {}", series.timeframe);
            return Err(FeatureError::UnknownName {
                name,
                known: known.join(", "),
            });
        };
        let found = self.rows[index].values.len();
        assert_eq!(
            found,
            series.bars.len(),
            "{wanted} of {symbol} needs one value per bar"
        );
        Ok(FeatureId::from_index(index))
    }

    fn column(&self, id: FeatureId) -> &[f64] {
        &self.rows[id.index()].values
    }
}

/// Columns computed by a function of the spec and the whole input series; for tests that change the bars.
///
/// The function answers `None` for a name it does not know. What it computes is its own affair: the leaking features
/// that a causality test must catch are written with it too.
pub struct FormulaFeatures<F> {
    formula: F,
    columns: Vec<(FeatureSpec, Vec<SeriesId>, Vec<f64>)>,
}

impl FormulaFeatures<fn(&FeatureSpec, &[BarsView<'_>]) -> Option<Vec<f64>>> {
    /// Every feature of [`formulas`](crate::formulas), by its definition.
    pub fn reference() -> Self {
        Self::new(crate::formulas::column)
    }
}

impl<F: Fn(&FeatureSpec, &[BarsView<'_>]) -> Option<Vec<f64>>> FormulaFeatures<F> {
    /// A source over a function.
    pub fn new(formula: F) -> Self {
        Self {
            formula,
            columns: Vec::new(),
        }
    }
}

impl<F: Fn(&FeatureSpec, &[BarsView<'_>]) -> Option<Vec<f64>>> FeatureSource for FormulaFeatures<F> {
    fn prepare(
        &mut self,
        spec: &FeatureSpec,
        inputs: &[SeriesId],
        market: &MarketData,
    ) -> Result<FeatureId, FeatureError> {
        let known = self
            .columns
            .iter()
            .position(|(one, series, _)| one == spec && series == inputs);
        if let Some(index) = known {
            return Ok(FeatureId::from_index(index));
        }
        let views: Vec<_> = inputs.iter().map(|id| market.get(*id).bars.view()).collect();
        let Some(values) = (self.formula)(spec, &views) else {
            let known = "those the test's formula computes".to_owned();
            return Err(FeatureError::UnknownName {
                name: spec.to_string(),
                known,
            });
        };
        self.columns.push((spec.clone(), inputs.to_vec(), values));
        Ok(FeatureId::from_index(self.columns.len() - 1))
    }

    fn column(&self, id: FeatureId) -> &[f64] {
        &self.columns[id.index()].2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MarketBuilder;
    use crate::bars::{daily_sessions, instant};

    fn market() -> MarketData {
        let spans = daily_sessions(instant("2020-01-01"), 3);
        MarketBuilder::new()
            .equity("SPY", Timeframe::D1)
            .closes("SPY", Timeframe::D1, &spans, &[1.0, 2.0, 3.0])
            .build()
    }

    #[test]
    fn fixed_columns_are_found_by_name_and_series() {
        let series = [SeriesId::from_index(0)];
        let mut features =
            FixedFeatures::new().with("SPY", Timeframe::D1, "sma(period=2)", vec![f64::NAN, 1.5, 2.5]);
        let id = features
            .prepare(&FeatureSpec::new("sma", &[("period", 2.0)]), &series, &market())
            .unwrap();
        assert_eq!(features.column(id)[1..], [1.5, 2.5]);
        let missing = features.prepare(&FeatureSpec::new("sma", &[("period", 3.0)]), &series, &market());
        let message = missing.unwrap_err().to_string();
        assert!(message.contains("sma(period=3) of SPY 1D"), "{message}");
        assert!(message.contains("sma(period=2) of SPY 1D"), "{message}");
    }

    #[test]
    fn formulas_are_computed_once_per_spec_and_series() {
        let mut features = FormulaFeatures::reference();
        let series = [SeriesId::from_index(0)];
        let sma = FeatureSpec::new("sma", &[("period", 2.0)]);
        let first = features.prepare(&sma, &series, &market()).unwrap();
        assert_eq!(features.prepare(&sma, &series, &market()), Ok(first));
        assert_eq!(features.column(first)[1..], [1.5, 2.5]);
        assert!(
            features
                .prepare(&FeatureSpec::new("nonsense", &[]), &series, &market())
                .is_err()
        );
    }
}
