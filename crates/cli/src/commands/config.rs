//! `sextant config`.

use std::process::ExitCode;

use crate::args::ConfigCommand;
use crate::config::{ConfigSource, config_reference, load};
use crate::out::say;

pub(super) fn run(command: ConfigCommand) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Reference => say!("{}", config_reference().trim_end()),
        ConfigCommand::Check(args) => {
            let source = ConfigSource {
                file: args.config,
                overrides: args.overrides,
            };
            let config = load(&source)?;
            say!(
                "{}: {} models on {} instruments, no problem found",
                source.file.display(),
                config.budgets.models.len(),
                config.system.universe.len()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
