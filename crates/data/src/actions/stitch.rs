//! The bars of one security, joined across its tickers.

use chrono::NaiveDate;
use sextant_domain::BarSeries;

use super::dates::BarDates;
use super::{ActionError, TickerSpan};
use crate::calendar::Calendar;
use crate::text::listed;

/// Bars that were used from one ticker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The ticker.
    pub ticker: String,
    /// The date of the first bar.
    pub first: NaiveDate,
    /// The date of the last bar.
    pub last: NaiveDate,
    /// How many.
    pub bars: usize,
}

/// Sessions of a ticker's dates before its first or after its last bar. Holes between two bars of one ticker are not
/// among them: validation finds those.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The ticker.
    pub ticker: String,
    /// The first session without a bar.
    pub first: NaiveDate,
    /// The last session without a bar.
    pub last: NaiveDate,
    /// How many sessions.
    pub sessions: usize,
}

/// Bars of a ticker on dates on which the security had another one, or none; left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideBars {
    /// The ticker.
    pub ticker: String,
    /// The date of the first of the bars.
    pub first: NaiveDate,
    /// The date of the last of the bars.
    pub last: NaiveDate,
    /// How many.
    pub bars: usize,
}

/// Dates for which two tickers have bars, of which those of `used` were taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The ticker that the security had.
    pub used: String,
    /// The other ticker.
    pub left_out: String,
    /// The first date in common.
    pub first: NaiveDate,
    /// The last date in common.
    pub last: NaiveDate,
    /// How many bars were left out.
    pub bars: usize,
}

/// The joined bars of a security.
#[derive(Debug, Clone, PartialEq)]
pub struct Stitched {
    /// The bars, as traded: a rename with another number of units, such as LEND to AAVE, shows as a jump. See
    /// [`SecurityHistory::redenominations`](super::SecurityHistory::redenominations).
    pub bars: BarSeries,
    /// What they are made of, oldest first.
    pub pieces: Vec<Piece>,
    /// Sessions without bars at the ends of pieces.
    pub gaps: Vec<Gap>,
    /// Bars that were left out.
    pub outside: Vec<OutsideBars>,
    /// Where bars that were left out lie beside ones that were used.
    pub overlaps: Vec<Overlap>,
    /// Tickers of the history for which no bars were given.
    pub missing: Vec<String>,
}

/// Bars of a part by index, used or not.
struct Segment<'a> {
    part: usize,
    span: Option<&'a TickerSpan>,
    begin: usize,
    end: usize,
}

/// Joins the bars that a security left under its tickers, each taken only within the dates of the ticker. What does not
/// fit is reported, not repaired.
///
/// # Errors
/// When the history has no ticker or is not in the order of its dates, a part has a ticker that is not in it or is given
/// twice, or no bar lies within its dates.
pub fn stitch(
    parts: &[(&str, &BarSeries)],
    history: &[TickerSpan],
    calendar: &Calendar,
) -> Result<Stitched, ActionError> {
    check_history(history)?;
    check_parts(parts, history)?;
    let stitcher = Stitcher { parts, calendar };
    let mut used = Vec::new();
    let mut unused = Vec::new();
    for part in 0..parts.len() {
        for segment in stitcher.segments(part, history) {
            match segment.span {
                Some(_) => used.push(segment),
                None => unused.push(segment),
            }
        }
    }
    used.sort_by_key(|segment| segment.span.map(|span| span.first));
    let pieces: Vec<Piece> = used.iter().map(|segment| stitcher.piece(segment)).collect();
    let given = |span: &&TickerSpan| !parts.iter().any(|(ticker, _)| same(ticker, &span.ticker));
    let mut missing: Vec<String> = history
        .iter()
        .filter(given)
        .map(|span| span.ticker.clone())
        .collect();
    missing.sort();
    missing.dedup();
    Ok(Stitched {
        bars: stitcher.join(&used)?,
        gaps: stitcher.gaps(&pieces, history),
        outside: unused.iter().map(|segment| stitcher.outside(segment)).collect(),
        overlaps: stitcher.overlaps(&unused, &pieces),
        pieces,
        missing,
    })
}

struct Stitcher<'a> {
    parts: &'a [(&'a str, &'a BarSeries)],
    calendar: &'a Calendar,
}

impl Stitcher<'_> {
    /// The bars of a part, cut at the dates of its ticker; empty segments are left out.
    fn segments<'h>(&self, part: usize, history: &'h [TickerSpan]) -> Vec<Segment<'h>> {
        let (ticker, bars) = self.parts[part];
        let dates = self.dates(part);
        let mut segments = Vec::new();
        let mut begin = 0;
        for span in history.iter().filter(|span| same(ticker, &span.ticker)) {
            let first = span.first.map_or(0, |first| dates.before(first));
            let end = span.last.map_or(bars.len(), |last| dates.until(last));
            segments.push(Segment {
                part,
                span: None,
                begin,
                end: first,
            });
            segments.push(Segment {
                part,
                span: Some(span),
                begin: first,
                end,
            });
            begin = end;
        }
        segments.push(Segment {
            part,
            span: None,
            begin,
            end: bars.len(),
        });
        segments.retain(|segment| segment.begin < segment.end);
        segments
    }

    fn join(&self, used: &[Segment<'_>]) -> Result<BarSeries, ActionError> {
        let count = used.iter().map(|segment| segment.end - segment.begin).sum();
        let mut joined = BarSeries::with_capacity(count);
        for segment in used {
            let (ticker, bars) = self.parts[segment.part];
            for index in segment.begin..segment.end {
                joined
                    .push(bars.bar(index))
                    .map_err(|source| ActionError::Series {
                        what: format!("bars joined with those of {ticker}"),
                        source,
                    })?;
            }
        }
        if joined.is_empty() {
            let tickers = listed(self.parts.iter().map(|(ticker, _)| (*ticker).to_owned()));
            return Err(ActionError::Request {
                field: "parts",
                found: format!("no bar of {tickers} within the dates of its ticker"),
                allowed: "at least one bar within them".to_owned(),
            });
        }
        Ok(joined)
    }

    fn piece(&self, segment: &Segment<'_>) -> Piece {
        let OutsideBars {
            ticker,
            first,
            last,
            bars,
        } = self.outside(segment);
        Piece {
            ticker,
            first,
            last,
            bars,
        }
    }

    fn outside(&self, segment: &Segment<'_>) -> OutsideBars {
        let dates = self.dates(segment.part);
        OutsideBars {
            ticker: self.parts[segment.part].0.to_ascii_uppercase(),
            first: dates.date(segment.begin),
            last: dates.date(segment.end - 1),
            bars: segment.end - segment.begin,
        }
    }

    fn gaps(&self, pieces: &[Piece], history: &[TickerSpan]) -> Vec<Gap> {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else {
            return Vec::new();
        };
        let mut gaps = Vec::new();
        for span in history {
            let from = span.first.unwrap_or(first.first);
            let to = span.last.unwrap_or(last.last);
            let piece = pieces
                .iter()
                .find(|piece| same(&piece.ticker, &span.ticker) && span.contains(piece.first));
            let open = match piece {
                None => [Some((from, to)), None],
                Some(piece) => [
                    piece.first.pred_opt().map(|before| (from, before)),
                    piece.last.succ_opt().map(|after| (after, to)),
                ],
            };
            gaps.extend(
                open.into_iter()
                    .flatten()
                    .filter_map(|dates| self.gap(&span.ticker, dates)),
            );
        }
        gaps
    }

    fn gap(&self, ticker: &str, (from, to): (NaiveDate, NaiveDate)) -> Option<Gap> {
        let sessions = self.calendar.sessions(from, to);
        Some(Gap {
            ticker: ticker.to_owned(),
            first: sessions.first()?.date,
            last: sessions.last()?.date,
            sessions: sessions.len(),
        })
    }

    fn overlaps(&self, unused: &[Segment<'_>], pieces: &[Piece]) -> Vec<Overlap> {
        let mut overlaps = Vec::new();
        for segment in unused {
            let dates = self.dates(segment.part);
            for piece in pieces {
                let begin = dates.before(piece.first).max(segment.begin);
                let end = dates.until(piece.last).min(segment.end);
                if begin < end {
                    overlaps.push(Overlap {
                        used: piece.ticker.clone(),
                        left_out: self.parts[segment.part].0.to_ascii_uppercase(),
                        first: dates.date(begin),
                        last: dates.date(end - 1),
                        bars: end - begin,
                    });
                }
            }
        }
        overlaps
    }

    fn dates(&self, part: usize) -> BarDates<'_> {
        BarDates::new(self.parts[part].1, self.calendar)
    }
}

fn check_history(history: &[TickerSpan]) -> Result<(), ActionError> {
    let ordered = history
        .windows(2)
        .all(|pair| matches!((pair[0].last, pair[1].first), (Some(last), Some(first)) if last < first));
    if ordered && !history.is_empty() {
        return Ok(());
    }
    Err(ActionError::Request {
        field: "history",
        found: listed(history.iter().map(TickerSpan::to_string)),
        allowed: "the tickers of one security, oldest first and one at a time".to_owned(),
    })
}

fn check_parts(parts: &[(&str, &BarSeries)], history: &[TickerSpan]) -> Result<(), ActionError> {
    let refuse = |ticker: &str, allowed: String| {
        Err(ActionError::Request {
            field: "parts",
            found: ticker.to_owned(),
            allowed,
        })
    };
    for (place, (ticker, _)) in parts.iter().enumerate() {
        if !history.iter().any(|span| same(ticker, &span.ticker)) {
            let tickers = listed(history.iter().map(|span| span.ticker.clone()));
            return refuse(ticker, format!("bars of the security's tickers: {tickers}"));
        }
        if parts[..place].iter().any(|(earlier, _)| same(ticker, earlier)) {
            return refuse(ticker, "each ticker once".to_owned());
        }
    }
    Ok(())
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}
