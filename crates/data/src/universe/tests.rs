//! Members by hand, and of the real snapshots.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::*;
use crate::actions::tests::{date, market_data, real_mapper, real_text, security};

const EQUITY: AssetClass = AssetClass::Equity;
const CRYPTO: AssetClass = AssetClass::Crypto;
const HEADER: &str = "date,security_id,symbol,close,volume,dollar_volume\n";

fn coarse(rows: &str) -> CoarseUniverse {
    CoarseUniverse::read("coarse.csv", format!("{HEADER}{rows}").as_bytes()).unwrap()
}

fn tickers(members: &[Member]) -> Vec<&str> {
    members.iter().map(|member| member.ticker.as_str()).collect()
}

fn listings() -> UniverseBuilder {
    let securities = [
        security("WM.1", &[("WM", "1998-12-09", "2008-09-26")]),
        security(
            "WM",
            &[("WMI", "1998-07-17", "2009-08-04"), ("WM", "2009-08-05", "*")],
        ),
        security("FB", &[("FB", "2012-05-18", "*")]),
        security("OLD", &[("OLD", "*", "2001-01-31")]),
    ];
    let mapper = TickerMapper::new(EQUITY, securities.to_vec()).unwrap();
    UniverseBuilder::new().with_listings(&mapper).unwrap()
}

#[test]
fn listed_names_are_members_whatever_became_of_them() {
    for (on, expected) in [
        ("1990-01-02", vec!["OLD OLD"]),
        ("2001-01-31", vec!["OLD OLD", "WM WM.1", "WMI WM"]),
        ("2001-02-01", vec!["WM WM.1", "WMI WM"]),
        ("2008-09-27", vec!["WMI WM"]),
        ("2009-08-05", vec!["WM WM"]),
        ("2012-05-18", vec!["FB FB", "WM WM"]),
    ] {
        let members = listings().universe(date(on), EQUITY).unwrap();
        let found: Vec<_> = members
            .iter()
            .map(|member| format!("{} {}", member.ticker, member.security))
            .collect();
        assert_eq!(found, expected, "{on}");
        assert!(
            members
                .iter()
                .all(|member| member.known_on == date(on) && member.liquidity.is_none())
        );
    }
    let left = listings()
        .delistings(EQUITY, date("2001-01-31"), date("2008-09-26"))
        .unwrap();
    let left: Vec<_> = left
        .iter()
        .map(|gone| format!("{} {} {}", gone.last, gone.security, gone.ticker))
        .collect();
    assert_eq!(left, ["2001-01-31 OLD OLD", "2008-09-26 WM.1 WM"]);
    assert_eq!(
        listings()
            .delistings(EQUITY, date("2001-02-01"), date("2008-09-25"))
            .unwrap(),
        []
    );
}

/// Two days: A leaves, D comes; B and C have the same dollar volume.
const ROWS: &str = "2020-01-03,ID B,B,20,5,100\n2020-01-02,ID A,A,10,50,500\n2020-01-03,ID D,D,1,900,900\n\
                    2020-01-03,ID C,C,5,20,100\n2020-01-02,ID B,B,19,5,95\n";

#[test]
fn the_newest_snapshot_at_the_day_or_before_counts() {
    let builder = UniverseBuilder::new()
        .with_coarse(EQUITY, coarse(ROWS), 3)
        .unwrap();
    let members = |on| builder.universe(date(on), EQUITY);
    assert_eq!(tickers(&members("2020-01-02").unwrap()), ["A", "B"]);
    assert_eq!(tickers(&members("2020-01-03").unwrap()), ["B", "C", "D"]);
    let later = members("2020-01-06").unwrap();
    assert_eq!(
        (tickers(&later).len(), later[0].known_on),
        (3, date("2020-01-03"))
    );
    assert_eq!(
        later[0].liquidity,
        Some(Liquidity {
            close: 20.0,
            volume: 5.0,
            dollar_volume: 100.0
        })
    );
    assert_eq!(later[0].security.as_str(), "ID B");
    for (on, expected) in [
        (
            "2020-01-01",
            "nothing is known about equity on 2020-01-01; the first snapshot is of 2020-01-02",
        ),
        (
            "2020-01-07",
            "the newest snapshot of equity on 2020-01-07 is of 2020-01-03, 4 days before; allowed: at most 3",
        ),
    ] {
        assert_eq!(members(on).unwrap_err().to_string(), expected);
    }
}

#[test]
fn filters_choose_by_price_and_dollar_volume() {
    let builder = UniverseBuilder::new()
        .with_coarse(EQUITY, coarse(ROWS), 0)
        .unwrap();
    let all = UniverseFilter::default();
    for (filter, expected) in [
        (all, vec!["B", "C", "D"]),
        (
            UniverseFilter {
                min_price: Some(5.0),
                ..all
            },
            vec!["B", "C"],
        ),
        (
            UniverseFilter {
                min_dollar_volume: Some(100.5),
                ..all
            },
            vec!["D"],
        ),
        (
            UniverseFilter {
                top_by_dollar_volume: Some(1),
                ..all
            },
            vec!["D"],
        ),
        (
            UniverseFilter {
                top_by_dollar_volume: Some(2),
                ..all
            },
            vec!["B", "D"],
        ),
        (
            UniverseFilter {
                top_by_dollar_volume: Some(9),
                ..all
            },
            vec!["B", "C", "D"],
        ),
        (
            UniverseFilter {
                min_price: Some(2.0),
                top_by_dollar_volume: Some(1),
                ..all
            },
            vec!["B"],
        ),
        (
            UniverseFilter {
                min_price: Some(50.0),
                ..all
            },
            vec![],
        ),
    ] {
        let members = builder.filtered(date("2020-01-03"), EQUITY, &filter).unwrap();
        assert_eq!(tickers(&members), expected, "{filter:?}");
    }
    for (filter, expected) in [
        (
            UniverseFilter {
                min_price: Some(-1.0),
                ..all
            },
            "min_price: found `-1`; allowed: a finite number, zero or above",
        ),
        (
            UniverseFilter {
                min_dollar_volume: Some(f64::NAN),
                ..all
            },
            "min_dollar_volume: found `NaN`",
        ),
        (
            UniverseFilter {
                top_by_dollar_volume: Some(0),
                ..all
            },
            "top_by_dollar_volume: found `0`; allowed: 1 or more",
        ),
    ] {
        let message = builder
            .filtered(date("2020-01-03"), EQUITY, &filter)
            .unwrap_err()
            .to_string();
        assert!(message.contains(expected), "{message}");
    }
    let filter = UniverseFilter {
        min_price: Some(1.0),
        ..all
    };
    let message = listings()
        .filtered(date("2020-01-03"), EQUITY, &filter)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("min_price: Some(1.0)") && message.contains("neither prices nor volumes"),
        "{message}"
    );
}

#[test]
fn each_class_has_one_source() {
    let builder = listings().with_coarse(CRYPTO, coarse(ROWS), 3).unwrap();
    assert_eq!(
        tickers(&builder.universe(date("2020-01-02"), CRYPTO).unwrap()),
        ["A", "B"]
    );
    for (message, expected) in [
        (
            builder.universe(date("2020-01-02"), AssetClass::Fx).err(),
            "there is no universe for fx; there are: equity, crypto",
        ),
        (
            builder
                .delistings(CRYPTO, date("2020-01-02"), date("2020-01-03"))
                .err(),
            "there is no universe for crypto; there are: equity",
        ),
        (
            builder.clone().with_coarse(CRYPTO, coarse(ROWS), 3).err(),
            "there is a universe for crypto already",
        ),
    ] {
        assert!(
            message.as_ref().unwrap().to_string().starts_with(expected),
            "{message:?}"
        );
    }
}

#[test]
fn rows_that_cannot_all_be_right_are_told() {
    let rows = "2020-01-02,S1,A,1,1,1\n2020-01-02,S1,A,1,1,1\n2020-01-02,S1,B,2,2,4\n2020-01-02,S2,A,1,1,1\n2020-01-03,S1,B,2,2,4\n";
    let snapshots = coarse(rows);
    assert_eq!(snapshots.identical_duplicates(), 1);
    assert_eq!(
        snapshots.days().collect::<Vec<_>>(),
        [(date("2020-01-02"), 3), (date("2020-01-03"), 1)]
    );
    let id = |name| SecurityId::new(name).unwrap();
    assert_eq!(
        snapshots.ambiguities(),
        [
            Ambiguity::TwoSecurities {
                date: date("2020-01-02"),
                ticker: "A".to_owned(),
                securities: vec![id("S1"), id("S2")]
            },
            Ambiguity::TwoTickers {
                date: date("2020-01-02"),
                security: id("S1"),
                tickers: vec!["A".to_owned(), "B".to_owned()]
            },
        ]
    );
}

#[test]
fn bad_snapshots_name_row_column_and_value() {
    for (rows, expected) in [
        ("", "coarse.csv: it is empty; it must have rows after the header"),
        (
            "2020-01-02,S,A,1,1\n",
            "row 2, row: found `2020-01-02,S,A,1,1`; allowed: 6 to 9 fields",
        ),
        (
            "2020-01-02,S,A,0,1,1\n",
            "row 2, close: found `0`; allowed: a finite number above zero",
        ),
        (
            "2020-01-02,S,A,1,-1,1\n",
            "row 2, volume: found `-1`; allowed: a finite number, zero or above",
        ),
        ("2020-01-02,S,A,1,1,NaN\n", "row 2, dollar_volume: found `NaN`"),
        ("20200102,S,A,1,1,1\n", "row 2, date: found `20200102`"),
        ("2020-01-02,S,A B,1,1,1\n", "row 2, symbol: found `A B`"),
        (
            "2020-01-02,,A,1,1,1\n",
            "row 2, security_id: found ``; allowed: 1 to 64 letters",
        ),
        (
            "2020-01-02,S,A,1,1,1\n2020-01-02,S,A,1,2,1\n",
            "row 3, security_id: found `S`; allowed: one row, or equal ones",
        ),
    ] {
        let message = CoarseUniverse::read("coarse.csv", format!("{HEADER}{rows}").as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("coarse.csv") && message.contains(expected),
            "{message}"
        );
    }
    let message = CoarseUniverse::read("coarse.csv", "date,symbol\n".as_bytes())
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("header: found `date,symbol`; allowed: date,security_id"),
        "{message}"
    );
    assert!(
        message.contains("columns after dollar_volume may be missing"),
        "{message}"
    );
}

const REAL: &str = "corporate_actions/us_coarse_universe_20140324_20140407.csv.gz";

fn real_coarse() -> Option<CoarseUniverse> {
    let source = std::fs::File::open(market_data()?.join(REAL)).unwrap();
    Some(CoarseUniverse::read("us_coarse_universe.csv.gz", source).unwrap())
}

#[test]
fn the_real_universe_is_the_rows_of_the_newest_day() {
    let (Some(snapshots), Some(text)) = (real_coarse(), real_text(REAL)) else {
        return;
    };
    assert_eq!(
        (snapshots.days().count(), snapshots.identical_duplicates()),
        (11, 1)
    );
    let builder = UniverseBuilder::new().with_coarse(EQUITY, snapshots, 3).unwrap();
    for (on, day, count) in [
        ("2014-03-24", "2014-03-24", 7_111),
        ("2014-03-25", "2014-03-25", 7_068),
        ("2014-03-30", "2014-03-28", 7_072),
        ("2014-04-10", "2014-04-07", 7_101),
    ] {
        let members = builder.universe(date(on), EQUITY).unwrap();
        assert_eq!(members.len(), count, "{on}");
        let found: BTreeSet<_> = members
            .iter()
            .map(|member| {
                let Liquidity {
                    close,
                    volume,
                    dollar_volume,
                } = member.liquidity.unwrap();
                format!(
                    "{},{},{},{close},{volume},{dollar_volume}",
                    member.known_on, member.security, member.ticker
                )
            })
            .collect();
        let rows = text.lines().filter(|line| line.starts_with(day));
        let expected: BTreeSet<_> = rows
            .map(|line| line.split(',').take(6).collect::<Vec<_>>().join(","))
            .collect();
        assert_eq!(found, expected, "{on}");
        assert!(members.is_sorted_by_key(|member| (member.ticker.clone(), member.security.clone())));
    }
    let has = |on, ticker| tickers(&builder.universe(date(on), EQUITY).unwrap()).contains(&ticker);
    assert!(has("2014-04-02", "GOOG") && has("2014-04-03", "GOOGL") && !has("2014-04-02", "GOOGL"));
    assert!(matches!(
        builder.universe(date("2014-03-21"), EQUITY),
        Err(UniverseError::NotYetKnown { .. })
    ));
    assert!(matches!(
        builder.universe(date("2020-03-21"), EQUITY),
        Err(UniverseError::Stale { .. })
    ));
}

#[test]
fn the_real_filters_choose_large_names() {
    let (Some(snapshots), Some(text)) = (real_coarse(), real_text(REAL)) else {
        return;
    };
    let builder = UniverseBuilder::new().with_coarse(EQUITY, snapshots, 3).unwrap();
    let filter = UniverseFilter {
        min_price: Some(10.0),
        min_dollar_volume: Some(1e6),
        top_by_dollar_volume: Some(5),
    };
    let members = builder.filtered(date("2014-03-25"), EQUITY, &filter).unwrap();
    let mut rows: Vec<(f64, &str)> = text
        .lines()
        .filter(|line| line.starts_with("2014-03-25"))
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|row| row[3].parse::<f64>().unwrap() >= 10.0)
        .map(|row| (row[5].parse().unwrap(), row[2]))
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut expected: Vec<_> = rows[..5].iter().map(|row| row.1).collect();
    expected.sort_unstable();
    assert_eq!(tickers(&members), expected);
    assert!(expected.contains(&"SPY"));
}

#[test]
fn real_ids_follow_the_map_files() {
    let (Some(snapshots), Some(mapper)) = (real_coarse(), real_mapper()) else {
        return;
    };
    // One id of the snapshots is one security of the map files on every day, but for the row that both know is wrong.
    let days: Vec<_> = snapshots.days().map(|(day, _)| day).collect();
    let told = snapshots.ambiguities().to_vec();
    let builder = UniverseBuilder::new().with_coarse(EQUITY, snapshots, 0).unwrap();
    let mut ids = BTreeMap::new();
    let mut strange = Vec::new();
    for day in days {
        for member in builder.universe(day, EQUITY).unwrap() {
            let Ok(security) = mapper.resolve(&member.ticker, day) else {
                continue;
            };
            let known = ids
                .entry(security.clone())
                .or_insert_with(|| member.security.clone());
            if *known != member.security {
                strange.push((day, member.ticker, member.security));
            }
        }
    }
    assert!(ids.len() >= 15, "{ids:?}");
    let wrong = (
        date("2014-04-02"),
        "GOOG".to_owned(),
        SecurityId::new("GOOCV VP83T1ZUHROL").unwrap(),
    );
    assert_eq!(strange, [wrong]);
    let two_tickers: Vec<_> = told
        .iter()
        .filter(|told| matches!(told, Ambiguity::TwoTickers { .. }))
        .collect();
    assert_eq!(two_tickers.len(), 1);
    assert!(matches!(two_tickers[0], Ambiguity::TwoTickers { date: on, .. } if *on == date("2014-04-02")));
}

#[test]
fn map_files_make_a_universe_without_survivorship() {
    let Some(mapper) = real_mapper() else { return };
    let builder = UniverseBuilder::new().with_listings(&mapper).unwrap();
    let members = |on| {
        let members = builder.universe(date(on), EQUITY).unwrap();
        members
            .into_iter()
            .map(|member| format!("{} {}", member.ticker, member.security))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        members("2002-06-03"),
        [
            "AAA AAA.1",
            "AAPL AAPL",
            "AIG AIG",
            "AOL TWX",
            "BAC BAC",
            "FB FB.1",
            "IBM IBM",
            "IWM IWM",
            "QQQ QQQ",
            "SPY SPY",
            "WMI WM"
        ]
    );
    assert!(!members("2002-05-21").contains(&"AAA AAA.1".to_owned()));
    let now = members("2021-03-31");
    assert!(now.iter().all(|name| !name.contains(".1")) && now.contains(&"FB FB".to_owned()));
    let left = builder
        .delistings(EQUITY, date("1998-01-01"), date("2049-12-31"))
        .unwrap();
    assert_eq!(left.len(), 8);
}
