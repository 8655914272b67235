//! The default system on the synthetic market, after loading: `cargo xtask bench`.

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use sextant_cli::config::{ConfigSource, load};
use sextant_cli::pipeline::{Source, compute, ensure_synthetic, load_market, synthetic_root};
use sextant_data::Silent;

fn default_system(criterion: &mut Criterion) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/base/system.yaml");
    let config = load(&ConfigSource {
        file,
        overrides: Vec::new(),
    })
    .expect("the shipped configuration is valid");
    let data = tempfile::tempdir().expect("a temporary folder");
    ensure_synthetic(data.path(), &config.system.synthetic, &Silent)
        .expect("a temporary folder can be written");
    let market = load_market(
        &config.system,
        &synthetic_root(data.path()),
        Source::Synthetic,
        &Silent,
    );
    let market = market.expect("the synthetic market was just made");
    let mut group = criterion.benchmark_group("default_system");
    group.sample_size(10);
    // Ten years, four instruments, daily and 4H bars, three models, regimes, risk, figures with bootstrap intervals.
    group.bench_function("ten_years_4h", |bencher| {
        bencher.iter(|| {
            compute(&config, &market, None, &Silent)
                .expect("the run completes")
                .tables
                .equity
                .len()
        });
    });
    group.finish();
}

criterion_group!(benches, default_system);
criterion_main!(benches);
