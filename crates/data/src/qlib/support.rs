//! What several test modules need.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::NaiveDateTime;

use super::*;

/// A time of a calendar, as it is written in one.
pub(super) fn time(text: &str) -> NaiveDateTime {
    text::time(text.as_bytes()).unwrap()
}

/// The bytes of a `.bin` file.
pub(super) fn bin(start: f32, values: &[f32]) -> Vec<u8> {
    let numbers = std::iter::once(&start).chain(values);
    numbers.flat_map(|number| number.to_le_bytes()).collect()
}

/// Puts a file below a folder.
pub(super) fn put(root: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The days of [`small`]: the first trading days of 2020 in New York.
pub(super) const DAYS: &str = "2020-01-02\n2020-01-03\n2020-01-06\n2020-01-07\n2020-01-08\n";

/// A folder of two symbols: AAPL from the second day on, suspended on the third, and ^GSPC without factor.
pub(super) fn small(root: &Path) {
    put(root, "calendars/day.txt", DAYS);
    put(root, "calendars/day_future.txt", "2020-01-09\n");
    put(
        root,
        "instruments/all.txt",
        "AAPL\t2020-01-03\t2020-01-08\n^GSPC\t2020-01-02\t2020-01-08\n",
    );
    put(
        root,
        "instruments/sp500.txt",
        "AAPL\t2020-01-03\t2020-01-06\nAAPL\t2020-01-08\t2099-12-31\n",
    );
    let nan = f32::NAN;
    for (field, values) in [
        ("open", [1.0, nan, 1.5, 1.25]),
        ("high", [1.5, nan, 2.0, 1.5]),
        ("low", [0.5, nan, 1.0, 1.0]),
        ("close", [1.25, nan, 1.25, 1.5]),
        ("volume", [100.0, nan, 200.0, 0.0]),
        ("factor", [0.25, nan, 0.5, 0.5]),
    ] {
        put(root, &format!("features/aapl/{field}.day.bin"), bin(1.0, &values));
        put(
            root,
            &format!("features/^gspc/{field}.day.bin"),
            bin(0.0, &[1.0; 5]),
        );
    }
}

/// A read-only look at every file below a folder.
pub(super) fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(path).unwrap());
            }
        }
    }
    found
}

/// A column as its field, first row and values in bits.
pub(super) type BitColumn = (String, usize, Vec<u32>);

/// The times of a series, and its columns in bits.
pub(super) fn bits(series: &QlibSeries) -> (Vec<NaiveDateTime>, Vec<BitColumn>) {
    let column = |column: &QlibColumn| {
        let values = column.values.iter().map(|value| value.to_bits()).collect();
        (column.field.clone(), column.start, values)
    };
    let columns = series.columns().iter().map(column).collect();
    (series.times().to_vec(), columns)
}
