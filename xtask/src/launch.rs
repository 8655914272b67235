//! Brings `sextant` up to date and becomes it.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result};

use crate::gate;
use crate::native::{self, Native};
use crate::workspace::{self, Workspace};

/// Selects the whole workspace, so that features are those of the tests too; see `examples/feature_anchor.rs`.
const BUILD: [&str; 6] = [
    "build",
    "--workspace",
    "--bin",
    "sextant",
    "--example",
    "feature_anchor",
];

/// Runs `sextant` with the arguments, after fetching and compiling what is missing.
///
/// # Errors
/// When the library cannot be had or a program cannot be started. A failed build and a failed run are exit codes.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<ExitCode> {
    let native = native::ensure(workspace, "[1/3] native library")?;
    let binary = workspace.binary("sextant");
    let mut cargo = workspace.cargo();
    cargo.args(BUILD).args(native.cargo_arguments());
    let compile = gate::run(&mut cargo, announcement(&binary))?;
    if !compile.status.success() {
        return Ok(exit_code(compile.status));
    }
    if compile.shown {
        eprintln!("[3/3] run: sextant {}", shown(arguments));
    }
    become_sextant(workspace, &binary, &native, arguments)
}

fn announcement(binary: &Path) -> &'static str {
    if binary.exists() {
        "[2/3] compile: what has changed"
    } else {
        "[2/3] compile: everything for the first time, about ten minutes on two cores"
    }
}

fn shown(arguments: &[OsString]) -> String {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

fn become_sextant(
    ws: &Workspace,
    binary: &Path,
    native: &Native,
    arguments: &[OsString],
) -> Result<ExitCode> {
    let mut sextant = Command::new(binary);
    sextant.args(arguments).current_dir(&ws.root);
    if let Native::Prebuilt(dir) = native {
        // The rpath serves as a rule; this serves where RUSTFLAGS in the environment has taken it away.
        let variable = search_path_variable();
        sextant.env(variable, workspace::prepend_to_search_path(variable, dir));
    }
    replace_process(&mut sextant).with_context(|| format!("cannot start {}", binary.display()))
}

/// Where the platform's loader looks for libraries besides its standard folders.
fn search_path_variable() -> &'static str {
    match std::env::consts::OS {
        "windows" => "PATH",
        "macos" => "DYLD_FALLBACK_LIBRARY_PATH",
        _ => "LD_LIBRARY_PATH",
    }
}

/// Signals and the exit code belong to the program from here on.
#[cfg(unix)]
fn replace_process(command: &mut Command) -> std::io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(command))
}

#[cfg(not(unix))]
fn replace_process(command: &mut Command) -> std::io::Result<ExitCode> {
    command.status().map(exit_code)
}

/// The exit code of a command; 1 where it was ended by a signal and has none.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn exit_codes_pass_through_and_a_signal_is_a_failure() {
        for (script, code) in [("exit 0", 0), ("exit 3", 3), ("exit 101", 101), ("kill -9 $$", 1)] {
            let status = Command::new("sh").args(["-c", script]).status().unwrap();
            assert_eq!(exit_code(status), ExitCode::from(code), "{script}");
        }
    }

    #[test]
    fn the_announcement_tells_a_first_build_from_a_change() {
        let here = std::env::current_exe().unwrap();
        assert!(announcement(&here).contains("changed"));
        assert!(announcement(&here.with_file_name("not-built-yet")).contains("first time"));
    }
}
