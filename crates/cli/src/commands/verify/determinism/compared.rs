//! The rows of two runs, compared.

use std::fmt;

use sextant_store::RunTables;

/// The rows of each table as text, by the name of the table.
pub(super) type Rows = Vec<(&'static str, Vec<String>)>;

/// The first row in which two runs differ.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    table: &'static str,
    one: Option<String>,
    other: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |row: &Option<String>| row.clone().unwrap_or_else(|| "no row".to_owned());
        write!(
            f,
            "{} differ: {} in the first run, {} in this one",
            self.table,
            show(&self.one),
            show(&self.other)
        )
    }
}

/// How many rows were compared, and the first difference.
pub(super) fn compare(one: &Rows, other: &Rows) -> (usize, Option<Difference>) {
    let compared = one.iter().map(|(_, rows)| rows.len()).sum();
    let differences = one.iter().zip(other).filter_map(|((table, one), (_, other))| {
        let length = one.len().max(other.len());
        let index = (0..length).find(|index| one.get(*index) != other.get(*index))?;
        Some(Difference {
            table,
            one: one.get(index).cloned(),
            other: other.get(index).cloned(),
        })
    });
    (compared, differences.into_iter().next())
}

/// The rows of a run.
pub(super) fn rows(tables: &RunTables) -> Rows {
    vec![
        ("orders", texts(&tables.orders)),
        ("order ends", texts(&tables.order_ends)),
        ("refusals", texts(&tables.refusals)),
        ("fills", texts(&tables.fills)),
        ("fill allocations", texts(&tables.fill_allocations)),
        ("intents", texts(&tables.intents)),
        ("targets", texts(&tables.targets)),
        ("risk events", texts(&tables.risk_events)),
        ("regimes", texts(&tables.regimes)),
        ("positions", texts(&tables.positions)),
        ("marks", texts(&tables.marks)),
        ("equity", texts(&tables.equity)),
        ("trades", texts(&tables.trades)),
        ("attribution", texts(&tables.attribution)),
        ("metrics", texts(&tables.metrics)),
    ]
}

fn texts<T: fmt::Debug>(rows: &[T]) -> Vec<String> {
    rows.iter().map(|row| format!("{row:?}")).collect()
}

#[cfg(test)]
mod tests {
    use sextant_domain::UtcNanos;
    use sextant_store::IntentRow;

    use super::*;

    #[test]
    fn another_value_is_found_with_its_table() {
        let intent = |weight| RunTables {
            intents: vec![IntentRow {
                time: UtcNanos::from_nanos(5),
                model: "A".to_owned(),
                symbol: "SPY".to_owned(),
                weight,
            }],
            ..RunTables::default()
        };
        assert_eq!(compare(&rows(&intent(0.1)), &rows(&intent(0.1))), (1, None));
        let (_, difference) = compare(&rows(&intent(0.1)), &rows(&intent(0.1_f64.next_up())));
        let text = difference.map(|one| one.to_string()).unwrap_or_default();
        assert!(
            text.starts_with("intents differ: ") && text.contains("0.1 }"),
            "{text}"
        );
        let (_, difference) = compare(&rows(&intent(0.1)), &rows(&RunTables::default()));
        assert!(difference.is_some_and(|one| one.to_string().contains("no row in this one")));
    }
}
