//! Tickers on days, by hand.
#![allow(clippy::unwrap_used)]

use sextant_domain::AssetClass;

use super::{bars, crypto, date, security};
use crate::actions::{
    ActionError, ActionKind, Rename, SecurityHistory, SecurityId, TickerMapper, known_renames,
};

fn mapper(securities: &[SecurityHistory]) -> TickerMapper {
    TickerMapper::new(AssetClass::Equity, securities.to_vec()).unwrap()
}

fn id(name: &str) -> SecurityId {
    SecurityId::new(name).unwrap()
}

fn rename(on: &str, old: &str, new: &str) -> Rename {
    Rename {
        date: date(on),
        class: AssetClass::Equity,
        old: old.to_owned(),
        new: new.to_owned(),
        new_per_old: 1.0,
    }
}

/// The dates of every security, in words.
fn words(mapper: &TickerMapper) -> Vec<String> {
    let securities = mapper.securities().iter();
    securities
        .map(|security| format!("{}: {}", security.id(), security.describe()))
        .collect()
}

/// WM was another company's before.
fn waste() -> TickerMapper {
    mapper(&[
        security(
            "WM",
            &[
                ("UW", "1998-01-02", "1998-07-16"),
                ("WMI", "1998-07-17", "2009-08-04"),
                ("WM", "2009-08-05", "*"),
            ],
        ),
        security("WM.1", &[("WM", "1998-12-09", "2008-09-26")]),
    ])
}

#[test]
fn a_reused_ticker_is_two_securities() {
    let mapper = waste();
    for (ticker, on, expected) in [
        ("WM", "2008-09-26", "WM.1"),
        ("wm", "2009-08-05", "WM"),
        ("WMI", "2008-09-26", "WM"),
        ("UW", "1998-07-16", "WM"),
    ] {
        assert_eq!(
            mapper.resolve(ticker, date(on)).unwrap().as_str(),
            expected,
            "{ticker} {on}"
        );
    }
    assert_eq!(mapper.ticker_on(&id("wm"), date("2009-08-04")).unwrap(), "WMI");
    assert_eq!(mapper.history(&id("WM.1")).unwrap().len(), 1);
    assert_eq!(
        mapper.security(&id("WM.1")).unwrap().delisted_after(),
        Some(date("2008-09-26"))
    );
    assert_eq!(mapper.security(&id("WM")).unwrap().delisted_after(), None);
}

#[test]
fn unknown_and_ambiguous_names_come_with_candidates() {
    let ambiguous = mapper(&[
        security("A", &[("X", "2020-01-01", "2020-01-10")]),
        security(
            "B",
            &[("Y", "2020-01-01", "2020-01-04"), ("X", "2020-01-05", "*")],
        ),
    ]);
    let unknown = mapper(&[security("A", &[("X", "2020-01-02", "*")])]);
    let empty = mapper(&[]);
    for (result, expected) in [
        (
            waste().resolve("WM", date("2009-01-02")).cloned(),
            "no security has the ticker WM on 2009-01-02; on other dates: WM (WM from 2009-08-05 on), WM.1 (WM from 1998-12-09 to 2008-09-26)",
        ),
        (
            waste().resolve("XYZ", date("2009-01-02")).cloned(),
            "the equity tickers known are: UW, WM, WMI",
        ),
        (
            waste().resolve("../x", date("2009-01-02")).cloned(),
            "no security has the ticker ../X",
        ),
        (
            unknown.resolve("X", date("2020-01-01")).cloned(),
            "on other dates: A (X from 2020-01-02 on)",
        ),
        (
            empty.resolve("X", date("2020-01-01")).cloned(),
            "the equity tickers known are: nothing",
        ),
        (
            ambiguous.resolve("X", date("2020-01-05")).cloned(),
            "the ticker X on 2020-01-05 is ambiguous; candidates: A (X from 2020-01-01 to 2020-01-10), B (X from 2020-01-05 on)",
        ),
        (
            waste().ticker_on(&id("NO"), date("2009-01-02")).map(id),
            "there is no security NO; there is: WM, WM.1",
        ),
        (
            waste().ticker_on(&id("WM.1"), date("2008-09-27")).map(id),
            "WM.1 has no ticker on 2008-09-27; its tickers: WM from 1998-12-09 to 2008-09-26",
        ),
        (
            waste().history(&id("NO")).map(|_| id("x")),
            "there is no security NO",
        ),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(ambiguous.resolve("X", date("2020-01-04")).unwrap(), &id("A"));
    let twice =
        TickerMapper::new(AssetClass::Equity, vec![security("A", &[("X", "*", "*")]); 2]).unwrap_err();
    assert!(
        twice.to_string().contains("the security A is given twice"),
        "{twice}"
    );
    for name in ["", ".A", "A..B", "A/B", "A  B", "A ", &"A".repeat(65)] {
        assert!(SecurityId::new(name).is_err(), "{name:?}");
    }
}

#[test]
fn bars_of_a_ticker_are_told_apart() {
    let raw = bars(&crypto(), "2020-01-01", &[1.0; 10]);
    let parts = |mapper: &TickerMapper| {
        let parts = mapper.attribute("x", &raw, &crypto()).unwrap();
        assert_eq!(parts.first().unwrap().begin, 0);
        assert_eq!(parts.last().unwrap().end, 10);
        assert!(parts.windows(2).all(|pair| pair[0].end == pair[1].begin));
        let words = parts.iter().map(|part| {
            let who = part.security.as_ref().map_or("-", SecurityId::as_str);
            format!(
                "{who} {} {}",
                part.first_date.format("%d"),
                part.last_date.format("%d")
            )
        });
        words.collect::<Vec<_>>()
    };
    let two = mapper(&[
        security("X", &[("X", "2020-01-07", "*")]),
        security(
            "X.1",
            &[
                ("W", "2019-01-01", "2020-01-01"),
                ("X", "2020-01-02", "2020-01-04"),
            ],
        ),
    ]);
    assert_eq!(parts(&two), ["- 01 01", "X.1 02 04", "- 05 06", "X 07 10"]);
    let one = mapper(&[security(
        "X",
        &[
            ("X", "*", "2020-01-03"),
            ("Y", "2020-01-04", "2020-01-05"),
            ("X", "2020-01-06", "*"),
        ],
    )]);
    assert_eq!(parts(&one), ["X 01 03", "- 04 05", "X 06 10"]);
    assert_eq!(parts(&mapper(&[])), ["- 01 10"]);
    let empty = bars(&crypto(), "2020-01-01", &[]);
    assert_eq!(two.attribute("x", &empty, &crypto()).unwrap(), []);
    let both = mapper(&[
        security("A", &[("X", "2020-01-01", "2020-01-10")]),
        security("B", &[("X", "2020-01-05", "*")]),
    ]);
    let error = both.attribute("x", &raw, &crypto()).unwrap_err();
    assert!(
        matches!(error, ActionError::AmbiguousTicker { date: on, .. } if on == date("2020-01-05")),
        "{error}"
    );
}

#[test]
fn the_known_renames_make_securities() {
    let of = |class| {
        TickerMapper::new(class, Vec::new())
            .unwrap()
            .with_renames(&known_renames())
            .unwrap()
    };
    let equities = of(AssetClass::Equity);
    assert_eq!(
        words(&equities),
        [
            "GOOG: GOOCV to 2014-04-02, GOOG from 2014-04-03 on",
            "GOOGL: GOOG to 2014-04-02, GOOGL from 2014-04-03 on",
            "QQQ: QQQ to 2004-11-30, QQQQ from 2004-12-01 to 2011-03-22, QQQ from 2011-03-23 on",
            "WM: UW to 1998-07-16, WMI from 1998-07-17 to 2009-08-04, WM from 2009-08-05 on",
        ]
    );
    let crypto = of(AssetClass::Crypto);
    assert_eq!(
        words(&crypto),
        [
            "AAVE: LEND to 2020-10-02, AAVE from 2020-10-03 on",
            "POL: MATIC to 2024-09-03, POL from 2024-09-04 on"
        ]
    );
    assert_eq!(
        crypto.resolve("LEND", date("2020-10-02")).unwrap(),
        crypto.resolve("AAVE", date("2020-10-03")).unwrap()
    );
    assert!(crypto.resolve("AAVE", date("2020-10-02")).is_err());
    assert_eq!(
        crypto.resolve("MATIC", date("2024-09-03")).unwrap().as_str(),
        "POL"
    );
    let aave = crypto.security(&id("AAVE")).unwrap().redenominations();
    assert_eq!(aave.len(), 1);
    assert_eq!(
        (aave[0].ex_date, aave[0].kind),
        (date("2020-10-03"), ActionKind::Split { new_per_old: 0.01 })
    );
    assert_eq!(crypto.security(&id("POL")).unwrap().redenominations(), []);
    assert_eq!(of(AssetClass::Fx).securities(), []);
}

#[test]
fn renames_continue_what_is_known() {
    let known = [
        security("A", &[("A", "2000-01-01", "*")]),
        security("B", &[("B", "2000-01-01", "2010-12-31")]),
        security("C", &[("C", "2010-01-01", "*")]),
    ];
    for (renames, expected) in [
        // Cut where the rename says.
        (
            vec![rename("2005-01-01", "A", "Z")],
            "A: A from 2000-01-01 to 2004-12-31, Z from 2005-01-01 on",
        ),
        // Forth and back.
        (
            vec![rename("2005-01-01", "A", "Z"), rename("2006-01-01", "Z", "A")],
            "A: A from 2000-01-01 to 2004-12-31, Z from 2005-01-01 to 2005-12-31, A from 2006-01-01 on",
        ),
        // What is known already.
        (
            vec![rename("2005-01-01", "A", "Z"), rename("2005-01-01", "A", "Z")],
            "A: A from 2000-01-01 to 2004-12-31, Z from 2005-01-01 on",
        ),
        // Two exchange their tickers.
        (
            vec![rename("2012-01-01", "A", "C"), rename("2012-01-01", "C", "A")],
            "A: A from 2000-01-01 to 2011-12-31, C from 2012-01-01 on",
        ),
        // Delisting dates stay.
        (
            vec![rename("2005-01-01", "B", "Z")],
            "B: B from 2000-01-01 to 2004-12-31, Z from 2005-01-01 to 2010-12-31",
        ),
        // The security that begins with the new ticker on that day.
        (
            vec![rename("2010-01-01", "D", "C")],
            "C: D to 2009-12-31, C from 2010-01-01 on",
        ),
        // A ticker that is free again: nobody is known to have had it since, and the id is taken.
        (
            vec![rename("2015-01-01", "B", "E")],
            "E: B from 2011-01-01 to 2014-12-31, E from 2015-01-01 on",
        ),
        (
            vec![rename("2015-01-01", "Q", "B")],
            "B.2: Q to 2014-12-31, B from 2015-01-01 on",
        ),
    ] {
        let found = words(&mapper(&known).with_renames(&renames).unwrap());
        assert!(found.iter().any(|found| found == expected), "{found:?}");
    }
    let once = mapper(&known)
        .with_renames(&[rename("2005-01-01", "A", "Z")])
        .unwrap();
    assert_eq!(
        once.clone()
            .with_renames(&[rename("2005-01-01", "A", "Z")])
            .unwrap(),
        once
    );
}

#[test]
fn renames_that_contradict_are_refused() {
    let known = mapper(&[
        security("A", &[("A", "2000-01-01", "*")]),
        security("B", &[("B", "2000-01-01", "2010-12-31")]),
        security("C", &[("A", "2005-01-01", "*")]),
    ]);
    for (renames, expected) in [
        (
            vec![rename("2006-01-01", "A", "Z")],
            "the rename of equity A to Z on 2006-01-01: more than one security had the old ticker: A (A from 2000-01-01 on), C (A",
        ),
        (
            vec![rename("2001-01-01", "B", "A")],
            "the new ticker is in use: A (A from 2000-01-01 on)",
        ),
        (
            vec![rename("2011-01-01", "B", "Z")],
            "the old ticker ended otherwise: B (B from 2000-01-01 to 2010-12-31)",
        ),
        (
            vec![rename("2006-01-01", "X", "Y"), rename("2005-01-01", "V", "W")],
            "the rename of equity V to W on 2005-01-01: it comes after one of 2006-01-01",
        ),
    ] {
        let message = known.clone().with_renames(&renames).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}
