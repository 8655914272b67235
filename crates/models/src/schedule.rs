//! Rebalancing by the calendar: a model that is asked only now and then.

use chrono::Datelike;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{Intents, MarketView, Requirements, UtcNanos};

/// When a model is asked.
///
/// Each choice cuts the calendar into periods of whole UTC days, and the model is asked at its first decision in a period. A
/// decision falls where a bar closes, so holidays need no list: where the market is closed on the first day of a period, the
/// first session after it counts. The first decision of a run always counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rebalance {
    /// At every decision.
    #[default]
    EachBar,
    /// At the first decision of each UTC day.
    Daily,
    /// At the first decision on or after a day of the week.
    Weekly {
        /// The day with which a week begins.
        on: Weekday,
    },
    /// At the first decision on or after a day of the month.
    Monthly {
        /// The day with which a month begins; every month has the first 28.
        #[schemars(range(min = 1, max = 28))]
        from_day: u8,
    },
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// The first day of a week, by ISO 8601.
    Monday,
    /// The second day.
    Tuesday,
    /// The third day.
    Wednesday,
    /// The fourth day.
    Thursday,
    /// The fifth day.
    Friday,
    /// The sixth day.
    Saturday,
    /// The seventh day.
    Sunday,
}

impl Rebalance {
    /// Whether every decision counts.
    pub const fn is_each_bar(&self) -> bool {
        matches!(self, Self::EachBar)
    }

    /// The number of the period of an instant; `None` where every decision is a period of its own.
    fn period(self, time: UtcNanos) -> Option<i64> {
        let day = time.day_number();
        match self {
            Self::EachBar => None,
            Self::Daily => Some(day),
            // Day 0 was a Thursday, three days after a Monday.
            Self::Weekly { on } => Some((day + 3 - on as i64).div_euclid(7)),
            Self::Monthly { from_day } => {
                let date = time.date();
                let month = i64::from(date.year()) * 12 + i64::from(date.month0());
                let has_begun = date.day() >= u32::from(from_day);
                Some(if has_begun { month } else { month - 1 })
            }
        }
    }
}

/// A model that is asked only where its schedule says.
///
/// Between those decisions its targets stand, and positions drift with prices. It does not see the views in between: what it
/// reads must be features and bars, not what it counts from call to call, and news of explicit orders that came in between
/// are lost to it. Meant for models that give the weights of a whole universe.
#[derive(Debug)]
pub struct Scheduled<M> {
    model: M,
    rebalance: Rebalance,
    last: Option<i64>,
}

impl<M: Model> Scheduled<M> {
    /// The model with a schedule.
    pub const fn new(model: M, rebalance: Rebalance) -> Self {
        Self {
            model,
            rebalance,
            last: None,
        }
    }

    /// Whether the decision at an instant is the first one of its period; from then on it is not.
    fn is_due(&mut self, now: UtcNanos) -> bool {
        let period = self.rebalance.period(now);
        period.is_none() || self.last.replace(period.unwrap_or_default()) != period
    }
}

impl<M: Model> Model for Scheduled<M> {
    fn id(&self) -> &str {
        self.model.id()
    }

    fn requirements(&self) -> &Requirements {
        self.model.requirements()
    }

    fn decide(&mut self, view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        if self.is_due(view.as_of()) {
            self.model.decide(view, out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sextant_testkit::bars::instant;

    use super::*;

    struct Nothing(Requirements);

    impl Model for Nothing {
        fn id(&self) -> &str {
            "Nothing"
        }

        fn requirements(&self) -> &Requirements {
            &self.0
        }

        fn decide(&mut self, _view: &MarketView<'_>, _out: &mut Intents) -> Result<(), ModelError> {
            Ok(())
        }
    }

    /// The instants at which a model is asked.
    fn asked(rebalance: Rebalance, instants: &[&'static str]) -> Vec<&'static str> {
        let mut scheduled = Scheduled::new(Nothing(Requirements::new()), rebalance);
        let due = instants.iter().filter(|text| scheduled.is_due(instant(text)));
        due.copied().collect()
    }

    /// Closes of sessions around New Year's Day 2019, a Tuesday and a holiday, with two bars on the 3rd.
    const CLOSES: [&str; 9] = [
        "2018-12-27T21:00:00Z",
        "2018-12-28T21:00:00Z",
        "2018-12-31T21:00:00Z",
        "2019-01-02T21:00:00Z",
        "2019-01-03T17:00:00Z",
        "2019-01-03T21:00:00Z",
        "2019-01-04T21:00:00Z",
        "2019-01-07T21:00:00Z",
        "2019-01-08T21:00:00Z",
    ];

    #[test]
    fn each_bar_and_each_day() {
        assert_eq!(asked(Rebalance::EachBar, &CLOSES), CLOSES);
        let daily = asked(Rebalance::Daily, &CLOSES);
        assert_eq!(daily.len(), 8);
        assert!(!daily.contains(&"2019-01-03T21:00:00Z"));
    }

    #[test]
    fn weeks_begin_on_their_day_or_the_session_after_it() {
        let weekly = |on| asked(Rebalance::Weekly { on }, &CLOSES);
        assert_eq!(weekly(Weekday::Monday), [CLOSES[0], CLOSES[2], CLOSES[7]]);
        // The Tuesday is a holiday: the Wednesday counts.
        assert_eq!(weekly(Weekday::Tuesday), [CLOSES[0], CLOSES[3], CLOSES[8]]);
        assert_eq!(weekly(Weekday::Friday), [CLOSES[0], CLOSES[1], CLOSES[6]]);
        // No session on a Sunday: the Monday counts.
        assert_eq!(weekly(Weekday::Sunday), weekly(Weekday::Monday));
    }

    #[test]
    fn months_begin_on_their_day_or_the_session_after_it() {
        let monthly = |from_day| asked(Rebalance::Monthly { from_day }, &CLOSES);
        assert_eq!(monthly(1), [CLOSES[0], CLOSES[3]]);
        assert_eq!(monthly(5), [CLOSES[0], CLOSES[7]]);
        assert_eq!(monthly(28), [CLOSES[0], CLOSES[1]]);
    }
}
