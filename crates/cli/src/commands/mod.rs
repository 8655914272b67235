//! The commands, one file each.

mod backtest;
mod bundle;
mod compare;
mod config;
mod data;
mod models;
mod runs;
mod verify;
mod why;

use std::process::ExitCode;

use crate::args::{Cli, Command};

/// Runs a command and says on standard error what went wrong, if anything did.
pub fn run(cli: Cli) -> ExitCode {
    let result = match cli.command {
        Command::Backtest(args) => backtest::run(&args),
        Command::Data(command) => data::run(*command),
        Command::ListModels(args) => models::list(&args),
        Command::Runs(args) => runs::list(&args),
        Command::Show(args) => runs::show(&args),
        Command::Report(args) => runs::report(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Bundle(args) => bundle::run(&args),
        Command::Verify(command) => verify::run(&command),
        Command::Why(args) => why::run(&args),
        Command::Store(command) => runs::store(&command),
        Command::Config(command) => config::run(command),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            let message = format!("{error:#}");
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
