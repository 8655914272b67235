//! Puts libduckdb where every binary looks for it, and says what to do when it is not there.
//!
//! The linker finds the library through `DUCKDB_LIB_DIR`, which `libduckdb-sys` reads. At run time the binaries look
//! into `<target folder>/native/duckdb`, because that is what the rpath in `.cargo/config.toml` names relative to the
//! binary. The two folders differ when `CARGO_TARGET_DIR` lies elsewhere or when `DUCKDB_LIB_DIR` names a library of
//! the user's own; then this script links the one into the other. It downloads nothing: `cargo xtask setup` does that.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(BuildError(message)) => {
            // The exit code fails the build even where standard error is closed.
            let _ = writeln!(io::stderr(), "\nerror: {message}\n");
            ExitCode::FAILURE
        }
    }
}

struct BuildError(String);

impl From<io::Error> for BuildError {
    fn from(source: io::Error) -> Self {
        Self(source.to_string())
    }
}

fn run(cargo: &mut impl Write) -> Result<(), BuildError> {
    for variable in ["DUCKDB_LIB_DIR", "DUCKDB_STATIC"] {
        writeln!(cargo, "cargo:rerun-if-env-changed={variable}")?;
    }
    // The script of two crates, named so that both find it: a file that is missing would have it run at every build.
    writeln!(cargo, "cargo:rerun-if-changed=../store/build.rs")?;
    if env::var_os("CARGO_FEATURE_BUNDLED_DUCKDB").is_some() {
        return Ok(());
    }
    // Without the variable (this crate built from another workspace) libduckdb-sys searches the system by itself.
    let Some(library_dir) = env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from) else {
        return Ok(());
    };
    let library = library_dir.join(link_file_name());
    writeln!(cargo, "cargo:rerun-if-changed={}", library.display())?;
    if !library.is_file() {
        return Err(missing(&library));
    }
    if is_static() {
        return Ok(());
    }
    provide_at_run_time(&library_dir, cargo)
}

fn is_static() -> bool {
    env::var("DUCKDB_STATIC").is_ok_and(|value| value != "0")
}

fn target_os() -> String {
    env::var("CARGO_CFG_TARGET_OS").unwrap_or_default()
}

/// The file that the linker reads.
fn link_file_name() -> &'static str {
    match (target_os().as_str(), is_static()) {
        ("windows", true) => "duckdb_static.lib",
        ("windows", false) => "duckdb.lib",
        (_, true) => "libduckdb_static.a",
        ("macos", false) => "libduckdb.dylib",
        (_, false) => "libduckdb.so",
    }
}

/// The file that the loader reads.
fn run_time_file_name() -> &'static str {
    match target_os().as_str() {
        "windows" => "duckdb.dll",
        _ => link_file_name(),
    }
}

fn missing(library: &Path) -> BuildError {
    BuildError(format!(
        "the native library of DuckDB is not there.\n\
         \x20 looked for: {} (the folder is named by DUCKDB_LIB_DIR)\n\
         \x20 to fetch it, run once:\n\
         \x20     cargo xtask setup\n\
         \x20 or set DUCKDB_LIB_DIR to the absolute path of a folder that holds libduckdb 1.5.6,\n\
         \x20 or compile DuckDB from source (about 2,000 C++ files, slow): --features sextant-store/bundled-duckdb,sextant-query/bundled-duckdb",
        library.display()
    ))
}

/// Puts the library where the loader looks: for binaries that are started by hand into the folder that the rpath names,
/// and for doc tests, which have no rpath, beside this script's output. Cargo hands that place to whatever it starts,
/// because it lies inside the profile's folder.
fn provide_at_run_time(library_dir: &Path, cargo: &mut impl Write) -> Result<(), BuildError> {
    let library = library_dir.join(run_time_file_name());
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let Some(target_dir) = target_dir(&out_dir) else {
        return Err(BuildError(format!(
            "{}: not the place of a build script's output",
            out_dir.display()
        )));
    };
    writeln!(cargo, "cargo:rustc-link-search=native={}", out_dir.display())?;
    for dir in [target_dir.join("native").join("duckdb"), out_dir] {
        let link = dir.join(run_time_file_name());
        writeln!(cargo, "cargo:rerun-if-changed={}", link.display())?;
        if !is_same_file(&library, &link) {
            place(&library, &link).map_err(|source| cannot_place(&library, &link, &source))?;
        }
    }
    Ok(())
}

fn cannot_place(library: &Path, link: &Path, source: &io::Error) -> BuildError {
    BuildError(format!(
        "cannot put {} at {}: {source}",
        library.display(),
        link.display()
    ))
}

/// The folder above the profile's: `OUT_DIR` is `<target>/[<triple>/]<profile>/build/<package>/out`.
fn target_dir(out_dir: &Path) -> Option<PathBuf> {
    let build_dir = out_dir
        .ancestors()
        .find(|dir| dir.file_name().is_some_and(|name| name == "build"))?;
    Some(build_dir.parent()?.parent()?.to_path_buf())
}

fn is_same_file(left: &Path, right: &Path) -> bool {
    match (left.canonicalize(), right.canonicalize()) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

/// Links or copies under a temporary name and renames, so that a build beside this one never sees half a library.
fn place(source: &Path, link: &Path) -> io::Result<()> {
    let folder = link
        .parent()
        .ok_or_else(|| io::Error::other("it has no parent folder"))?;
    fs::create_dir_all(folder)?;
    let temporary = folder.join(format!(".new-{}", std::process::id()));
    link_or_copy(&source.canonicalize()?, &temporary)?;
    fs::rename(&temporary, link)
}

#[cfg(unix)]
fn link_or_copy(source: &Path, destination: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(source, destination)
}

#[cfg(not(unix))]
fn link_or_copy(source: &Path, destination: &Path) -> io::Result<()> {
    fs::copy(source, destination)?;
    // Cargo compares times: a copy newer than this script's last run would make it run again.
    fs::File::options()
        .write(true)
        .open(destination)?
        .set_modified(fs::metadata(source)?.modified()?)
}
