//! The shipped models and the shipped system on the synthetic market, down to the last order and fill, compared byte for
//! byte with `tests/golden/<name>.txt`.
//!
//! The files change only when `SEXTANT_UPDATE_GOLDENS=1` is set, and the change is reviewed as a diff.

use std::fmt::Write;
use std::path::Path;

use sextant_store::{FillRow, OrderRow, RunFolders, RunTables};
use sextant_testkit::assert_golden;

use crate::workspace::Place;

const MODELS: &str = "configs/base/models.yaml";
const BUDGETS: &str = "configs/base/regime_budgets.yaml";

/// Of a YAML text whose entries begin with `indent` and a name that ends in a version, the entry of one name and all that
/// is no such entry.
fn with_one_entry(text: &str, indent: &str, name: &str) -> String {
    let mut is_kept = true;
    let mut kept = String::new();
    for line in text.lines() {
        let rest = line
            .strip_prefix(indent)
            .filter(|rest| !rest.starts_with([' ', '#']));
        let is_model = rest.is_some_and(|rest| rest.trim_end().ends_with("_v1:"));
        if is_model {
            is_kept = line.trim() == format!("{name}:");
        } else if !line.starts_with(' ') {
            is_kept = true;
        }
        if is_kept {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The shipped configuration with one of its models alone.
fn with_one_model(name: &str) -> Place {
    let place = Place::new();
    for (file, indent) in [(MODELS, ""), (BUDGETS, "  ")] {
        let text = std::fs::read_to_string(place.path(file)).unwrap();
        place.write(file, &with_one_entry(&text, indent, name));
    }
    place
}

/// Runs the year and compares its orders and fills with the file.
fn check(name: &str, about: &str, place: &Place) {
    place.backtest(&[]).printed();
    let folders = RunFolders::new(place.path("results"));
    let run = folders.ids().unwrap().remove(0);
    let text = journal(
        &format!("{name}\n{about}"),
        &folders.load_run(&run).unwrap().tables,
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.txt"));
    assert_golden(&path, &text);
}

fn journal(head: &str, tables: &RunTables) -> String {
    let orders: String = tables.orders.iter().map(order_line).collect();
    let fills: String = tables.fills.iter().map(fill_line).collect();
    let ends = tables
        .order_ends
        .iter()
        .map(|row| format!("{} end   {} {}\n", row.time, row.order_id, row.reason));
    let last = tables
        .marks
        .iter()
        .rev()
        .find(|row| row.scope == "portfolio")
        .unwrap();
    let counts = [tables.orders.len(), tables.fills.len()];
    assert!(counts[0] > 0 && counts[1] > 0, "a golden run trades");
    format!(
        "{head}\n{} orders, {} fills, final equity {}\norder list {}\n\n{orders}{fills}{}",
        counts[0],
        counts[1],
        last.equity,
        blake3::hash(orders.as_bytes()),
        ends.collect::<String>()
    )
}

fn order_line(row: &OrderRow) -> String {
    let mut line = format!(
        "{} order {} {} {}",
        row.decided_at, row.order_id, row.symbol, row.kind
    );
    if let Some(quantity) = row.quantity {
        write!(line, " {quantity}").unwrap();
    }
    writeln!(line, " {} {} [{}]", row.time_in_force, row.origin, row.models).unwrap();
    line
}

fn fill_line(row: &FillRow) -> String {
    let (order, symbol, quantity, price) = (row.order_id, &row.symbol, row.quantity, row.price);
    format!(
        "{} fill  {order} {symbol} {quantity} at {price} fee {}\n",
        row.time, row.fee
    )
}

#[test]
fn equity_trend() {
    let name = "EquityTrendModel_v1";
    let about = "the shipped trend model alone, on its shipped budget";
    check(name, about, &with_one_model(name));
}

#[test]
fn index_mean_reversion() {
    let name = "IndexMeanReversionModel_v1";
    let about = "the shipped mean reversion model alone, on its shipped budget";
    check(name, about, &with_one_model(name));
}

#[test]
fn crypto_momentum() {
    let name = "CryptoMomentumModel_v1";
    let about = "the shipped crypto model alone, on its shipped budget";
    check(name, about, &with_one_model(name));
}

#[test]
fn default_system() {
    check(
        "default_system",
        "the shipped system: three models, regimes and limits",
        &Place::new(),
    );
}

#[test]
fn an_entry_is_cut_out_with_all_that_is_around_it() {
    let text = "# head\nmodels:\n  A_v1:\n    x: 1\n  B_v1:\n    y: {a: 1}\nlast: 2\n";
    assert_eq!(
        with_one_entry(text, "  ", "B_v1"),
        "# head\nmodels:\n  B_v1:\n    y: {a: 1}\nlast: 2\n"
    );
    assert_eq!(
        with_one_entry("A_v1:\n  x: 1\nB_v1:\n  y: 2\n", "", "A_v1"),
        "A_v1:\n  x: 1\n"
    );
}
