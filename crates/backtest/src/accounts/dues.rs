//! The calendar of an account: what falls due, in order.

use rust_decimal::Decimal;
use sextant_domain::{InstrumentId, InstrumentTable, Price, Settlement, SplitRatio, UtcNanos};

use super::model::{AccountAction, AccountModel, CorporateActions, FinalPrice, FundingModel, FundingRate};

/// Something that falls due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Due {
    pub(super) time: UtcNanos,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What {
    /// Variation margin of a position that is settled daily.
    Settlement(InstrumentId),
    /// Borrow fees and interest.
    Charge,
    /// Funding; without a rate where it is missing.
    Funding(InstrumentId, Option<Decimal>),
    Dividend(InstrumentId, Price),
    Split(InstrumentId, SplitRatio),
    Delisting(InstrumentId, FinalPrice),
}

impl Due {
    /// Whether a step at `now` may know of it.
    ///
    /// Charges belong to the time before their instant, like a bar that closes at it. A corporate action changes what comes
    /// after its instant, and waits until that bar has been marked.
    pub(super) fn is_known(&self, now: UtcNanos) -> bool {
        match self.what {
            What::Settlement(_) | What::Charge | What::Funding(..) => self.time <= now,
            What::Dividend(..) | What::Split(..) | What::Delisting(..) => self.time < now,
        }
    }

    /// Place among what falls due at the same instant: a dividend is per old share.
    fn rank(&self) -> u8 {
        match self.what {
            What::Funding(..) => 0,
            // Interest is on the cash after it.
            What::Settlement(_) => 1,
            What::Charge => 2,
            What::Dividend(..) => 3,
            What::Split(..) => 4,
            What::Delisting(..) => 5,
        }
    }
}

/// The time of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: UtcNanos,
    pub(super) until: UtcNanos,
}

/// Everything that falls due after the beginning of a run and by its end.
pub(super) fn calendar(
    model: &AccountModel,
    instruments: &InstrumentTable,
    marks: &[UtcNanos],
    span: Span,
) -> Vec<Due> {
    let mut dues = corporate_actions(model, instruments);
    if model.charges_by_day() {
        let what = What::Charge;
        dues.extend(marks.iter().map(|time| Due { time: *time, what }));
    }
    for (instrument, _) in instruments
        .iter()
        .filter(|(_, one)| one.contract.settlement == Settlement::Daily)
    {
        let what = What::Settlement(instrument);
        dues.extend(marks.iter().map(|time| Due { time: *time, what }));
    }
    if let FundingModel::Rates {
        by_symbol,
        interval_nanos,
        ..
    } = &model.funding
    {
        for (symbol, rates) in by_symbol {
            if let Some(instrument) = instruments.id(symbol) {
                let times = with_missing(rates, *interval_nanos, span);
                dues.extend(times.into_iter().map(|(time, rate)| Due {
                    time,
                    what: What::Funding(instrument, rate),
                }));
            }
        }
    }
    dues.retain(|due| due.time > span.from && due.time <= span.until);
    dues.sort_by_key(|due| (due.time, due.rank()));
    dues
}

fn corporate_actions(model: &AccountModel, instruments: &InstrumentTable) -> Vec<Due> {
    let CorporateActions::Listed { due, .. } = &model.corporate_actions else {
        return Vec::new();
    };
    let known = due.iter().filter_map(|one| {
        let instrument = instruments.id(&one.symbol)?;
        let what = match one.action {
            AccountAction::Dividend { per_share } => What::Dividend(instrument, per_share),
            AccountAction::Split(ratio) => What::Split(instrument, ratio),
            AccountAction::Delisting(price) => What::Delisting(instrument, price),
        };
        Some(Due { time: one.time, what })
    });
    known.collect()
}

/// The instants of funding with their rates, and those at which one is missing.
fn with_missing(rates: &[FundingRate], interval: i64, span: Span) -> Vec<(UtcNanos, Option<Decimal>)> {
    let rates = rates
        .iter()
        .filter(|one| one.time > span.from && one.time <= span.until);
    let mut out: Vec<(UtcNanos, Option<Decimal>)> = Vec::new();
    let mut last = span.from;
    let fill = |out: &mut Vec<_>, last: &mut UtcNanos, until: UtcNanos| {
        while last.saturating_add(interval + interval / 2) < until {
            *last = last.saturating_add(interval);
            out.push((*last, None));
        }
    };
    for one in rates {
        fill(&mut out, &mut last, one.time);
        out.push((one.time, Some(one.rate)));
        last = one.time;
    }
    fill(&mut out, &mut last, span.until);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_rates_have_their_instants() {
        let at = UtcNanos::from_nanos;
        let span = Span {
            from: at(0),
            until: at(60),
        };
        let rates = [11, 19, 42].map(|time| FundingRate {
            time: at(time),
            rate: Decimal::ONE,
        });
        let found: Vec<_> = with_missing(&rates, 8, span)
            .into_iter()
            .map(|(time, rate)| (time.nanos(), rate.is_some()))
            .collect();
        // 11 is within one and a half intervals of the start; 27 and 35 are missing, and 50 after the last one; 58 could still
        // come until 62.
        assert_eq!(
            found,
            [
                (11, true),
                (19, true),
                (27, false),
                (35, false),
                (42, true),
                (50, false)
            ]
        );
    }
}
