//! `sextant verify bundle`: a run computed again from nothing but a bundle.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::args::{ResultsArgs, RunArgs, VerifyBundleArgs, VerifyRunArgs};
use crate::bundle::{DATA, RESULTS, unpack};
use crate::out::say;

pub(super) fn run(args: &VerifyBundleArgs) -> anyhow::Result<ExitCode> {
    match &args.into {
        Some(folder) => {
            let code = verify(&args.file, folder)?;
            say!(
                "unpacked into {}; `cargo xtask show --results {} latest` and the like work on it",
                folder.display(),
                folder.join(RESULTS).display()
            );
            Ok(code)
        }
        None => {
            let folder = Temporary::new()?;
            verify(&args.file, &folder.0)
        }
    }
}

fn verify(bundle: &Path, folder: &Path) -> anyhow::Result<ExitCode> {
    let run = unpack(bundle, folder)?;
    let results = folder.join(RESULTS);
    let latest = results.join(crate::commands::backtest::LATEST_FILE);
    fs::write(&latest, run.as_str()).with_context(|| format!("{} cannot be written", latest.display()))?;
    super::run::run(&VerifyRunArgs {
        run: RunArgs {
            results: ResultsArgs { results },
            run: run.to_string(),
        },
        data: folder.join(DATA),
        config: None,
    })
}

/// A folder that is removed when it is no longer needed.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("sextant-bundle-{}", std::process::id()));
        fs::create_dir(&folder).with_context(|| {
            format!(
                "the folder {} cannot be made; choose another with `--into`",
                folder.display()
            )
        })?;
        Ok(Self(folder))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What is left in the system's folder for such files harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}
