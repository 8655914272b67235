//! Every file of the list of real files: what the list says is wrong with its bars is found by a named rule, as often as
//! it says, and nothing else is an error.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use sextant_data::{
    BadRows, ImportRequest, Rule, Severity, Silent, StampConvention, ValidationReport, validate_csv_rows,
};
use sextant_domain::{AssetClass, Timeframe, UtcNanos};

use crate::support::{TestLake, market_data, real};

/// Files that are no bars on a grid that the lake has, by the begin of their names.
const NO_BARS: &[(&str, &str)] = &[
    (
        "corporate_actions/",
        "factors, tickers, universes and opening hours",
    ),
    ("crypto/btcusd_1mo_", "months are no timeframe of the lake"),
    (
        "crypto/xrpusdt_perp_funding_8h_",
        "funding rates, one every eight hours",
    ),
    (
        "equities/indices_daily/eurostoxx50_future_1m_",
        "stamps of Frankfurt's clock, written as if they were UTC",
    ),
    (
        "equities/indices_daily/sp500_1w_",
        "weeks are no timeframe of the lake",
    ),
    ("equities/panels/", "closes of several names side by side"),
    ("macro/brent_", "a series of values, not bars"),
    ("macro/fama_", "a series of values, not bars"),
    ("macro/fed_", "a series of values, not bars"),
    ("macro/moody_", "a series of values, not bars"),
    ("macro/sp500_shiller_", "a series of values, not bars"),
    ("macro/spy_total_return_", "a series of values, not bars"),
    ("macro/us_10y_", "a series of values, not bars"),
    ("macro/us_treasury_", "a series of values, not bars"),
    ("macro/wti_", "a series of values, not bars"),
    ("orderbook/", "trades, quotes and books"),
];

/// Where the rules find another number than the list, and why that is right.
const EXCEPTIONS: &[(&str, Rule, u64, &str)] = &[
    (
        "djia31_daily/dis_",
        Rule::ZeroVolume,
        0,
        "its row of volume 0 has no prices, and is refused for that",
    ),
    (
        "djia31_daily/ge_",
        Rule::Holes,
        1,
        "three rows in a row slip, and are refused: they leave a hole",
    ),
    (
        "djia31_daily/hd_",
        Rule::SuspiciousWicks,
        0,
        "its low of 0 is no price, and is refused for that",
    ),
    (
        "indices_daily/spx_1d_1950_2012_",
        Rule::CalendarRange,
        5_000,
        "the calendar begins in 1970",
    ),
    (
        "indices_daily/eurostoxx50_1d_2006_",
        Rule::NotASession,
        7,
        "Frankfurt trades on holidays of New York",
    ),
    (
        "indices_daily/eurostoxx50_1d_2006_",
        Rule::ZeroVolume,
        248,
        "an index has no volume; the list leaves that out",
    ),
    (
        "indices_daily/eurostoxx50_1d_2005_2006_",
        Rule::NotASession,
        13,
        "Frankfurt trades on holidays of New York",
    ),
    (
        "indices_daily/eurostoxx50_1d_2005_2006_",
        Rule::ZeroVolume,
        499,
        "an index has no volume; the list leaves that out",
    ),
    (
        "macro/vix_1d_",
        Rule::NotASession,
        33,
        "values of days on which shares did not trade",
    ),
    (
        "macro/vix_1d_",
        Rule::ZeroVolume,
        9_155,
        "an index has no volume; the list leaves that out",
    ),
    (
        "crypto/btcusd_1h_coinbase_2017_2019.",
        Rule::Gaps,
        5,
        "the rows that go back in time are refused, and missing",
    ),
    (
        "crypto/btcusd_1d_index_",
        Rule::SuspectedReuse,
        1,
        "54 days without a price in 2010, and half the price after",
    ),
    (
        "crypto/btcusd_1m_coinbase_",
        Rule::SuspectedReuse,
        3,
        "chosen days, months apart",
    ),
    (
        "us_minute_raw_lean/spy_1m.",
        Rule::SuspectedReuse,
        1,
        "chosen days, years apart",
    ),
];

/// One file of the list.
struct Listed {
    file: String,
    timeframe: String,
    violations: String,
}

fn listed() -> Option<Vec<Listed>> {
    let text = std::fs::read_to_string(market_data()?.join("manifest.json")).unwrap();
    let entries: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_str(&text).unwrap();
    let text =
        |entry: &BTreeMap<String, serde_json::Value>, name: &str| entry[name].as_str().unwrap().to_owned();
    let listed = entries.iter().map(|entry| Listed {
        file: text(entry, "file"),
        timeframe: text(entry, "tf"),
        violations: text(entry, "viol"),
    });
    Some(listed.collect())
}

impl Listed {
    /// The folder that the file lies in.
    fn folder(&self) -> &str {
        self.file.rsplit('/').nth(1).unwrap()
    }

    fn class(&self) -> AssetClass {
        match self.file.split_once('/').unwrap().0 {
            "crypto" => AssetClass::Crypto,
            "fx" => AssetClass::Fx,
            _ => AssetClass::Equity,
        }
    }

    fn timeframe(&self) -> Timeframe {
        match self.timeframe.as_str() {
            "1m" => Timeframe::M1,
            "5m" => Timeframe::M5,
            "1h" => Timeframe::H1,
            "4h" => Timeframe::H4,
            "1d" => Timeframe::D1,
            other => panic!("{}: {other}", self.file),
        }
    }

    fn request(&self) -> ImportRequest {
        let request = real(&self.file, self.class(), "X", self.timeframe()).unwrap();
        let bar_end = self.file.contains("_ninjatrader_");
        ImportRequest {
            stamp: bar_end.then_some(StampConvention::BarEnd),
            ..request
        }
    }

    /// What is wrong with the file: numbers by phrase, without the examples.
    fn phrases(&self) -> Vec<(u64, String)> {
        let mut text = String::new();
        let mut depth = 0;
        // `max(open,close)` is part of a phrase, `(e.g. ...)` is not.
        for (index, letter) in self.violations.char_indices() {
            let rest = &self.violations[index..];
            depth += i32::from(rest.starts_with("(e.g.") || (depth > 0 && letter == '('));
            if depth == 0 {
                text.push(letter);
            }
            depth -= i32::from(depth > 0 && letter == ')');
        }
        let phrases = text.split(';').map(str::trim).filter(|phrase| *phrase != "none");
        let counted = phrases.filter(|phrase| !phrase.starts_with("max gap"));
        counted
            .map(|phrase| {
                let (count, what) = phrase.split_once(' ').unwrap();
                (count.parse().unwrap(), what.to_owned())
            })
            .collect()
    }
}

/// Rows read without the help of the crate; a cell without a number is `None`.
struct Raw {
    stamps: Vec<UtcNanos>,
    prices: Vec<[Option<f64>; 4]>,
}

impl Raw {
    fn read(path: &Path) -> Self {
        let mut text = String::new();
        let file = std::fs::File::open(path).unwrap();
        flate2::read::MultiGzDecoder::new(file)
            .read_to_string(&mut text)
            .unwrap();
        let mut raw = Self {
            stamps: Vec::new(),
            prices: Vec::new(),
        };
        for line in text.lines().skip(1) {
            let mut fields = line.split(',');
            raw.stamps.push(fields.next().unwrap().parse().unwrap());
            raw.prices
                .push([(); 4].map(|()| fields.next().unwrap().parse().ok()));
        }
        raw
    }

    /// How many rows have a high below open or close, a low above one of them, and both.
    fn slips(&self) -> [u64; 3] {
        let mut slips = [0; 3];
        for prices in &self.prices {
            let [Some(open), Some(high), Some(low), Some(close)] = *prices else {
                continue;
            };
            let [below, above] = [high < open.max(close), low > open.min(close)];
            slips[0] += u64::from(below);
            slips[1] += u64::from(above);
            slips[2] += u64::from(below && above);
        }
        slips
    }

    /// How many steps between stamps are not one bar, and how many bars are missing in a market that never closes.
    fn steps(&self, timeframe: Timeframe) -> [u64; 2] {
        let mut stamps = self.stamps.clone();
        stamps.sort();
        stamps.dedup();
        let bars = stamps
            .windows(2)
            .map(|pair| ((pair[1].nanos() - pair[0].nanos()) / timeframe.nanos()) as u64);
        let other = bars.clone().filter(|bars| *bars != 1).count() as u64;
        [other, bars.map(|bars| bars - 1).sum()]
    }
}

/// How often each rule should be broken by the words of the list.
fn expected(listed: &Listed, raw: &Raw) -> BTreeMap<Rule, u64> {
    let mut expected: BTreeMap<Rule, u64> = BTreeMap::new();
    let mut slips = [0; 2];
    for (count, what) in listed.phrases() {
        let rule = match what.as_str() {
            "gaps >5 calendar days" | "gaps >4 d" => Rule::Holes,
            "close-to-close moves >40%" => Rule::Spikes,
            "suspicious wicks low<0.7*min(o,c) or high>1.4*max(o,c)" => Rule::SuspiciousWicks,
            "rows volume=0" => Rule::ZeroVolume,
            "rows with missing O/H/L/C" => Rule::Syntax,
            "rows with price<=0" => Rule::NonPositive,
            "duplicate timestamps" => Rule::Duplicates,
            "non-increasing steps" => Rule::Monotonic,
            "rows high<max(open,close)" => {
                slips[0] = count;
                continue;
            }
            "rows low>min(open,close)" => {
                slips[1] = count;
                continue;
            }
            steps if steps.starts_with("of ") => {
                // Nights and weekends are steps as well: only a market that never closes has a bar missing for each.
                assert_eq!(count, raw.steps(listed.timeframe())[0], "{}", listed.file);
                continue;
            }
            other => panic!("{}: no rule for `{other}`", listed.file),
        };
        expected.insert(rule, count);
    }
    let [below, above, both] = raw.slips();
    assert_eq!(slips, [below, above], "{}", listed.file);
    expected.insert(Rule::OhlcConsistency, below + above - both);
    // A repeated stamp is a step that does not increase, too.
    let repeated = expected.get(&Rule::Duplicates).copied().unwrap_or(0);
    expected
        .entry(Rule::Monotonic)
        .and_modify(|steps| *steps -= repeated);
    if listed.class() == AssetClass::Crypto {
        expected.insert(Rule::Gaps, raw.steps(listed.timeframe())[1]);
    }
    expected
}

/// How often each rule is broken, in the words of the list.
fn found(report: &ValidationReport, rule: Rule) -> u64 {
    match rule {
        Rule::Duplicates => report.count(rule) + report.count(Rule::IdenticalDuplicates),
        _ => report.count(rule),
    }
}

/// Whether the list says anything on a rule for a file.
fn is_listed(rule: Rule, listed: &Listed) -> bool {
    match rule {
        // Counted with the duplicates; and what a calendar says of stamps, which the list does not ask.
        Rule::IdenticalDuplicates | Rule::OutsideSession | Rule::LateRows => false,
        Rule::Gaps => listed.class() == AssetClass::Crypto,
        // Named in the list's summary; see the tests of reused tickers, which also know the histories.
        Rule::SuspectedReuse => !["us_daily_raw_lean", "us_hourly_raw_lean"].contains(&listed.folder()),
        Rule::Spikes => listed.timeframe() == Timeframe::D1,
        _ => true,
    }
}

#[test]
fn what_the_list_says_of_each_bar_file_is_what_the_rules_find() {
    let Some(files) = listed() else { return };
    assert_eq!(files.len(), 258);
    let mut problems = Vec::new();
    let mut used = vec![false; NO_BARS.len() + EXCEPTIONS.len()];
    let mut looked_at = 0;
    for listed in &files {
        let no_bars = NO_BARS.iter().position(|(name, _)| listed.file.starts_with(name));
        if let Some(place) = no_bars {
            used[place] = true;
            continue;
        }
        looked_at += 1;
        let request = listed.request();
        let report = validate_csv_rows(&request, &Silent).unwrap();
        let expected = expected(listed, &Raw::read(&request.path));
        for rule in Rule::ALL.iter().copied().filter(|rule| is_listed(*rule, listed)) {
            let exception = EXCEPTIONS
                .iter()
                .position(|(file, excepted, ..)| listed.file.contains(file) && *excepted == rule);
            let listed_count = expected.get(&rule).copied().unwrap_or(0);
            let wanted = exception.map_or(listed_count, |place| EXCEPTIONS[place].2);
            if let Some(place) = exception {
                used[NO_BARS.len() + place] = true;
                let (.., why) = EXCEPTIONS[place];
                assert_ne!(
                    wanted, listed_count,
                    "{} {rule}: no exception ({why})",
                    listed.file
                );
            }
            let count = found(&report, rule);
            if count != wanted {
                let finding = report.findings.iter().find(|finding| finding.rule == rule);
                let shown: Vec<String> = finding
                    .iter()
                    .flat_map(|f| &f.examples)
                    .take(3)
                    .map(ToString::to_string)
                    .collect();
                problems.push(format!(
                    "{} {rule}: {count} instead of {wanted} {shown:?}",
                    listed.file
                ));
            }
        }
        let clean = listed.phrases().is_empty();
        let excepted = EXCEPTIONS
            .iter()
            .any(|(file, rule, ..)| listed.file.contains(file) && rule.severity() == Severity::Error);
        if clean && !excepted && report.has_errors() {
            problems.push(format!("{}: called clean, {:?}", listed.file, report.findings));
        }
    }
    assert!(
        problems.is_empty(),
        "{} of {looked_at}:\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert_eq!(looked_at, 216);
    assert!(used.iter().all(|used| *used), "{used:?}");
}

#[test]
fn setting_bad_rows_aside_keeps_the_rest() {
    let Some(request) = real(
        "crypto/ethusdt_1h_binance_2017_2021.csv.gz",
        AssetClass::Crypto,
        "ETH-USDT",
        Timeframe::H1,
    ) else {
        return;
    };
    let lake = TestLake::new();
    assert!(lake.import(&request).is_err());
    let report = lake
        .import(&ImportRequest {
            bad_rows: BadRows::Quarantine,
            ..request
        })
        .unwrap();
    assert_eq!((report.rows_read, report.bars), (34_243, 31_594));
    let quarantined: u64 = report.quarantined.iter().map(|(_, count)| count).sum();
    assert_eq!(quarantined + report.identical_duplicates, 2_649);
    let text = std::fs::read_to_string(report.quarantine.unwrap()).unwrap();
    assert_eq!(text.lines().count() as u64, 1 + quarantined);
}
