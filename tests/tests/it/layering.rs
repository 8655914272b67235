//! Who may depend on whom: the table of the architecture, as data.
//!
//! An engine crate that knows its sibling can no longer be imported alone, tested alone or replaced. What two siblings
//! need moves down; what one wants to know of another becomes a field of the context that the engine passes.

use std::collections::BTreeSet;

use crate::packages::{self, Kind, Package};

struct Rule {
    package: &'static str,
    may_depend_on: &'static [&'static str],
    because: &'static str,
}

const fn rule(package: &'static str, may_depend_on: &'static [&'static str], because: &'static str) -> Rule {
    Rule {
        package,
        may_depend_on,
        because,
    }
}

/// Normal and build dependencies among the packages of the workspace. A package that does not exist yet may stand here.
const RULES: [Rule; 23] = [
    rule(
        "domain",
        &[],
        "it is the vocabulary at the bottom and knows nobody",
    ),
    rule(
        "metrics",
        &["domain"],
        "measures are functions of series and know no engine",
    ),
    rule(
        "features",
        &["domain"],
        "an indicator knows neither the model that reads it nor the data's source",
    ),
    rule(
        "models",
        &["domain"],
        "a model sees its view alone, as a model written by a user does",
    ),
    rule("regime", &["domain"], "a detector sees its view alone"),
    rule(
        "portfolio",
        &["domain"],
        "budgets and regimes reach it as values in its context",
    ),
    rule(
        "risk",
        &["domain"],
        "a rule judges the proposal and the state that it is given",
    ),
    rule(
        "orderbook",
        &["domain"],
        "a book is rebuilt from values; venues and files reach it through the rim",
    ),
    rule(
        "optimization",
        &["domain", "metrics"],
        "it works on any objective and runs no backtest itself",
    ),
    rule(
        "engine",
        &["domain"],
        "it calls ports and knows none of their implementations",
    ),
    rule(
        "backtest",
        &["domain", "engine", "metrics"],
        "whoever imports it brings models and rules along",
    ),
    rule(
        "lifecycle",
        &["domain", "metrics"],
        "it reads evidence and runs nothing",
    ),
    rule(
        "live",
        &["domain", "engine"],
        "it drives the same step as the backtest",
    ),
    rule(
        "data",
        &["domain"],
        "it is the rim towards files and knows no engine",
    ),
    rule(
        "providers",
        &["domain", "data"],
        "it is the rim towards outside parties; whoever reads the lake compiles no network",
    ),
    rule(
        "query",
        &["domain", "data"],
        "it is SQL over the lake; whoever reads bars needs no native library",
    ),
    rule(
        "store",
        &["domain", "metrics"],
        "it is the rim towards DuckDB and writes what it is given",
    ),
    rule(
        "brokers",
        &["domain"],
        "it is the rim towards venues, behind ports",
    ),
    rule(
        "proof",
        &["domain"],
        "it compares what any run says and runs nothing itself",
    ),
    rule(
        "testkit",
        &["domain", "proof"],
        "harnesses work on ports, so that users can apply them to their own crates",
    ),
    rule(
        "cli",
        EVERYTHING,
        "it is the only place where everything is wired together",
    ),
    rule(
        "xtask",
        &[],
        "it must compile in seconds and work where the workspace does not build",
    ),
    rule("tests", &[], "it looks at the workspace from outside"),
];

const EVERYTHING: &[&str] = &[
    "domain",
    "metrics",
    "features",
    "models",
    "regime",
    "portfolio",
    "risk",
    "orderbook",
    "optimization",
    "engine",
    "backtest",
    "proof",
    "lifecycle",
    "live",
    "data",
    "providers",
    "query",
    "store",
    "brokers",
];

/// Packages whose tests and examples may bring the implementations together: they show whole runs.
const TESTS_BRING_TOGETHER: [&str; 3] = ["backtest", "cli", "tests"];

#[test]
fn packages_depend_only_on_what_their_layer_allows() {
    let packages = packages::all();
    let broken: Vec<_> = packages
        .iter()
        .flat_map(|package| broken_edges(package, &RULES))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn broken_edges(package: &Package, rules: &[Rule]) -> Vec<String> {
    let Some(rule) = rules.iter().find(|rule| rule.package == package.name) else {
        return vec![format!(
            "{}: it has no row in tests/tests/it/layering.rs; add one with its reason",
            package.name
        )];
    };
    let internal = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.is_internal);
    internal
        .filter(|dependency| !is_allowed(rule, &dependency.name, dependency.kind))
        .map(|dependency| {
            format!(
                "{} may not depend on {} ({:?}); allowed: {:?}, because {}",
                package.name, dependency.name, dependency.kind, rule.may_depend_on, rule.because
            )
        })
        .collect()
}

fn is_allowed(rule: &Rule, dependency: &str, kind: Kind) -> bool {
    if rule.may_depend_on.contains(&dependency) {
        return true;
    }
    let brings_together = TESTS_BRING_TOGETHER.contains(&rule.package) && EVERYTHING.contains(&dependency);
    kind == Kind::Dev && (dependency == "testkit" || brings_together) && rule.package != "xtask"
}

#[test]
fn the_table_has_each_package_once_and_no_circle() {
    let mut known = BTreeSet::new();
    let mut waiting: Vec<&Rule> = RULES.iter().collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|rule| {
            let is_ready = rule.may_depend_on.iter().all(|below| known.contains(below));
            if is_ready {
                assert!(
                    known.insert(rule.package),
                    "{} stands in the table twice",
                    rule.package
                );
            }
            !is_ready
        });
        let left: Vec<_> = waiting.iter().map(|rule| rule.package).collect();
        assert!(
            waiting.len() < before,
            "these depend on each other or on a package without a row: {left:?}"
        );
    }
}

#[test]
fn a_forbidden_edge_is_found_and_a_test_harness_is_not() {
    let cases = [
        ("risk", "domain", Kind::Normal, true),
        ("risk", "regime", Kind::Normal, false),
        ("risk", "regime", Kind::Dev, false),
        ("risk", "testkit", Kind::Dev, true),
        ("risk", "testkit", Kind::Normal, false),
        ("risk", "testkit", Kind::Build, false),
        ("domain", "testkit", Kind::Dev, true),
        ("backtest", "models", Kind::Normal, false),
        ("backtest", "models", Kind::Dev, true),
        ("backtest", "cli", Kind::Dev, false),
        ("cli", "store", Kind::Normal, true),
        ("cli", "testkit", Kind::Normal, false),
        ("xtask", "domain", Kind::Normal, false),
        ("xtask", "testkit", Kind::Dev, false),
    ];
    for (package, dependency, kind, expected) in cases {
        let rule = RULES.iter().find(|rule| rule.package == package).unwrap();
        assert_eq!(
            is_allowed(rule, dependency, kind),
            expected,
            "{package} -> {dependency} ({kind:?})"
        );
    }
}
