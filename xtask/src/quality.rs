//! `test`, `check` and `bench`: the commands that judge the workspace.

use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::native;
use crate::workspace::Workspace;

/// `cargo xtask test`: every test of the workspace.
///
/// # Errors
/// When the library cannot be had or cargo cannot be started. Failing tests are an exit code.
pub(crate) fn test(workspace: &Workspace, arguments: &[OsString]) -> Result<ExitCode> {
    let features = native::ensure(workspace, "native library")?.cargo_arguments();
    let cargo = |words: &[&str]| cargo(workspace, words, features);
    let stages = if has_subcommand(workspace, "nextest") {
        let mut tests = Stage::new("tests (cargo nextest)", cargo(&["nextest", "run", "--workspace"]));
        keep_going_in_ci(&mut tests.command);
        tests.command.args(arguments);
        // nextest leaves doc tests out, and arguments that choose among tests are none that rustdoc understands.
        let docs = arguments
            .is_empty()
            .then(|| Stage::new("doc tests", cargo(&["test", "--workspace", "--doc"])));
        std::iter::once(tests).chain(docs).collect()
    } else {
        let mut tests = Stage::new(
            "tests and doc tests (cargo test)",
            cargo(&["test", "--workspace"]),
        );
        keep_going_in_ci(&mut tests.command);
        tests.command.args(arguments);
        vec![tests]
    };
    run_all(stages)
}

/// `cargo xtask check`: everything about the source that a machine can judge without running the product.
///
/// # Errors
/// When the library cannot be had or cargo cannot be started. Findings are an exit code.
pub(crate) fn check(workspace: &Workspace) -> Result<ExitCode> {
    let features = native::ensure(workspace, "native library")?.cargo_arguments();
    let cargo = |words: &[&str]| cargo(workspace, words, features);

    // The flag goes to clippy's driver alone. In RUSTFLAGS it would make every dependency stale.
    let mut clippy = cargo(&["clippy", "--workspace", "--all-targets"]);
    clippy.args(["--", "-D", "warnings"]);
    // The example keeps the features, and with them the checked dependencies, those of clippy.
    let mut docs = cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--lib",
        "--bins",
        "--example",
        "feature_anchor",
    ]);
    docs.env("RUSTDOCFLAGS", "-D warnings");

    let mut stages = vec![
        Stage::new(
            "format",
            self::cargo(workspace, &["fmt", "--all", "--check"], &[]),
        ),
        Stage::new(
            "layering, module docs, docs in sync",
            cargo(&["test", "--workspace", "--test", "house"]),
        ),
        Stage::new("clippy, warnings denied", clippy),
        Stage::new("rustdoc, warnings denied", docs),
    ];
    if has_subcommand(workspace, "deny") {
        stages.push(Stage::new(
            "licences, advisories, sources",
            self::cargo(workspace, &["deny", "check"], &[]),
        ));
    } else {
        eprintln!(
            "skipped: licences, advisories and sources (cargo-deny is not installed: cargo install cargo-deny)"
        );
    }
    run_all(stages)
}

/// `cargo xtask bench`: the benchmarks of the workspace.
///
/// # Errors
/// When the library cannot be had or cargo cannot be started. A failing benchmark is an exit code.
pub(crate) fn bench(workspace: &Workspace, arguments: &[OsString]) -> Result<ExitCode> {
    let features = native::ensure(workspace, "native library")?.cargo_arguments();
    eprintln!(
        "Benchmarks use the one profile of the workspace (dev: our crates at opt-level 3), so what is measured"
    );
    eprintln!("is what `cargo xtask backtest` runs, and nothing is compiled a second time for them.");
    let mut command = cargo(workspace, &["bench", "--profile", "dev", "--workspace"], features);
    if !chooses_targets(arguments) {
        // `--benches` would also run each library's unit tests, whose harness does not know criterion's options.
        command.args(["--bench", "*"]);
    }
    command.args(arguments);
    run_all(vec![Stage::new("benchmarks", command)])
}

fn chooses_targets(arguments: &[OsString]) -> bool {
    let for_cargo = arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .take_while(|word| word != "--");
    let mut for_cargo = for_cargo.filter(|word| word.starts_with("--bench"));
    for_cargo.next().is_some()
}

fn cargo(workspace: &Workspace, words: &[&str], features: &[&str]) -> Command {
    let mut command = workspace.cargo();
    command.args(words).args(features);
    command
}

fn keep_going_in_ci(command: &mut Command) {
    if std::env::var_os("CI").is_some() {
        command.arg("--no-fail-fast");
    }
}

fn has_subcommand(workspace: &Workspace, name: &str) -> bool {
    let mut command = workspace.cargo();
    command.args([OsStr::new(name), OsStr::new("--version")]);
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

struct Stage {
    name: &'static str,
    command: Command,
}

impl Stage {
    fn new(name: &'static str, command: Command) -> Self {
        Self { name, command }
    }
}

/// Runs every stage, also after a failed one, so that one call shows everything that is wrong.
fn run_all(stages: Vec<Stage>) -> Result<ExitCode> {
    let mut failed = Vec::new();
    for Stage { name, mut command } in stages {
        eprintln!("== {name}");
        let start = now();
        let status = command.status().with_context(|| format!("cannot start {name}"))?;
        let took = in_words(start.elapsed());
        if status.success() {
            eprintln!("== {name}: passed in {took}");
        } else {
            eprintln!("== {name}: FAILED after {took} ({status})");
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("failed: {}", failed.join("; "));
    Ok(ExitCode::FAILURE)
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long a stage took is shown and enters no result"
)]
fn now() -> Instant {
    Instant::now()
}

fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", duration.as_secs_f64()),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_readable() {
        let table = [
            (0.25, "0.2 s"),
            (59.9, "59.9 s"),
            (60.0, "1 min 00 s"),
            (470.4, "7 min 50 s"),
        ];
        for (seconds, words) in table {
            assert_eq!(in_words(Duration::from_secs_f64(seconds)), words);
        }
    }

    #[test]
    fn a_bench_that_is_named_replaces_the_choice_of_all() {
        let words = |line: &str| line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
        assert!(!chooses_targets(&words("")));
        assert!(!chooses_targets(&words("-- --bench-like-filter")));
        assert!(chooses_targets(&words("--bench step")));
        assert!(chooses_targets(&words("--bench=step -- sma")));
    }

    #[cfg(unix)]
    #[test]
    fn one_failed_stage_fails_the_whole_and_the_others_still_run() {
        let dir = std::env::temp_dir().join(format!("sextant-stages-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let stage = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]).current_dir(&dir);
            Stage::new("stage", command)
        };
        assert_eq!(run_all(vec![stage("exit 0")]).unwrap(), ExitCode::SUCCESS);
        assert_eq!(
            run_all(vec![stage("exit 7"), stage("touch ran")]).unwrap(),
            ExitCode::FAILURE
        );
        assert!(dir.join("ran").exists());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
