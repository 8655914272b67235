//! `invalid_equity`: an account whose equity is gone or not known does not trade.

use sextant_domain::{Intervention, PortfolioState, RiskStatus, UtcNanos};

use crate::rule::{Cut, OrderCase, RiskRule, TargetReview, Watch, status_change};

const REASON: &str = "equity is or was zero, negative or not a number";

/// Halts, for the rest of the run, once equity was zero, negative or not a finite number: an account does not come
/// back from ruin by itself, and books that have once lost their value are not to be traded on.
pub(crate) struct InvalidEquity {
    is_latched: bool,
}

impl InvalidEquity {
    pub(crate) fn new() -> Self {
        Self { is_latched: false }
    }

    #[cold]
    #[inline(never)]
    fn latch(&mut self, equity: f64, reasons: &mut Vec<Intervention>) {
        self.is_latched = true;
        let reason = format!("equity is {equity}, but must be a positive number: everything is closed");
        reasons.push(status_change(self.id(), 1.0, 0.0, reason));
    }

    fn halts(&self, state: &PortfolioState<'_>) -> bool {
        self.is_latched || !is_valid(state.equity)
    }
}

/// Whether equity is a positive finite number.
#[inline]
pub(super) fn is_valid(equity: f64) -> bool {
    equity > 0.0 && equity < f64::INFINITY
}

impl RiskRule for InvalidEquity {
    fn id(&self) -> &'static str {
        "invalid_equity"
    }

    fn watches(&self) -> Watch {
        Watch::Equity
    }

    fn quiet_equity(&self) -> (f64, f64) {
        if self.is_latched {
            (f64::NEG_INFINITY, f64::INFINITY)
        } else {
            (f64::MIN_POSITIVE, f64::MAX)
        }
    }

    fn observe(&mut self, state: &PortfolioState<'_>, reasons: &mut Vec<Intervention>) -> bool {
        if self.is_latched || is_valid(state.equity) {
            return false;
        }
        self.latch(state.equity, reasons);
        true
    }

    fn quiet_steps(&self, times: &[UtcNanos], equity: &[f64]) -> usize {
        if self.is_latched {
            return times.len();
        }
        let invalid = equity.iter().position(|equity| !is_valid(*equity));
        invalid.unwrap_or(times.len())
    }

    fn status(&self) -> RiskStatus {
        if self.is_latched {
            RiskStatus::Halted
        } else {
            RiskStatus::Normal
        }
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        if self.halts(review.state) {
            review.close_all(self.id(), REASON);
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        self.halts(order.state).then(|| order.cut_all(REASON))
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::ports::RiskEngine;
    use sextant_domain::{Decision, RiskStatus};

    use crate::RiskLimits;
    use crate::test_support::{Book, engine, targets};

    #[test]
    fn ruin_halts_for_good_with_and_without_a_drawdown_rule() {
        for limits in [RiskLimits::mission_defaults(), RiskLimits::permissive(2.0)] {
            for equity in [0.0, -1.0, f64::NAN, f64::INFINITY] {
                let mut engine = engine(limits.clone());
                let mut book = Book::new(&[0.3]);
                let mut reasons = Vec::new();
                assert_eq!(engine.observe(&book.state(), &mut reasons), RiskStatus::Normal);
                book.equity = equity;
                assert_eq!(
                    engine.observe(&book.state(), &mut reasons),
                    RiskStatus::Halted,
                    "{equity}"
                );
                book.equity = 100.0;
                assert_eq!(engine.observe(&book.state(), &mut reasons), RiskStatus::Halted);
                assert_eq!(reasons.len(), 1, "{reasons:?}");
                assert!(
                    reasons[0].reason.contains(&format!("equity is {equity},")),
                    "{}",
                    reasons[0].reason
                );
                assert_eq!(book.order(&engine, 0, 0.1).decision, Decision::Refuse);
                assert_eq!(book.order(&engine, 0, -0.1).decision, Decision::Keep);
            }
        }
    }

    #[test]
    fn a_review_without_equity_refuses_even_unobserved() {
        let engine = engine(RiskLimits::permissive(2.0));
        let mut book = Book::new(&[0.3]);
        book.equity = f64::NAN;
        let verdict = book.review_targets(&engine, &targets(&[0.5]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.0]));
        assert_eq!(verdict.reasons[0].rule, "invalid_equity");
        assert_eq!(book.order(&engine, 0, 0.1).decision, Decision::Refuse);
    }
}
