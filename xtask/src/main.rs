//! `cargo xtask`: fetches native libraries, launches `sextant`, and runs tests, checks and benchmarks.
//!
//! It is a thin orchestrator. It depends on no crate of the workspace, so that it compiles in seconds and still works
//! when the workspace does not build. Whatever it does not know by name it hands to `sextant`, after making sure that
//! the native library is there and the binary is up to date.
//!
//! Invariants:
//! * every cargo command selects the whole workspace and the one shared profile, so that no dependency is compiled twice;
//! * progress goes to standard error, and nothing is said when nothing had to be done;
//! * the exit code is that of the command which was run.
//!
//! Deliberately absent: argument parsing for `sextant`, and any knowledge of what its commands do.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a terminal program and has no other way to speak"
)]

mod commands;
mod file;
mod gate;
mod launch;
mod native;
mod platform;
mod quality;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use commands::Invocation;
use workspace::Workspace;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<OsString>) -> anyhow::Result<ExitCode> {
    let invocation = commands::parse(arguments)?;
    if invocation == Invocation::Help {
        print!("{}", commands::overview());
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::locate()?;
    match invocation {
        Invocation::Help => Ok(ExitCode::SUCCESS),
        Invocation::Setup(source) => native::setup(&workspace, source).map(|()| ExitCode::SUCCESS),
        Invocation::Test(arguments) => quality::test(&workspace, &arguments),
        Invocation::Check => quality::check(&workspace),
        Invocation::Bench(arguments) => quality::bench(&workspace, &arguments),
        Invocation::Sextant(arguments) => launch::run(&workspace, &arguments),
    }
}
