//! `sextant data show`.

use std::ops::Range;
use std::process::ExitCode;

use sextant_data::{BarKey, Calendar, Lake, StoredBars};
use sextant_domain::{BarSeries, Timeframe};

use super::select::{between, counted, find, minute, restated, session, shortened};
use crate::args::ShowArgs;
use crate::out::say;
use crate::table::table;

const DEFAULT_TAIL: usize = 20;
/// More digits are noise of the factor they were multiplied with; `data diff` compares every bit.
const DIGITS: i32 = 7;
const FACTOR_DECIMALS: usize = 7;
const CENTS: usize = 2;

/// Prints bars as a table, the newest last.
pub(super) fn run(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let lake = Lake::new(&args.root.data);
    let key = find(&lake, &args.symbol, args.timeframe, args.asset_class)?;
    let stored = lake.load_bars(key.class(), key.symbol(), key.timeframe())?;
    let calendar = Calendar::for_class(key.class());
    let range = picked(between(&stored.bars, &calendar, (args.from, args.to)), args);
    let sheet = if args.raw {
        Sheet::traded(&stored)
    } else {
        Sheet::whole(&stored)
    };
    say!("{}", sheet.table((&key, &calendar), range.clone()));
    say!(
        "{key}: {} of {}; {}; source: {}",
        range.len(),
        counted(stored.bars.len(), "bar"),
        adjustment(&stored),
        shortened(&stored.meta.source)
    );
    Ok(ExitCode::SUCCESS)
}

/// The part of the bars within the dates that --head and --tail leave.
fn picked(within: Range<usize>, args: &ShowArgs) -> Range<usize> {
    let dated = args.from.is_some() || args.to.is_some();
    match (args.head, args.tail) {
        (Some(count), _) => within.start..within.end.min(within.start.saturating_add(count)),
        (None, Some(count)) => last_of(within, count),
        (None, None) if dated => within,
        (None, None) => last_of(within, DEFAULT_TAIL),
    }
}

fn last_of(within: Range<usize>, count: usize) -> Range<usize> {
    within.start.max(within.end.saturating_sub(count))..within.end
}

fn adjustment(stored: &StoredBars) -> String {
    match (&stored.raw, restated(&stored.meta)) {
        (Some(raw), _) => format!("adjusted: {}", raw.adjustment),
        (None, Some(origin)) => format!("adjusted by {}: {}", origin.provider, origin.adjustment),
        (None, None) => "not adjusted".to_owned(),
    }
}

/// What stands in the columns of the table.
struct Sheet<'a> {
    bars: &'a BarSeries,
    traded: Option<&'a BarSeries>,
    factors: Option<&'a [f64]>,
}

impl<'a> Sheet<'a> {
    /// The bars, and beside them the raw close and the factor, where there are.
    fn whole(stored: &'a StoredBars) -> Self {
        Self {
            bars: &stored.bars,
            traded: stored.raw.as_ref().map(|raw| &raw.bars),
            factors: stored.raw.as_ref().map(|raw| raw.adjustment_factor.as_slice()),
        }
    }

    /// What was traded, and beside it the factor, where there is one.
    fn traded(stored: &'a StoredBars) -> Self {
        Self {
            bars: stored.raw.as_ref().map_or(&stored.bars, |raw| &raw.bars),
            traded: None,
            ..Self::whole(stored)
        }
    }

    fn table(&self, (key, calendar): (&BarKey, &Calendar), range: Range<usize>) -> comfy_table::Table {
        let daily = key.timeframe() == Timeframe::D1;
        let times: &[&str] = if daily {
            &["date"]
        } else {
            &["opens (UTC)", "closes (UTC)"]
        };
        let mut headings = times.to_vec();
        headings.extend(["#open", "#high", "#low", "#close", "#volume"]);
        headings.extend(self.traded.map(|_| "#raw close"));
        headings.extend(self.factors.map(|_| "#factor"));
        let own = range.clone().map(|index| self.bars.bar(index));
        let prices = own
            .clone()
            .flat_map(|bar| [bar.open, bar.high, bar.low, bar.close]);
        let prices = decimals(CENTS, prices);
        let volumes = decimals(0, own.map(|bar| bar.volume));
        let raw_closes = self.traded.map(|bars| &bars.closes()[range.clone()]);
        let raw_closes = decimals(CENTS, raw_closes.into_iter().flatten().copied());
        let rows = range.clone().map(|index| {
            let bar = self.bars.bar(index);
            let mut row = if daily {
                vec![session(calendar, bar.open_time).to_string()]
            } else {
                vec![minute(bar.open_time), minute(bar.close_time)]
            };
            row.extend([bar.open, bar.high, bar.low, bar.close].map(|price| format!("{price:.prices$}")));
            row.push(format!("{:.volumes$}", bar.volume));
            row.extend(
                self.traded
                    .map(|bars| format!("{:.raw_closes$}", bars.closes()[index])),
            );
            row.extend(
                self.factors
                    .map(|factors| format!("{:.FACTOR_DECIMALS$}", factors[index])),
            );
            row
        });
        table(&headings, rows)
    }
}

/// The decimals that show every number of a column exactly, but not more than the largest has in seven digits.
fn decimals(fewest: usize, numbers: impl IntoIterator<Item = f64>) -> usize {
    let numbers: Vec<f64> = numbers.into_iter().collect();
    let largest = numbers.iter().copied().fold(0.0, f64::max);
    let whole_digits = if largest > 0.0 {
        largest.log10().floor() as i32 + 1
    } else {
        1
    };
    let most = usize::try_from(DIGITS - whole_digits).unwrap_or(0).max(fewest);
    let needed = numbers.iter().map(|number| {
        let text = format!("{number:.most$}");
        let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
        fraction.trim_end_matches('0').len()
    });
    needed.max().unwrap_or(0).max(fewest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_of_a_column_have_the_same_decimals() {
        assert_eq!(decimals(CENTS, [396.33, 1.0]), 2);
        assert_eq!(decimals(CENTS, [63.981_234_567_8, 396.33]), 4);
        assert_eq!(decimals(CENTS, [0.000_012_345_678_9]), 11);
        assert_eq!(decimals(CENTS, [63_123.456_7]), 2);
        assert_eq!(decimals(CENTS, [1.1234, 1.2]), 4);
        assert_eq!(decimals(CENTS, []), 2);
        assert_eq!(decimals(CENTS, [160.000_000_000_000_03, 60.0]), 2);
        assert_eq!(decimals(0, [330_389_171.844_3, 1.0]), 0);
        assert_eq!(decimals(0, [12.345_678_9, 1.0]), 5);
    }
}
