//! The risk engine: the rules, asked one after another.

use std::fmt;

use sextant_domain::ports::RiskEngine;
use sextant_domain::{
    Decision, InstrumentTable, Intervention, OrderReview, PortfolioState, Proposal, RiskStatus,
    TargetWeights, TrailingWindows, UtcNanos, Verdict,
};

use crate::kill_signal::KillSignal;
use crate::rule::{NO_EQUITY, OrderCase, RiskRule, TargetReview, Watch};
use crate::{LimitError, RiskLimits, rules};

/// Steps that rules look at together once equity has left what is quiet.
const STRETCH: usize = 32;

/// What one rule and those before it have left of proposed targets.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleStep {
    /// The code of the rule.
    pub rule: &'static str,
    /// What is left of each instrument, from 0 to 1. Those of the last step are the verdict.
    pub factors: Vec<f64>,
}

/// All risk rules of a run behind one port.
///
/// Each rule sees what the rules before it have left, so the factors multiply and every act is one row of the record.
/// For targets, a row about several instruments at once (`class_cap`, `gross_leverage`, `initial_margin`, `drawdown`, `kill_switch`)
/// names none and gives the exposure before and after; for an order, rows give the order's signed weight.
pub struct RiskRules {
    limits: RiskLimits,
    rules: Vec<Box<dyn RiskRule>>,
    /// The rules that are asked at every step, and those that are asked where equity leaves what is quiet.
    every_step: Vec<usize>,
    by_equity: Vec<usize>,
    /// The equities at which none of the latter has anything to say.
    quiet: (f64, f64),
    /// The strictest of the rules' standings.
    status: RiskStatus,
}

impl RiskRules {
    /// Checks the limits and puts the rules together. `signal` is the outside world's hand on the kill switch; a
    /// [`KillFlag`](crate::KillFlag) that nobody engages will do where there is none.
    ///
    /// # Errors
    /// [`LimitError`] when a limit is out of range, or a group of instruments is capped: that takes
    /// [`for_instruments`](Self::for_instruments).
    pub fn new(limits: RiskLimits, signal: impl KillSignal + 'static) -> Result<Self, LimitError> {
        let rules = rules::all(&limits, signal, None)?;
        Ok(Self::of(limits, rules))
    }

    /// The same for known instruments, in the order of the portfolio state, so that groups of them can be capped.
    ///
    /// # Errors
    /// [`LimitError`] when a limit is out of range, or a group names a symbol that is not among the instruments.
    pub fn for_instruments(
        limits: RiskLimits,
        signal: impl KillSignal + 'static,
        instruments: &InstrumentTable,
    ) -> Result<Self, LimitError> {
        let rules = rules::all(&limits, signal, Some(instruments))?;
        Ok(Self::of(limits, rules))
    }

    fn of(limits: RiskLimits, rules: Vec<Box<dyn RiskRule>>) -> Self {
        let watching = |watch| {
            let indices = 0..rules.len();
            indices.filter(|index| rules[*index].watches() == watch).collect()
        };
        Self {
            limits,
            every_step: watching(Watch::EveryStep),
            by_equity: watching(Watch::Equity),
            quiet: NO_EQUITY,
            rules,
            status: RiskStatus::Normal,
        }
    }

    /// Asks the rules that watch equity, and finds out between which equities that need not be done again.
    #[inline(never)]
    fn observe_equity(&mut self, state: &PortfolioState<'_>, reasons: &mut Vec<Intervention>) -> bool {
        let mut has_changed = false;
        for index in &self.by_equity {
            has_changed |= self.rules[*index].observe(state, reasons);
        }
        self.update_quiet();
        has_changed
    }

    /// Has the rules that watch equity pass the first of these steps, as far as none of them has anything to say; how many
    /// those are.
    fn pass_quiet(&mut self, times: &[UtcNanos], equity: &[f64]) -> usize {
        let quiet = quiet_steps(&self.rules, &self.by_equity, (times, equity));
        for index in &self.by_equity {
            self.rules[*index].pass(&equity[..quiet]);
        }
        self.update_quiet();
        quiet
    }

    fn update_quiet(&mut self) {
        let ranges = self
            .by_equity
            .iter()
            .map(|index| self.rules[*index].quiet_equity());
        let all = (f64::NEG_INFINITY, f64::INFINITY);
        self.quiet = ranges.fold(all, |(least, most), (from, to)| (least.max(from), most.min(to)));
    }

    /// The limits in force.
    pub fn limits(&self) -> &RiskLimits {
        &self.limits
    }

    /// The codes of the rules, in the order in which they are asked.
    pub fn codes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.rules.iter().map(|rule| rule.id())
    }

    /// Has every rule asked at the next step.
    #[cfg(test)]
    pub(crate) fn forget_quiet(&mut self) {
        self.quiet = NO_EQUITY;
    }

    #[cold]
    #[inline(never)]
    fn update_status(&mut self) {
        let standings = self.rules.iter().map(|rule| rule.status());
        self.status = standings.fold(RiskStatus::Normal, stricter);
    }

    /// The review of targets rule by rule: a step for each rule that made anything smaller, in the order of asking. For those
    /// who explain a verdict; the verdict itself is [`review`](RiskEngine::review)'s.
    pub fn target_steps(&self, state: &PortfolioState<'_>, targets: &TargetWeights) -> Vec<RuleStep> {
        let mut review = TargetReview::new(state, targets);
        let mut steps = Vec::new();
        let mut before = Vec::new();
        for rule in &self.rules {
            rule.limit_targets(&mut review);
            if review.factors() != before {
                before = review.factors().to_vec();
                steps.push(RuleStep {
                    rule: rule.id(),
                    factors: before.clone(),
                });
            }
        }
        steps
    }

    fn review_targets(&self, state: &PortfolioState<'_>, targets: &TargetWeights) -> Verdict {
        let mut review = TargetReview::new(state, targets);
        self.rules.iter().for_each(|rule| rule.limit_targets(&mut review));
        review.into_verdict()
    }

    fn review_order(&self, state: &PortfolioState<'_>, proposed: &OrderReview<'_>) -> Verdict {
        let mut order = OrderCase::new(state, proposed);
        if order.adds_nothing() {
            return Verdict::keep();
        }
        let mut reasons = Vec::new();
        for rule in &self.rules {
            let Some(cut) = rule.limit_order(&order) else {
                continue;
            };
            reasons.push(order.apply(rule.id(), cut));
            if order.added == 0.0 {
                break;
            }
        }
        let decision = match order.factor() {
            _ if reasons.is_empty() => Decision::Keep,
            0.0 => Decision::Refuse,
            factor => Decision::ShrinkTo(vec![factor]),
        };
        Verdict { decision, reasons }
    }
}

impl fmt::Debug for RiskRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RiskRules")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl RiskEngine for RiskRules {
    fn observe(&mut self, state: &PortfolioState<'_>, reasons: &mut Vec<Intervention>) -> RiskStatus {
        let mut has_changed = false;
        for index in &self.every_step {
            has_changed |= self.rules[*index].observe(state, reasons);
        }
        let (least, most) = self.quiet;
        if !(least <= state.equity && state.equity <= most) {
            has_changed |= self.observe_equity(state, reasons);
        }
        if has_changed {
            self.update_status();
        }
        self.status
    }

    /// The kill signal is asked once for all of the steps.
    fn observe_quiet(&mut self, times: &[UtcNanos], equity: &[f64]) -> usize {
        let steps = times.len().min(equity.len());
        let end = quiet_steps(&self.rules, &self.every_step, (&times[..steps], &equity[..steps]));
        let mut done = 0;
        loop {
            let (least, most) = self.quiet;
            let is_loud = |equity: &f64| !(least <= *equity && *equity <= most);
            done += equity[done..end].iter().position(is_loud).unwrap_or(end - done);
            let stretch = done..end.min(done + STRETCH);
            if stretch.is_empty() {
                break;
            }
            done += self.pass_quiet(&times[stretch.clone()], &equity[stretch.clone()]);
            if done < stretch.end {
                break;
            }
        }
        for index in &self.every_step {
            self.rules[*index].pass(&equity[..done]);
        }
        done
    }

    /// # Panics
    /// When the slices of the state, or the targets, are not about the same instruments.
    fn review(&self, state: &PortfolioState<'_>, proposal: &Proposal<'_>) -> Verdict {
        let count = state.classes.len();
        assert_eq!(
            [state.weights.len(), state.pending.len()],
            [count; 2],
            "one weight and class per instrument"
        );
        match proposal {
            Proposal::Targets(targets) => {
                assert_eq!(targets.net().len(), count, "one target per instrument");
                self.review_targets(state, targets)
            }
            Proposal::Order(order) => self.review_order(state, order),
        }
    }

    fn trailing_windows(&self) -> TrailingWindows {
        let days = |days: u32| days as usize;
        TrailingWindows {
            adv_days: self.limits.adv_limit.map(|limit| days(limit.window_days)),
            covariance_days: self.limits.volatility_cap.map(|cap| days(cap.window_days)),
        }
    }
}

/// How many of these steps, from the first on, no rule of a list has anything to say about.
fn quiet_steps(
    rules: &[Box<dyn RiskRule>],
    asked: &[usize],
    (times, equity): (&[UtcNanos], &[f64]),
) -> usize {
    asked.iter().fold(times.len(), |quiet, index| {
        rules[*index].quiet_steps(&times[..quiet], &equity[..quiet])
    })
}

/// The more restrictive of two standings.
fn stricter(left: RiskStatus, right: RiskStatus) -> RiskStatus {
    let severity = |status| match status {
        RiskStatus::Normal => 0,
        RiskStatus::Reduced { .. } => 1,
        RiskStatus::Halted => 2,
        RiskStatus::Killed => 3,
    };
    let is_right = (severity(right), left.multiplier()) > (severity(left), right.multiplier());
    if is_right { right } else { left }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sextant_domain::{AssetClass, InterventionAction};

    use super::*;
    use crate::test_support::{Book, assert_factor, engine, targets};
    use crate::{ClassCaps, KillFlag};

    #[test]
    fn the_strictest_standing_counts() {
        let reduced = |multiplier| RiskStatus::Reduced { multiplier };
        let ordered = [
            RiskStatus::Normal,
            reduced(0.5),
            reduced(0.25),
            RiskStatus::Halted,
            RiskStatus::Killed,
        ];
        for (index, left) in ordered.iter().enumerate() {
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(
                    stricter(*left, *right),
                    ordered[index.max(other)],
                    "{left:?} {right:?}"
                );
            }
        }
    }

    #[test]
    fn every_rule_is_in_the_list() {
        let all = [
            "missing_price",
            "kill_switch",
            "invalid_equity",
            "drawdown",
            "per_asset_cap",
            "class_cap",
        ];
        let engine = engine(RiskLimits::mission_defaults());
        assert_eq!(
            engine.codes().collect::<Vec<_>>(),
            [all.as_slice(), &["gross_leverage", "initial_margin"]].concat()
        );
    }

    #[test]
    fn bad_limits_make_no_engine() {
        let mut limits = RiskLimits::mission_defaults();
        limits.gross_leverage = -1.0;
        let message = RiskRules::new(limits, KillFlag::new()).unwrap_err().to_string();
        assert_eq!(
            message,
            "gross_leverage is -1, but must be a number from 0 to 100"
        );
    }

    #[test]
    fn rules_work_on_what_is_left_and_each_leaves_a_row() {
        let limits = RiskLimits {
            per_asset_cap: 0.5,
            class_caps: ClassCaps {
                crypto: Some(0.25),
                ..ClassCaps::default()
            },
            gross_leverage: 0.5,
            ..RiskLimits::permissive(1.0)
        };
        let engine = engine(limits);
        let book = Book {
            classes: vec![AssetClass::Equity, AssetClass::Crypto],
            ..Book::new(&[0.0; 2])
        };
        let verdict = book.review_targets(&engine, &targets(&[1.0, 1.0]));
        // 1.0 and 1.0 -> 0.5 and 0.5 -> 0.5 and 0.25 -> times 2/3.
        let Decision::ShrinkTo(factors) = &verdict.decision else {
            panic!("{verdict:?}")
        };
        assert!(
            (factors[0] - 1.0 / 3.0).abs() < 1e-12 && (factors[1] - 1.0 / 6.0).abs() < 1e-12,
            "{factors:?}"
        );
        let rows: Vec<_> = verdict
            .reasons
            .iter()
            .map(|row| (row.rule, row.before, row.after))
            .collect();
        let expected = [
            ("per_asset_cap", 1.0, 0.5),
            ("per_asset_cap", 1.0, 0.5),
            ("class_cap", 0.5, 0.25),
            ("gross_leverage", 0.75, 0.5),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn the_weights_of_an_order_make_a_chain() {
        let limits = RiskLimits {
            per_asset_cap: 0.5,
            class_caps: ClassCaps {
                crypto: Some(0.25),
                ..ClassCaps::default()
            },
            ..RiskLimits::permissive(1.0)
        };
        let book = Book {
            classes: vec![AssetClass::Equity, AssetClass::Crypto],
            ..Book::new(&[0.875, 0.0])
        };
        let verdict = book.order(&engine(limits), 1, -1.0);
        let rows: Vec<_> = verdict
            .reasons
            .iter()
            .map(|row| (row.rule, row.action, row.before, row.after))
            .collect();
        let shrink = InterventionAction::Shrink;
        let expected = [
            ("per_asset_cap", shrink, -1.0, -0.5),
            ("class_cap", shrink, -0.5, -0.25),
            ("gross_leverage", shrink, -0.25, -0.125),
        ];
        assert_eq!(rows, expected);
        assert_factor(&verdict, 0.125);
    }

    #[test]
    fn approval_without_a_word_allocates_nothing() {
        let engine = engine(RiskLimits::mission_defaults());
        let book = Book::new(&[0.1, 0.1]);
        for verdict in [
            book.review_targets(&engine, &targets(&[0.2, 0.2])),
            book.order(&engine, 0, 0.1),
        ] {
            assert_eq!(verdict, Verdict::keep());
            assert_eq!(verdict.reasons.capacity(), 0);
        }
    }

    #[test]
    fn an_order_that_only_moves_positions_between_models_passes_even_when_halted() {
        let mut limits = RiskLimits::permissive(0.5);
        limits.kill_switch.engaged = true;
        let engine = engine(limits);
        let mut book = Book::new(&[0.4, 0.4]);
        assert_factor(&book.order(&engine, 0, 0.0), 1.0);
        // Without equity every weight can seem to be zero.
        book.equity = f64::INFINITY;
        assert_eq!(book.order(&engine, 0, 0.0).reasons[0].rule, "missing_price");
    }

    #[test]
    #[should_panic(expected = "one weight and class per instrument")]
    fn a_state_of_mixed_lengths_is_a_programmer_error() {
        let book = Book {
            pending: vec![],
            ..Book::new(&[0.1])
        };
        book.order(&engine(RiskLimits::mission_defaults()), 0, 0.1);
    }
}
