//! The bill of the default system.

use std::path::Path;

use sextant_data::{Progress, Silent};
use sextant_store::{PORTFOLIO_SCOPE, RunTables};

use super::*;
use crate::config::{ConfigSource, load};
use crate::pipeline::{Source, compute, ensure_synthetic, load_market, synthetic_root};

fn bill(overrides: &[&str]) -> RunTables {
    let mut all = vec![
        "period.start=2015-01-01".to_owned(),
        "period.end=2018-12-31".to_owned(),
    ];
    all.extend(overrides.iter().map(|one| (*one).to_owned()));
    let progress: &dyn Progress = &Silent;
    let config = load(&ConfigSource {
        file: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/base/system.yaml"),
        overrides: all,
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    ensure_synthetic(folder.path(), &config.system.synthetic, progress).unwrap();
    let root = synthetic_root(folder.path());
    let market = load_market(&config.system, &root, Source::Synthetic, progress).unwrap();
    let mut tables = compute(&config, &market, None, progress).unwrap().tables;
    add(&mut tables, (&config, &market), None, progress).unwrap();
    tables
}

fn line<'a>(tables: &'a RunTables, assumption: &str) -> &'a BillRow {
    let mut rows = tables.assumption_bill.iter();
    rows.find(|row| row.assumption == assumption).unwrap()
}

fn metric(tables: &RunTables, name: &str) -> Option<f64> {
    let mut rows = tables.metrics.iter();
    let row = rows.find(|row| row.scope == PORTFOLIO_SCOPE && row.name == name);
    row.unwrap().value
}

#[test]
fn the_bill_begins_with_the_run_itself_and_costs_what_it_says() {
    let tables = bill(&["fills.intrabar=optimistic", "account.funding=left_out"]);
    let as_run = line(&tables, AS_RUN);
    assert_eq!(as_run.sharpe, metric(&tables, "sharpe"));
    assert_eq!(as_run.cagr, metric(&tables, "cagr"));
    assert!(
        tables.assumption_bill.iter().all(|row| row.reason.is_none()),
        "{:?}",
        tables.assumption_bill
    );
    let total = |assumption| line(&tables, assumption).total_return.unwrap();
    for dearer in ["commission", "slippage", "funding", "borrow", "survivorship", ALL] {
        assert!(total(dearer) <= total(AS_RUN), "{dearer}");
    }
    // The market is long only and has crypto assets, whose positions now pay the funding that was left out.
    assert!(total("funding") < total(AS_RUN) && total("commission") < total(AS_RUN));
    assert_eq!(total("borrow"), total(AS_RUN));
    let sharpe = |assumption| line(&tables, assumption).sharpe.unwrap();
    assert!(sharpe("annualisation") <= sharpe(AS_RUN));
    assert!(sharpe(ALL) < sharpe(AS_RUN));
}

#[test]
fn the_cost_curve_falls_and_passes_through_the_run() {
    let tables = bill(&[]);
    let curve = &tables.cost_curve;
    assert_eq!(curve.len(), MULTIPLES.len());
    assert!(curve.iter().all(|row| row.reason.is_none()), "{curve:?}");
    let free = &curve[0];
    assert_eq!((free.multiple, free.cost_bps), (0.0, Some(0.0)));
    for pair in curve.windows(2) {
        assert!(pair[0].total_return > pair[1].total_return, "{pair:?}");
        assert!(pair[0].cost_bps < pair[1].cost_bps, "{pair:?}");
    }
    let once = curve.iter().find(|row| row.multiple == 1.0).unwrap();
    assert_eq!(once.sharpe, metric(&tables, "sharpe"));
    match break_even(curve) {
        BreakEven::At { cost_bps, .. } => assert!(cost_bps > 0.0),
        BreakEven::NothingEarned => assert!(free.total_return.unwrap() <= 0.0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_bill_does_not_depend_on_threads() {
    let of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let tables = pool.install(|| bill(&["period.start=2017-01-01"]));
        (tables.assumption_bill, tables.cost_curve)
    };
    assert_eq!(of(1), of(3));
}
