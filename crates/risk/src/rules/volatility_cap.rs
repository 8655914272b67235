//! `volatility_cap`: the portfolio as a whole may not swing too much, correlations counted.

use sextant_domain::{InstrumentId, Intervention, InterventionAction};

use crate::VolatilityCap;
use crate::rule::{Cut, OrderCase, RiskRule, TOLERANCE, TargetReview};

/// Caps the annual volatility of the portfolio, `sqrt(w' C w)` (H. Markowitz, *Portfolio Selection*, 1952), with the signed
/// weights `w` and the annual covariance `C` of trailing returns that comes with the portfolio state.
///
/// Targets are scaled together, by the largest factor that keeps the cap. Where positions without targets alone are over
/// it, by the factor of least volatility. An order may be as large as the cap leaves room for; above the cap, as large as
/// does not raise the volatility any further, so that a hedge passes. Each order is judged with those before it: of a hedged
/// pair the second leg cannot make room for the first.
///
/// An instrument whose variance, or covariance with something held, is not known may not be added.
pub(crate) struct PortfolioVolatility {
    cap: f64,
}

/// Volatilities of a portfolio that is divided in two: what can be scaled, and the rest.
#[derive(Debug, Clone, Copy, Default)]
struct Quadratic {
    /// Variance of the part that is scaled.
    scaled: f64,
    /// Covariance of the two parts.
    mixed: f64,
    /// Variance of the rest.
    rest: f64,
}

impl Quadratic {
    /// Volatility with the first part times `factor`. Rounding can make the variance of a perfect hedge negative.
    fn volatility(&self, factor: f64) -> f64 {
        (factor * (factor * self.scaled + 2.0 * self.mixed) + self.rest)
            .max(0.0)
            .sqrt()
    }

    fn is_known(&self) -> bool {
        (self.scaled + self.mixed + self.rest).is_finite()
    }

    /// The largest factor whose variance is `limit`, where there is one.
    fn largest(&self, limit: f64) -> Option<f64> {
        let discriminant = self.mixed * self.mixed - self.scaled * (self.rest - limit);
        (self.scaled > 0.0 && discriminant >= 0.0).then(|| (discriminant.sqrt() - self.mixed) / self.scaled)
    }

    /// The factor from 0 to 1 of least variance.
    fn least(&self) -> f64 {
        if self.scaled > 0.0 {
            (-self.mixed / self.scaled).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

/// Row-major covariances, of which every one may be missing.
struct Covariance<'a> {
    values: &'a [f64],
    count: usize,
}

impl Covariance<'_> {
    fn get(&self, left: usize, right: usize) -> f64 {
        let value = self.values.get(left * self.count + right);
        value.copied().unwrap_or(f64::NAN)
    }

    fn is_known(&self, instrument: usize) -> bool {
        let variance = self.get(instrument, instrument);
        variance.is_finite() && variance >= 0.0
    }

    /// The covariance of an instrument with a portfolio. Instruments without weight do not count, known or not.
    fn with(&self, instrument: usize, weights: &[f64]) -> f64 {
        let held = weights.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
        held.map(|(other, weight)| weight * self.get(instrument, other))
            .sum()
    }

    fn between(&self, left: &[f64], right: &[f64]) -> f64 {
        let held = left.iter().enumerate().filter(|(_, weight)| **weight != 0.0);
        held.map(|(instrument, weight)| weight * self.with(instrument, right))
            .sum()
    }
}

impl PortfolioVolatility {
    pub(crate) fn new(cap: VolatilityCap) -> Self {
        Self { cap: cap.annual }
    }

    /// Takes back what is to be added in an instrument without covariance.
    fn refuse_unknown(&self, review: &mut TargetReview<'_>, covariance: &Covariance<'_>) {
        for instrument in 0..review.len() {
            if covariance.is_known(instrument) || !review.is_managed(instrument) {
                continue;
            }
            self.refuse_addition(
                review,
                instrument,
                "the covariance is not known: nothing is added",
            );
        }
    }

    fn refuse_addition(&self, review: &mut TargetReview<'_>, instrument: usize, reason: &str) {
        let change = review.change(instrument);
        if change.added <= 0.0 {
            return;
        }
        let before = review.weight(instrument);
        review.cut_change(instrument, &change, 0.0);
        review.report(Intervention {
            rule: self.id(),
            action: InterventionAction::Refuse,
            instrument: Some(InstrumentId::from_index(instrument)),
            before,
            after: review.weight(instrument),
            reason: reason.to_owned(),
        });
    }

    fn scale(&self, review: &mut TargetReview<'_>, portfolio: &Quadratic) {
        let before = portfolio.volatility(1.0);
        if before <= self.cap + TOLERANCE {
            return;
        }
        let largest = portfolio.largest(self.cap * self.cap);
        let factor = largest
            .filter(|factor| *factor >= 0.0)
            .unwrap_or_else(|| portfolio.least())
            .min(1.0);
        // Already at the least volatility that scaling can reach.
        if factor >= 1.0 - TOLERANCE {
            return;
        }
        for instrument in 0..review.len() {
            if review.is_managed(instrument) {
                review.scale(instrument, factor);
            }
        }
        review.report(Intervention {
            rule: self.id(),
            action: InterventionAction::Shrink,
            instrument: None,
            before,
            after: portfolio.volatility(factor),
            reason: format!(
                "portfolio volatility {before:.4} is over the cap {:.4}: targets x {factor:.6}",
                self.cap
            ),
        });
    }
}

/// What is managed and what is not, each as weights of all instruments.
fn divided(review: &TargetReview<'_>) -> (Vec<f64>, Vec<f64>) {
    let part = |is_managed: bool| {
        let weight = |instrument| {
            if review.is_managed(instrument) == is_managed {
                review.weight(instrument)
            } else {
                0.0
            }
        };
        (0..review.len()).map(weight).collect()
    };
    (part(true), part(false))
}

impl RiskRule for PortfolioVolatility {
    fn id(&self) -> &'static str {
        "volatility_cap"
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        let state = review.state;
        let covariance = Covariance {
            values: state.statistics.covariance,
            count: review.len(),
        };
        self.refuse_unknown(review, &covariance);
        let (managed, rest) = divided(review);
        let portfolio = Quadratic {
            scaled: covariance.between(&managed, &managed),
            mixed: covariance.between(&managed, &rest),
            rest: covariance.between(&rest, &rest),
        };
        if portfolio.is_known() {
            return self.scale(review, &portfolio);
        }
        let reason = "the covariance with something held is not known: nothing is added";
        for instrument in (0..review.len()).filter(|&instrument| managed[instrument] != 0.0) {
            self.refuse_addition(review, instrument, reason);
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let (state, instrument, sign) = (order.state, order.instrument, order.sign());
        let covariance = Covariance {
            values: state.statistics.covariance,
            count: state.weights.len(),
        };
        let mut rest: Vec<f64> = state
            .weights
            .iter()
            .zip(state.pending)
            .map(|(held, pending)| held + pending)
            .collect();
        // After the part that brings the position towards zero.
        rest[instrument] = sign * order.standing;
        let portfolio = Quadratic {
            scaled: covariance.get(instrument, instrument),
            mixed: sign * covariance.with(instrument, &rest),
            rest: covariance.between(&rest, &rest),
        };
        if !portfolio.is_known() || !covariance.is_known(instrument) {
            return Some(order.cut_all("the covariance with what is held is not known"));
        }
        let after = portfolio.volatility(order.added);
        if after <= self.cap.max(portfolio.volatility(0.0)) + TOLERANCE {
            return None;
        }
        // What is over the cap already may not rise.
        let limit = (self.cap * self.cap).max(portfolio.rest);
        order.cut_to(portfolio.largest(limit).unwrap_or(0.0), || {
            format!(
                "portfolio volatility would be {after:.4}, over the cap {:.4}",
                self.cap
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use sextant_domain::Decision;

    use crate::test_support::{Book, assert_factor, engine, targets, targets_with_unmanaged};
    use crate::{RiskLimits, RiskRules, VolatilityCap};

    fn cap(annual: f64) -> RiskRules {
        engine(RiskLimits {
            volatility_cap: Some(VolatilityCap {
                annual,
                window_days: 60,
            }),
            ..RiskLimits::permissive(10.0)
        })
    }

    /// Volatilities 0.25 and 0.5 with a correlation.
    fn book(weights: &[f64; 2], correlation: f64) -> Book {
        let mixed = correlation * 0.25 * 0.5;
        Book {
            covariance: vec![0.0625, mixed, mixed, 0.25],
            ..Book::new(weights)
        }
    }

    fn factors(book: &Book, engine: &RiskRules, weights: &[f64]) -> Vec<f64> {
        match book.review_targets(engine, &targets(weights)).decision {
            Decision::ShrinkTo(factors) => factors,
            Decision::Keep => vec![1.0; weights.len()],
            Decision::Refuse => vec![0.0; weights.len()],
        }
    }

    #[test]
    fn correlation_decides() {
        // 1.0 and 0.5 swing 0.25 each: together 0.5 when they move alike, 0.3536 when they do not know of each other, 0
        // when each is the other's hedge.
        let (engine, wanted) = (cap(0.25), [1.0, 0.5]);
        for (correlation, expected) in [(1.0, 0.5), (0.0, std::f64::consts::FRAC_1_SQRT_2), (-1.0, 1.0)] {
            let found = factors(&book(&[0.0; 2], correlation), &engine, &wanted);
            assert!(
                found.iter().all(|factor| (factor - expected).abs() < 1e-12),
                "{correlation}: {found:?}"
            );
        }
        // A short position in what moves alike hedges, too.
        assert_eq!(factors(&book(&[0.0; 2], 1.0), &engine, &[1.0, -0.5]), [1.0, 1.0]);
        let verdict = book(&[0.0; 2], 1.0).review_targets(&engine, &targets(&wanted));
        assert_eq!(
            verdict.reasons[0].reason,
            "portfolio volatility 0.5000 is over the cap 0.2500: targets x 0.500000"
        );
    }

    #[test]
    fn positions_without_targets_take_room_or_are_hedged() {
        let managed_second = [true, false];
        let scaled = |unmanaged: f64, target: f64, correlation: f64| {
            let proposal = targets_with_unmanaged(&[unmanaged, target], &managed_second);
            match book(&[0.0; 2], correlation)
                .review_targets(&cap(0.25), &proposal)
                .decision
            {
                Decision::ShrinkTo(factors) => factors[1],
                _ => 1.0,
            }
        };
        // 0.5 x 0.25 leaves 0.125 of volatility, which is a weight of 0.25.
        assert!((scaled(0.5, 0.5, 1.0) - 0.5).abs() < 1e-12);
        // Over the cap without any target: nothing, or as much as hedges best.
        assert_eq!(scaled(2.0, 0.5, 1.0), 0.0);
        assert!((scaled(4.0, -4.0, 0.5) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn an_order_gets_the_room_that_is_left() {
        let engine = cap(0.25);
        assert_factor(&book(&[0.0; 2], 1.0).order(&engine, 0, 2.0), 0.5);
        assert_factor(&book(&[0.5, 0.0], 1.0).order(&engine, 1, 0.5), 0.5);
        assert_factor(&book(&[1.0, 0.0], 1.0).order(&engine, 1, 0.5), 0.0);
        // sqrt(0.25^2 - 0.15^2) = 0.2 of volatility is a weight of 0.4.
        assert_factor(&book(&[0.6, 0.0], 0.0).order(&engine, 1, 0.8), 0.5);
        // Over the cap, a hedge passes until it would raise the volatility on the other side.
        assert_factor(&book(&[2.0, 0.0], 1.0).order(&engine, 1, -1.0), 1.0);
        assert_factor(&book(&[2.0, 0.0], 1.0).order(&engine, 1, -4.0), 0.5);
        assert_factor(&book(&[2.0, 0.0], 1.0).order(&engine, 0, -2.0), 1.0);
    }

    #[test]
    fn what_is_not_known_is_not_added() {
        let engine = cap(0.25);
        let mut half_known = book(&[0.0, 0.0], 0.0);
        half_known.covariance[3] = f64::NAN;
        assert_eq!(factors(&half_known, &engine, &[0.5, 0.5]), [1.0, 0.0]);
        assert_factor(&half_known.order(&engine, 1, 0.1), 0.0);
        assert_factor(&half_known.order(&engine, 0, 0.1), 1.0);
        // Something is held whose part in the volatility nobody knows.
        half_known.weights[1] = 0.5;
        assert_factor(&half_known.order(&engine, 0, 0.1), 0.0);
        assert_factor(&half_known.order(&engine, 1, -0.5), 1.0);
        assert_eq!(factors(&half_known, &engine, &[0.5, 0.25]), [0.0, 1.0]);
        // Nothing was measured.
        assert_factor(&Book::new(&[0.0]).order(&engine, 0, 0.1), 0.0);
    }
}
