//! temporary
use sextant_data::*;
use sextant_domain::*;
fn main() {
    let lake = Lake::new("/tmp/dlake");
    let root = std::path::PathBuf::from("/work/shared/market-data");
    let key = BarKey::new(AssetClass::Equity, "SPY", Timeframe::H1).unwrap();
    let mut r = ImportRequest::new(root.join("equities/us_hourly_raw_lean/spy_1h.csv.gz"), &key);
    r.factors = Some(root.join("corporate_actions/lean_factor_files/spy.csv"));
    let rep = import_csv(&lake, &r, &Silent).unwrap();
    println!("{rep:#?}");
    lake.resample_bars(&key, Timeframe::H4).unwrap();
    import_macro_csv(&lake, &MacroImportRequest::yield_curve(root.join("macro/us_treasury_curve_1d_1990_2017.csv.gz")), &Silent).unwrap();
    println!("{:#?}", lake.list().unwrap());
    println!("{}", lake.load_bars(AssetClass::Equity, "QQQ", Timeframe::D1).unwrap_err());
}
