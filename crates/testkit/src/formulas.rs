//! Features by their definition: each value is computed anew from its own window, without any streaming state.
//!
//! They serve as doubles where a test needs features that follow the bars, and as an independent reading of the same
//! definitions. Windows hold the bar itself and those before it; a value is NaN until its window is full.

use sextant_domain::{BarsView, FeatureSpec};

/// The column of a feature over its first input; `None` for a name that is not here or a parameter that is missing.
///
/// Known are `sma`, `momentum`, `rsi`, `bollinger_middle`, `bollinger_lower`, `drawdown`, `realised_volatility` and
/// `volatility_percentile`.
pub fn column(spec: &FeatureSpec, inputs: &[BarsView<'_>]) -> Option<Vec<f64>> {
    let close = inputs.first()?.close;
    let number = |name: &str| spec.parameters.get(name).copied();
    let period = number("period")? as usize;
    match spec.name.as_str() {
        "sma" | "bollinger_middle" => Some(sma(close, period)),
        "momentum" => Some(momentum(close, period)),
        "rsi" => Some(rsi(close, period)),
        "bollinger_lower" => Some(bollinger_lower(close, period, number("width")?)),
        "drawdown" => Some(drawdown(close, period)),
        "realised_volatility" => Some(realised_volatility(close, period, number("periods_per_year")?)),
        "volatility_percentile" => {
            let volatility = realised_volatility(close, period, number("periods_per_year")?);
            Some(percentile(&volatility, number("lookback")? as usize))
        }
        _ => None,
    }
}

/// Mean of the last `period` values.
pub fn sma(values: &[f64], period: usize) -> Vec<f64> {
    windows(values, period, mean)
}

/// `values[i] / values[i - period] - 1`.
pub fn momentum(values: &[f64], period: usize) -> Vec<f64> {
    windows(values, period + 1, |window| window[period] / window[0] - 1.0)
}

/// Relative strength index by Wilder's smoothing, from 0 to 100; 0 where no price has moved.
pub fn rsi(values: &[f64], period: usize) -> Vec<f64> {
    let mut out = vec![f64::NAN; values.len()];
    let (mut gain, mut loss) = (0.0, 0.0);
    let weight = 1.0 / period as f64;
    for index in 1..values.len() {
        let change = values[index] - values[index - 1];
        let keep = if index <= period { 1.0 } else { 1.0 - weight };
        gain = gain * keep + change.max(0.0) * weight;
        loss = loss * keep + (-change).max(0.0) * weight;
        if index >= period {
            out[index] = if gain + loss > 0.0 {
                100.0 * gain / (gain + loss)
            } else {
                0.0
            };
        }
    }
    out
}

/// Mean less `width` standard deviations (divisor `period`) of the last `period` values.
pub fn bollinger_lower(values: &[f64], period: usize, width: f64) -> Vec<f64> {
    windows(values, period, |window| {
        mean(window) - width * variance(window, 0.0).sqrt()
    })
}

/// `values[i] / max(last period values) - 1`: 0 at a high, negative below it.
pub fn drawdown(values: &[f64], period: usize) -> Vec<f64> {
    windows(values, period, |window| {
        window[period - 1] / window.iter().copied().fold(f64::MIN, f64::max) - 1.0
    })
}

/// Standard deviation (divisor `period - 1`) of the last `period` simple returns, times the root of the periods per
/// year. Simple returns instead of the usual logarithmic ones, so that no platform logarithm enters.
pub fn realised_volatility(values: &[f64], period: usize, periods_per_year: f64) -> Vec<f64> {
    windows(values, period + 1, |window| {
        let returns: Vec<_> = window.windows(2).map(|pair| pair[1] / pair[0] - 1.0).collect();
        (variance(&returns, 1.0) * periods_per_year).sqrt()
    })
}

/// Where the newest of the last `lookback` values stands among the others: the fraction of them that are below it, equal
/// ones counting half; 0 is the lowest, 1 the highest.
pub fn percentile(values: &[f64], lookback: usize) -> Vec<f64> {
    windows(values, lookback, |window| {
        let (newest, others) = (window[lookback - 1], &window[..lookback - 1]);
        if window.iter().any(|value| value.is_nan()) {
            return f64::NAN;
        }
        let below = others.iter().filter(|value| **value < newest).count() as f64;
        let equal = others.iter().filter(|value| **value == newest).count() as f64;
        (below + 0.5 * equal) / others.len() as f64
    })
}

fn windows(values: &[f64], length: usize, of: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let ends = 1..=values.len();
    ends.map(|end| {
        if end < length {
            f64::NAN
        } else {
            of(&values[end - length..end])
        }
    })
    .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64], degrees: f64) -> f64 {
    let mean = mean(values);
    values
        .iter()
        .map(|value| (value - mean) * (value - mean))
        .sum::<f64>()
        / (values.len() as f64 - degrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close_to(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (one, other) in found.iter().zip(expected) {
            assert!(one.is_nan() == other.is_nan(), "{found:?} is not {expected:?}");
            assert!(
                one.is_nan() || (one - other).abs() < 1e-12,
                "{found:?} is not {expected:?}"
            );
        }
    }

    /// Values worked out by hand.
    #[test]
    fn columns_equal_hand_made_ones() {
        let nan = f64::NAN;
        let prices = [10.0, 12.0, 9.0, 12.0];
        close_to(&sma(&prices, 2), &[nan, 11.0, 10.5, 10.5]);
        close_to(&momentum(&prices, 2), &[nan, nan, -0.1, 0.0]);
        close_to(&drawdown(&prices, 3), &[nan, nan, -0.25, 0.0]);
        close_to(&bollinger_lower(&prices, 2, 2.0), &[nan, 9.0, 7.5, 7.5]);
        // Averages after two changes: gain 1, loss 1.5; then gain (1 + 3) / 2, loss 1.5 / 2.
        close_to(&rsi(&prices, 2), &[nan, nan, 40.0, 100.0 * 2.0 / 2.75]);
        close_to(&rsi(&[5.0, 5.0, 5.0], 2), &[nan, nan, 0.0]);
        // Returns 0.2 and -0.25: mean -0.025, squared deviations 0.050625 each.
        close_to(
            &realised_volatility(&prices[..3], 2, 4.0),
            &[nan, nan, (4.0 * 0.101_25_f64).sqrt()],
        );
        close_to(
            &percentile(&[nan, 3.0, 1.0, 2.0, 2.0, 1.0], 3),
            &[nan, nan, nan, 0.5, 0.75, 0.0],
        );
    }

    #[test]
    fn unknown_names_and_missing_parameters_are_not_answered() {
        let none: Vec<BarsView<'_>> = Vec::new();
        assert_eq!(column(&FeatureSpec::new("sma", &[("period", 2.0)]), &none), None);
        let bars = sextant_domain::BarSeries::default();
        assert_eq!(column(&FeatureSpec::new("sma", &[]), &[bars.view()]), None);
        assert_eq!(
            column(&FeatureSpec::new("nonsense", &[("period", 2.0)]), &[bars.view()]),
            None
        );
    }
}
