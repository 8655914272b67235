//! However a history came into the lake, it is the same history.

use proptest::prelude::*;

use super::*;

const HOURS: usize = 24 * 40;

fn at(hour: usize) -> UtcNanos {
    time("2024-01-01").saturating_add(i64::try_from(hour).unwrap() * Timeframe::H1.nanos())
}

/// A history with holes of the provider.
fn provider(key: &BarKey, holes: &[(usize, usize)]) -> Scripted {
    let mut provider = Scripted::new(key, "2024-01-01", "2024-02-10");
    for (first, length) in holes {
        let (from, to) = (at(*first), at(first + length));
        // The first bar is there: before it nothing is missing.
        provider
            .rows
            .retain(|stamp, _| *stamp == at(0) || *stamp < from || *stamp >= to);
    }
    provider
}

fn download_span(
    case: &Case,
    provider: &Scripted,
    from: UtcNanos,
    to: UtcNanos,
    now: UtcNanos,
) -> Result<UpdateReport, UpdateError> {
    let request = DownloadRequest {
        start: from,
        end: Some(to),
        ..case.request("2024-01-01", None)
    };
    download(&case.lake, provider, &request, now, &Silent)
}

fn update_at(case: &Case, provider: &Scripted, now: UtcNanos) -> UpdateReport {
    let request = UpdateRequest {
        key: case.key.clone(),
        provider_symbol: None,
        bad_rows: BadRows::Refuse,
    };
    update(&case.lake, provider, &request, now, &Silent).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_split_of_a_history_gives_the_same_bars(
        holes in proptest::collection::vec((0..HOURS, 1..60_usize), 0..4),
        first in 2..HOURS,
        pieces in proptest::collection::vec((0..HOURS, 1..100_usize), 0..3),
        updates in proptest::collection::vec((1..HOURS, 0..3_600_i64), 0..4),
        revises_history in any::<bool>(),
    ) {
        let case = Case::new(AssetClass::Crypto, Timeframe::H1);
        let mut provider = provider(&case.key, &holes);
        provider.revises_history = revises_history;
        let end = at(HOURS);
        download_span(&case, &provider, at(0), at(first), end).unwrap();
        for (from, length) in pieces {
            // A piece may lie in a hole of the provider.
            if let Err(error) = download_span(&case, &provider, at(from), at((from + length).min(HOURS)), end) {
                prop_assert!(matches!(error, UpdateError::Empty { .. }), "{}", error);
            }
        }
        let mut nows: Vec<UtcNanos> = updates
            .into_iter()
            .map(|(hour, seconds)| at(hour).saturating_add(seconds * 1_000_000_000))
            .collect();
        nows.sort();
        for now in nows.into_iter().filter(|now| *now < end) {
            update_at(&case, &provider, now);
        }
        let last = update_at(&case, &provider, end);

        let whole = Case::new(AssetClass::Crypto, Timeframe::H1);
        let expected = download_span(&whole, &provider, at(0), end, end).unwrap();
        prop_assert_eq!(last.digest, expected.digest);
        prop_assert_eq!(case.stored().bars, whole.stored().bars);

        // Once more: nothing that is settled is asked for, and nothing is touched.
        let before = case.files();
        provider.calls();
        let again = update_at(&case, &provider, end);
        prop_assert_eq!(again.outcome, Outcome::Unchanged);
        prop_assert_eq!(case.files(), before);
        let week = at(HOURS - 7 * 24);
        let calls = std::mem::take(&mut *provider.calls.lock().unwrap());
        let stored = case.stored();
        for (start, stop) in calls {
            let bars = stored.bars.view().open_time;
            let seam = bars[bars.len().saturating_sub(3)];
            prop_assert!(start >= seam.min(week) && stop <= end, "{}/{}", start, stop);
        }
    }
}
