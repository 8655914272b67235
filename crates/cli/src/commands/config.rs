//! `sextant config`.

use std::process::ExitCode;

use crate::args::ConfigCommand;
use crate::config::{ConfigSource, config_reference, load};

pub(super) fn run(command: ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Reference => print!("{}", config_reference()),
        ConfigCommand::Check(args) => {
            let source = ConfigSource {
                file: args.config,
                overrides: args.overrides,
            };
            let config = load(&source)?;
            println!(
                "{}: {} models on {} instruments, no problem found",
                source.file.display(),
                config.budgets.models.len(),
                config.system.universe.len()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
