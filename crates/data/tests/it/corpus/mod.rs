//! A corpus of hostile inputs to everything that the crate reads. Each has an error of its own kind that says where it
//! was found, what was found and what is allowed; and what is odd but harmless has a defined result.

mod bars;
mod references;

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use sextant_data::qlib::{QlibError, QlibFolder};
use sextant_data::{
    ActionError, AdjustmentEngine, AdjustmentMode, Calendar, DataError, EventList, ImportRequest, Rule,
    resample, validate_bars,
};
use sextant_domain::{AssetClass, Bar, BarSeries, Timeframe, UtcNanos};

use crate::support::{TestLake, key};

const HEADER: &str = "timestamp,open,high,low,close,volume";
const EQUITY: AssetClass = AssetClass::Equity;
const CRYPTO: AssetClass = AssetClass::Crypto;
const D1: Timeframe = Timeframe::D1;

/// An error: its variant, or the rules that were broken, and its message.
#[derive(Debug)]
struct Refusal {
    kind: String,
    message: String,
}

/// An input, the kind of error it must give, and parts of the message.
struct Case {
    name: &'static str,
    input: Input,
    kind: &'static str,
    says: &'static [&'static str],
}

enum Input {
    /// The third row of a file of bars, after a header and a good row.
    Row(AssetClass, Timeframe, &'static [u8]),
    /// A whole file of bars.
    File(AssetClass, fn() -> Vec<u8>),
    /// A symbol, in a lake that has bars of `SPY`.
    Symbol(&'static str),
    /// A factor file of an equity with a bar of 2020-01-02.
    Factors(&'static str),
    /// A text for one of the readers of reference data.
    Text(fn(&str) -> Option<ActionError>, &'static str),
    /// A file of a Qlib folder, and what replaces it.
    Qlib(&'static str, &'static [u8]),
    /// A request written as JSON.
    Json(fn() -> String),
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The error of an input; `None` when it was accepted.
fn refused(input: &Input) -> Option<Refusal> {
    match input {
        Input::Row(class, timeframe, row) => {
            // The first of January 2020 is no session.
            let day = if *class == CRYPTO {
                "2020-01-01"
            } else {
                "2020-01-02"
            };
            let bytes = [format!("{HEADER}\n{day},2,3,1,2,10\n").as_bytes(), row, b"\n"].concat();
            import(*class, *timeframe, &bytes).map(of_data)
        }
        Input::File(class, bytes) => import(*class, D1, &bytes()).map(of_data),
        Input::Symbol(symbol) => import_as(symbol).map(of_data),
        Input::Factors(text) => import_with_factors(text).map(of_data),
        Input::Text(read, text) => read(text).map(|error| of_actions(&error)),
        Input::Qlib(file, bytes) => read_qlib(file, bytes).err().map(of_qlib),
        Input::Json(text) => {
            let error = serde_json::from_str::<ImportRequest>(&text()).err()?;
            let message = error.to_string();
            let kind = "json".to_owned();
            Some(Refusal { kind, message })
        }
    }
}

fn import(class: AssetClass, timeframe: Timeframe, bytes: &[u8]) -> Option<DataError> {
    let lake = TestLake::new();
    let path = lake.folder.path().join("in.csv");
    std::fs::write(&path, bytes).unwrap();
    lake.import(&ImportRequest::new(path, &key(class, "X", timeframe)))
        .err()
}

/// Imports good bars as `SPY`, and then under another symbol.
fn import_as(symbol: &str) -> Option<DataError> {
    let lake = TestLake::new();
    let path = lake.folder.path().join("in.csv");
    std::fs::write(&path, format!("{HEADER}\n2020-01-01,2,3,1,2,10\n")).unwrap();
    let request = ImportRequest::new(path, &key(CRYPTO, "SPY", D1));
    lake.import(&request).unwrap();
    let again = lake.import(&ImportRequest {
        symbol: symbol.to_owned(),
        ..request
    });
    assert_eq!(
        lake.lake.bar_keys().unwrap().len(),
        1 + usize::from(again.is_ok())
    );
    again.err()
}

fn import_with_factors(text: &str) -> Option<DataError> {
    let lake = TestLake::new();
    let [path, factors] = ["in.csv", "factors.csv"].map(|name| lake.folder.path().join(name));
    std::fs::write(&path, format!("{HEADER}\n2020-01-02,2,3,1,2,10\n")).unwrap();
    std::fs::write(&factors, text).unwrap();
    let request = ImportRequest {
        factors: Some(factors),
        ..ImportRequest::new(path, &key(EQUITY, "X", D1))
    };
    lake.import(&request).err()
}

/// Reads a folder of one symbol, in which one file was replaced.
fn read_qlib(file: &str, bytes: &[u8]) -> Result<(), QlibError> {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    put("calendars/day.txt", b"2020-01-02\n2020-01-03\n");
    put("instruments/all.txt", b"X\t2020-01-02\t2020-01-03\n");
    let fields = ["open", "high", "low", "close", "volume"];
    for field in fields {
        put(&format!("features/x/{field}.day.bin"), b"\0\0\0\0\0\0\x80\x3f");
    }
    put(file, bytes);
    let qlib = QlibFolder::open(folder.path())?;
    for frequency in qlib.frequencies() {
        for instrument in qlib.instruments(frequency)? {
            qlib.read_series(&instrument.symbol, frequency, &fields)?;
        }
    }
    Ok(())
}

fn of_data(error: DataError) -> Refusal {
    let kind = match &error {
        DataError::Actions(error) => return of_actions(error),
        DataError::Rows(refused) => {
            let rules: Vec<_> = refused.by_rule.iter().map(|(rule, _)| rule.name()).collect();
            rules.join(", ")
        }
        DataError::Header { .. } => "header".to_owned(),
        DataError::Line { .. } => "line".to_owned(),
        DataError::NothingToImport { .. } => "nothing".to_owned(),
        DataError::Symbol(_) => "symbol".to_owned(),
        DataError::Request { .. } => "request".to_owned(),
        other => panic!("{other:?}"),
    };
    let message = error.to_string();
    Refusal { kind, message }
}

fn of_actions(error: &ActionError) -> Refusal {
    let kind = match error {
        ActionError::Cell { .. } => "cell",
        ActionError::Empty { .. } => "empty",
        ActionError::NoFactor { .. } => "no factor",
        ActionError::Conflict { .. } => "conflict",
        other => panic!("{other:?}"),
    };
    let (kind, message) = (kind.to_owned(), error.to_string());
    Refusal { kind, message }
}

fn of_qlib(error: QlibError) -> Refusal {
    let kind = match &error {
        QlibError::Bin { .. } => "bin",
        QlibError::Line { .. } => "line",
        other => panic!("{other:?}"),
    };
    let (kind, message) = (kind.to_owned(), error.to_string());
    Refusal { kind, message }
}

#[test]
fn each_hostile_input_has_its_own_error() {
    let tables = [
        bars::ROWS,
        bars::FILES,
        references::SYMBOLS,
        references::REFERENCES,
    ];
    let cases: Vec<&Case> = tables.into_iter().flatten().collect();
    let mut names: Vec<_> = cases.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len());
    assert!(names.len() >= 40, "{}", names.len());
    let mut problems = Vec::new();
    for case in cases {
        let Some(Refusal { kind, message }) = refused(&case.input) else {
            problems.push(format!("{}: accepted", case.name));
            continue;
        };
        let says = case.says.iter().all(|part| message.contains(part));
        // No input, however long, makes a long message, or one that moves the cursor.
        let harmless =
            message.len() < 2_000 && !message.contains(|letter: char| letter.is_control() && letter != '\n');
        if kind != case.kind || !says || !harmless {
            problems.push(format!("{}: {kind}: {message}", case.name));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn odd_and_harmless_rows_have_defined_results() {
    for (name, class, rows, bars) in [
        ("one bar", CRYPTO, "2020-01-01,2,2,2,2,1", 1),
        ("a volume of zero", CRYPTO, "2020-01-01,2,2,2,2,0", 1),
        ("a volume of minus zero", CRYPTO, "2020-01-01,2,2,2,2,-0", 1),
        (
            "the smallest price",
            CRYPTO,
            "2020-01-01,5e-324,5e-324,5e-324,5e-324,1",
            1,
        ),
        (
            "the largest price",
            CRYPTO,
            "2020-01-01,1e308,1e308,1e308,1e308,1",
            1,
        ),
        (
            "years before 1970",
            CRYPTO,
            "1900-01-01,2,2,2,2,1\n1969-12-31,2,2,2,2,1",
            2,
        ),
        ("the last whole day", CRYPTO, "2262-04-10,2,2,2,2,1", 1),
        (
            "the days of both clock changes",
            CRYPTO,
            "2020-03-08,2,2,2,2,1\n2020-11-01,2,2,2,2,1",
            2,
        ),
        (
            "the Mondays after them",
            EQUITY,
            "2020-03-09,2,2,2,2,1\n2020-11-02,2,2,2,2,1",
            2,
        ),
    ] {
        let lake = TestLake::new();
        let path = lake.folder.path().join("in.csv");
        std::fs::write(&path, format!("{HEADER}\n{rows}\n")).unwrap();
        // `con` is a name that some systems reserve; as a part of a file's name it is none.
        let request = ImportRequest::new(path, &key(class, "con", D1));
        let report = lake
            .import(&request)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(report.bars, bars, "{name}");
        assert_eq!(lake.load(&key(class, "con", D1)).bars.len(), bars, "{name}");
    }
}

/// Days of a market that never closes, at one price.
fn constant(count: i64) -> BarSeries {
    let day = |n: i64| UtcNanos::from_nanos(n * D1.nanos());
    BarSeries::from_bars((0..count).map(|n| Bar {
        open_time: day(n),
        close_time: day(n + 1),
        open: 2.0,
        high: 2.0,
        low: 2.0,
        close: 2.0,
        volume: 1.0,
    }))
    .unwrap()
}

#[test]
fn no_bars_one_bar_and_constant_prices_have_defined_results() {
    for count in [0, 1, 2, 400] {
        let bars = constant(count);
        let report = validate_bars(bars.view(), CRYPTO, D1);
        assert_eq!((report.rows, report.findings.len()), (count as usize, 0));
        for rule in Rule::ALL {
            assert_eq!(report.count(*rule), 0);
        }
        let engine =
            AdjustmentEngine::from_events(EventList::new("none", []).unwrap(), Calendar::for_class(CRYPTO));
        let mode = AdjustmentMode::SplitsAndDividends;
        let adjusted = engine.adjusted(&bars, mode, chrono::NaiveDate::MAX).unwrap();
        assert_eq!(adjusted.bars, bars);
        assert_eq!(adjusted.adjustment_factor, vec![1.0; count as usize]);
        assert!(resample(&bars, CRYPTO, D1, Timeframe::H4).is_err());
        let hours = resample(&constant(0), CRYPTO, Timeframe::H1, D1).unwrap();
        assert_eq!((hours.bars.len(), hours.report.incomplete.len()), (0, 0));
    }
}
