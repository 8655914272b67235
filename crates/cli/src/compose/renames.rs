//! Securities that had other tickers before: one series of bars from those of every ticker.

use anyhow::{Context, bail};
use chrono::NaiveDate;
use sextant_data::actions::{Piece, Stitched, is_for_splits_alone, is_same_adjustment};
use sextant_data::{
    ActionKind, AdjustmentEngine, AdjustmentMode, Calendar, CorporateAction, EventList, RawBars,
    RecordedAction, StoredBars, TickerSpan, stitch,
};
use sextant_domain::{AssetClass, BarSeries};

use crate::config::{FormerTicker, InstrumentConfig, PricesConfig};

/// Factors on the two sides of a rename that differ by less than this part of them are the same.
const SAME_FACTOR: f64 = 1e-9;
/// From a close to the next open, prices rarely move by more than this factor.
const LARGEST_MOVE: f64 = 1.5;
/// A move by less than this factor says nothing about units.
const USUAL_MOVE: f64 = 1.1;
/// A move by more than this factor beside a change of units is not believed.
const LARGEST_BELIEVED: f64 = 5.0;
/// Units that leave a move so many times larger than others would are not believed either.
const CLEARLY_BETTER: f64 = 3.0;

/// The bars of an instrument in one timeframe.
pub(super) struct Joined {
    /// The bars, with what was traded beside them where every ticker has that; its record is that of the newest ticker.
    pub(super) stored: StoredBars,
    /// Changes of units that the bars do not show, because they are run on as they were traded.
    pub(super) splits: Vec<RecordedAction>,
    /// In words, bars of a ticker on dates on which the security had another one, and jumps of prices at a rename.
    pub(super) notes: Vec<String>,
}

impl Joined {
    /// One series, as it is.
    fn whole(stored: StoredBars) -> Self {
        Self {
            stored,
            splits: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Joins the series that the lake has of an instrument's tickers, each within the dates of its ticker. Where it runs on
/// adjusted prices, those from before a change of units are put in new units; where it runs on raw ones, the change is a
/// split. One series alone is left as it is.
///
/// # Errors
/// When a ticker has no bars of its dates, raw prices are asked for and not there, the two sides of a rename are not adjusted
/// alike, or stated units do not fit the prices.
pub(super) fn joined(one: &InstrumentConfig, mut parts: Vec<StoredBars>) -> anyhow::Result<Joined> {
    if one.formerly.is_empty() {
        let stored = parts.pop().context("an instrument has one series per ticker")?;
        return Ok(Joined::whole(stored));
    }
    let join = Join {
        one,
        spans: one.spans(),
        calendar: Calendar::for_class(one.class),
        parts: &parts,
    };
    let bars = join.stitched(|part| Some(&part.bars))?;
    join.require_every_ticker(&bars)?;
    let raw = join.raw()?;
    let factors = join.factors(&bars);
    let mut notes = join.left_out(&bars);
    let seams = join.seams(&bars);
    for seam in &seams {
        join.require_one_scale(seam, &factors)?;
        notes.extend(join.jump(seam, &bars)?);
    }
    let meta = join.newest()?.meta.clone();
    let (bars, splits) = if one.prices.is_raw(meta.timeframe, one.execution) {
        let splits = seams.iter().filter_map(|seam| seam.split(&bars)).collect();
        (bars.bars, splits)
    } else {
        (join.in_new_units(bars.bars)?, Vec::new())
    };
    let raw = raw.map(|raw| RawBars {
        bars: raw,
        adjustment_factor: factors,
        adjustment: join.adjustment(),
    });
    Ok(Joined {
        stored: StoredBars { bars, raw, meta },
        splits,
        notes,
    })
}

/// Where the bars of one ticker end and those of the next begin.
struct Seam<'j> {
    former: &'j FormerTicker,
    later: &'j str,
    old: &'j Piece,
    new: &'j Piece,
    /// The index of the first bar of the new ticker.
    at: usize,
}

impl Seam<'_> {
    /// The change of units, as it happens to an account.
    fn split(&self, joined: &Stitched) -> Option<RecordedAction> {
        (self.former.units != 1.0).then(|| RecordedAction {
            time: joined.bars.view().open_time[self.at],
            kind: ActionKind::Split {
                new_per_old: self.former.units.recip(),
            },
        })
    }
}

struct Join<'a> {
    one: &'a InstrumentConfig,
    spans: Vec<TickerSpan>,
    calendar: Calendar,
    parts: &'a [StoredBars],
}

impl Join<'_> {
    fn part(&self, ticker: &str) -> Option<&StoredBars> {
        let mut parts = self.parts.iter();
        parts.find(|part| part.meta.symbol == ticker)
    }

    fn newest(&self) -> anyhow::Result<&StoredBars> {
        self.part(&self.one.symbol)
            .context("an instrument has one series per ticker")
    }

    fn timeframe(&self) -> &'static str {
        self.parts.first().map_or("", |part| part.meta.timeframe.code())
    }

    /// The bars of a kind, joined; parts that have none of it are left out.
    fn stitched(&self, bars: impl Fn(&StoredBars) -> Option<&BarSeries>) -> anyhow::Result<Stitched> {
        let named: Vec<(&str, &BarSeries)> = self
            .parts
            .iter()
            .filter_map(|part| Some((part.meta.symbol.as_str(), bars(part)?)))
            .collect();
        stitch(&named, &self.spans, &self.calendar)
            .with_context(|| format!("universe: the tickers of {}", self.one.symbol))
    }

    fn require_every_ticker(&self, joined: &Stitched) -> anyhow::Result<()> {
        for span in &self.spans {
            let has_bars = joined
                .pieces
                .iter()
                .any(|piece| piece.ticker.eq_ignore_ascii_case(&span.ticker) && span.contains(piece.first));
            let Some(part) = self.part(&span.ticker).filter(|_| !has_bars) else {
                continue;
            };
            let meta = &part.meta;
            bail!(
                "universe: {} traded as {span}, but the {} bars of {}, {} to {}, have none of these dates; correct the dates \
                 of `formerly`, or import the missing bars: cargo xtask data import --from <file> --symbol {} --asset-class {} \
                 --timeframe {}",
                self.one.symbol,
                meta.timeframe,
                span.ticker,
                meta.first.date(),
                meta.last.date(),
                span.ticker,
                meta.asset_class,
                meta.timeframe,
            );
        }
        Ok(())
    }

    /// What was traded, where every part has that; it is needed where the instrument runs on it.
    fn raw(&self) -> anyhow::Result<Option<BarSeries>> {
        let without: Vec<&str> = self
            .parts
            .iter()
            .filter(|part| part.raw.is_none())
            .map(|part| part.meta.symbol.as_str())
            .collect();
        if without.is_empty() {
            let raw = self.stitched(|part| part.raw.as_ref().map(|raw| &raw.bars))?;
            return Ok(Some(raw.bars));
        }
        let timeframe = self.newest()?.meta.timeframe;
        if self.one.prices.is_raw(timeframe, self.one.execution) {
            bail!(
                "universe: {} is to run on raw prices, but beside the {timeframe} bars of {} the lake has none; import them with \
                 the factor file of the security, or adjust them with `data adjust`",
                self.one.symbol,
                without.join(", ")
            );
        }
        Ok(None)
    }

    /// Adjusted price / raw price of each joined bar; 1 where nothing is known of what was traded.
    fn factors(&self, joined: &Stitched) -> Vec<f64> {
        let times = joined.bars.view().open_time;
        let mut factors = Vec::with_capacity(times.len());
        for (piece, span) in joined.pieces.iter().zip(&self.spans) {
            let part = self.part(&span.ticker);
            let raw = part.and_then(|part| Some((part, part.raw.as_ref()?)));
            match raw {
                Some((part, raw)) => {
                    let from = times[factors.len()];
                    let begin = part.bars.view().open_time.partition_point(|time| *time < from);
                    factors.extend(&raw.adjustment_factor[begin..begin + piece.bars]);
                }
                None => factors.extend(std::iter::repeat_n(1.0, piece.bars)),
            }
        }
        factors
    }

    /// Every ticker has bars, so that there is one piece for each, in their order.
    fn seams<'j>(&'j self, joined: &'j Stitched) -> Vec<Seam<'j>> {
        let mut at = 0;
        let pairs = joined.pieces.windows(2).zip(self.one.renames());
        let seams = pairs.map(|(pair, (former, later))| {
            at += pair[0].bars;
            Seam {
                former,
                later,
                old: &pair[0],
                new: &pair[1],
                at,
            }
        });
        seams.collect()
    }

    fn adjustment_of(&self, ticker: &str) -> Option<&str> {
        Some(&self.part(ticker)?.raw.as_ref()?.adjustment)
    }

    /// Both sides of a rename must be adjusted up to the same day, or prices would jump where the market did not. Where the
    /// same factors adjusted both, a step is an event of that day.
    fn require_one_scale(&self, seam: &Seam<'_>, factors: &[f64]) -> anyhow::Result<()> {
        let (before, after) = (factors[seam.at - 1], factors[seam.at]);
        if (after / before - 1.0).abs() < SAME_FACTOR {
            return Ok(());
        }
        let words = |ticker: &str, factor: f64, date: NaiveDate| match self.adjustment_of(ticker) {
            Some(_) => format!("x {factor} on {date}"),
            None => format!("no factors on {date}"),
        };
        let (old, new) = (
            words(&seam.former.ticker, before, seam.old.last),
            words(seam.later, after, seam.new.first),
        );
        let steps = format!("{old}, {new}");
        let both = self
            .adjustment_of(&seam.former.ticker)
            .zip(self.adjustment_of(seam.later));
        match both.is_some_and(|(old, new)| is_same_adjustment(old, new)) {
            true if seam.former.units == 1.0 => Ok(()),
            true => self.refuse_units_twice(seam, &steps),
            false => self.refuse_scales(seam, &steps),
        }
    }

    fn refuse_units_twice(&self, seam: &Seam<'_>, steps: &str) -> anyhow::Result<()> {
        bail!(
            "universe: {}: the factor file of {} and {} has a step at the rename ({steps}), and `formerly` states units beside it; \
             take `units` out where they are in the file",
            self.one.symbol,
            seam.former.ticker,
            seam.later
        )
    }

    fn refuse_scales(&self, seam: &Seam<'_>, steps: &str) -> anyhow::Result<()> {
        let (symbol, old, new) = (&self.one.symbol, &seam.former.ticker, seam.later);
        bail!(
            "universe: {symbol}: prices of {old} and {new} are not adjusted alike ({steps}); adjust both by one factor file of the \
             security, whose digest is kept: {}, and the same for {new}. Where another instrument runs on {old} too, add `--into \
             {old}.A` and give `ticker: {old}.A` in `formerly`, which leaves its bars as they are",
            self.adjust_command(old, "--factors")
        )
    }

    fn adjust_command(&self, ticker: &str, option: &str) -> String {
        let class = match self.one.class {
            AssetClass::Equity => String::new(),
            other => format!(" --asset-class {}", other.name()),
        };
        let timeframe = self.timeframe();
        format!("cargo xtask data adjust --symbol {ticker}{class} --timeframe {timeframe} {option} <file>")
    }

    /// A jump of prices that others than the stated units explain, or that nobody would believe, is an error. Any other
    /// may be the market's, and is a note.
    fn jump(&self, seam: &Seam<'_>, joined: &Stitched) -> anyhow::Result<Option<String>> {
        let bars = joined.bars.view();
        let (close, open) = (bars.close[seam.at - 1], bars.open[seam.at]);
        let FormerTicker {
            ticker: old, units, ..
        } = seam.former;
        let move_with = |units: f64| (open / (close * units)).ln().abs();
        let (with, other) = (move_with(*units), move_with(1.0).min(move_with(units.recip())));
        let prices = format!(
            "{close} was the last close of {old} and {open} the first open of {}",
            seam.later
        );
        let is_clear = with > USUAL_MOVE.ln() && with > CLEARLY_BETTER * other;
        if *units != 1.0 && (is_clear || with > LARGEST_BELIEVED.ln()) {
            return self.refuse_units(seam, &prices);
        }
        if with <= LARGEST_MOVE.ln() && with <= other {
            return Ok(None);
        }
        let what = if *units == 1.0 {
            "where several units became one, `formerly` needs `units`".to_owned()
        } else {
            let left = open / (close * units);
            format!(
                "with {units} old units for one new one, as `formerly` has it, the price moved by x {left:.4} there"
            )
        };
        Ok(Some(format!(
            "{} {}: {prices}; {what}.",
            self.one.symbol,
            self.timeframe()
        )))
    }

    fn refuse_units(&self, seam: &Seam<'_>, prices: &str) -> anyhow::Result<Option<String>> {
        let FormerTicker {
            ticker: old, units, ..
        } = seam.former;
        bail!(
            "universe: {} {}: {units} {old} became one {new}, says `formerly`, but {prices}; `units` are old units for one new unit, \
             and left out where prices are in new units already. Where they are right and the market moved so, leave them out and \
             adjust both tickers for a split in a list of events: {}, and the same for {new}",
            self.one.symbol,
            self.timeframe(),
            self.adjust_command(old, "--events"),
            new = seam.later,
        )
    }

    /// Prices from before a change of units times the units, volumes divided by them.
    fn in_new_units(&self, bars: BarSeries) -> anyhow::Result<BarSeries> {
        let mut events = Vec::new();
        for former in self.one.formerly.iter().filter(|former| former.units != 1.0) {
            let ex_date = former.until.succ_opt();
            events.push(CorporateAction {
                ex_date: ex_date.with_context(|| format!("there is no day after {}", former.until))?,
                kind: ActionKind::Split {
                    new_per_old: former.units.recip(),
                },
            });
        }
        if events.is_empty() {
            return Ok(bars);
        }
        let name = format!("the renames of {}", self.one.symbol);
        let engine = AdjustmentEngine::from_events(EventList::new(&name, events)?, self.calendar.clone());
        let adjusted = engine.adjusted(&bars, AdjustmentMode::Splits, NaiveDate::MAX)?;
        Ok(adjusted.bars)
    }

    /// How the joined bars were adjusted; a part that does not know its dividends speaks for all.
    fn adjustment(&self) -> String {
        let all = || {
            self.parts
                .iter()
                .filter_map(|part| Some(&part.raw.as_ref()?.adjustment))
        };
        let alone = all().find(|adjustment| is_for_splits_alone(adjustment));
        alone.or(all().next_back()).cloned().unwrap_or_default()
    }

    fn left_out(&self, joined: &Stitched) -> Vec<String> {
        let timeframe = self.timeframe();
        let words = joined.outside.iter().map(|outside| {
            format!(
                "{} {timeframe} bars of {} from {} to {} are left out: that was not the ticker of {} then.",
                outside.bars, outside.ticker, outside.first, outside.last, self.one.symbol
            )
        });
        words.collect()
    }
}

/// A sentence for each rename: what the run takes for granted.
pub(crate) fn renames_in_words(one: &InstrumentConfig) -> Vec<String> {
    let words = one.renames().map(|(former, later)| {
        let (ticker, until, units) = (&former.ticker, former.until, former.units);
        let from = former.from.map_or(String::new(), |from| format!("from {from} "));
        let units = match one.prices {
            _ if units == 1.0 => String::new(),
            PricesConfig::Adjusted => {
                format!(" {units} {ticker} became one {later}: prices before are multiplied by that, volumes divided.")
            }
            PricesConfig::Raw | PricesConfig::RawExecution => format!(
                " {units} {ticker} became one {later}: positions are divided by that on the first session of {later}, as at a \
                 split, and fractions of a lot paid at the last close."
            ),
        };
        format!(
            "{} was {ticker} {from}until {until} and {later} from then on; bars are joined there, and positions and orders go on.\
             {units}",
            one.symbol
        )
    });
    words.collect()
}
