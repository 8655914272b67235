//! Securities that had other tickers before: one series of bars from those of every ticker.

use anyhow::{Context, bail};
use chrono::NaiveDate;
use sextant_data::actions::{Piece, Stitched};
use sextant_data::{
    ActionKind, AdjustmentEngine, AdjustmentMode, Calendar, CorporateAction, EventList, RawBars, StoredBars,
    TickerSpan, stitch,
};
use sextant_domain::BarSeries;

use crate::config::{FormerTicker, InstrumentConfig, PricesConfig};

/// Factors on the two sides of a rename that differ by less than this part of them are the same.
const SAME_FACTOR: f64 = 1e-9;
/// From a close to the next open, prices rarely move by more than this factor.
const LARGEST_MOVE: f64 = 1.5;
/// How an adjustment begins that does not know dividends.
const SPLITS_ALONE: &str = "splits by ";

/// The bars of an instrument in one timeframe.
pub(super) struct Joined {
    /// The bars, with what was traded beside them where every ticker has that; its record is that of the newest ticker.
    pub(super) stored: StoredBars,
    /// In words, bars of a ticker on dates on which the security had another one, and jumps of prices at a rename.
    pub(super) notes: Vec<String>,
}

/// Joins the series that the lake has of an instrument's tickers, each within the dates of its ticker, and puts prices from
/// before a change of units in new units. One series alone is left as it is.
///
/// # Errors
/// When a ticker has no bars of its dates, raw prices are asked for and not there, the two sides of a rename are not adjusted
/// alike, or stated units do not fit the prices.
pub(super) fn joined(one: &InstrumentConfig, mut parts: Vec<StoredBars>) -> anyhow::Result<Joined> {
    if one.formerly.is_empty() {
        let stored = parts.pop().context("an instrument has one series per ticker")?;
        return Ok(Joined {
            stored,
            notes: Vec::new(),
        });
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
    let mut factors = join.factors(&bars);
    let mut notes = join.left_out(&bars);
    for seam in join.seams(&bars) {
        join.require_one_scale(&seam, &factors)?;
        notes.extend(join.jump(&seam, &bars)?);
    }
    let bars = join.in_new_units(bars.bars, &mut factors)?;
    let raw = raw.map(|raw| RawBars {
        bars: raw,
        adjustment_factor: factors,
        adjustment: join.adjustment(),
    });
    let meta = join.newest()?.meta.clone();
    Ok(Joined {
        stored: StoredBars { bars, raw, meta },
        notes,
    })
}

/// Where the bars of one ticker end and those of the next begin.
struct Seam<'j> {
    old: &'j Piece,
    new: &'j Piece,
    /// The index of the first bar of the new ticker.
    at: usize,
    /// Old units for one new unit.
    units: f64,
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
        parts.find(|part| part.meta.symbol.eq_ignore_ascii_case(ticker))
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
        for piece in &joined.pieces {
            let part = self.part(&piece.ticker);
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

    fn seams<'j>(&self, joined: &'j Stitched) -> Vec<Seam<'j>> {
        let mut at = 0;
        let pairs = joined.pieces.windows(2).map(|pair| {
            at += pair[0].bars;
            let between =
                |former: &&FormerTicker| pair[0].last <= former.until && former.until < pair[1].first;
            let units = self
                .one
                .formerly
                .iter()
                .filter(between)
                .map(|former| former.units);
            Seam {
                old: &pair[0],
                new: &pair[1],
                at,
                units: units.product(),
            }
        });
        pairs.collect()
    }

    /// Both sides of a rename must be adjusted up to the same day, or prices would jump where the market did not. Where one
    /// file adjusted both, a step is an event of that day.
    fn require_one_scale(&self, seam: &Seam<'_>, factors: &[f64]) -> anyhow::Result<()> {
        let (before, after) = (factors[seam.at - 1], factors[seam.at]);
        let adjustment = |ticker: &str| {
            self.part(ticker)
                .and_then(|part| Some(&part.raw.as_ref()?.adjustment))
        };
        let Seam { old, new, .. } = seam;
        let by_one_file = adjustment(&old.ticker) == adjustment(&new.ticker);
        if (after / before - 1.0).abs() < SAME_FACTOR || (by_one_file && seam.units == 1.0) {
            return Ok(());
        }
        let factors = format!("x {before} on {}, x {after} on {}", old.last, new.first);
        let (symbol, old, new) = (&self.one.symbol, &old.ticker, &new.ticker);
        if by_one_file {
            bail!(
                "universe: {symbol}: the factor file of {old} and {new} has a step at the rename ({factors}), and `formerly` states \
                 units beside it; take `units` out where they are in the file"
            );
        }
        bail!(
            "universe: {symbol}: prices of {old} and {new} are not adjusted alike ({factors}); adjust both by the factor file of the \
             security: cargo xtask data adjust --symbol {old} --factors <file>, and the same for {new}"
        );
    }

    /// A jump of prices that stated units leave or make is an error; without units it may be the market's, and is a note.
    fn jump(&self, seam: &Seam<'_>, joined: &Stitched) -> anyhow::Result<Option<String>> {
        let bars = joined.bars.view();
        let (close, open) = (bars.close[seam.at - 1], bars.open[seam.at]);
        let without = (open / close).ln().abs();
        let with = (open / (close * seam.units)).ln().abs();
        if with <= LARGEST_MOVE.ln() || with < without / 2.0 {
            return Ok(None);
        }
        let symbol = format!("{} {}", self.one.symbol, self.timeframe());
        let (old, new) = (&seam.old.ticker, &seam.new.ticker);
        let prices = format!("{close} was the last close of {old} and {open} the first open of {new}");
        if seam.units == 1.0 {
            return Ok(Some(format!(
                "{symbol}: {prices}; where several units became one, `formerly` needs `units`."
            )));
        }
        bail!(
            "universe: {symbol}: {} {old} became one {new}, says `formerly`, but {prices}; `units` are old units for one new unit, \
             and left out where prices are in new units already",
            seam.units
        );
    }

    /// Prices from before a change of units times the units, volumes divided by them; the factors say so too, so that an
    /// account on raw prices finds a split there.
    fn in_new_units(&self, bars: BarSeries, factors: &mut [f64]) -> anyhow::Result<BarSeries> {
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
        for (factor, units) in factors.iter_mut().zip(&adjusted.adjustment_factor) {
            *factor *= units;
        }
        Ok(adjusted.bars)
    }

    /// How the joined bars were adjusted; a part that does not know its dividends speaks for all.
    fn adjustment(&self) -> String {
        let all = || {
            self.parts
                .iter()
                .filter_map(|part| Some(&part.raw.as_ref()?.adjustment))
        };
        let alone = all().find(|adjustment| adjustment.starts_with(SPLITS_ALONE));
        alone.or(all().next_back()).cloned().unwrap_or_default()
    }

    fn left_out(&self, joined: &Stitched) -> Vec<String> {
        let timeframe = self.timeframe();
        let words = joined.outside.iter().map(|outside| {
            format!(
                "{} {timeframe} bars of {} from {} to {} are left out: {} had another ticker then.",
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
            "{} was {ticker} until {until} and {later} from then on; bars are joined there, and positions and orders go on.\
             {units}",
            one.symbol
        )
    });
    words.collect()
}
