//! The costs at which nothing is left.

use sextant_store::CostCurveRow;

/// How dear trading may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum BreakEven {
    /// The total return is zero at these costs, in basis points of the traded value.
    At {
        /// Commission and slippage together.
        cost_bps: f64,
        /// As a multiple of the configured costs.
        multiple: f64,
    },
    /// It is still positive at the dearest run.
    Above {
        /// The costs of that run.
        cost_bps: f64,
    },
    /// It is not positive even without costs.
    NothingEarned,
    /// Nothing was traded, or the configured costs are zero, or a run has no return.
    Unknown,
}

impl BreakEven {
    /// In words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::At { cost_bps, multiple } => {
                format!("{cost_bps:.1} bp of the traded value ({multiple:.1} times the configured costs)")
            }
            Self::Above { cost_bps } => format!("above {cost_bps:.1} bp of the traded value"),
            Self::NothingEarned => "none: the run earns nothing even without costs".to_owned(),
            Self::Unknown => "unknown: nothing was traded, or costs are zero".to_owned(),
        }
    }
}

/// The costs at which the run neither earns nor loses, interpolated linearly in the annual growth between the two runs around it;
/// in the total return where a run is too short for a growth. `rows` are sorted by their multiple and begin without costs.
pub(crate) fn break_even(rows: &[CostCurveRow]) -> BreakEven {
    let growth = |row: &CostCurveRow| row.cagr.or(row.total_return);
    let points: Option<Vec<(f64, f64, f64)>> = rows
        .iter()
        .map(|row| Some((row.multiple, row.cost_bps?, growth(row)?)))
        .collect();
    let points = points.unwrap_or_default();
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return BreakEven::Unknown;
    };
    if last.1 <= first.1 {
        return BreakEven::Unknown;
    }
    if first.2 <= 0.0 {
        return BreakEven::NothingEarned;
    }
    let crossing = points.windows(2).find(|pair| pair[0].2 > 0.0 && pair[1].2 <= 0.0);
    match crossing {
        Some([left, right]) => {
            let way = left.2 / (left.2 - right.2);
            let between = |from: f64, to: f64| from + way * (to - from);
            BreakEven::At {
                cost_bps: between(left.1, right.1),
                multiple: between(left.0, right.0),
            }
        }
        _ => BreakEven::Above { cost_bps: last.1 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(points: &[(f64, f64, f64)]) -> Vec<CostCurveRow> {
        points
            .iter()
            .map(|(multiple, cost, total)| CostCurveRow {
                multiple: *multiple,
                cost_bps: Some(*cost),
                total_return: Some(*total),
                cagr: None,
                sharpe: None,
                reason: None,
            })
            .collect()
    }

    #[test]
    fn the_break_even_lies_between_the_runs_around_zero() {
        let curve = rows(&[
            (0.0, 0.0, 0.3),
            (1.0, 10.0, 0.1),
            (2.0, 20.0, -0.1),
            (4.0, 40.0, -0.5),
        ]);
        assert_eq!(
            break_even(&curve),
            BreakEven::At {
                cost_bps: 15.0,
                multiple: 1.5
            }
        );
        assert_eq!(break_even(&curve[..2]), BreakEven::Above { cost_bps: 10.0 });
        assert_eq!(
            break_even(&rows(&[(0.0, 0.0, -0.1), (1.0, 10.0, -0.2)])),
            BreakEven::NothingEarned
        );
        assert_eq!(
            break_even(&rows(&[(0.0, 0.0, 0.1), (1.0, 0.0, 0.1)])),
            BreakEven::Unknown
        );
        assert_eq!(break_even(&[]), BreakEven::Unknown);
        let mut untraded = curve;
        untraded[1].cost_bps = None;
        assert_eq!(break_even(&untraded), BreakEven::Unknown);
    }
}
