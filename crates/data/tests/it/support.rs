//! Where real data are, and lakes to put them in.

use sextant_data::{BarKey, DataError, ImportReport, ImportRequest, Lake, Silent, StoredBars, import_csv};
use sextant_domain::{AssetClass, Timeframe};
pub(crate) use sextant_testkit::real_data_dir as market_data;

/// A lake in a folder that goes away with it.
pub(crate) struct TestLake {
    pub(crate) lake: Lake,
    pub(crate) folder: tempfile::TempDir,
}

impl TestLake {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            lake: Lake::new(folder.path().join("data")),
            folder,
        }
    }

    pub(crate) fn import(&self, request: &ImportRequest) -> Result<ImportReport, DataError> {
        import_csv(&self.lake, request, &Silent)
    }

    pub(crate) fn load(&self, key: &BarKey) -> StoredBars {
        self.lake
            .load_bars(key.class(), key.symbol(), key.timeframe())
            .unwrap()
    }
}

/// A key of a symbol that is one.
pub(crate) fn key(class: AssetClass, symbol: &str, timeframe: Timeframe) -> BarKey {
    BarKey::new(class, symbol, timeframe).unwrap()
}

/// A request for a file of the real data.
pub(crate) fn real(
    file: &str,
    class: AssetClass,
    symbol: &str,
    timeframe: Timeframe,
) -> Option<ImportRequest> {
    Some(ImportRequest::new(
        market_data()?.join(file),
        &key(class, symbol, timeframe),
    ))
}

/// A request for a raw Lean file, with the symbol's factor file.
pub(crate) fn lean(symbol: &str, timeframe: Timeframe) -> Option<ImportRequest> {
    let (folder, code) = match timeframe {
        Timeframe::H1 => ("us_hourly_raw_lean", "1h"),
        _ => ("us_daily_raw_lean", "1d"),
    };
    let name = symbol.to_lowercase();
    let request = real(
        &format!("equities/{folder}/{name}_{code}.csv.gz"),
        AssetClass::Equity,
        symbol,
        timeframe,
    )?;
    let factors = market_data()?.join(format!("corporate_actions/lean_factor_files/{name}.csv"));
    Some(ImportRequest {
        factors: Some(factors),
        ..request
    })
}
