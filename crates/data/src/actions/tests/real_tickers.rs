//! Real map files.
#![allow(clippy::unwrap_used)]

use sextant_domain::Timeframe;

use super::{date, equity, real_bars, real_mapper, real_text, security};
use crate::actions::{
    ActionError, AdjustmentEngine, AdjustmentMode, SecurityId, TickerMapper, known_renames, stitch,
};
use sextant_domain::AssetClass;

fn id(name: &str) -> SecurityId {
    SecurityId::new(name).unwrap()
}

#[test]
fn every_map_file_is_the_flattened_history() {
    let (Some(mapper), Some(text)) = (
        real_mapper(),
        real_text("corporate_actions/ticker_history_from_lean_maps.csv"),
    ) else {
        return;
    };
    assert_eq!(mapper.securities().len(), 26);
    let mut rows = 0;
    for security in mapper.securities() {
        let of = |line: &&str| {
            line.split(',')
                .next()
                .unwrap()
                .eq_ignore_ascii_case(security.id().as_str())
        };
        let lines: Vec<Vec<&str>> = text
            .lines()
            .filter(of)
            .map(|line| line.split(',').collect())
            .collect();
        rows += lines.len();
        assert_eq!(
            (lines[0][4], security.first()),
            ("first", Some(date(lines[0][1]))),
            "{}",
            security.id()
        );
        assert_eq!(security.spans().len(), lines.len() - 1, "{}", security.id());
        for (span, line) in security.spans().iter().zip(&lines[1..]) {
            assert_eq!(
                (span.ticker.as_str(), span.exchange.as_deref().unwrap_or("")),
                (line[2], line[3])
            );
            match line[4] {
                "active" => assert_eq!((line[1], span.last), ("2050-12-31", None)),
                _ => assert_eq!(span.last, Some(date(line[1]))),
            }
        }
        let delisted = lines.last().unwrap()[4] == "delisted/end";
        assert_eq!(security.delisted_after().is_some(), delisted, "{}", security.id());
    }
    assert_eq!(rows, text.lines().count() - 1);
}

#[test]
fn tickers_stand_for_their_securities() {
    let Some(mapper) = real_mapper() else { return };
    for (ticker, on, expected) in [
        ("GOOG", "2014-03-01", "GOOGL"),
        ("GOOGL", "2015-01-01", "GOOGL"),
        ("GOOG", "2015-01-01", "GOOG"),
        ("GOOCV", "2014-03-27", "GOOG"),
        ("WMI", "2008-09-26", "WM"),
        ("WM", "2009-08-05", "WM"),
        ("QQQ", "2004-11-30", "QQQ"),
        ("QQQQ", "2004-12-01", "QQQ"),
        ("QQQ", "2011-03-23", "QQQ"),
        ("FB", "2003-03-28", "FB.1"),
        ("FB", "2012-05-18", "FB"),
        ("AAA", "2007-05-18", "AAA.1"),
        ("AAA", "2020-09-09", "AAA"),
        ("VXX", "2019-01-29", "VXX.1"),
        ("VXX", "2019-05-02", "VXX"),
        ("TWX", "2001-01-11", "TWX.1"),
        ("AOL", "2001-01-12", "TWX"),
        ("TWX", "2003-10-16", "TWX"),
        ("SPWRA", "2010-01-04", "SPWR"),
    ] {
        assert_eq!(
            mapper.resolve(ticker, date(on)).unwrap(),
            &id(expected),
            "{ticker} {on}"
        );
        assert_eq!(
            mapper.ticker_on(&id(expected), date(on)).unwrap(),
            ticker,
            "{expected} {on}"
        );
    }
    for (ticker, on) in [
        ("WM", "2008-09-26"),
        ("FB", "2008-01-02"),
        ("QQQ", "2008-01-02"),
        ("GOOGL", "2014-03-01"),
    ] {
        let error = mapper.resolve(ticker, date(on)).unwrap_err();
        assert!(matches!(error, ActionError::UnknownTicker { .. }), "{error}");
    }
}

#[test]
fn the_ticker_wm_was_another_company_before() {
    let Some(mapper) = real_mapper() else { return };
    let mut securities = mapper.securities().to_vec();
    // There is no map file for Washington Mutual; its dates are those of the bars.
    securities.push(security("WM.1", &[("WM", "1998-12-09", "2008-09-26")]));
    let mapper = TickerMapper::new(AssetClass::Equity, securities).unwrap();
    let before = mapper.resolve("WM", date("2008-09-26")).unwrap();
    let after = mapper.resolve("WM", date("2009-08-05")).unwrap();
    assert_ne!(before, after);
    assert_eq!(mapper.resolve("WMI", date("2008-09-26")).unwrap(), after);
    let Some(raw) = real_bars("wm", Timeframe::D1) else {
        return;
    };
    let parts = mapper.attribute("WM", &raw, &equity()).unwrap();
    let found: Vec<_> = parts
        .iter()
        .map(|part| {
            (
                part.security.as_ref().map(SecurityId::as_str),
                part.first_date,
                part.last_date,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (Some("WM.1"), date("1998-12-09"), date("2008-09-26")),
            (Some("WM"), date("2009-08-05"), date("2021-03-31"))
        ]
    );
}

#[test]
fn reused_tickers_of_the_manifest_are_found() {
    let Some(mapper) = real_mapper() else { return };
    for (ticker, securities, strange_until) in [
        ("eem", vec!["-", "EEM"], "2002-12-05"),
        ("uso", vec!["-", "USO"], "1998-12-30"),
        ("bno", vec!["-", "BNO"], "2002-05-20"),
        ("fb", vec!["FB.1", "FB"], ""),
        ("aaa", vec!["AAA.1", "AAA"], ""),
        ("wm", vec!["-", "WM"], "2008-09-26"),
        ("goog", vec!["GOOGL", "GOOG"], ""),
        ("bac", vec!["-", "BAC"], "1998-09-30"),
        ("spy", vec!["SPY"], ""),
        ("aapl", vec!["AAPL"], ""),
        ("googl", vec!["GOOGL"], ""),
        ("qqq", vec!["QQQ", "QQQ"], ""),
    ] {
        let Some(raw) = real_bars(ticker, Timeframe::D1) else {
            return;
        };
        let parts = mapper.attribute(ticker, &raw, &equity()).unwrap();
        let names = parts
            .iter()
            .map(|part| part.security.as_ref().map_or("-", SecurityId::as_str));
        assert_eq!(names.collect::<Vec<_>>(), securities, "{ticker}");
        let strange = parts.iter().find(|part| part.security.is_none());
        let until = strange.map_or(String::new(), |part| part.last_date.to_string());
        assert_eq!(until, strange_until, "{ticker}");
    }
}

#[test]
fn the_known_renames_are_those_of_the_map_files() {
    let Some(mapper) = real_mapper() else { return };
    assert_eq!(mapper.clone().with_renames(&known_renames()).unwrap(), mapper);
}

#[test]
fn google_is_one_series_across_its_rename() {
    let (Some(mapper), Some(goog), Some(googl)) = (
        real_mapper(),
        real_bars("goog", Timeframe::D1),
        real_bars("googl", Timeframe::D1),
    ) else {
        return;
    };
    let history = mapper.history(&id("GOOGL")).unwrap();
    let joined = stitch(&[("GOOG", &goog), ("GOOGL", &googl)], history, &equity()).unwrap();
    let pieces: Vec<_> = joined
        .pieces
        .iter()
        .map(|piece| (piece.ticker.as_str(), piece.bars))
        .collect();
    assert_eq!(pieces, [("GOOG", 4_183 - 1_761), ("GOOGL", 1_761)]);
    assert_eq!((joined.gaps.len(), joined.missing.len()), (0, 0));
    // The class C shares that got the ticker GOOG on the day on which the class A shares gave it away.
    assert_eq!(joined.overlaps.len(), 1);
    assert_eq!(
        (joined.overlaps[0].left_out.as_str(), joined.overlaps[0].bars),
        ("GOOG", 1_761)
    );
    // With the split of the stock dividend the seam is a day like others.
    let factors = super::real_factors("googl").unwrap();
    let engine = AdjustmentEngine::from_factors(&factors, equity()).unwrap();
    let adjusted = engine
        .adjusted(
            &joined.bars,
            AdjustmentMode::SplitsAndDividends,
            date("2021-03-31"),
        )
        .unwrap();
    let close = adjusted.bars.view().close;
    let seam = pieces[0].1;
    assert!(
        (close[seam] / close[seam - 1] - 1.0).abs() < 0.02,
        "{} {}",
        close[seam - 1],
        close[seam]
    );
    assert!((joined.bars.bar(seam).close / joined.bars.bar(seam - 1).close) < 0.55);
}

#[test]
fn waste_management_and_the_nasdaq_fund_are_joined_with_what_there_is() {
    let Some(mapper) = real_mapper() else { return };
    let part = |name| real_bars(name, Timeframe::D1);
    let (Some(uw), Some(wmi), Some(wm), Some(qqq)) = (part("uw"), part("wmi"), part("wm"), part("qqq"))
    else {
        return;
    };
    let waste = mapper.history(&id("WM")).unwrap();
    let joined = stitch(&[("UW", &uw), ("WMI", &wmi), ("WM", &wm)], waste, &equity()).unwrap();
    let pieces: Vec<_> = joined
        .pieces
        .iter()
        .map(|piece| (piece.ticker.as_str(), piece.first, piece.last))
        .collect();
    assert_eq!(
        pieces,
        [
            ("UW", date("1998-01-02"), date("1998-07-16")),
            ("WMI", date("1998-07-17"), date("2009-08-04")),
            ("WM", date("2009-08-05"), date("2021-03-31")),
        ]
    );
    assert_eq!(
        (joined.gaps.len(), joined.missing.len(), joined.bars.len()),
        (0, 0, 5_849)
    );
    assert_eq!(joined.outside.len(), 1);
    assert_eq!(
        (joined.outside[0].first, joined.outside[0].last),
        (date("1998-12-09"), date("2008-09-26"))
    );
    assert_eq!(
        (
            joined.overlaps[0].used.as_str(),
            joined.overlaps[0].left_out.as_str()
        ),
        ("WMI", "WM")
    );
    // Now the closes are those of the company that paid the dividends.
    let factors = super::real_factors("wm").unwrap();
    let engine = AdjustmentEngine::from_factors(&factors, equity()).unwrap();
    let adjusted = engine
        .adjusted(
            &joined.bars,
            AdjustmentMode::SplitsAndDividends,
            date("2021-03-31"),
        )
        .unwrap();
    assert_eq!(adjusted.doubts, []);

    let fund = mapper.history(&id("QQQ")).unwrap();
    let joined = stitch(&[("QQQ", &qqq)], fund, &equity()).unwrap();
    assert_eq!(joined.missing, ["QQQQ"]);
    assert_eq!((joined.bars.len(), joined.gaps.len()), (3_964, 1));
    let gap = &joined.gaps[0];
    assert_eq!(
        (gap.first, gap.last, gap.sessions),
        (date("2004-12-01"), date("2011-03-22"), 1_588)
    );
}
