//! `specs/data-model.md` says what the code does.

use std::fs;
use std::path::PathBuf;

use rust_decimal::Decimal;
use sextant_domain::{Cash, OrderId, Price, Quantity, Side};
use sextant_store::*;

use crate::index::stock_client;
use crate::sample::{info, manifest, time};

const BEGIN: &str = "<!-- generated: tables -->\n";
const END: &str = "<!-- end of generated tables -->\n";
const UPDATE: &str = "SEXTANT_UPDATE_SPECS";

fn spec_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../specs/data-model.md")
}

fn spec() -> String {
    fs::read_to_string(spec_path()).unwrap()
}

#[test]
fn the_tables_are_documented_as_they_are() {
    let text = spec();
    let (before, rest) = text
        .split_once(BEGIN)
        .expect("the marker of the generated part is there");
    let (generated, after) = rest
        .split_once(END)
        .expect("the end marker of the generated part is there");
    let current = tables_markdown();
    if std::env::var_os(UPDATE).is_some() {
        fs::write(spec_path(), format!("{before}{BEGIN}{current}{END}{after}")).unwrap();
    } else {
        assert!(
            generated == current,
            "specs/data-model.md is out of date; `{UPDATE}=1 cargo test -p sextant-store spec::` writes it again"
        );
    }
}

fn example_queries() -> Vec<String> {
    let text = spec();
    let blocks = text.split("```sql\n").skip(1);
    blocks
        .map(|block| block.split_once("```").unwrap().0.to_owned())
        .collect()
}

fn cash(units: i64) -> Cash {
    Cash::new(Decimal::from(units))
}

/// A small run that makes sense: two models, one trade each, over two months.
fn plausible_tables() -> RunTables {
    let mut tables = RunTables::default();
    for (name, value) in [("sharpe", 1.5), ("total_return", 0.02), ("max_drawdown", -0.01)] {
        tables.metrics.push(MetricRow {
            scope: PORTFOLIO_SCOPE.to_owned(),
            name: name.to_owned(),
            definition: format!("{name}@v1"),
            value: Some(value),
            lower95: None,
            upper95: None,
            reason: None,
        });
    }
    let days = [
        "2020-01-30T21:00:00Z",
        "2020-01-31T21:00:00Z",
        "2020-02-28T21:00:00Z",
    ];
    for (day, pnl) in days.into_iter().zip([0, 1_000, 2_000]) {
        for (scope, share) in [(PORTFOLIO_SCOPE, 2), ("A", 1), ("B", 1)] {
            let pnl = cash(pnl * share / 2);
            let equity = cash(100_000).plus(pnl).unwrap();
            tables.marks.push(MarkRow {
                time: time(day),
                scope: scope.to_owned(),
                equity,
                pnl,
            });
        }
    }
    for (index, model) in ["A", "B"].into_iter().enumerate() {
        add_trade(&mut tables, index, model);
    }
    for (day, label) in [("2020-01-30T21:00:00Z", "bull"), ("2020-02-10T21:00:00Z", "bear")] {
        tables.regimes.push(RegimeRow {
            time: time(day),
            dimension: "equity".to_owned(),
            label: label.to_owned(),
            inputs: r#"{"drawdown":-0.01}"#.to_owned(),
        });
    }
    tables.risk_events.push(RiskEventRow {
        time: time("2020-01-31T21:00:00Z"),
        rule: "per_asset_cap".to_owned(),
        action: "shrink".to_owned(),
        symbol: Some("SPY".to_owned()),
        before: 0.4,
        after: 0.3,
        reason: "above the cap".to_owned(),
    });
    tables
}

fn add_trade(tables: &mut RunTables, index: usize, model: &str) {
    let order_id = OrderId::from_index(index);
    let bought = time("2020-01-30T21:00:00Z");
    tables.orders.push(OrderRow {
        order_id,
        decided_at: bought,
        symbol: "SPY".to_owned(),
        side: Some(Side::Buy),
        quantity: Some(Quantity::new(Decimal::from(10))),
        size_kind: SizeKind::Units,
        size_fraction: None,
        kind: "market".to_owned(),
        limit_price: None,
        stop_price: None,
        trail_distance: None,
        trail_fraction: None,
        activation_price: None,
        offset_distance: None,
        offset_fraction: None,
        time_in_force: "good_til_cancelled".to_owned(),
        entry_order_id: None,
        oco_group: None,
        reference_price: 300.0,
        origin: "target".to_owned(),
        models: model.to_owned(),
    });
    tables.fills.push(FillRow {
        fill_id: index as i64,
        order_id,
        time: bought,
        symbol: "SPY".to_owned(),
        side: Side::Buy,
        quantity: Quantity::new(Decimal::from(10)),
        price: Price::new(Decimal::from(301)),
        reference_price: Price::new(Decimal::from(300)),
        fee: cash(1),
        slippage: cash(10),
        impact: cash(0),
        currency: "USD".to_owned(),
    });
    tables.fill_allocations.push(FillAllocationRow {
        fill_id: index as i64,
        order_id,
        model: model.to_owned(),
        quantity: Quantity::new(Decimal::from(10)),
        fee: cash(1),
        slippage: cash(10),
    });
    tables.attribution.push(AttributionRow {
        model: model.to_owned(),
        symbol: "SPY".to_owned(),
        gross_pnl: cash(1_011),
        fees: cash(1),
        slippage: cash(10),
        income: cash(0),
        net_pnl: cash(1_000),
    });
}

#[test]
fn the_example_queries_run_and_answer() {
    let results = tempfile::tempdir().unwrap();
    let mut store = Store::open(results.path()).unwrap();
    for seed in [1, 2] {
        let folder = RunFolders::new(results.path())
            .write(&manifest(seed), &info(), &plausible_tables())
            .unwrap()
            .folder;
        store.index_run(&folder).unwrap();
    }
    store.close().unwrap();
    let client = stock_client(results.path());
    let queries = example_queries();
    assert_eq!(queries.len(), 5);
    for query in queries {
        let answer = client.prepare(&query).and_then(|mut statement| {
            let mut rows = statement.query([])?;
            let mut count = 0;
            while rows.next()?.is_some() {
                count += 1;
            }
            Ok(count)
        });
        assert!(answer.as_ref().is_ok_and(|rows| *rows > 0), "{query}\n{answer:?}");
    }
}

#[test]
fn the_attribution_query_adds_up() {
    let results = tempfile::tempdir().unwrap();
    let folder = RunFolders::new(results.path())
        .write(&manifest(1), &info(), &plausible_tables())
        .unwrap()
        .folder;
    let mut store = Store::open(results.path()).unwrap();
    store.index_run(&folder).unwrap();
    store.close().unwrap();
    let query = example_queries()
        .into_iter()
        .find(|query| query.contains("attribution"))
        .unwrap();
    let sql = format!(
        "SELECT count(*) FROM ({}) WHERE difference <> 0",
        query.trim().trim_end_matches(';')
    );
    let differing: u64 = stock_client(results.path())
        .query_row(&sql, [], |row| row.get(0))
        .unwrap();
    assert_eq!(differing, 0);
}
