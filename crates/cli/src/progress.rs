//! Progress bars on a terminal; silence anywhere else.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sextant_data::Progress;

/// Shows one bar at a time on standard error, if that is a terminal.
pub(crate) struct Bars {
    bar: Mutex<ProgressBar>,
}

impl Bars {
    pub(crate) fn new() -> Self {
        Self {
            bar: Mutex::new(ProgressBar::hidden()),
        }
    }

    /// Removes the present bar.
    pub(crate) fn finish(&self) {
        if let Ok(bar) = self.bar.lock() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bars {
    fn start(&self, total: u64, what: &str) {
        let bar = ProgressBar::new(total);
        if !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template("{msg:32} [{bar:40}] {pos}/{len} {elapsed}");
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        bar.set_message(what.to_owned());
        if let Ok(mut present) = self.bar.lock() {
            present.finish_and_clear();
            *present = bar;
        }
    }

    fn advance(&self, amount: u64) {
        if let Ok(bar) = self.bar.lock() {
            bar.inc(amount);
        }
    }
}
