//! What a rule is, and the two kinds of review it takes part in.

use std::cell::OnceCell;

use sextant_domain::{
    Decision, InstrumentId, Intervention, InterventionAction, ModelId, OrderDraft, OrderEffect, OrderReview,
    OrderSize, PortfolioState, RiskStatus, TargetWeights, UtcNanos, Verdict,
};

/// How far over a limit counts as within it, so that an order made from approved targets is not shaved by the rounding
/// of its weight.
pub(crate) const TOLERANCE: f64 = 1e-9;
/// Number of partial sums in [`OrderCase::others`].
const LANES: usize = 4;

/// What a rule follows from step to step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Nothing: it judges proposals alone.
    Nothing,
    /// Something beside the portfolio: it is asked at every step.
    EveryStep,
    /// Equity: it is asked where that leaves what is quiet.
    Equity,
}

/// A range without equities.
pub(crate) const NO_EQUITY: (f64, f64) = (f64::INFINITY, f64::NEG_INFINITY);

/// One rule. Rules are asked in a fixed order, each on what those before it have left.
pub(crate) trait RiskRule: Send {
    /// The stable code of the rule, as it stands in records.
    fn id(&self) -> &'static str;

    /// What the rule follows from step to step: when [`observe`](Self::observe) must be called.
    fn watches(&self) -> Watch {
        Watch::Nothing
    }

    /// The equities, from the first up to and including the second, at which the next [`observe`](Self::observe) would change
    /// nothing that anybody can see; asked of rules that watch [`Watch::Equity`]. `NO_EQUITY` where there are none.
    fn quiet_equity(&self) -> (f64, f64) {
        NO_EQUITY
    }

    /// Looks at the portfolio once per step and says whether the rule's standing has changed, which it then reports.
    /// Must not allocate when nothing changes.
    fn observe(&mut self, _state: &PortfolioState<'_>, _reasons: &mut Vec<Intervention>) -> bool {
        false
    }

    /// How many of these steps, from the first on, [`observe`](Self::observe) would pass without a change of standing.
    fn quiet_steps(&self, times: &[UtcNanos], _equity: &[f64]) -> usize {
        times.len()
    }

    /// Takes note of quiet steps, as [`observe`](Self::observe) would at each.
    fn pass(&mut self, _equity: &[f64]) {}

    /// How far the rule restricts the portfolio, as of the last observation.
    fn status(&self) -> RiskStatus {
        RiskStatus::Normal
    }

    /// Makes targets smaller where they break the rule.
    fn limit_targets(&self, review: &mut TargetReview<'_>);

    /// How much of an order's exposure-adding part may stay; `None` when all of it.
    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut>;
}

/// A change of a rule's standing, for the record.
pub(crate) fn status_change(rule: &'static str, before: f64, after: f64, reason: String) -> Intervention {
    Intervention {
        rule,
        action: InterventionAction::Status,
        instrument: None,
        before,
        after,
        reason,
    }
}

/// Targets under review: the proposal and what is left of each instrument so far.
pub(crate) struct TargetReview<'a> {
    pub(crate) state: &'a PortfolioState<'a>,
    targets: &'a TargetWeights,
    /// Empty while nothing has been made smaller.
    factors: Vec<f64>,
    reasons: Vec<Intervention>,
}

/// A cap on the sum of weight magnitudes of some instruments.
pub(crate) struct ExposureLimit<'a> {
    pub(crate) rule: &'static str,
    /// What is capped, in words.
    pub(crate) name: &'a str,
    pub(crate) cap: f64,
}

/// What a target asks of the present and pending position, divided like an order.
pub(crate) struct Change {
    /// Weight magnitude that is there already and stays.
    pub(crate) standing: f64,
    /// Weight magnitude that is to be added.
    pub(crate) added: f64,
    /// Weight magnitude that is to be taken away.
    pub(crate) reducing: f64,
}

impl<'a> TargetReview<'a> {
    pub(crate) fn new(state: &'a PortfolioState<'a>, targets: &'a TargetWeights) -> Self {
        Self {
            state,
            targets,
            factors: Vec::new(),
            reasons: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.targets.net().len()
    }

    pub(crate) fn proposed(&self, instrument: usize) -> f64 {
        self.targets.net()[instrument]
    }

    /// The net weight that is left; 0 where nothing is, even if the proposal was not a number.
    #[inline]
    pub(crate) fn weight(&self, instrument: usize) -> f64 {
        let factor = self.factor(instrument);
        if factor == 0.0 {
            0.0
        } else {
            self.proposed(instrument) * factor
        }
    }

    #[inline]
    pub(crate) fn is_managed(&self, instrument: usize) -> bool {
        self.targets.is_managed(InstrumentId::from_index(instrument))
    }

    /// Whether anything is left of an instrument: models can cancel out in the net and still hold positions.
    pub(crate) fn is_open(&self, instrument: usize) -> bool {
        let id = InstrumentId::from_index(instrument);
        self.factor(instrument) != 0.0
            && (0..self.targets.models())
                .any(|model| self.targets.contribution(ModelId::from_index(model), id) != 0.0)
    }

    pub(crate) fn scale(&mut self, instrument: usize, factor: f64) {
        if self.factors.is_empty() {
            self.factors = vec![1.0; self.targets.net().len()];
        }
        self.factors[instrument] *= factor;
    }

    /// What is left of a target asks of the position. A position that is not a number is taken for none.
    pub(crate) fn change(&self, instrument: usize) -> Change {
        let (present, pending) = (self.state.weights[instrument], self.state.pending[instrument]);
        let position = Some(present + pending).filter(|weight| weight.is_finite());
        let (position, target) = (position.unwrap_or(0.0), self.weight(instrument));
        let (held, size) = (position.abs(), target.abs());
        let standing = if position * target > 0.0 {
            held.min(size)
        } else {
            0.0
        };
        Change {
            standing,
            added: size - standing,
            reducing: held - standing,
        }
    }

    /// Leaves `added` of what a change adds.
    pub(crate) fn cut_change(&mut self, instrument: usize, change: &Change, added: f64) {
        self.scale(
            instrument,
            (change.standing + added) / (change.standing + change.added),
        );
    }

    /// Takes everything to zero, with positions that no target governs.
    pub(crate) fn close_all(&mut self, rule: &'static str, reason: &str) {
        let open: Vec<_> = (0..self.len())
            .filter(|&instrument| self.is_open(instrument))
            .collect();
        if open.is_empty() {
            return;
        }
        let before = open.iter().map(|&instrument| self.weight(instrument).abs()).sum();
        (0..self.len()).for_each(|instrument| self.scale(instrument, 0.0));
        let reason = format!("{reason}: gross exposure {before:.4} is closed");
        self.report(Intervention {
            rule,
            action: InterventionAction::Shrink,
            instrument: None,
            before,
            after: 0.0,
            reason,
        });
    }

    /// Scales the managed members so that all members together stay within the cap. Positions that no target governs
    /// count but stay.
    pub(crate) fn limit_exposure(&mut self, limit: &ExposureLimit<'_>, is_member: impl Fn(usize) -> bool) {
        let (mut managed, mut unmanaged) = (0.0, 0.0);
        for instrument in (0..self.len()).filter(|&instrument| is_member(instrument)) {
            let sum = if self.is_managed(instrument) {
                &mut managed
            } else {
                &mut unmanaged
            };
            *sum += self.weight(instrument).abs();
        }
        let before = managed + unmanaged;
        if before <= limit.cap + TOLERANCE || managed == 0.0 {
            return;
        }
        let factor = (limit.cap - unmanaged).max(0.0) / managed;
        for instrument in (0..self.len()).filter(|&instrument| is_member(instrument)) {
            if self.is_managed(instrument) {
                self.scale(instrument, factor);
            }
        }
        self.report(Intervention {
            rule: limit.rule,
            action: InterventionAction::Shrink,
            instrument: None,
            before,
            after: unmanaged + managed * factor,
            reason: format!(
                "{} {before:.4} is over the cap {:.4}: targets x {factor:.6}, {unmanaged:.4} without targets stays",
                limit.name, limit.cap
            ),
        });
    }

    /// What is left of each instrument; empty while nothing has been made smaller.
    pub(crate) fn factors(&self) -> &[f64] {
        &self.factors
    }

    pub(crate) fn report(&mut self, intervention: Intervention) {
        self.reasons.push(intervention);
    }

    pub(crate) fn into_verdict(self) -> Verdict {
        let decision = if self.factors.is_empty() {
            Decision::Keep
        } else {
            Decision::ShrinkTo(self.factors)
        };
        Verdict {
            decision,
            reasons: self.reasons,
        }
    }

    #[inline]
    fn factor(&self, instrument: usize) -> f64 {
        self.factors.get(instrument).copied().unwrap_or(1.0)
    }
}

/// Adds the magnitude of each position to its partial sum.
#[inline]
fn add_exposures(sums: &mut [f64; LANES], weights: &[f64], pending: &[f64]) {
    let positions = weights.iter().zip(pending);
    for (sum, (weight, pending)) in sums.iter_mut().zip(positions) {
        *sum += (weight + pending).abs();
    }
}

/// What a rule leaves of an order's exposure-adding part, and why.
pub(crate) struct Cut {
    pub(crate) added: f64,
    pub(crate) reason: String,
}

/// An order under review, divided into the part that brings the position to zero and the part that adds exposure.
pub(crate) struct OrderCase<'a> {
    pub(crate) state: &'a PortfolioState<'a>,
    pub(crate) draft: &'a OrderDraft,
    /// Index of the instrument.
    pub(crate) instrument: usize,
    /// Whether the order's weight, the position it meets and the equity are known.
    pub(crate) is_priced: bool,
    /// Weight magnitude of the position that the added part comes on top of: 0 when the order first closes it.
    pub(crate) standing: f64,
    /// Weight magnitude of the part that adds exposure, as far as the rules have left it.
    pub(crate) added: f64,
    /// Weight magnitude of the part that brings the position towards zero.
    pub(crate) reducing: f64,
    /// Signed weight as proposed.
    proposed: f64,
    /// Signed present and pending weight of the instrument.
    pub(crate) position: f64,
    all_others: OnceCell<f64>,
}

impl<'a> OrderCase<'a> {
    pub(crate) fn new(state: &'a PortfolioState<'a>, review: &OrderReview<'a>) -> Self {
        let draft = review.draft;
        let instrument = draft.instrument.index();
        let (present, pending) = (state.weights[instrument], state.pending[instrument]);
        let position = present + pending;
        let is_known = position.is_finite() && state.equity.is_finite();
        let proposed = review.weight.filter(|weight| weight.is_finite() && is_known);
        let mut case = Self {
            state,
            draft,
            instrument,
            is_priced: proposed.is_some(),
            standing: 0.0,
            added: 0.0,
            reducing: 0.0,
            proposed: proposed.unwrap_or(0.0),
            position,
            all_others: OnceCell::new(),
        };
        case.divide(TOLERANCE * (present.abs() + pending.abs()));
        case
    }

    /// Whether the order adds no exposure: it brings the position towards zero, or moves it between models only.
    pub(crate) fn adds_nothing(&self) -> bool {
        let reduces =
            self.draft.size == OrderSize::ClosePosition || self.draft.terms.effect == OrderEffect::ReduceOnly;
        self.is_priced && (self.added == 0.0 || reduces)
    }

    /// What is left of the order, from 0 to 1 of what was proposed.
    pub(crate) fn factor(&self) -> f64 {
        let left = self.reducing + self.added;
        if left > 0.0 {
            (left / self.proposed.abs()).min(1.0)
        } else {
            0.0
        }
    }

    /// Whether no sum over a part of the instruments can be over `cap`, because the sum over all of them is not.
    ///
    /// The sums are rounded in different orders; half the tolerance is far more than they can differ by.
    pub(crate) fn fits_with_all(&self, cap: f64) -> bool {
        self.standing + self.all_others() + self.added <= cap + 0.5 * TOLERANCE
    }

    /// [`others`](Self::others) over all instruments, computed once for all rules, and quickly because it asks no question
    /// of each.
    pub(crate) fn all_others(&self) -> f64 {
        *self.all_others.get_or_init(|| {
            let (weights, last_weights) = self.state.weights.as_chunks::<LANES>();
            let (pending, last_pending) = self.state.pending.as_chunks::<LANES>();
            let mut sums = [0.0; LANES];
            for (weights, pending) in weights.iter().zip(pending) {
                add_exposures(&mut sums, weights, pending);
            }
            add_exposures(&mut sums, last_weights, last_pending);
            sums.iter().sum::<f64>() - self.position.abs()
        })
    }

    /// Sum of `|present + pending|` over the other instruments for which `is_member` holds. The order's own instrument
    /// must be a member.
    ///
    /// Four partial sums, so that one addition need not wait for the one before; their order is fixed.
    pub(crate) fn others(&self, is_member: impl Fn(usize) -> bool) -> f64 {
        let exposure = |index: usize, weight: f64, pending: f64| {
            if is_member(index) {
                (weight + pending).abs()
            } else {
                0.0
            }
        };
        let (weights, last_weights) = self.state.weights.as_chunks::<LANES>();
        let (pending, last_pending) = self.state.pending.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for (chunk, (weight, pending)) in weights.iter().zip(pending).enumerate() {
            for lane in 0..LANES {
                sums[lane] += exposure(chunk * LANES + lane, weight[lane], pending[lane]);
            }
        }
        let first_of_last = weights.len() * LANES;
        for (lane, (weight, pending)) in last_weights.iter().zip(last_pending).enumerate() {
            sums[lane] += exposure(first_of_last + lane, *weight, *pending);
        }
        sums.iter().sum::<f64>() - self.position.abs()
    }

    /// The cut to `room` where the added part does not fit; a room that is not a number has no space.
    pub(crate) fn cut_to(&self, room: f64, reason: impl FnOnce() -> String) -> Option<Cut> {
        if self.added <= room + TOLERANCE {
            return None;
        }
        Some(Cut {
            added: room.max(0.0),
            reason: reason(),
        })
    }

    /// The cut that leaves no added part.
    pub(crate) fn cut_all(&self, reason: &str) -> Cut {
        Cut {
            added: 0.0,
            reason: format!("{reason}: only orders that reduce a position pass"),
        }
    }

    /// Applies a rule's cut and says what it did: the order's signed weight before and after.
    pub(crate) fn apply(&mut self, rule: &'static str, cut: Cut) -> Intervention {
        let before = self.signed_weight();
        self.added = cut.added;
        // Adding 0 makes a negative zero positive.
        let after = self.signed_weight() + 0.0;
        let action = if after == 0.0 {
            InterventionAction::Refuse
        } else {
            InterventionAction::Shrink
        };
        Intervention {
            rule,
            action,
            instrument: Some(self.draft.instrument),
            before,
            after,
            reason: cut.reason,
        }
    }

    /// 1 for a purchase, -1 for a sale.
    pub(crate) fn sign(&self) -> f64 {
        if self.proposed < 0.0 { -1.0 } else { 1.0 }
    }

    fn signed_weight(&self) -> f64 {
        let left = self.reducing + self.added;
        if self.proposed < 0.0 { -left } else { left }
    }

    /// Divides the order's weight at zero. `noise` is how far beyond zero an order that closes the position may seem to
    /// reach because of rounding.
    fn divide(&mut self, noise: f64) {
        let (size, position) = (self.proposed.abs(), self.position.abs());
        if self.proposed * self.position >= 0.0 || !self.is_priced {
            (self.standing, self.added) = (position, size);
        } else if size <= position + noise {
            self.reducing = size;
        } else {
            (self.reducing, self.added) = (position, size - position);
        }
    }
}
