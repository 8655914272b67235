//! `sextant verify`: proofs of what a result claims.

mod bundle;
mod run;

use std::process::ExitCode;

use crate::args::VerifyCommand;

pub(super) fn run(command: &VerifyCommand) -> anyhow::Result<ExitCode> {
    match command {
        VerifyCommand::Run(args) => run::run(args),
        VerifyCommand::Bundle(args) => bundle::run(args),
    }
}
