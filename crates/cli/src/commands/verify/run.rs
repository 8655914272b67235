//! `sextant verify run`: a run computed again from its manifest and held against what is stored.

use std::process::ExitCode;

use anyhow::bail;
use sextant_data::Progress;
use sextant_store::{LoadedRun, Manifest, RunFolders, RunId, RunTables, TableDifference};

use super::rows::{ProofRow, Verdict};
use crate::args::VerifyRunArgs;
use crate::commands::backtest::LATEST_FILE;
use crate::commands::runs::resolve;
use crate::config::{ConfigSource, differences, load};
use crate::out::say;
use crate::progress::Bars;
use crate::replay::{Replay, Replayed};
use crate::table::table;

const DIGEST_DIGITS: usize = 64;
const SHOWN_DIGITS: usize = 16;

/// What one part of a run came to.
pub(super) struct Check {
    what: &'static str,
    is_same: bool,
    detail: String,
}

impl Check {
    pub(super) fn same(what: &'static str, detail: impl Into<String>) -> Self {
        Self {
            what,
            is_same: true,
            detail: detail.into(),
        }
    }

    pub(super) fn differs(what: &'static str, detail: impl Into<String>) -> Self {
        Self {
            what,
            is_same: false,
            detail: detail.into(),
        }
    }
}

/// A run and what its parts came to.
struct Checked {
    id: RunId,
    rows: usize,
    checks: Vec<Check>,
}

pub(crate) fn run(args: &VerifyRunArgs) -> anyhow::Result<ExitCode> {
    let bars = Bars::new();
    let Checked { id, checks, .. } = computed_again(args, &bars)?;
    bars.finish();
    report(&format!("run {id}"), &checks)
}

/// The newest run of a folder as one row of a table. One that was made by other code or from other data proves nothing,
/// whether it has the same rows or not.
pub(super) fn newest(args: &VerifyRunArgs, progress: &dyn Progress) -> anyhow::Result<ProofRow> {
    let results = &args.run.results.results;
    let row = |extent: &str, values, complaint| {
        ProofRow::compared("run", ("the newest, computed again", extent), values, complaint)
    };
    if !results.join(LATEST_FILE).exists() {
        let verdict = Verdict::Skip(format!(
            "no run was made in {} yet; `cargo xtask backtest` makes one",
            results.display()
        ));
        return Ok(ProofRow {
            verdict,
            ..row("", 0, None)
        });
    }
    let checked = match computed_again(args, progress) {
        Ok(checked) => checked,
        Err(error) => return Ok(row("", 0, Some(format!("{error:#}")))),
    };
    let differing = checked.checks.iter().filter(|check| !check.is_same);
    let words: Vec<_> = differing
        .clone()
        .map(|check| format!("{}: {}", check.what, check.detail))
        .collect();
    let differs = |part: &str| differing.clone().any(|check| check.what == part);
    let has_other_rows = differs("rows");
    let has_other_inputs = differs("code") || differs("data");
    let is_wrong = has_other_rows && !has_other_inputs;
    let extent = format!("run {}", checked.id);
    let row = row(&extent, checked.rows, is_wrong.then(|| words.join("; ")));
    let verdict = match row.verdict {
        Verdict::Pass if has_other_rows => Verdict::Skip(format!(
            "made from other code or data; `cargo xtask backtest` makes a new one: {}",
            words.join("; ")
        )),
        Verdict::Pass if !words.is_empty() => Verdict::Skip(format!(
            "the same rows, but not from the same inputs: {}",
            words.join("; ")
        )),
        other => other,
    };
    Ok(ProofRow { verdict, ..row })
}

fn computed_again(args: &VerifyRunArgs, progress: &dyn Progress) -> anyhow::Result<Checked> {
    let results = &args.run.results.results;
    let folders = RunFolders::new(results);
    // Every byte of the folder is compared with its checksums before anything of it is used.
    let stored = folders.load_run(&resolve(results, &args.run.run)?)?;
    let mut checks = vec![Check::same(
        "run folder",
        format!("{}: every file as it was written", stored.path.display()),
    )];
    checks.extend(
        args.config
            .as_ref()
            .map(|file| config_check(&stored, file))
            .transpose()?,
    );
    let replay = Replay::prepare(&stored.manifest, &args.data, progress)?;
    let replayed = replay.run(progress)?;
    checks.extend(checks_of((&stored.manifest, &stored.tables), &replay, &replayed)?);
    Ok(Checked {
        id: stored.manifest.run_id().clone(),
        rows: count_rows(&stored.tables)?,
        checks,
    })
}

/// How many rows all tables have together.
///
/// # Errors
/// When rows cannot be stored.
pub(super) fn count_rows(tables: &RunTables) -> anyhow::Result<usize> {
    let rows: u64 = tables.digests()?.tables.values().map(|one| one.rows).sum();
    Ok(usize::try_from(rows)?)
}

/// Code, data, assumptions and rows of a run against those of its replay.
///
/// # Errors
/// When rows cannot be stored.
pub(super) fn checks_of(
    (manifest, tables): (&Manifest, &RunTables),
    replay: &Replay,
    replayed: &Replayed,
) -> anyhow::Result<Vec<Check>> {
    let inputs = manifest.inputs();
    let mut checks = vec![Check::same(
        "configuration",
        "rebuilt from the manifest, key by key",
    )];
    for (part, same) in [
        (
            "code",
            format!("{} {}", inputs.code.version, short(&inputs.code.digest)),
        ),
        (
            "data",
            format!("{} series with the same digests", inputs.data.len()),
        ),
    ] {
        let changed = replay
            .changes
            .iter()
            .filter(|change| change.what.starts_with(part));
        let before = checks.len();
        checks.extend(changed.map(|change| {
            let (what, then, now) = (&change.what, short(&change.then), short(&change.now));
            Check::differs(part, format!("{what}: {then} then, {now} now"))
        }));
        if checks.len() == before {
            checks.push(Check::same(part, same));
        }
    }
    if replayed.manifest.assumptions() != manifest.assumptions() {
        checks.push(Check::differs(
            "assumptions",
            first_assumption(manifest, &replayed.manifest),
        ));
    }
    checks.extend(rows_checks(tables, &replayed.computed.tables)?);
    Ok(checks)
}

fn rows_checks(stored: &RunTables, again: &RunTables) -> anyhow::Result<Vec<Check>> {
    let differing = stored.differences(again)?;
    if differing.is_empty() {
        let digests = stored.digests()?;
        let rows: u64 = digests.tables.values().map(|one| one.rows).sum();
        let detail = format!(
            "{rows} rows of {} tables, digest {}",
            digests.tables.len(),
            short(&digests.rows_digest)
        );
        return Ok(vec![Check::same("rows", detail)]);
    }
    Ok(differing
        .iter()
        .map(|one| Check::differs("rows", words(one)))
        .collect())
}

/// A table that differs, in words.
pub(super) fn words(one: &TableDifference) -> String {
    let (then, now) = one.rows;
    let count = if then == now {
        format!("{then} rows, {} of them differ", one.differing)
    } else {
        format!("{then} rows then, {now} now")
    };
    let first = one.first.as_ref().map_or(String::new(), |first| {
        format!(
            "; first in row {}, column {}: {} then, {} now",
            first.row, first.column, first.left, first.right
        )
    });
    format!("table {}: {count}{first}", one.table)
}

fn first_assumption(then: &Manifest, now: &Manifest) -> String {
    let (then, now) = (then.assumptions(), now.assumptions());
    let index = (0..then.len().max(now.len())).find(|index| then.get(*index) != now.get(*index));
    let text = |list: &[sextant_store::Assumption]| {
        index
            .and_then(|index| list.get(index))
            .map_or("nothing".to_owned(), |one| format!("{}: {}", one.key, one.text))
    };
    format!("`{}` then, `{}` now", text(then), text(now))
}

/// Whether a configuration file still says what the run was configured with.
fn config_check(stored: &LoadedRun, file: &std::path::Path) -> anyhow::Result<Check> {
    let config = load(&ConfigSource {
        file: file.to_owned(),
        overrides: Vec::new(),
    })?;
    let mut then = stored.manifest.inputs().config.clone();
    if let Some(object) = then.as_object_mut() {
        object.remove(crate::config::KILL_FILE_PRESENT);
    }
    let differing = differences(&then, &config.identity());
    let show = |value: &Option<serde_json::Value>| {
        value
            .as_ref()
            .map_or("nothing".to_owned(), serde_json::Value::to_string)
    };
    let keys: Vec<String> = differing
        .iter()
        .map(|one| format!("{}: {} then, {} now", one.key, show(&one.left), show(&one.right)))
        .collect();
    let name = file.display();
    Ok(match keys.as_slice() {
        [] => Check::same("configuration file", format!("{name} says the same")),
        keys => Check::differs("configuration file", format!("{name}: {}", keys.join("; "))),
    })
}

/// Prints the checks.
///
/// # Errors
/// When any of them found a difference.
pub(super) fn report(what: &str, checks: &[Check]) -> anyhow::Result<ExitCode> {
    let rows = checks.iter().map(|check| {
        let result = if check.is_same { "same" } else { "DIFFERS" };
        vec![check.what.to_owned(), result.to_owned(), check.detail.clone()]
    });
    say!("{}", table(&["part", "result", "detail"], rows));
    let differing: Vec<&Check> = checks.iter().filter(|check| !check.is_same).collect();
    if differing.is_empty() {
        say!("{what} is reproduced: the same rows from the same code, configuration, data and seed");
        return Ok(ExitCode::SUCCESS);
    }
    let has_other_rows = differing.iter().any(|check| check.what == "rows");
    let details: Vec<_> = differing
        .iter()
        .map(|check| format!("{}: {}", check.what, check.detail))
        .collect();
    let verdict = if has_other_rows {
        "is not reproduced"
    } else {
        "gives the same rows, but not from the same inputs"
    };
    bail!("{what} {verdict}:\n  - {}", details.join("\n  - "))
}

/// Digests are shown by their first digits; other texts as they are.
fn short(text: &str) -> String {
    let is_digest = |tail: &&str| tail.bytes().all(|byte| byte.is_ascii_hexdigit());
    let head = text.len().checked_sub(DIGEST_DIGITS);
    match head.and_then(|head| text.get(head..)).filter(is_digest) {
        Some(tail) => format!("{}{}", &text[..text.len() - tail.len()], &tail[..SHOWN_DIGITS]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_digests_are_shortened() {
        let digest = "0123456789abcdef".repeat(4);
        assert_eq!(short(&format!("digest {digest}")), "digest 0123456789abcdef");
        let text = "a".repeat(63);
        assert_eq!(short(&text), text);
        assert_eq!(short("not there"), "not there");
    }
}
