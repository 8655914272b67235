//! Entry point of the `sextant` command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    sextant_cli::run(sextant_cli::args::Cli::parse())
}
