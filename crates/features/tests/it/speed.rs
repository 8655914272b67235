//! How long columns of a million bars take. Not part of the usual run: times depend on the machine.

use std::io::{Write, stderr};
use std::time::Instant;

use sextant_domain::FeatureSpec;
use sextant_domain::ports::FeatureSource;
use sextant_features::{FeatureColumns, registry};

use crate::support::{Terrain, first_inputs, two_series, walk};

/// `cargo test -p sextant-features --test it speed -- --ignored`
#[test]
#[ignore = "measures; run it alone on a quiet machine"]
#[allow(clippy::disallowed_methods)]
fn a_million_bars() {
    let market = two_series(
        walk(Terrain::Wide, 1_000_000, 1),
        walk(Terrain::Wide, 1_000_000, 2),
    );
    for entry in registry() {
        let spec = FeatureSpec::new(entry.name, &[]);
        let times = (0..5).map(|_| {
            let mut columns = FeatureColumns::new();
            let start = Instant::now();
            columns.prepare(&spec, &first_inputs(entry), &market).unwrap();
            start.elapsed().as_secs_f64() * 1e3
        });
        let fastest_ms = times.fold(f64::MAX, f64::min);
        writeln!(stderr(), "{:24}{fastest_ms:8.1} ms", entry.name).unwrap();
        assert!(fastest_ms < 1_000.0, "{}: {fastest_ms} ms", entry.name);
    }
}
