//! Macro tables.

use anyhow::Context;
use sextant_data::Lake;
use sextant_data::update::{Existing, MacroUpdateReport, MacroUpdateRequest, Outcome, update_macro};
use sextant_domain::UtcNanos;
use sextant_providers::{MACRO_PROVIDERS, MacroProviderInfo, ProviderSettings, macro_provider};

use super::super::select::{listed, short};
use super::Done;
use super::download::existing;
use crate::args::{DownloadArgs, UpdateArgs};
use crate::progress::Bars;

/// Downloads tables; all there are when none is named.
pub(super) fn download(
    args: &DownloadArgs,
    tables: &[String],
    settings: &ProviderSettings,
    done: &mut Done,
) -> anyhow::Result<()> {
    let lake = Lake::new(&args.root.data);
    let request = MacroUpdateRequest {
        from: args.start,
        existing: existing(args),
    };
    for info in named(tables, args.provider.provider.as_deref())? {
        fetch(&lake, (info, settings), &request, done);
    }
    Ok(())
}

/// Updates tables; all that were downloaded when none is named.
pub(super) fn update(
    args: &UpdateArgs,
    tables: &[String],
    settings: &ProviderSettings,
    done: &mut Done,
) -> anyhow::Result<()> {
    let lake = Lake::new(&args.root.data);
    for info in named(tables, args.provider.provider.as_deref())? {
        let request = MacroUpdateRequest {
            from: settings.now.date(),
            existing: Existing::Keep,
        };
        let stored = match lake.load_macro_table(info.table) {
            Ok(stored) => stored,
            Err(error) => {
                done.failure(info.table, error);
                continue;
            }
        };
        let source = stored.map(|(_, meta)| meta.source);
        let downloaded = source
            .as_ref()
            .is_some_and(|source| source.starts_with(&format!("{}: ", info.name)));
        match (downloaded, tables.is_empty(), source) {
            (true, ..) => fetch(&lake, (info, settings), &request, done),
            (false, true, None) => {}
            (false, true, Some(_)) => done.note(info.table, "not downloaded, and left as it is"),
            (false, false, source) => done.failure(info.table, missing(info, source)),
        }
    }
    Ok(())
}

/// The providers of tables, those of all when none is named.
fn named(tables: &[String], provider: Option<&str>) -> anyhow::Result<Vec<&'static MacroProviderInfo>> {
    let of_provider = |info: &&MacroProviderInfo| provider.is_none_or(|name| info.name == name);
    let offered: Vec<&MacroProviderInfo> = MACRO_PROVIDERS.iter().filter(of_provider).collect();
    if tables.is_empty() {
        return Ok(offered);
    }
    let find = |table: &String| {
        let found = offered.iter().find(|info| info.table == table).copied();
        found.with_context(|| {
            let known = MACRO_PROVIDERS.map(|info| format!("{} ({})", info.table, info.name));
            let by = provider.map_or(String::new(), |name| format!(" of {name}"));
            format!(
                "there is no macro table `{table}`{by}; there is {}",
                listed(&known)
            )
        })
    };
    tables.iter().map(find).collect()
}

fn fetch(
    lake: &Lake,
    (info, settings): (&MacroProviderInfo, &ProviderSettings),
    request: &MacroUpdateRequest,
    done: &mut Done,
) {
    let bars = Bars::new();
    let fetched = macro_provider(info.name, settings)
        .map_err(anyhow::Error::from)
        .and_then(|provider| {
            Ok(update_macro(
                lake,
                provider.as_ref(),
                request,
                settings.now,
                &bars,
            )?)
        });
    bars.finish();
    match fetched {
        Ok(report) => add(&report, done),
        Err(error) => done.failure(info.table, format!("{error:#}")),
    }
}

fn add(report: &MacroUpdateReport, done: &mut Done) {
    let date = |time: UtcNanos| time.date().to_string();
    done.rows.push(vec![
        format!("{} (macro)", report.name),
        report.rows.to_string(),
        format!("{} to {}", report.asked.0, report.asked.1),
        report.added.to_string(),
        report.changed.to_string(),
        report.unpublished.to_string(),
        date(report.first),
        date(report.last),
        short(&report.digest),
    ]);
    if report.outcome == Outcome::Unchanged {
        done.note(&report.name, "nothing new, the file is as it was");
    }
}

fn missing(info: &MacroProviderInfo, source: Option<String>) -> String {
    let command = format!("cargo xtask data download --macro {} --start <date>", info.table);
    match source {
        None => format!("it is not in the lake, so there is nothing to update. To get it: {command}"),
        Some(source) => format!(
            "it is of another source (`{source}`). To put a download in its place: {command} --replace"
        ),
    }
}
