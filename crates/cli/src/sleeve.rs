//! The value of what a scope manages, as a series that figures can be computed from.

use sextant_domain::UtcNanos;
use sextant_metrics::{ExternalFlow, MetricsError, NavMark, NavSeries};

/// The portfolio, or a model's sleeve: its base budget of portfolio equity.
///
/// A model trades fractions of its budget of *portfolio* equity, so what it manages grows and shrinks with what the other
/// models earn. That money moves in and out of the sleeve as an external flow at each mark and is removed by
/// time-weighted linking: the return of a period is the model's profit and loss over its budget of portfolio equity at
/// the mark before. The portfolio has a budget of one and no flows.
#[derive(Debug, Clone)]
pub(crate) struct Sleeve {
    budget: f64,
    initial: f64,
    value: f64,
    pnl: f64,
    marks: Vec<NavMark>,
    flows: Vec<ExternalFlow>,
}

impl Sleeve {
    /// A sleeve with a budget of the portfolio's initial capital.
    pub(crate) fn new(budget: f64, portfolio_capital: f64) -> Self {
        let initial = budget * portfolio_capital;
        Self {
            budget,
            initial,
            value: initial,
            pnl: 0.0,
            marks: Vec::new(),
            flows: Vec::new(),
        }
    }

    /// Marks the sleeve: the portfolio's equity, and the profit and loss of the scope since the start.
    pub(crate) fn mark(&mut self, time: UtcNanos, portfolio_equity: f64, pnl: f64) {
        let earned = self.value + (pnl - self.pnl);
        let value = self.budget * portfolio_equity;
        let time_ns = time.nanos();
        self.marks.push(NavMark { time_ns, nav: value });
        // Not for the portfolio, where the difference is rounding.
        if self.budget != 1.0 {
            self.flows.push(ExternalFlow {
                time_ns,
                amount: value - earned,
            });
        }
        (self.value, self.pnl) = (value, pnl);
    }

    /// What the sleeve manages at a portfolio equity.
    pub(crate) fn managed(&self, portfolio_equity: f64) -> f64 {
        self.budget * portfolio_equity
    }

    /// The series from `start_ns` on.
    ///
    /// # Errors
    /// [`MetricsError`] when there is no mark after the start or a value is not usable.
    pub(crate) fn series(&self, start_ns: i64) -> Result<NavSeries, MetricsError> {
        NavSeries::with_external_flows(start_ns, self.initial, self.marks.clone(), &self.flows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_measured_by_what_it_earned_on_what_it_managed() {
        let mut sleeve = Sleeve::new(0.5, 1_000.0);
        // The others doubled the portfolio; the model earned nothing, then 10 % of the 1,000 it managed.
        sleeve.mark(UtcNanos::from_nanos(1), 2_000.0, 0.0);
        sleeve.mark(UtcNanos::from_nanos(2), 2_100.0, 100.0);
        let series = sleeve.series(0).unwrap();
        let [first, second] = series.returns().as_slice() else {
            panic!("two marks give two returns")
        };
        assert!(*first == 0.0 && (second - 0.1).abs() < 1e-15);
    }

    #[test]
    fn the_portfolio_is_its_equity() {
        let mut sleeve = Sleeve::new(1.0, 1_000.0);
        sleeve.mark(UtcNanos::from_nanos(1), 1_100.0, 100.0);
        assert_eq!(
            sleeve.series(0).unwrap(),
            NavSeries::new(
                0,
                1_000.0,
                vec![NavMark {
                    time_ns: 1,
                    nav: 1_100.0
                }]
            )
            .unwrap()
        );
    }
}
