//! What holds for every file, however broken.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::{DataError, Silent};

const CLEAN: &str = "timestamp,open,high,low,close,volume\n\
    2020-01-01,2,3,1,2,10\n2020-01-02,2,3,1,2,10\n2020-01-03,2,3,1,2,10\n2020-01-04,2,3,1,2,10\n";

/// A clean file with some bytes replaced, put in or taken out.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![
        any::<u8>(),
        proptest::sample::select(b",.\"\n\r\0-0129eN\xef\xff".to_vec())
    ];
    let edit = (0..CLEAN.len(), bytes, 0..3_u8);
    proptest::collection::vec(edit, 0..12).prop_map(|edits| {
        let mut text = CLEAN.as_bytes().to_vec();
        for (position, byte, kind) in edits {
            let position = position.min(text.len().saturating_sub(1));
            match kind {
                0 => text[position] = byte,
                1 => text.insert(position, byte),
                _ if text.len() > 1 => drop(text.remove(position)),
                _ => {}
            }
        }
        text
    })
}

fn import(text: &[u8], bad_rows: BadRows) -> Result<ImportReport, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.csv");
    std::fs::write(&path, text).unwrap();
    let key = BarKey::new(AssetClass::Crypto, "X", Timeframe::D1).unwrap();
    let request = ImportRequest {
        bad_rows,
        ..ImportRequest::new(path, &key)
    };
    let lake = Lake::new(folder.path().join("data"));
    let report = import_csv(&lake, &request, &Silent)?;
    let stored = lake.load_bars(AssetClass::Crypto, "X", Timeframe::D1)?;
    assert_eq!(stored.meta.digest, report.digest);
    assert!(stored.bars.iter().all(|bar| bar.defect().is_none()));
    if let Some(quarantine) = &report.quarantine {
        let text = std::fs::read(quarantine).unwrap();
        let rows = text.split(|byte| *byte == b'\n').count() as u64 - 2;
        assert_eq!(
            rows,
            report.quarantined.iter().map(|(_, count)| count).sum::<u64>()
        );
    }
    Ok(report)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_row_is_accounted_for(text in broken()) {
        if let Ok(report) = import(&text, BadRows::Quarantine) {
            let quarantined: u64 = report.quarantined.iter().map(|(_, count)| count).sum();
            let kept = report.bars as u64 + report.late_rows + report.identical_duplicates;
            prop_assert_eq!(report.rows_read, kept + report.outside_session + quarantined);
        }
    }

    #[test]
    fn refusing_and_setting_aside_agree(text in broken()) {
        let strict = import(&text, BadRows::Refuse);
        let lenient = import(&text, BadRows::Quarantine);
        match (strict, lenient) {
            (Ok(strict), Ok(lenient)) => {
                prop_assert_eq!(strict.digest, lenient.digest);
                prop_assert!(lenient.quarantine.is_none());
            }
            (Err(DataError::Rows(refused)), Ok(lenient)) => prop_assert_eq!(refused.by_rule, lenient.quarantined),
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => prop_assert!(false, "only the strict import succeeds: {error}"),
            (Err(error), Ok(_)) => prop_assert!(false, "refused without a row: {error}"),
        }
    }
}
