//! `data import --qlib` and `data export --qlib`.

use crate::lake::{import_daily, row};
use crate::workspace::{Outcome, Place};

/// Numbers that 32 bits hold exactly.
const CLOSES: [(&str, f64); 3] = [("2020-01-02", 10.0), ("2020-01-03", 11.25), ("2020-01-07", 12.5)];

fn run(place: &Place, command: &str) -> Outcome {
    place.run(&command.split(' ').collect::<Vec<_>>())
}

fn exported() -> Place {
    let place = Place::new();
    import_daily(&place, ("SPY", "equity"), &CLOSES);
    import_daily(&place, ("QQQ", "equity"), &CLOSES[..2]);
    let printed = run(&place, "data export --qlib us_data").printed();
    assert_eq!(
        row(&printed, &["SPY 1D (equity)"])[1..4],
        ["day", "2020-01-02", "2020-01-07"]
    );
    place
}

#[test]
fn bars_go_out_and_come_back_as_they_were() {
    let place = exported();
    let printed = run(
        &place,
        "data import --qlib us_data --asset-class equity --data back",
    )
    .printed();
    assert_eq!(row(&printed, &["QQQ 1D (equity)"])[1..5], ["2", "0", "0", "0"]);
    run(&place, "data diff data back").printed();
    run(&place, "data export --qlib us_data").fails_with(&["us_data"]);
}

#[test]
fn symbols_and_timeframes_can_be_chosen() {
    let place = exported();
    let import = "data import --qlib us_data --asset-class equity --data chosen --symbols";
    run(&place, &format!("{import} SPY --timeframes 1D")).printed();
    let status = run(&place, "data status --data chosen").printed();
    assert!(status.contains("SPY") && !status.contains("QQQ"), "{status}");
    run(&place, &format!("{import} SPY --timeframes 4H")).fails_with(&["--timeframes 4H", "1D", "5M", "1M"]);
    run(&place, &format!("{import} SPY --timeframes 1M")).fails_with(&["1min", "day"]);
    // The one that is there is imported all the same.
    let place = exported();
    let half = run(
        &place,
        "data import --qlib us_data --asset-class equity --data half --symbols SPY IWM",
    );
    assert!(half.stdout.contains("SPY 1D (equity)"), "{}", half.stdout);
    half.fails_with(&["1 of 2 were not imported", "IWM"]);
    run(&place, "data show SPY 1D --data half").printed();
}

#[test]
fn fixed_hours_stand_in_for_the_calendar() {
    let place = exported();
    let import = "data import --qlib us_data --asset-class equity --data china --hours";
    run(&place, &format!("{import} 09:30-15:00+08:00")).printed();
    let status = run(&place, "data status --data china").printed();
    let spy = row(&status, &["SPY"]);
    assert_eq!(spy[3..7], ["2020-01-02", "2020-01-07", "3", "off calendar"]);
    run(&place, &format!("{import} 9-15")).fails_with(&["9-15", "09:30-15:00+08:00"]);
}

#[test]
fn options_of_the_two_formats_do_not_mix() {
    let place = exported();
    run(&place, "data import --qlib us_data").fails_with(&["--asset-class"]);
    run(
        &place,
        "data import --qlib us_data --asset-class equity --from x.csv",
    )
    .fails_with(&["--from", "--qlib"]);
    run(
        &place,
        "data import --asset-class equity --symbol SPY --timeframe 1D",
    )
    .fails_with(&["--from"]);
    run(
        &place,
        "data import --from x.csv --asset-class equity --symbol SPY --timeframe 1D --stamps end",
    )
    .fails_with(&["--stamps", "--from"]);
    run(&place, "data import --qlib nowhere --asset-class equity").fails_with(&["nowhere"]);
    run(&place, "data export --qlib other --timeframes 4H").fails_with(&["nothing to write", "1D"]);
    assert!(!place.path("other").exists());
}
