//! Books rebuilt from real recordings, compared with the books that the venues published themselves.
#![allow(clippy::unwrap_used)]

mod binance;
mod lobster;

use std::fs::File;

use flate2::read::GzDecoder;
use sextant_testkit::real_data_dir;

/// The rows of a compressed CSV file with a heading; `None` where there are no real data.
fn rows(file: &str) -> Option<impl Iterator<Item = csv::StringRecord>> {
    let file = File::open(real_data_dir()?.join("orderbook").join(file)).unwrap();
    let reader = csv::Reader::from_reader(GzDecoder::new(file));
    Some(reader.into_records().map(|row| row.unwrap()))
}
