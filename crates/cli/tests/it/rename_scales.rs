//! Prices on the two sides of a rename that do not fit each other. All are made up.

use crate::account_shares::{RUN, with_one_share};
use crate::lake::import_daily;
use crate::renames::{CLOSES, SEAM, adjust, adjust_by, assert_same_run, assumptions, renamed, run};

#[test]
fn prices_that_are_not_adjusted_alike_are_refused() {
    let halved = "20200114,1,0.5,97\n20501231,1,1,0\n";
    let place = renamed(SEAM, 1.0, "");
    adjust(&place, "ACME", halved);
    place.run(&RUN).fails_with(&[
        "prices of OLD and ACME are not adjusted alike",
        "no factors on 2020-01-08",
        "x 0.5 on 2020-01-09",
        "cargo xtask data adjust --symbol OLD --timeframe 1D --factors",
        "`--into OLD.A`",
        "`ticker: OLD.A`",
    ]);
    adjust(&place, "OLD", halved);
    run(&place);
    // A step at the rename that the factor file has is not stated again.
    let place = renamed(SEAM, 100.0, "");
    for symbol in ["OLD", "ACME"] {
        adjust_by(
            &place,
            symbol,
            (
                "--factors",
                "factors.csv",
                "20200108,1,100,0.99\n20501231,1,1,0\n",
            ),
        );
    }
    place
        .run(&RUN)
        .fails_with(&["OLD and ACME", "a step at the rename", "take `units` out"]);
    place.edit("one/system.yaml", ", units: 100", "");
    assert_same_run(&run(&place), &run(&with_one_share(&CLOSES, "")));
}

/// OLD was adjusted before the file had its last dividend, and paid one at the rename when it was: the names are the same.
#[test]
fn files_of_one_name_are_told_from_each_other() {
    let newer = "20200108,0.9,1,99\n20200131,0.9,1,99\n20501231,1,1,0\n";
    let older = "20200108,0.9,1,99\n20501231,1,1,0\n";
    for prices in ["", ", prices: raw"] {
        let place = renamed(SEAM, 1.0, prices);
        adjust_by(&place, "OLD", ("--factors", "factors.csv", older));
        adjust_by(&place, "ACME", ("--factors", "factors.csv", newer));
        run(&place);
        std::fs::remove_dir_all(place.path("results")).unwrap();
        let older = "20200108,0.8,1,99\n20501231,1,1,0\n";
        adjust_by(&place, "OLD", ("--factors", "factors.csv", older));
        let refused = place.run(&RUN);
        refused.fails_with(&[
            "not adjusted alike",
            "x 0.8 on 2020-01-08, x 0.9 on 2020-01-09",
            "one factor file",
        ]);
        // A dividend of the day of the rename is one, where the same file says so on both sides.
        for symbol in ["OLD", "ACME"] {
            adjust_by(&place, symbol, ("--factors", "factors.csv", older));
        }
        let found = run(&place);
        assert_eq!(
            found.cash_events.is_empty(),
            prices.is_empty(),
            "{:?}",
            found.cash_events
        );
    }
}

/// What a run says of units, where OLD closed at this price before ACME opened at 101.
#[test]
fn units_that_do_not_fit_the_prices_are_named() {
    enum Said {
        Nothing,
        Note(&'static str),
        Refused,
    }
    use Said::{Note, Nothing, Refused};
    for (close, units, expected) in [
        ("0.99", "100", Nothing),
        ("0.99", "0.01", Refused),
        ("0.99", "10000", Refused),
        // Without units the jump may be the market's: it is said, and stands in the record.
        ("0.99", "1", Note("`formerly` needs `units`")),
        ("99", "1", Nothing),
        ("99", "1.4", Refused),
        ("83.9", "1.18", Nothing),
        ("83.9", "0.85", Refused),
        ("99", "1.05", Note("the price moved by x 0.9716")),
        // Two became one while the price fell by 39 %.
        ("82.5", "2", Note("the price moved by x 0.6121")),
        ("90", "2", Refused),
    ] {
        let closes: Vec<(&str, f64)> = CLOSES[..SEAM]
            .iter()
            .map(|(date, _)| (*date, close.parse().unwrap()))
            .collect();
        let place = renamed(SEAM, 1.0, "");
        import_daily(&place, ("OLD", "equity"), &closes);
        place.edit("one/system.yaml", "units: 1}", &format!("units: {units}}}"));
        place.edit("one/system.yaml", "price_tick: 0.01", "price_tick: 0.0001");
        let prices = format!("{close} was the last close of OLD and 101 the first open of ACME");
        let outcome = place.run(&RUN);
        match expected {
            Refused => outcome.fails_with(&[
                &format!("{units} OLD became one ACME"),
                &prices,
                "old units for one new unit",
                "cargo xtask data adjust --symbol OLD --timeframe 1D --events",
            ]),
            Note(words) => {
                assert!(
                    outcome.success && outcome.stderr.contains(words),
                    "{}",
                    outcome.stderr
                );
                let said = assumptions(&place, "rename");
                assert!(said[1].contains(&prices) && said[1].contains(words), "{said:?}");
            }
            Nothing => {
                outcome.printed();
                assert_eq!(assumptions(&place, "rename").len(), 1, "{close} {units}");
            }
        }
    }
}

/// The way out that the error names, where two became one and the market fell by 44 %.
#[test]
fn a_move_that_is_not_believed_can_be_stated_as_an_event() {
    let place = renamed(SEAM, 1.0, ", prices: raw");
    let closes: Vec<(&str, f64)> = CLOSES[..SEAM].iter().map(|(date, _)| (*date, 90.0)).collect();
    import_daily(&place, ("OLD", "equity"), &closes);
    for symbol in ["OLD", "ACME"] {
        let events = "ex_date,kind,value\n2020-01-09,split,0.5\n";
        adjust_by(&place, symbol, ("--events", "events.csv", events));
    }
    run(&place);
    let said = assumptions(&place, "rename");
    assert!(
        said[1].contains("180 was the last close of OLD and 101 the first open"),
        "{said:?}"
    );
}
