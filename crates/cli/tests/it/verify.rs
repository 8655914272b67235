//! Proofs of the configured system, as commands.

use crate::workspace::{Outcome, Place};

/// A short market and a period within it, in which every model trades.
const SHORT: [&str; 8] = [
    "--set",
    "synthetic.from=2014-01-01",
    "--set",
    "synthetic.to=2016-12-31",
    "--set",
    "period.start=2015-06-01",
    "--set",
    "period.end=2016-12-31",
];

fn verify(place: &Place, words: &[&str]) -> Outcome {
    place.run(&[&["verify"], words, &SHORT].concat())
}

/// The verdicts of the rows of a check, by what was proven.
fn verdicts(printed: &str, check: &str) -> Vec<(String, String)> {
    let rows = printed.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split(['│', '┆']).map(str::trim).collect();
        let [_, first, what, _, _, verdict, _] = cells.as_slice() else {
            return None;
        };
        (*first == check).then(|| ((*what).to_owned(), (*verdict).to_owned()))
    });
    rows.collect()
}

fn assert_all_pass(printed: &str, check: &str, count: usize) {
    let verdicts = verdicts(printed, check);
    assert_eq!(verdicts.len(), count, "{printed}");
    for (what, verdict) in verdicts {
        assert_eq!(verdict, "pass", "{what}: {printed}");
    }
}

#[test]
fn the_shipped_system_looks_at_nothing_later() {
    let place = Place::new();
    let printed = verify(&place, &["lookahead"]).printed();
    assert!(printed.contains("50 cuts x 4 changes"), "{printed}");
    assert_all_pass(&printed, "lookahead", 9);
}

#[test]
fn one_model_can_be_proven_alone() {
    let place = Place::new();
    for model in [
        "EquityTrendModel_v1",
        "IndexMeanReversionModel_v1",
        "CryptoMomentumModel_v1",
    ] {
        let printed = verify(&place, &["lookahead", "--model", model, "--cuts", "50"]).printed();
        let intents = verdicts(&printed, "lookahead");
        assert!(
            intents.contains(&("intents".to_owned(), "pass".to_owned())),
            "{model}: {printed}"
        );
        assert!(!printed.contains("FAIL"), "{model}: {printed}");
    }
    verify(&place, &["lookahead", "--model", "NoSuchModel"]).fails_with(&[
        "NoSuchModel",
        "CryptoMomentumModel_v1",
        "assert_model_is_causal",
    ]);
}

#[test]
fn fills_at_the_close_of_the_decision_are_found() {
    let place = Place::new();
    let outcome = verify(
        &place,
        &["lookahead", "--cuts", "2", "--set", "fills.convention=same_close"],
    );
    assert!(!outcome.success);
    let found = [
        "FAIL lookahead, prices of fills: order 1 in ",
        "in the very step that decided it",
    ];
    for part in found {
        assert!(outcome.stdout.contains(part), "{part}: {}", outcome.stdout);
    }
}

#[test]
fn processes_threads_and_order_do_not_matter() {
    let place = Place::new();
    let printed = verify(&place, &["determinism"]).printed();
    assert_all_pass(&printed, "determinism", 6);
    let left = std::fs::read_dir(place.path("results")).unwrap();
    assert_eq!(left.count(), 0, "nothing is left of the runs");
}

#[test]
fn results_follow_their_market() {
    let place = Place::new();
    let printed = verify(&place, &["metamorphic"]).printed();
    assert_all_pass(&printed, "metamorphic", 9);
}

#[test]
fn a_system_that_trades_nothing_proves_nothing() {
    let place = Place::new();
    let stopped = ["--set", "risk.kill_switch.engaged=true"];
    let outcome = verify(&place, &[&["metamorphic"], &stopped[..]].concat());
    assert!(!outcome.success, "{}", outcome.stdout);
    let verdicts = verdicts(&outcome.stdout, "metamorphic");
    assert_eq!(verdicts.len(), 9, "{}", outcome.stdout);
    assert!(
        verdicts.iter().all(|(_, verdict)| verdict == "skip"),
        "{}",
        outcome.stdout
    );
    let reason = "nothing was traded that it speaks of";
    assert!(outcome.stdout.contains(reason), "{}", outcome.stdout);
    let outcome = verify(&place, &[&["lookahead", "--cuts", "1"], &stopped[..]].concat());
    assert!(!outcome.success, "{}", outcome.stdout);
    let reason = "FAIL lookahead, prices of fills: nothing was ordered";
    assert!(outcome.stdout.contains(reason), "{}", outcome.stdout);
}

#[test]
fn everything_at_once() {
    let place = Place::new();
    let printed = verify(&place, &["all", "--cuts", "3"]).printed();
    for (check, count) in [
        ("data", 1),
        ("lookahead", 9),
        ("determinism", 6),
        ("metamorphic", 9),
    ] {
        assert_all_pass(&printed, check, count);
    }
    let skipped = "skip run, the newest, computed again: no run was made";
    assert!(printed.contains(skipped), "{printed}");
    place.run(&[&["backtest"], &SHORT[..]].concat()).printed();
    let printed = verify(&place, &["all", "--cuts", "1"]).printed();
    assert_all_pass(&printed, "run", 1);
}
