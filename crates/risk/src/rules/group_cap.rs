//! `group_cap`: no group of instruments, such as a sector, may be too large.

use std::collections::BTreeMap;

use sextant_domain::InstrumentTable;

use crate::rule::{Cut, ExposureLimit, OrderCase, RiskRule, TargetReview};
use crate::{GroupCap, LimitError};

/// Caps the sum of weight magnitudes of each group. An instrument may be in several.
pub(crate) struct GroupCaps {
    groups: Vec<Group>,
}

struct Group {
    /// What is capped, in words.
    name: String,
    cap: f64,
    /// Whether the instrument belongs to it, by index.
    members: Vec<bool>,
}

impl GroupCaps {
    /// Finds the members of each group.
    ///
    /// # Errors
    /// [`LimitError::Group`] when a symbol is not among the instruments: a member that is not found is not capped.
    pub(crate) fn new(
        caps: &BTreeMap<String, GroupCap>,
        instruments: Option<&InstrumentTable>,
    ) -> Result<Self, LimitError> {
        let groups = caps.iter().map(|(name, cap)| {
            let instruments = instruments.ok_or_else(|| LimitError::Group {
                group: name.clone(),
                problem: "the instruments are not known here, but groups need their symbols: use \
                          RiskRules::for_instruments"
                    .to_owned(),
            })?;
            group(name, cap, instruments)
        });
        let groups = groups.collect::<Result<_, _>>()?;
        Ok(Self { groups })
    }
}

fn group(name: &str, cap: &GroupCap, instruments: &InstrumentTable) -> Result<Group, LimitError> {
    let mut members = vec![false; instruments.len()];
    for symbol in &cap.symbols {
        let found = instruments.id(symbol).ok_or_else(|| LimitError::Group {
            group: name.to_owned(),
            problem: format!(
                "there is no instrument {symbol}: correct the symbol, take it out, or add it to the universe"
            ),
        })?;
        members[found.index()] = true;
    }
    Ok(Group {
        name: format!("exposure of group {name}"),
        cap: cap.cap,
        members,
    })
}

impl RiskRule for GroupCaps {
    fn id(&self) -> &'static str {
        "group_cap"
    }

    fn limit_targets(&self, review: &mut TargetReview<'_>) {
        for group in &self.groups {
            let limit = ExposureLimit {
                rule: self.id(),
                name: &group.name,
                cap: group.cap,
            };
            review.limit_exposure(&limit, |index| group.members[index]);
        }
    }

    fn limit_order(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let cuts = self
            .groups
            .iter()
            .filter(|group| group.members[order.instrument])
            .filter_map(|group| group.limit(order));
        cuts.min_by(|left, right| left.added.total_cmp(&right.added))
    }
}

impl Group {
    fn limit(&self, order: &OrderCase<'_>) -> Option<Cut> {
        let taken = order.standing + order.others(|other| self.members[other]);
        order.cut_to(self.cap - taken, || {
            format!(
                "{} would be {:.4} of equity, over the cap {:.4}",
                self.name,
                taken + order.added,
                self.cap
            )
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sextant_domain::Decision;

    use crate::test_support::{Book, assert_factor, table, targets, targets_with_unmanaged};
    use crate::{GroupCap, KillFlag, LimitError, RiskLimits, RiskRules};

    fn limits(groups: &[(&str, f64, &[&str])]) -> RiskLimits {
        let groups = groups.iter().map(|(name, cap, symbols)| {
            let symbols = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
            ((*name).to_owned(), GroupCap { cap: *cap, symbols })
        });
        RiskLimits {
            group_caps: groups.collect(),
            ..RiskLimits::permissive(10.0)
        }
    }

    fn rules(groups: &[(&str, f64, &[&str])]) -> Result<RiskRules, LimitError> {
        RiskRules::for_instruments(limits(groups), KillFlag::new(), &table(&["A", "B", "C"]))
    }

    #[test]
    fn a_group_is_scaled_as_a_whole_and_others_stay() {
        let engine = rules(&[("tech", 0.25, &["A", "C"])]).unwrap();
        let verdict = Book::new(&[0.0; 3]).review_targets(&engine, &targets(&[0.3, 0.9, -0.2]));
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5, 1.0, 0.5]));
        let row = &verdict.reasons[0];
        assert_eq!((row.rule, row.before, row.after), ("group_cap", 0.5, 0.25));
        assert!(
            row.reason
                .starts_with("exposure of group tech 0.5000 is over the cap 0.2500")
        );
        let unmanaged = targets_with_unmanaged(&[0.25, 0.0, 0.125], &[false, false, true]);
        let verdict = Book::new(&[0.0; 3]).review_targets(&engine, &unmanaged);
        assert_eq!(verdict.decision, Decision::ShrinkTo(vec![0.5, 1.0, 1.0]));
    }

    #[test]
    fn an_order_fits_every_group_it_is_in() {
        let engine = rules(&[("america", 0.5, &["A", "B"]), ("tech", 0.25, &["A", "C"])]).unwrap();
        assert_factor(&Book::new(&[0.0; 3]).order(&engine, 0, 0.5), 0.5);
        assert_factor(&Book::new(&[0.0, 0.4375, 0.0]).order(&engine, 0, 0.25), 0.25);
        assert_factor(&Book::new(&[0.0, 0.0, 0.125]).order(&engine, 1, 0.5), 1.0);
        let verdict = Book::new(&[0.0, 0.4375, 0.0]).order(&engine, 0, 0.25);
        assert_eq!(
            verdict.reasons[0].reason,
            "exposure of group america would be 0.6875 of equity, over the cap 0.5000"
        );
    }

    #[test]
    fn a_member_that_is_not_there_is_an_error() {
        let message = rules(&[("tech", 0.25, &["A", "X"])]).unwrap_err().to_string();
        assert_eq!(
            message,
            "group_caps.tech: there is no instrument X: correct the symbol, take it out, or add it to the universe"
        );
        let blind = RiskRules::new(limits(&[("tech", 0.25, &["A"])]), KillFlag::new());
        let message = blind.unwrap_err().to_string();
        assert!(message.contains("RiskRules::for_instruments"), "{message}");
    }
}
