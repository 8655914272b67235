//! A provider that follows a script, and lakes to fill from it.
#![allow(clippy::unwrap_used)]

mod downloads;
mod faults;
mod macros;
mod properties;
mod reach;
mod updates;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::SystemTime;

use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use super::*;
use crate::calendar::Calendar;
use crate::{
    BadRows, BarKey, BarProvider, BarRequest, FetchedBar, FetchedBars, Lake, Offer, Progress, ProviderError,
    Silent, StampConvention, StoredBars,
};

/// Rows by stamp, and what was asked.
#[derive(Debug)]
struct Scripted {
    name: &'static str,
    stamp: StampConvention,
    adjustment: String,
    revises_history: bool,
    settling_seconds: u32,
    /// The first stamp it still has.
    earliest: UtcNanos,
    rows: BTreeMap<UtcNanos, FetchedBar>,
    /// Sent whatever was asked for, after the rows.
    stray: Vec<FetchedBar>,
    calls: Mutex<Vec<(UtcNanos, UtcNanos)>>,
}

impl Scripted {
    /// Every bar of the calendar between two dates.
    fn new(key: &BarKey, from: &str, to: &str) -> Self {
        let stamp = match (key.class(), key.timeframe()) {
            (AssetClass::Equity, Timeframe::D1) => StampConvention::SessionDate,
            _ => StampConvention::BarOpen,
        };
        let calendar = Calendar::for_class(key.class());
        let slots = calendar.expected_bars(key.timeframe(), time(from), time(to));
        let rows = slots.into_iter().enumerate().map(|(index, slot)| {
            let stamp = match stamp {
                StampConvention::SessionDate => {
                    UtcNanos::from_date(calendar.date_of(slot.open_time)).unwrap()
                }
                _ => slot.open_time,
            };
            (stamp, row(stamp, 100.0 + (index % 17) as f64))
        });
        Self {
            name: "scripted",
            stamp,
            adjustment: "none: as traded".to_owned(),
            revises_history: false,
            settling_seconds: 0,
            earliest: UtcNanos::MIN,
            rows: rows.collect(),
            stray: Vec::new(),
            calls: Mutex::default(),
        }
    }

    fn without(mut self, from: &str, to: &str) -> Self {
        self.rows
            .retain(|stamp, _| *stamp < time(from) || *stamp >= time(to));
        self
    }

    /// Makes the row of a stamp another one.
    fn set_close(&mut self, stamp: &str, close: f64) {
        self.rows.insert(time(stamp), row(time(stamp), close));
    }

    /// What was asked since the last time.
    fn calls(&self) -> Vec<String> {
        let calls = std::mem::take(&mut *self.calls.lock().unwrap());
        calls
            .iter()
            .map(|(start, end)| format!("{start}/{end}"))
            .collect()
    }
}

impl BarProvider for Scripted {
    fn name(&self) -> &'static str {
        self.name
    }

    fn offer(&self, _class: AssetClass, _timeframe: Timeframe) -> Result<Offer, ProviderError> {
        Ok(Offer {
            stamp: self.stamp,
            adjustment: self.adjustment.clone(),
            revises_history: self.revises_history,
            settling_seconds: self.settling_seconds,
        })
    }

    fn fetch(&self, request: &BarRequest, _progress: &dyn Progress) -> Result<FetchedBars, ProviderError> {
        self.calls.lock().unwrap().push((request.start, request.end));
        if request.start < self.earliest {
            return Err(ProviderError::OutOfReach {
                provider: self.name,
                wanted: request.key.to_string(),
                earliest: self.earliest,
                help: "begin there".to_owned(),
            });
        }
        let rows = self.rows.range(request.start..request.end).map(|(_, row)| *row);
        let symbol = request.provider_symbol.as_deref().unwrap_or(request.key.symbol());
        Ok(FetchedBars {
            rows: rows.chain(self.stray.iter().copied()).collect(),
            source: format!("{}: {symbol}", self.name),
        })
    }
}

/// A lake that goes away, and the series in it.
struct Case {
    _folder: tempfile::TempDir,
    lake: Lake,
    key: BarKey,
}

impl Case {
    fn new(class: AssetClass, timeframe: Timeframe) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            lake: Lake::new(folder.path().join("data")),
            _folder: folder,
            key: BarKey::new(class, "X", timeframe).unwrap(),
        }
    }

    fn request(&self, start: &str, end: Option<&str>) -> DownloadRequest {
        DownloadRequest {
            key: self.key.clone(),
            provider_symbol: None,
            start: time(start),
            end: end.map(time),
            bad_rows: BadRows::Refuse,
            existing: Existing::Keep,
        }
    }

    fn download(
        &self,
        provider: &Scripted,
        (start, end): (&str, Option<&str>),
        now: &str,
    ) -> Result<UpdateReport, UpdateError> {
        download(
            &self.lake,
            provider,
            &self.request(start, end),
            time(now),
            &Silent,
        )
    }

    fn update(&self, provider: &Scripted, now: &str) -> Result<UpdateReport, UpdateError> {
        self.update_with(provider, now, BadRows::Refuse)
    }

    fn update_with(
        &self,
        provider: &Scripted,
        now: &str,
        bad_rows: BadRows,
    ) -> Result<UpdateReport, UpdateError> {
        let request = UpdateRequest {
            key: self.key.clone(),
            provider_symbol: None,
            bad_rows,
        };
        update(&self.lake, provider, &request, time(now), &Silent)
    }

    fn stored(&self) -> StoredBars {
        self.lake
            .load_bars(self.key.class(), self.key.symbol(), self.key.timeframe())
            .unwrap()
    }

    /// The digest of a download of everything into another lake.
    fn digest_of_all(&self, provider: &Scripted, start: &str, now: &str) -> String {
        let other = Case::new(self.key.class(), self.key.timeframe());
        let digest = other.download(provider, (start, None), now).unwrap().digest;
        provider.calls();
        digest
    }

    /// Every file of the lake with its bytes and its time.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
        let mut files = Vec::new();
        let mut folders = vec![self.lake.root().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let modified = path.metadata().unwrap().modified().unwrap();
                    files.push((path.clone(), std::fs::read(&path).unwrap(), modified));
                }
            }
        }
        files.sort();
        files
    }

    fn names(&self) -> Vec<String> {
        let files = self.files();
        files
            .iter()
            .map(|(path, ..)| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    }
}

fn time(text: &str) -> UtcNanos {
    text.parse().unwrap()
}

fn row(stamp: UtcNanos, close: f64) -> FetchedBar {
    FetchedBar {
        stamp,
        open: close - 0.25,
        high: close + 1.0,
        low: close - 1.0,
        close,
        volume: 1_000.0 + close,
    }
}
