//! Real macro files.

use sextant_data::{MacroImportRequest, Silent, import_macro_csv};

use crate::support::{TestLake, market_data};

#[test]
fn the_yield_curve_becomes_a_slope_known_in_the_evening() {
    let Some(root) = market_data() else { return };
    let lake = TestLake::new();
    let request = MacroImportRequest::yield_curve(root.join("macro/us_treasury_curve_1d_1990_2017.csv.gz"));
    let report = import_macro_csv(&lake.lake, &request, &Silent).unwrap();
    assert_eq!(
        (report.rows_read, report.rows as u64 + report.empty_rows),
        (6_816, 6_816)
    );
    let slope = lake.lake.load_macro("yield_curve_10y_3m").unwrap();
    assert_eq!(slope.series.values()[0], 0.0794 - 0.0783);
    assert_eq!(slope.series.published()[0].to_string(), "1990-01-02T23:00:00Z");
    assert_eq!(slope.series.values().last(), Some(&(0.0239 - 0.0078)));
    assert_eq!(
        slope.series.published().last().unwrap().to_string(),
        "2017-03-29T22:00:00Z"
    );
}

#[test]
fn the_vix_is_its_close() {
    let Some(root) = market_data() else { return };
    let lake = TestLake::new();
    let request = MacroImportRequest::vix(root.join("macro/vix_1d_1990_2026.csv.gz"));
    let report = import_macro_csv(&lake.lake, &request, &Silent).unwrap();
    assert_eq!(report.series, [("vix".to_owned(), 9_235)]);
    let vix = lake.lake.load_macro("vix").unwrap();
    assert_eq!(
        (vix.series.values()[0], vix.series.values().last()),
        (17.24, Some(&18.7))
    );
    assert_eq!(lake.lake.list().unwrap().len(), 1);
}
