//! Partitioned series: equal to single files in all but the layout, and never a mix of two.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::SystemTime;

use sextant_domain::Bar;

use super::*;

const HOUR: i64 = 3_600_000_000_000;

fn key() -> BarKey {
    BarKey::new(AssetClass::Crypto, "BTC-USD", Timeframe::M30).unwrap()
}

fn provenance(source: &str) -> Provenance {
    Provenance {
        source: source.to_owned(),
        synthetic: false,
    }
}

fn lake() -> (tempfile::TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::new(folder.path().join("data"));
    (folder, lake)
}

fn time(text: &str) -> UtcNanos {
    text.parse().unwrap()
}

/// Half hours from one date to another.
fn bars(from: &str, to: &str, scale: f64) -> BarSeries {
    let (from, to) = (time(from), time(to));
    let count = (to.nanos() - from.nanos()) / Timeframe::M30.nanos();
    let bar = |n: i64| {
        let close = scale * (100.0 + (n % 7) as f64);
        Bar {
            open_time: from.saturating_add(n * Timeframe::M30.nanos()),
            close_time: from.saturating_add((n + 1) * Timeframe::M30.nanos()),
            open: close * 0.999,
            high: close * 1.01,
            low: close * 0.99,
            close,
            volume: (n % 13) as f64,
        }
    };
    BarSeries::from_bars((0..count).map(bar)).unwrap()
}

fn raw(bars: &BarSeries) -> RawBars {
    RawBars {
        bars: bars.clone(),
        adjustment_factor: (0..bars.len()).map(|n| 1.0 / (1.0 + (n % 3) as f64)).collect(),
        adjustment: "by thirds".to_owned(),
    }
}

fn write(lake: &Lake, bars: &BarSeries) -> BarMeta {
    lake.write_bars(&key(), bars, None, &provenance("a test"))
        .unwrap()
}

fn load(lake: &Lake) -> Result<StoredBars, DataError> {
    lake.load_bars(AssetClass::Crypto, "BTC-USD", Timeframe::M30)
}

/// The partitions there are, with their bytes and the time of their last change.
fn partitions(lake: &Lake) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, (Vec<u8>, SystemTime)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "parquet") {
                let changed = fs::metadata(&path).unwrap().modified().unwrap();
                found.insert(path.clone(), (fs::read(&path).unwrap(), changed));
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(&lake.root().join(key().symbol_folder()), &mut found);
    found
}

fn set_damage(path: &Path, position: usize, bit: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[position] ^= 1 << bit;
    fs::write(path, bytes).unwrap();
}

#[test]
fn fine_bars_lie_in_months_and_come_back_bit_for_bit() {
    let (_folder, lake) = lake();
    let series = bars("2019-11-20", "2020-02-03", 1.0);
    let traded = raw(&series);
    let meta = lake
        .write_bars(&key(), &series, Some(&traded), &provenance("a test"))
        .unwrap();
    assert_eq!(
        lake.bars_path(&key()),
        lake.root().join("crypto/BTC-USD/30M.json")
    );
    let folder = lake.root().join("crypto/BTC-USD");
    let months: Vec<_> = partitions(&lake)
        .into_keys()
        .map(|path| path.parent().unwrap().strip_prefix(&folder).unwrap().to_owned())
        .collect();
    assert_eq!(
        months,
        ["2019/11", "2019/12", "2020/01", "2020/02"].map(PathBuf::from)
    );
    let stored = load(&lake).unwrap();
    assert_eq!(
        (&stored.bars, &stored.raw, &stored.meta),
        (&series, &Some(traded), &meta)
    );

    // Without the adjustment every partition is another one.
    let meta = write(&lake, &series);
    let stored = load(&lake).unwrap();
    assert_eq!((stored.bars, stored.raw, stored.meta), (series, None, meta));
    assert_eq!(partitions(&lake).len(), 4);
}

#[test]
fn the_digest_does_not_depend_on_the_layout() {
    let (_folder, lake) = lake();
    let series = bars("2019-12-30", "2020-01-03", 1.0);
    let single = lake.root().join(key().single_file());
    for raw in [None, Some(raw(&series))] {
        let prepared = bars::prepare(&single, &key(), (&series, raw.as_ref()), &provenance("x")).unwrap();
        let single_meta = bars::write(&single, prepared).unwrap();
        let partitioned = lake
            .write_bars(&key(), &series, raw.as_ref(), &provenance("x"))
            .unwrap();
        assert_eq!(partitioned, single_meta);
    }
}

#[test]
fn a_single_file_of_an_older_version_is_read_until_the_series_is_written() {
    let (_folder, lake) = lake();
    let series = bars("2019-12-30", "2020-01-03", 1.0);
    let single = lake.root().join(key().single_file());
    let prepared = bars::prepare(&single, &key(), (&series, None), &provenance("old")).unwrap();
    let old = bars::write(&single, prepared).unwrap();
    assert_eq!(load(&lake).unwrap().meta, old);
    assert_eq!(lake.bar_keys().unwrap(), [key()]);
    assert_eq!(lake.series_files(&key()).unwrap().files[0].path, single);
    let (from, to) = (time("2019-12-31"), time("2020-01-01"));
    let day = BarSeries::from_bars(series.iter().skip(48).take(48)).unwrap();
    assert_eq!(lake.load_bars_between(&key(), from, to).unwrap().bars, day);

    let new = write(&lake, &series);
    assert!(!single.exists());
    assert_eq!((new.digest, load(&lake).unwrap().bars), (old.digest, series));
}

#[test]
fn partitions_that_did_not_change_are_not_touched() {
    let (_folder, lake) = lake();
    write(&lake, &bars("2019-12-01", "2020-02-10", 1.0));
    let before = partitions(&lake);
    let index = fs::read(lake.bars_path(&key())).unwrap();

    // The same again, from elsewhere.
    let series = bars("2019-12-01", "2020-02-10", 1.0);
    lake.write_bars(&key(), &series, None, &provenance("elsewhere"))
        .unwrap();
    assert_eq!(partitions(&lake), before);
    assert_ne!(fs::read(lake.bars_path(&key())).unwrap(), index);

    // Some days more: only the last month is another file, and the old one of it is gone.
    write(&lake, &bars("2019-12-01", "2020-02-12", 1.0));
    let after = partitions(&lake);
    assert_eq!(after.len(), before.len());
    let kept = after
        .iter()
        .filter(|&(path, file)| before.get(path) == Some(file));
    assert_eq!(kept.count(), 2);

    // Fewer months: their folders go too.
    write(&lake, &bars("2019-12-01", "2019-12-12", 1.0));
    assert_eq!(partitions(&lake).len(), 1);
    assert!(!lake.root().join("crypto/BTC-USD/2020").exists());
}

#[test]
fn timeframes_and_symbols_do_not_disturb_each_other() {
    let (_folder, lake) = lake();
    let series = bars("2019-12-30", "2020-01-03", 1.0);
    let mut keys = Vec::new();
    for symbol in ["BTC-USD", "BTC", "con", "A_B", "BTC_30M.parquet", "BTC_30M"] {
        for timeframe in [Timeframe::M30, Timeframe::M15, Timeframe::H1] {
            let key = BarKey::new(AssetClass::Crypto, symbol, timeframe).unwrap();
            lake.write_bars(&key, &series, None, &provenance("x")).unwrap();
            keys.push(key);
        }
    }
    lake.write_bars(
        &keys[0],
        &bars("2019-12-30", "2020-01-03", 2.0),
        None,
        &provenance("x"),
    )
    .unwrap();
    keys.sort();
    let mut found = lake.bar_keys().unwrap();
    found.sort();
    assert_eq!(found, keys);
    let entries = lake.list().unwrap();
    assert_eq!(entries.len(), keys.len());
    assert!(entries.iter().all(|entry| entry.content.is_ok()), "{entries:?}");
    for key in &keys {
        assert_eq!(lake.load(key).unwrap().bars.len(), series.len());
    }
}

#[test]
fn partitions_without_an_index_are_not_seen() {
    let (_folder, lake) = lake();
    let old = bars("2019-12-01", "2020-01-10", 1.0);
    write(&lake, &old);
    let old_files = partitions(&lake);
    let old_index = fs::read(lake.bars_path(&key())).unwrap();

    // As if the writer had been killed between its partitions and the index.
    let new = bars("2019-12-01", "2020-02-10", 2.0);
    write(&lake, &new);
    let new_files = partitions(&lake);
    for (path, (bytes, _)) in &old_files {
        replace(path, bytes).unwrap();
    }
    fs::write(lake.bars_path(&key()), &old_index).unwrap();
    assert_eq!(load(&lake).unwrap().bars, old);
    assert_eq!(lake.list().unwrap().len(), 1);

    // The first series of a key, killed likewise, is not there; and half a file is in nobody's way.
    let half = new_files
        .keys()
        .next()
        .unwrap()
        .with_file_name(".30M-0123.parquet.7.0.tmp");
    fs::write(&half, b"half").unwrap();
    fs::remove_file(lake.bars_path(&key())).unwrap();
    assert!(matches!(load(&lake), Err(DataError::Missing { .. })));
    assert!(lake.list().unwrap().is_empty());

    write(&lake, &new);
    assert_eq!(load(&lake).unwrap().bars, new);
    assert_eq!(
        partitions(&lake).into_keys().collect::<Vec<_>>(),
        new_files.into_keys().collect::<Vec<_>>()
    );
    assert!(!half.exists());
}

#[test]
fn a_reader_that_meets_a_vanished_partition_reads_the_new_index() {
    let (_folder, lake) = lake();
    let (old, new) = (
        bars("2019-12-01", "2020-01-10", 1.0),
        bars("2019-12-01", "2020-01-12", 2.0),
    );
    write(&lake, &old);
    let attempts = std::cell::Cell::new(0);
    let loaded = lake.with_index(&key(), |index| {
        attempts.set(attempts.get() + 1);
        if attempts.get() == 1 {
            // Between the index and the partitions somebody writes.
            write(&lake, &new);
        }
        let folder = lake.root().join(key().symbol_folder());
        lake.read_listed(&key(), &folder.join(index.partitions[0].relative_path(&key())))
    });
    assert!(loaded.is_ok());
    assert_eq!(attempts.get(), 2);

    let path = partitions(&lake).into_keys().next().unwrap();
    fs::remove_file(&path).unwrap();
    let message = load(&lake).unwrap_err().to_string();
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(message.contains("the index of its series lists it"), "{message}");
    assert!(message.contains("cargo xtask data import"), "{message}");
}

#[test]
fn only_the_partitions_of_the_span_are_read() {
    let (_folder, lake) = lake();
    let series = bars("2019-11-01", "2020-03-01", 1.0);
    lake.write_bars(&key(), &series, Some(&raw(&series)), &provenance("x"))
        .unwrap();
    let whole = load(&lake).unwrap();
    let january = (time("2020-01-01"), time("2020-02-01"));
    for (path, _) in partitions(&lake) {
        if !path.parent().unwrap().ends_with("2020/01") {
            fs::write(path, b"damaged").unwrap();
        }
    }
    let part = lake.load_bars_between(&key(), january.0, january.1).unwrap();
    assert_eq!(part, bars::cut(&whole, january.0, january.1));
    assert_eq!((part.bars.len(), part.meta.rows), (31 * 48, series.len()));
    let one_more = lake.load_bars_between(&key(), january.0, january.1.saturating_add(1));
    assert!(one_more.unwrap_err().to_string().contains("2020/02"));
    assert!(load(&lake).is_err());

    let never = lake
        .load_bars_between(&key(), time("2021-01-01"), time("2022-01-01"))
        .unwrap();
    assert!(never.bars.is_empty() && never.raw.unwrap().bars.is_empty());
}

#[test]
fn every_damage_is_found_and_named_and_the_next_write_repairs_it() {
    let (_folder, lake) = lake();
    let series = bars("2020-01-30", "2020-02-02", 1.0);
    write(&lake, &series);
    let mut files: Vec<_> = partitions(&lake).into_keys().collect();
    files.push(lake.bars_path(&key()));
    let refused = |path: &Path, what: &str| {
        let message = load(&lake).expect_err(what).to_string();
        assert!(message.contains(&path.display().to_string()), "{what}: {message}");
        assert!(
            message.contains("data import --from <CSV file> --symbol BTC-USD"),
            "{what}: {message}"
        );
    };
    for path in &files {
        let good = fs::read(path).unwrap();
        let is_index = path.extension().is_some_and(|ending| ending == "json");
        let step = if is_index { 1 } else { good.len() / 150 };
        for position in (0..good.len()).step_by(step) {
            set_damage(path, position, position % 8);
            refused(path, &format!("bit {} of byte {position}", position % 8));
            fs::write(path, &good[..position]).unwrap();
            refused(path, &format!("cut to {position}"));
            fs::write(path, &good).unwrap();
        }
        assert_eq!(load(&lake).unwrap().bars, series);
        set_damage(path, good.len() / 2, 3);
        let entries = lake.list().unwrap();
        assert!(
            entries.len() == 1 && entries[0].path == lake.bars_path(&key()),
            "{entries:?}"
        );
        assert!(entries[0].content.is_err());
        write(&lake, &series);
        assert_eq!(fs::read(path).unwrap(), good);
    }
}

#[test]
fn a_partition_in_the_place_of_another_is_refused() {
    let (_folder, lake) = lake();
    write(&lake, &bars("2020-01-30", "2020-02-02", 1.0));
    let files = partitions(&lake);
    let (first, second) = (files.keys().next().unwrap(), files.keys().nth(1).unwrap());
    fs::copy(second, first).unwrap();
    let message = load(&lake).unwrap_err().to_string();
    assert!(
        message.contains("it holds BTC-USD 30M (crypto) of 2020-02"),
        "{message}"
    );
    assert!(
        message.contains("its name says BTC-USD 30M (crypto) of 2020-01"),
        "{message}"
    );
    let files = lake.series_files(&key()).unwrap();
    assert!(lake.verify_file(&files, &files.files[0]).is_err());
    assert_eq!(
        lake.verify_file(&files, &files.files[1]).unwrap(),
        TimeGrain::Microseconds
    );
}

#[test]
fn times_finer_than_a_microsecond_are_told() {
    let (_folder, lake) = lake();
    let bar = |open: i64| Bar {
        open_time: UtcNanos::from_nanos(open),
        close_time: UtcNanos::from_nanos(open + HOUR),
        open: 1.0,
        high: 1.0,
        low: 1.0,
        close: 1.0,
        volume: 0.0,
    };
    write(&lake, &BarSeries::from_bars([bar(0), bar(HOUR + 1)]).unwrap());
    let files = lake.series_files(&key()).unwrap();
    assert_eq!(
        lake.verify_file(&files, &files.files[0]).unwrap(),
        TimeGrain::Nanoseconds
    );
}
