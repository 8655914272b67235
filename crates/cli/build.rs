//! Embeds a digest of the workspace's code, so that a result can name the code that made it.

use std::fs;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let crates = Path::new("..");
    let root = crates.join("..");
    let mut files = vec![root.join("Cargo.lock"), root.join("Cargo.toml")];
    collect(crates, &mut files)?;
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for file in &files {
        let content = fs::read(file)?;
        hasher.update(file.to_string_lossy().as_bytes());
        hasher.update(&(content.len() as u64).to_le_bytes());
        hasher.update(&content);
    }
    println!(
        "cargo:rustc-env=SEXTANT_CODE_DIGEST={}",
        hasher.finalize().to_hex()
    );
    println!("cargo:rerun-if-changed={}", root.join("Cargo.lock").display());
    println!("cargo:rerun-if-changed={}", root.join("Cargo.toml").display());
    println!("cargo:rerun-if-changed={}", crates.display());
    Ok(())
}

/// Every file that can change a result: sources, embedded tables and manifests, but no tests, benches or oracles.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let skipped = ["tests", "benches", "examples", "oracles", "proptest-regressions"];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if !skipped.contains(&name.as_str()) {
                collect(&path, files)?;
            }
        } else if matches!(
            path.extension().and_then(|one| one.to_str()),
            Some("rs" | "toml" | "csv" | "css")
        ) {
            files.push(path);
        }
    }
    Ok(())
}
