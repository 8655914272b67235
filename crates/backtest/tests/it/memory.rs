//! Many runs in one process.

use std::process::Command;

use sextant_domain::ports::{Model, ModelError};
use sextant_domain::{InstrumentRef, Intents, MarketData, MarketView, Requirements, Timeframe};
use sextant_testkit::{MarketBuilder, bars};

use crate::fixture::Setup;

/// Buys and sells by turns.
struct InAndOut {
    needs: Requirements,
    instrument: InstrumentRef,
    decisions: usize,
}

impl InAndOut {
    fn new() -> Self {
        let mut needs = Requirements::new();
        let instrument = needs.trade("ACME");
        Self {
            needs,
            instrument,
            decisions: 0,
        }
    }
}

impl Model for InAndOut {
    fn id(&self) -> &str {
        "InAndOut"
    }

    fn requirements(&self) -> &Requirements {
        &self.needs
    }

    fn decide(&mut self, _view: &MarketView<'_>, out: &mut Intents) -> Result<(), ModelError> {
        self.decisions += 1;
        let is_in = self.decisions % 10 < 5;
        if self.decisions.is_multiple_of(5) {
            out.target(self.instrument, if is_in { 0.5 } else { 0.0 });
        }
        Ok(())
    }
}

fn market() -> MarketData {
    let spans = bars::daily_sessions(bars::instant("2015-01-01"), 250);
    MarketBuilder::new()
        .equity("ACME", Timeframe::D1)
        .random("ACME", Timeframe::D1, &spans, 1)
        .build()
}

fn runs(market: &MarketData, count: usize) {
    let mut setup = Setup::plain("100000");
    setup.commission_bps = "5";
    for _ in 0..count {
        let (_, recorder) = setup.run(market, vec![Box::new(InAndOut::new())]).unwrap();
        assert!(recorder.fills.len() > 40);
    }
}

/// The memory of the process that is in use, in pages.
fn resident_pages() -> u64 {
    let sizes = std::fs::read_to_string("/proc/self/statm").unwrap();
    sizes.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Set for the process that does the runs.
const MEASURES: &str = "SEXTANT_TEST_MEASURES_MEMORY";

/// The runs are done by a process of their own, which starts this test again, so that no other test of the process allocates
/// at the same time.
#[test]
#[cfg(target_os = "linux")]
fn a_thousand_runs_in_one_process_keep_no_memory() {
    if std::env::var_os(MEASURES).is_some() {
        return measure();
    }
    let name = "memory::a_thousand_runs_in_one_process_keep_no_memory";
    let output = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--test-threads=1"])
        .env(MEASURES, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn measure() {
    let market = market();
    runs(&market, 20);
    let before = resident_pages();
    runs(&market, 1_000);
    let after = resident_pages();
    let growth = after as f64 / before as f64 - 1.0;
    assert!(
        growth < 0.01,
        "the resident set grew from {before} to {after} pages, {:.2} %",
        growth * 100.0
    );
}
