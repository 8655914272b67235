//! Computing a run again from its manifest.
//!
//! A manifest names everything that a result depends on: code, configuration, data, seed. What a replay finds changed of
//! these is said by name, so that other rows can be laid at somebody's door.

use std::path::{Path, PathBuf};

use sextant_data::Progress;
use sextant_store::{DataInput, Manifest, RunInputs};

use crate::config::{KILL_FILE_PRESENT, Paths, ResolvedConfig};
use crate::pipeline::{
    Computed, KILL_FILE, LoadedMarket, Source, compute_all, load_market, manifest, synthetic_root,
};

/// A run that can be computed again: its configuration and its market.
pub(crate) struct Replay {
    /// The configuration of the manifest.
    pub(crate) config: ResolvedConfig,
    /// The market of the lake.
    pub(crate) market: LoadedMarket,
    /// What of code and data is not what the run was computed from.
    pub(crate) changes: Vec<Change>,
    kill: Option<&'static str>,
}

/// One input of a run that is another now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// `code`, `data`, or another input.
    pub(crate) what: String,
    /// As the run was computed.
    pub(crate) then: String,
    /// As it is now.
    pub(crate) now: String,
}

/// What a replay came to.
pub(crate) struct Replayed {
    /// Rows and books.
    pub(crate) computed: Computed,
    /// The manifest that the run would have now.
    pub(crate) manifest: Manifest,
}

impl Replay {
    /// Reads the configuration out of a manifest and loads its series from the lake in `data`; those of a synthetic run
    /// from the synthetic lake below it.
    ///
    /// # Errors
    /// When this version cannot run the configuration, or a series is missing or damaged.
    pub(crate) fn prepare(manifest: &Manifest, data: &Path, progress: &dyn Progress) -> anyhow::Result<Self> {
        let (root, source) = if manifest.is_synthetic() {
            let root = synthetic_root(data);
            anyhow::ensure!(
                root.is_dir(),
                "there is no synthetic market in {}; name the data folder in which the run found its bars with `--data`, or \
                 make the market there with `cargo xtask backtest --synthetic`",
                root.display()
            );
            (root, Source::Synthetic)
        } else {
            (data.to_owned(), Source::Imported)
        };
        Self::prepare_in(manifest, &root, source, progress)
    }

    /// The same with the lake itself.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare).
    pub(crate) fn prepare_in(
        manifest: &Manifest,
        root: &Path,
        source: Source,
        progress: &dyn Progress,
    ) -> anyhow::Result<Self> {
        let inputs = manifest.inputs();
        let nowhere = PathBuf::new();
        let paths = Paths {
            data: root.to_owned(),
            results: nowhere.clone(),
            logs: nowhere,
        };
        let config = ResolvedConfig::from_identity(&inputs.config, &paths)?;
        let market = load_market(&config.system, root, source, progress)?;
        let mut changes = code_changes(inputs);
        changes.extend(data_changes(&inputs.data, &market.inputs));
        let present = inputs.config.get(KILL_FILE_PRESENT);
        let kill = present
            .and_then(|present| present.as_bool())
            .unwrap_or(false)
            .then_some(KILL_FILE);
        Ok(Self {
            config,
            market,
            changes,
            kill,
        })
    }

    /// Why the kill switch was on when the run began, if it was.
    pub(crate) fn kill(&self) -> Option<&'static str> {
        self.kill
    }

    /// Computes every row again.
    ///
    /// # Errors
    /// When the run fails.
    pub(crate) fn run(&self, progress: &dyn Progress) -> anyhow::Result<Replayed> {
        let computed = compute_all(&self.config, &self.market, self.kill, progress)?;
        let manifest = manifest(&self.config, &self.market, self.kill, &computed.outcome);
        Ok(Replayed { computed, manifest })
    }
}

fn code_changes(inputs: &RunInputs) -> Vec<Change> {
    let pairs = [
        ("code version", &inputs.code.version, env!("CARGO_PKG_VERSION")),
        ("code digest", &inputs.code.digest, env!("SEXTANT_CODE_DIGEST")),
    ];
    let changed = pairs.into_iter().filter(|(_, then, now)| *then != *now);
    changed
        .map(|(what, then, now)| Change {
            what: what.to_owned(),
            then: then.clone(),
            now: now.to_owned(),
        })
        .collect()
}

/// Series that are not what they were, that are gone, and that are new, by name.
pub(crate) fn data_changes(then: &[DataInput], now: &[DataInput]) -> Vec<Change> {
    let is_same = |left: &DataInput, right: &DataInput| {
        (&left.symbol, &left.timeframe, &left.class) == (&right.symbol, &right.timeframe, &right.class)
    };
    let mut changes = Vec::new();
    for one in then {
        // A series that serves twice stands there twice, with the use in its source.
        let equal = now.iter().find(|other| *other == one);
        match equal.or_else(|| now.iter().find(|other| is_same(one, other))) {
            Some(other) if other == one => {}
            Some(other) => changes.push(series_change(one, Some(one), Some(other))),
            None => changes.push(series_change(one, Some(one), None)),
        }
    }
    let is_new = |other: &&DataInput| !then.iter().any(|one| is_same(one, other));
    changes.extend(
        now.iter()
            .filter(is_new)
            .map(|other| series_change(other, None, Some(other))),
    );
    changes
}

fn series_change(name: &DataInput, then: Option<&DataInput>, now: Option<&DataInput>) -> Change {
    let bars_differ = then.map(|one| &one.digest) != now.map(|one| &one.digest);
    let describe = |one: Option<&DataInput>| match one {
        None => "not there".to_owned(),
        Some(one) if bars_differ => format!("digest {}", one.digest),
        Some(one) if one.synthetic => format!("synthetic, {}", one.source),
        Some(one) => one.source.clone(),
    };
    Change {
        what: format!("data {} {} ({})", name.symbol, name.timeframe, name.class),
        then: describe(then),
        now: describe(now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(symbol: &str, digest: &str) -> DataInput {
        DataInput {
            symbol: symbol.to_owned(),
            timeframe: "1D".to_owned(),
            class: "equity".to_owned(),
            digest: digest.to_owned(),
            source: "a file".to_owned(),
            synthetic: false,
        }
    }

    #[test]
    fn changed_series_are_named() {
        let then = [
            series("SPY", "1"),
            series("QQQ", "2"),
            series("IWM", "3"),
            series("GLD", "4"),
        ];
        let mut moved = series("GLD", "4");
        moved.source = "another file".to_owned();
        let now = [series("SPY", "1"), series("QQQ", "x"), moved, series("TLT", "5")];
        let found: Vec<_> = data_changes(&then, &now)
            .into_iter()
            .map(|change| (change.what, change.then, change.now))
            .collect();
        let line = |what: &str, then: &str, now: &str| {
            (
                format!("data {what} 1D (equity)"),
                then.to_owned(),
                now.to_owned(),
            )
        };
        assert_eq!(
            found,
            [
                line("QQQ", "digest 2", "digest x"),
                line("IWM", "digest 3", "not there"),
                line("GLD", "a file", "another file"),
                line("TLT", "not there", "digest 5"),
            ]
        );
        assert_eq!(data_changes(&then, &then), []);
    }
}
