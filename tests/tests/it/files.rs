//! The files of the checkout, as the other tests read them.

use std::fs;
use std::path::{Path, PathBuf};

/// What lies at the top level and is not part of the project: build output, and what runs leave behind.
const NOT_OURS: [&str; 2] = ["target", "state"];

/// What fuzzing leaves behind.
const LEFT_BY_FUZZING: [&str; 3] = ["fuzz/target", "fuzz/corpus", "fuzz/artifacts"];

/// Folders of which the repository keeps no more than a README.
const README_ONLY: [&str; 3] = ["data", "results", "logs"];

/// Hidden folders that belong to the project.
const HIDDEN_BUT_OURS: [&str; 3] = [".cargo", ".ci", ".github"];

/// A text file of the project.
pub(crate) struct TextFile {
    /// The path from the root, with `/` between its parts.
    pub(crate) path: String,
    /// Its content.
    pub(crate) text: String,
}

/// The folder of the root manifest.
pub(crate) fn root() -> PathBuf {
    // The variable of the running cargo: two checkouts that share a target folder share this binary.
    let manifest_dir =
        std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = Path::new(&manifest_dir).parent();
    root.expect("this package lies in a folder of the workspace")
        .to_path_buf()
}

/// Every text file of the project, in the order of the paths. Files that are not UTF-8 are left out.
pub(crate) fn all() -> Vec<TextFile> {
    let mut paths = Vec::new();
    collect(&root(), &mut paths);
    paths.sort();
    let files: Vec<_> = paths.iter().filter_map(|path| read(path)).collect();
    assert!(
        files.len() > 30,
        "only {} files found below {}",
        files.len(),
        root().display()
    );
    files
}

/// Every Rust source file of the project.
pub(crate) fn rust() -> Vec<TextFile> {
    all()
        .into_iter()
        .filter(|file| file.path.ends_with(".rs"))
        .collect()
}

/// A file that must be there.
pub(crate) fn required(path: &str) -> TextFile {
    read(&root().join(path))
        .unwrap_or_else(|| panic!("{path} is missing or no text; the project must have it"))
}

fn read(path: &Path) -> Option<TextFile> {
    let text = String::from_utf8(fs::read(path).ok()?).ok()?;
    Some(TextFile {
        path: relative(path),
        text,
    })
}

fn relative(path: &Path) -> String {
    let path = path
        .strip_prefix(root())
        .expect("only paths below the root are collected");
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    for entry in entries {
        let path = entry
            .expect("a folder of the checkout can be read to its end")
            .path();
        // A link may lead out of the checkout or in a circle.
        if path.is_symlink() || !is_ours(&relative(&path)) {
            continue;
        }
        if path.is_dir() {
            collect(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

fn is_ours(path: &str) -> bool {
    let (top, is_inside) = path.split_once('/').map_or((path, false), |(top, _)| (top, true));
    if README_ONLY.contains(&top) {
        return !is_inside || path == format!("{top}/README.md");
    }
    let is_foreign_hidden_folder = is_inside && top.starts_with('.') && !HIDDEN_BUT_OURS.contains(&top);
    let is_left_by_fuzzing = LEFT_BY_FUZZING
        .iter()
        .any(|folder| Path::new(path).starts_with(folder));
    !NOT_OURS.contains(&top) && !is_left_by_fuzzing && !is_foreign_hidden_folder
}

#[test]
fn build_output_and_results_are_no_part_of_the_project() {
    for (path, expected) in [
        ("Cargo.toml", true),
        (".gitignore", true),
        (".cargo/config.toml", true),
        (".ci/run", true),
        ("crates/domain/src/lib.rs", true),
        ("data/README.md", true),
        ("data/equities/SPY_1D.parquet", false),
        ("results/sextant.db", false),
        ("target/debug/sextant", false),
        (".git/config", false),
        ("fuzz/seeds/csv_bars/gzip", true),
        ("fuzz/corpus/csv_bars/x", false),
    ] {
        assert_eq!(is_ours(path), expected, "{path}");
    }
}
