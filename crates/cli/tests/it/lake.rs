//! Small lakes, and what tables say.

use sextant_data::{BarKey, Lake, Provenance};
use sextant_domain::{AssetClass, Timeframe};

use crate::workspace::Place;

/// Imports daily bars with these closes into `data`.
pub(crate) fn import_daily(place: &Place, (symbol, class): (&str, &str), closes: &[(&str, f64)]) {
    write_daily(place, "daily.csv", closes);
    let import = [
        "data",
        "import",
        "--from",
        "daily.csv",
        "--symbol",
        symbol,
        "--asset-class",
        class,
        "--timeframe",
        "1D",
    ];
    place.run(&import).printed();
}

/// Imports daily bars with these closes and gives them another source.
pub(crate) fn daily_from(
    place: &Place,
    (symbol, class): (&str, AssetClass),
    closes: &[(&str, f64)],
    source: &str,
) {
    import_daily(place, (symbol, class.name()), closes);
    let lake = Lake::new(place.path("data"));
    let stored = lake.load_bars(class, symbol, Timeframe::D1).unwrap();
    let key = BarKey::new(class, symbol, Timeframe::D1).unwrap();
    let provenance = Provenance {
        source: source.to_owned(),
        synthetic: false,
    };
    lake.write_bars(&key, &stored.bars, None, &provenance).unwrap();
}

/// Writes a CSV file of daily bars that open at their close and reach one above and a half below.
pub(crate) fn write_daily(place: &Place, file: &str, closes: &[(&str, f64)]) {
    let rows = closes.iter().map(|(date, close)| {
        let (high, low) = (close + 1.0, close - 0.5);
        format!("{date}T00:00:00Z,{close},{high},{low},{close},1000\n")
    });
    let rows: String = rows.collect();
    place.write(file, &format!("timestamp,open,high,low,close,volume\n{rows}"));
}

/// The cells of the rows of every printed table, headings included.
pub(crate) fn rows(printed: &str) -> Vec<Vec<String>> {
    let lines = printed.lines().filter(|line| line.starts_with('│'));
    let cells = lines.map(|line| {
        let inner = line.trim_matches('│');
        inner.split('┆').map(|cell| cell.trim().to_owned()).collect()
    });
    cells.collect()
}

/// The only row whose first cells are these.
pub(crate) fn row(printed: &str, first: &[&str]) -> Vec<String> {
    let begins = |row: &Vec<String>| row.len() >= first.len() && row.iter().zip(first).all(|(a, b)| a == b);
    let mut found: Vec<_> = rows(printed).into_iter().filter(begins).collect();
    assert_eq!(found.len(), 1, "rows that begin with {first:?} in:\n{printed}");
    found.remove(0)
}
