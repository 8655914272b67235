//! `sextant verify`: proofs about runs and about the configured system, each a table that fails when anything in it does.

mod all;
mod bundle;
mod chain;
mod determinism;
mod lookahead;
mod metamorphic;
mod rows;
mod run;
mod variants;

use std::process::ExitCode;

use self::chain::System;
use self::rows::print;
use crate::args::VerifyCommand;
use crate::progress::Bars;

pub(super) fn run(command: &VerifyCommand) -> anyhow::Result<ExitCode> {
    let bars = Bars::new();
    let rows = match command {
        VerifyCommand::Run(args) => return run::run(args),
        VerifyCommand::Bundle(args) => return bundle::run(args),
        VerifyCommand::Lookahead(args) => lookahead::prove(args, &System::open(&args.what, &bars)?, &bars)?,
        VerifyCommand::Determinism(args) => {
            determinism::prove(args, &System::open(&args.what, &bars)?, &bars)?
        }
        VerifyCommand::Metamorphic(args) => metamorphic::prove(&System::open(args, &bars)?, &bars)?,
        VerifyCommand::All(args) => all::prove(args, &bars)?,
    };
    bars.finish();
    Ok(print(&rows))
}
