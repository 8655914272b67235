//! Heavy and special libraries stay where they belong.
//!
//! A library that sits in a leaf is compiled by nobody who does not need that leaf. One that creeps into a crate below
//! is compiled by everyone, and its types end up in signatures.

use crate::files;
use crate::packages::{self, Kind, Package};

/// A library, the packages whose manifests may name it for normal use, and the reason.
type Home = (&'static str, &'static [&'static str], &'static str);

const HOMES: [Home; 16] = [
    (
        "polars",
        &["data"],
        "it is half of the cold build; everyone else reads columns of f64",
    ),
    (
        "duckdb",
        &["store", "query"],
        "it needs a native library; everyone else reads what the store returns",
    ),
    (
        "anyhow",
        &["cli", "xtask", "tests"],
        "libraries have typed errors that a caller can match on",
    ),
    ("clap", &["cli"], "only the composition root has a command line"),
    ("comfy-table", &["cli"], "only the composition root prints"),
    ("indicatif", &["cli"], "only the composition root shows progress"),
    ("plotly", &["cli"], "only the composition root draws reports"),
    (
        "tracing-subscriber",
        &["cli"],
        "only the composition root decides where logs go",
    ),
    (
        "tracing-appender",
        &["cli"],
        "only the composition root decides where logs go",
    ),
    ("config", &["cli"], "engine crates get typed values, not files"),
    (
        "ureq",
        &["providers", "brokers"],
        "only the rim talks to the network",
    ),
    ("reqwest", &[], "it brings tokio; ureq does the same blocking"),
    (
        "arrow2",
        &["data"],
        "it is unmaintained; only its C data interface is used, behind a feature",
    ),
    ("tokio", &["brokers", "live"], "the step is synchronous and pure"),
    (
        "rand",
        &[],
        "its default generator is seeded by the system; rand_chacha takes the run's seed",
    ),
    ("apca", &[], "it is GPL-3"),
];

/// Libraries that serve tests and benches alone.
const FOR_TESTS: [&str; 5] = ["assert_cmd", "criterion", "insta", "proptest", "tempfile"];

#[test]
fn heavy_libraries_stay_in_their_leaves() {
    let packages = packages::all();
    let strays: Vec<_> = packages.iter().flat_map(strays).collect();
    assert!(strays.is_empty(), "{}", strays.join("\n"));
}

fn strays(package: &Package) -> Vec<String> {
    let external = package
        .dependencies
        .iter()
        .filter(|dependency| !dependency.is_internal);
    external
        .filter_map(|dependency| {
            let complaint = complaint(&package.name, &dependency.name, dependency.kind)?;
            Some(format!(
                "{} names {} ({:?}): {complaint}",
                package.name, dependency.name, dependency.kind
            ))
        })
        .collect()
}

fn complaint(package: &str, library: &str, kind: Kind) -> Option<String> {
    if FOR_TESTS.contains(&library) && kind != Kind::Dev && package != "testkit" {
        return Some("it serves tests alone and belongs under [dev-dependencies]".to_owned());
    }
    let (_, homes, because) = HOMES.iter().find(|(name, ..)| *name == library)?;
    (!homes.contains(&package)).then(|| format!("allowed in {homes:?}, because {because}"))
}

#[test]
fn xtask_stays_small() {
    let packages = packages::all();
    let xtask = packages
        .iter()
        .find(|package| package.name == "xtask")
        .expect("there is a package xtask");
    let names: Vec<_> = xtask
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["anyhow"],
        "it is compiled before anything can be said or shown to the user"
    );
}

#[test]
fn versions_and_features_stand_in_the_root_manifest_alone() {
    // The root of a workspace is where they stand: of ours, and of the fuzz targets, which nothing here builds.
    let is_root = |file: &files::TextFile| file.text.lines().any(|line| line == "[workspace]");
    let manifests = files::all()
        .into_iter()
        .filter(|file| file.path.ends_with("Cargo.toml") && !is_root(file));
    let mut own = Vec::new();
    for manifest in manifests {
        let stray = dependency_lines(&manifest.text).filter(|line| !inherits(line));
        own.extend(stray.map(|line| format!("{}: {line}", manifest.path)));
    }
    let advice = "write `<name>.workspace = true` and put version and features into the root manifest, so that no build \
                  of a single crate flips a feature";
    assert!(own.is_empty(), "{advice}:\n{}", own.join("\n"));
}

fn inherits(line: &str) -> bool {
    line.contains(".workspace = true")
        || line.contains("workspace = true,")
        || line.contains("workspace = true }")
}

/// The lines below the headings of dependency tables.
fn dependency_lines(manifest: &str) -> impl Iterator<Item = &str> {
    let mut is_inside = false;
    manifest.lines().map(str::trim).filter(move |line| {
        if line.starts_with('[') {
            is_inside = line.ends_with("dependencies]");
            return false;
        }
        is_inside && line.contains('=') && !line.starts_with('#')
    })
}

#[test]
fn a_stray_library_is_found() {
    let cases = [
        ("data", "polars", Kind::Normal, true),
        ("features", "polars", Kind::Normal, false),
        ("features", "polars", Kind::Dev, false),
        ("store", "duckdb", Kind::Normal, true),
        ("risk", "anyhow", Kind::Normal, false),
        ("cli", "anyhow", Kind::Normal, true),
        ("risk", "proptest", Kind::Normal, false),
        ("risk", "proptest", Kind::Dev, true),
        ("risk", "serde", Kind::Normal, true),
    ];
    for (package, library, kind, is_fine) in cases {
        assert_eq!(
            complaint(package, library, kind).is_none(),
            is_fine,
            "{package}: {library} ({kind:?})"
        );
    }
}

#[test]
fn a_version_in_a_crates_manifest_is_found() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = { workspace = true, optional = true }\n\
                    c = \"1\"\n[dev-dependencies]\nd = { version = \"1\" }\n[features]\ne = []\n";
    let own: Vec<_> = dependency_lines(manifest)
        .filter(|line| !inherits(line))
        .collect();
    assert_eq!(own, ["c = \"1\"", "d = { version = \"1\" }"]);
}
