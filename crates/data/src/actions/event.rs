//! Splits and dividends as events.

use std::io::Read;

use chrono::NaiveDate;

use super::ActionError;
use super::rows::Rows;

const COLUMNS: [&str; 4] = ["ex_date", "kind", "value", "reference_close"];
const KINDS: [&str; 2] = ["split", "dividend"];

/// What happened to a share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ActionKind {
    /// Old shares became new ones.
    Split {
        /// New shares per old share: 4 when each share became four, 0.125 when eight became one.
        new_per_old: f64,
    },
    /// Cash was paid.
    CashDividend {
        /// Amount per share held at the close before the ex-date, in the currency of the prices.
        amount: f64,
        /// The raw close before the ex-date, which the amount is compared with; where it is not given, that of the bars.
        reference_close: Option<f64>,
    },
}

/// An event and the first session that trades without it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CorporateAction {
    /// The ex-date.
    pub ex_date: NaiveDate,
    /// What happened.
    pub kind: ActionKind,
}

/// An event with its place in the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Event {
    pub(super) row: u64,
    pub(super) action: CorporateAction,
}

/// The events of one security, checked and in order.
///
/// Ex-dates do not decrease. On one date dividends come before the split, because amounts are per share before it; there
/// is one split a date at the most.
#[derive(Debug, Clone, PartialEq)]
pub struct EventList {
    pub(super) file: String,
    pub(super) events: Vec<Event>,
}

impl EventList {
    /// Checks events; `name` is what messages call the list, in which places are counted from 1.
    ///
    /// # Errors
    /// The first event out of order, ratio or amount that is not a finite number above zero, or dividend that is not
    /// below its reference close.
    pub fn new(name: &str, actions: impl IntoIterator<Item = CorporateAction>) -> Result<Self, ActionError> {
        let rows = (1_u64..).zip(actions);
        Self::checked(name, rows.map(|(row, action)| Event { row, action }).collect())
    }

    /// Reads the rows of a CSV or CSV.gz file with the header `ex_date,kind,value,reference_close`, of which the last
    /// column may be missing. `kind` is `split` with new shares per old as value, or `dividend` with the amount per share.
    ///
    /// # Errors
    /// When the source cannot be read, a cell is not what it must be, or the events are not those of a list; with the row.
    pub fn read(file: &str, source: impl Read) -> Result<Self, ActionError> {
        let mut rows = Rows::open(file, source)?;
        rows.header(&COLUMNS, 3)?;
        let mut events = Vec::new();
        while let Some(row) = rows.next_row()? {
            let [ex_date, kind, value, reference] = row.cells(&COLUMNS, 3)?;
            let split = kind.word(&KINDS)? == 0;
            if split && !reference.is_empty() {
                return Err(reference.refuse("nothing for a split"));
            }
            let kind = if split {
                ActionKind::Split {
                    new_per_old: value.positive()?,
                }
            } else {
                let given = !reference.is_empty();
                ActionKind::CashDividend {
                    amount: value.positive()?,
                    reference_close: given.then(|| reference.positive()).transpose()?,
                }
            };
            let action = CorporateAction {
                ex_date: ex_date.date()?,
                kind,
            };
            events.push(Event {
                row: row.number(),
                action,
            });
        }
        Self::checked(file, events)
    }

    /// The events, oldest first.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = CorporateAction> + '_ {
        self.events.iter().map(|event| event.action)
    }

    fn checked(file: &str, events: Vec<Event>) -> Result<Self, ActionError> {
        let list = Self {
            file: file.to_owned(),
            events,
        };
        list.events
            .iter()
            .try_for_each(|event| list.check_values(event))?;
        list.events
            .windows(2)
            .try_for_each(|pair| list.check_order(&pair[0], &pair[1]))?;
        Ok(list)
    }

    fn check_values(&self, event: &Event) -> Result<(), ActionError> {
        let positive = |column, value: f64| {
            if value.is_finite() && value > 0.0 {
                return Ok(());
            }
            let place = (self.file.as_str(), event.row, column);
            Err(ActionError::cell(place, value, "a finite number above zero"))
        };
        match event.action.kind {
            ActionKind::Split { new_per_old } => positive("value", new_per_old),
            ActionKind::CashDividend {
                amount,
                reference_close,
            } => {
                positive("value", amount)?;
                let Some(close) = reference_close else {
                    return Ok(());
                };
                positive("reference_close", close)?;
                below_close((&self.file, event.row), amount, (close, event.action.ex_date))
            }
        }
    }

    fn check_order(&self, earlier: &Event, later: &Event) -> Result<(), ActionError> {
        let (before, after) = (earlier.action, later.action);
        let refuse = |allowed: String| {
            let place = (self.file.as_str(), later.row, "ex_date");
            Err(ActionError::cell(place, after.ex_date, allowed))
        };
        if after.ex_date < before.ex_date {
            return refuse(format!(
                "{}, the ex-date of the event before, or later",
                before.ex_date
            ));
        }
        let after_split = matches!(before.kind, ActionKind::Split { .. });
        if after.ex_date == before.ex_date && after_split {
            return refuse(
                "no event after the split of the same date: dividends come first, in amounts per share before the split"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

/// Refuses a dividend of which nothing of the share would be left.
pub(super) fn below_close(
    (file, row): (&str, u64),
    amount: f64,
    (close, ex_date): (f64, NaiveDate),
) -> Result<(), ActionError> {
    if amount < close {
        return Ok(());
    }
    let allowed = format!("less than {close}, the close before the ex-date {ex_date}");
    Err(ActionError::cell((file, row, "value"), amount, allowed))
}
