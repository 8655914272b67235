//! Makes libduckdb available without compiling DuckDB.
//!
//! The library comes out of a pinned npm package, or out of the download of `libduckdb-sys`, and lands under
//! `target/native/duckdb` by renaming, so that no build ever sees half a file. Beside it stands a note of where it came
//! from; as long as the note fits, nothing is done.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::commands::LibrarySource;
use crate::file::{self, Scratch};
use crate::platform::{self, DUCKDB_VERSION, Package, Platform};
use crate::workspace::{LIBRARY_DIR_VARIABLE, Workspace};

/// The note of where the library came from.
const NOTE: &str = "SOURCE.txt";

/// Every crate that links DuckDB, told to compile it.
const BUNDLED_FEATURES: &str = "sextant-store/bundled-duckdb,sextant-query/bundled-duckdb";

/// How the workspace gets DuckDB.
pub(crate) enum Native {
    /// A prebuilt library in this folder.
    Prebuilt(PathBuf),
    /// DuckDB is compiled with the workspace.
    Bundled,
}

impl Native {
    /// What every cargo command over the workspace has to be told.
    pub(crate) fn cargo_arguments(&self) -> &'static [&'static str] {
        match self {
            Self::Prebuilt(_) => &[],
            Self::Bundled => &["--features", BUNDLED_FEATURES],
        }
    }
}

/// `cargo xtask setup`: fetches the library, or remembers that DuckDB is to be compiled.
///
/// # Errors
/// When no library can be had; the message lists the ways out.
pub(crate) fn setup(workspace: &Workspace, source: LibrarySource) -> Result<()> {
    let choice = bundled_choice(workspace);
    match source {
        LibrarySource::Bundled => {
            file::write_new(
                &choice,
                "compile DuckDB from source; `cargo xtask setup` takes this back\n",
            )?;
            eprintln!(
                "From now on `cargo xtask` compiles DuckDB {DUCKDB_VERSION} from source: about 2,000 C++ files,"
            );
            eprintln!("once per target folder, far longer than everything else, with a C++ compiler.");
            eprintln!("Plain cargo needs --features {BUNDLED_FEATURES}.");
        }
        LibrarySource::Prebuilt => {
            let dir = prebuilt(workspace, "native library")?;
            if choice.exists() {
                fs::remove_file(&choice).with_context(|| format!("cannot remove {}", choice.display()))?;
            }
            eprintln!("libduckdb {DUCKDB_VERSION} is ready in {}", dir.display());
        }
    }
    Ok(())
}

/// Makes sure that the next cargo command finds DuckDB; silent when there is nothing to do.
///
/// `step` begins each line that is printed.
///
/// # Errors
/// When no library can be had; the message lists the ways out.
pub(crate) fn ensure(workspace: &Workspace, step: &str) -> Result<Native> {
    if bundled_choice(workspace).exists() {
        return Ok(Native::Bundled);
    }
    prebuilt(workspace, step).map(Native::Prebuilt)
}

fn bundled_choice(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("native").join("bundled-duckdb")
}

fn prebuilt(workspace: &Workspace, step: &str) -> Result<PathBuf> {
    let dir = &workspace.library_dir;
    if !workspace.owns_library_dir() {
        check_users_own(dir)?;
        return Ok(dir.clone());
    }
    let Some(platform) = platform::host() else {
        bail!(ways_out("no prebuilt library is known for this platform"));
    };
    if !is_fresh(dir, platform)? {
        fetch(workspace, platform, step)?;
    }
    Ok(dir.clone())
}

/// A folder that the user names is used as it is and never written to.
fn check_users_own(dir: &Path) -> Result<()> {
    let names = [
        "libduckdb.so",
        "libduckdb.dylib",
        "duckdb.lib",
        "libduckdb_static.a",
        "duckdb_static.lib",
    ];
    if !names.iter().any(|name| dir.join(name).is_file()) {
        bail!(
            "{LIBRARY_DIR_VARIABLE} names {}, which holds none of {}; put libduckdb {DUCKDB_VERSION} there, or unset \
             the variable to have it fetched",
            dir.display(),
            names.join(", ")
        );
    }
    Ok(())
}

/// Whether the library is there and the note beside it fits; a fitting library without a note gets one.
fn is_fresh(dir: &Path, platform: &Platform) -> Result<bool> {
    let library = dir.join(platform.library);
    let Ok(metadata) = fs::metadata(&library) else {
        return Ok(false);
    };
    let noted = fs::read_to_string(dir.join(NOTE)).unwrap_or_default();
    let sources = [
        platform.package.as_ref().map(package_source),
        Some(download_source()),
    ];
    if sources
        .iter()
        .flatten()
        .any(|source| noted == note(source, metadata.len()))
    {
        return Ok(true);
    }
    let Some(package) = &platform.package else {
        // Nothing to compare with: a library that somebody put here is taken as it is.
        return Ok(true);
    };
    if file::sha256(&library)? != package.library_sha256 {
        return Ok(false);
    }
    file::write_new(&dir.join(NOTE), &note(&package_source(package), metadata.len()))?;
    Ok(true)
}

fn package_source(package: &Package) -> String {
    format!("npm {} sha256 {}", package.spec(), package.package_sha256)
}

fn download_source() -> String {
    format!("release of DuckDB {DUCKDB_VERSION}, downloaded by libduckdb-sys")
}

fn note(source: &str, library_bytes: u64) -> String {
    format!("{source}, library of {library_bytes} bytes\n")
}

fn fetch(workspace: &Workspace, platform: &Platform, step: &str) -> Result<()> {
    let reason = match &platform.package {
        None => "no pinned package for this platform".to_owned(),
        Some(package) => {
            eprintln!("{step}: fetching libduckdb {DUCKDB_VERSION} with npm (24 MB, once)");
            match npm_pack_and_install(workspace, platform, package)? {
                Npm::Installed => return Ok(()),
                Npm::Unusable(reason) => reason,
            }
        }
    };
    eprintln!("{step}: {reason}; trying DuckDB's own release through libduckdb-sys (a few minutes)");
    download_and_install(workspace, platform)
        .map_err(|error| anyhow!(ways_out(&format!("{reason}, and {error:#}"))))
}

/// What became of the attempt with npm.
enum Npm {
    Installed,
    /// npm is missing, or it could not fetch the package.
    Unusable(String),
}

/// Damaged content is an error and not a reason to look elsewhere.
fn npm_pack_and_install(workspace: &Workspace, platform: &Platform, package: &Package) -> Result<Npm> {
    let scratch = Scratch::beside(&workspace.library_dir)?;
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--prefer-offline", "--ignore-scripts"])
        .arg(package.spec());
    let output = match npm.current_dir(&scratch.0).stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) => return Ok(Npm::Unusable(format!("npm cannot be started ({error})"))),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said
            .lines()
            .find(|line| line.contains("error"))
            .unwrap_or("no message");
        return Ok(Npm::Unusable(format!(
            "npm could not fetch {} ({said})",
            package.spec()
        )));
    }
    let archive = file::only_file_with_extension(&scratch.0, "tgz")?;
    file::check_sha256(&archive, package.package_sha256, &package.spec())?;
    let library = file::unpack(&archive, &format!("package/{}", platform.library), &scratch.0)?;
    install(&library, &workspace.library_dir, &package_source(package))?;
    Ok(Npm::Installed)
}

/// Lets `libduckdb-sys` download the library in a target folder of its own, and takes it from there.
///
/// Cargo is called from outside the checkout: inside, `.cargo/config.toml` sets `DUCKDB_LIB_DIR`, and with it the crate
/// downloads nothing.
fn download_and_install(workspace: &Workspace, platform: &Platform) -> Result<()> {
    let outside = Scratch::beside(&std::env::temp_dir().join("sextant"))?;
    let mut cargo = workspace.cargo();
    cargo
        .current_dir(&outside.0)
        .env_remove(LIBRARY_DIR_VARIABLE)
        .env("DUCKDB_DOWNLOAD_LIB", "1")
        .env("RUST_BACKTRACE", "0");
    cargo.args([
        "build",
        "--quiet",
        "--locked",
        "--package",
        "libduckdb-sys",
        "--manifest-path",
    ]);
    cargo
        .arg(workspace.root.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(outside.0.join("target"));
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("libduckdb-sys could not download it (see above)");
    }
    let library = file::find_file(
        &outside.0.join("target").join("duckdb-download"),
        platform.library,
    )?;
    install(&library, &workspace.library_dir, &download_source())
}

/// Puts the library and its note into the folder; the library appears whole or not at all.
fn install(library: &Path, dir: &Path, source: &str) -> Result<()> {
    let what = || format!("cannot put the library into {}", dir.display());
    let name = library.file_name().context("the library has no file name")?;
    fs::create_dir_all(dir).with_context(what)?;
    let temporary = dir.join(format!(".new-{}", std::process::id()));
    fs::copy(library, &temporary).with_context(what)?;
    let file = fs::File::open(&temporary).with_context(what)?;
    file.sync_all().with_context(what)?;
    let library_bytes = file.metadata().with_context(what)?.len();
    fs::rename(&temporary, dir.join(name)).with_context(what)?;
    file::write_new(&dir.join(NOTE), &note(source, library_bytes))
}

fn ways_out(reason: &str) -> String {
    format!(
        "no libduckdb for {}: {reason}.\nWays out:\n\
         \x20 * with npm installed and its registry reachable: cargo xtask setup (linux-x86_64)\n\
         \x20 * set {LIBRARY_DIR_VARIABLE} to the absolute path of a folder that holds libduckdb {DUCKDB_VERSION}\n\
         \x20 * cargo xtask setup --bundled: compiles DuckDB from source, about 2,000 C++ files, with a C++ compiler",
        platform::host_name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform() -> &'static Platform {
        platform::host().expect("the tests run where a prebuilt library is known")
    }

    #[test]
    fn an_installed_library_is_fresh_until_its_length_or_its_note_changes() {
        let dir = Scratch::for_test("sextant-fresh");
        let library = dir.0.join(platform().library);
        let target = dir.0.join("native").join("duckdb");
        fs::write(&library, "a library").unwrap();
        assert!(!is_fresh(&target, platform()).unwrap(), "nothing is there yet");

        install(&library, &target, &download_source()).unwrap();
        assert!(is_fresh(&target, platform()).unwrap());

        if platform().package.is_some() {
            fs::write(target.join(platform().library), "half a lib").unwrap();
            assert!(!is_fresh(&target, platform()).unwrap(), "the length differs");
            install(&library, &target, "another release").unwrap();
            assert!(!is_fresh(&target, platform()).unwrap(), "the source differs");
        }
    }

    #[test]
    fn installing_leaves_the_library_and_its_note_and_nothing_else() {
        let dir = Scratch::for_test("sextant-install");
        let library = dir.0.join("libduckdb.so");
        fs::write(&library, "a library").unwrap();
        let target = dir.0.join("target");
        install(&library, &target, "somewhere").unwrap();
        let mut names: Vec<_> = fs::read_dir(&target)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, [NOTE, "libduckdb.so"]);
        assert_eq!(
            fs::read_to_string(target.join(NOTE)).unwrap(),
            "somewhere, library of 9 bytes\n"
        );
    }

    #[test]
    fn a_folder_of_the_users_own_must_hold_a_library() {
        let dir = Scratch::for_test("sextant-own");
        let error = check_users_own(&dir.0).unwrap_err().to_string();
        assert!(
            error.contains("libduckdb.so") && error.contains(LIBRARY_DIR_VARIABLE),
            "{error}"
        );
        fs::write(dir.0.join("libduckdb.so"), "").unwrap();
        check_users_own(&dir.0).unwrap();
    }
}
