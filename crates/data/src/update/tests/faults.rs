//! A disk on which the n-th operation fails, for every n: the lake stays whole, and the next attempt succeeds.

use std::path::Path;

use super::macros::{Curve, run};
use super::*;
use crate::lake::faults::{Fault, with};
use crate::lake::{FileMeta, Step};
use crate::{ImportRequest, import_csv};

/// Something that is done with a lake: what there was, the work, and the files it may write, each with the data it is.
struct Sweep<'a> {
    prepare: &'a dyn Fn(&Case),
    work: &'a dyn Fn(&Case) -> Result<(), String>,
    /// The file whose content counts.
    target: &'a str,
}

#[test]
fn imports_survive_a_failing_disk() {
    let text = |closes: &[&str]| {
        let rows: String = closes
            .iter()
            .enumerate()
            .map(|(hour, close)| format!("2024-01-01T{hour:02}:00:00Z,2,3,1,{close},10\n"))
            .collect();
        format!("timestamp,open,high,low,close,volume\n{rows}")
    };
    let import = |case: &Case, text: &str| {
        let csv = case.lake.root().with_file_name("in.csv");
        std::fs::write(&csv, text).unwrap();
        let request = ImportRequest {
            bad_rows: BadRows::Quarantine,
            ..ImportRequest::new(csv, &case.key)
        };
        import_csv(&case.lake, &request, &Silent)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    for closes in [["2", "2.5", "2"], ["2", "-1", "2.5"]] {
        // With bad rows and without: both write and remove beside the bars.
        let operations = sweep(&Sweep {
            prepare: &|case| import(case, &text(&["2", "NaN", "2"])).unwrap(),
            work: &|case| import(case, &text(&closes)),
            target: "crypto/X_1H.parquet",
        });
        assert!(operations >= 8, "{operations}");
    }
    let first = sweep(&Sweep {
        prepare: &|_| {},
        work: &|case| import(case, &text(&["2", "-1", "2"])),
        target: "crypto/X_1H.parquet",
    });
    assert!(first >= 13, "{first}");
}

#[test]
fn downloads_and_updates_survive_a_failing_disk() {
    let key = Case::new(AssetClass::Crypto, Timeframe::H1).key;
    let mut provider = Scripted::new(&key, "2024-01-01", "2024-01-20")
        .without("2024-01-02T05:00:00Z", "2024-01-02T07:00:00Z");
    provider.set_close("2024-01-02T12:00:00Z", -1.0);
    let download = |case: &Case| {
        let request = DownloadRequest {
            bad_rows: BadRows::Quarantine,
            ..case.request("2024-01-01", None)
        };
        download(&case.lake, &provider, &request, time("2024-01-02"), &Silent)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    // Bad rows, bars and holes are written.
    let operations = sweep(&Sweep {
        prepare: &|case| download(case).unwrap(),
        work: &|case| {
            case.update_with(&provider, "2024-01-03", BadRows::Quarantine)
                .map(|_| ())
                .map_err(|error| error.to_string())
        },
        target: "crypto/X_1H.parquet",
    });
    assert!(operations >= 18, "{operations}");
    let operations = sweep(&Sweep {
        prepare: &|_| {},
        work: &download,
        target: "crypto/X_1H.parquet",
    });
    assert!(operations >= 6, "{operations}");

    let mut revised = Scripted::new(&key, "2024-01-01", "2024-01-20");
    for row in revised.rows.values_mut() {
        *row = super::row(row.stamp, row.close / 2.0);
    }
    revised.revises_history = true;
    let operations = sweep(&Sweep {
        prepare: &|case| download(case).unwrap(),
        work: &|case| {
            case.update(&revised, "2024-01-03")
                .map(|_| ())
                .map_err(|error| error.to_string())
        },
        target: "crypto/X_1H.parquet",
    });
    assert!(operations >= 6, "{operations}");
}

#[test]
fn macro_updates_survive_a_failing_disk() {
    let provider = Curve::new("2024-01-01", "2024-03-01");
    let go = |case: &Case, now: &str| {
        run(&case.lake, &provider, now)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let operations = sweep(&Sweep {
        prepare: &|case| go(case, "2024-01-20").unwrap(),
        work: &|case| go(case, "2024-02-20"),
        target: "macro/curve.parquet",
    });
    assert_eq!(operations, 6);
}

/// Fails every operation once, alone and with all after it; returns how many there are.
fn sweep(sweep: &Sweep<'_>) -> usize {
    let fresh = || {
        let case = Case::new(AssetClass::Crypto, Timeframe::H1);
        (sweep.prepare)(&case);
        case
    };
    let before = digest(&fresh(), sweep.target);
    let after = {
        let case = fresh();
        (sweep.work)(&case).unwrap();
        digest(&case, sweep.target)
    };
    assert_ne!(before, after);
    let mut n = 1;
    loop {
        for fault in [Fault::Once(n), Fault::From(n)] {
            let case = fresh();
            let (result, failed) = with(fault, || (sweep.work)(&case));
            let Some((step, path)) = failed else {
                assert_eq!(result, Ok(()));
                return n - 1;
            };
            let context = format!("{fault:?}: {step:?} of {}", path.display());
            let message = result.expect_err(&context);
            check_message(&message, &path, &context);
            let is_target = path.ends_with(sweep.target);
            let found = digest(&case, sweep.target);
            if is_target && step != Step::SyncFolder {
                assert_eq!(found, before, "{context}");
            } else if is_target {
                assert_eq!(found, after, "{context}");
            } else {
                assert!(found == before || found == after, "{context}");
            }
            (sweep.work)(&case).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!(digest(&case, sweep.target), after, "{context}");
            assert!(
                case.names().iter().all(|name| !name.starts_with('.')),
                "{context}"
            );
        }
        n += 1;
    }
}

fn check_message(message: &str, path: &Path, context: &str) {
    let folder = path.parent().unwrap().display().to_string();
    let named = message.contains(&path.display().to_string()) || message.contains(&folder);
    assert!(named && message.contains("no space left"), "{context}: {message}");
}

/// The digest of a file; everything in the lake must be readable.
fn digest(case: &Case, target: &str) -> Option<String> {
    let entries = case.lake.list().unwrap();
    let digests = entries.into_iter().map(|entry| {
        let content: FileMeta = entry.content.unwrap();
        (entry.path, content.digest().to_owned())
    });
    let target = case.lake.root().join(target);
    digests
        .filter(|(path, _)| *path == target)
        .map(|(_, digest)| digest)
        .next()
}
