//! Where things lie, and how cargo is called.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The variable by which `libduckdb-sys` finds the library.
pub(crate) const LIBRARY_DIR_VARIABLE: &str = "DUCKDB_LIB_DIR";

/// The checkout and its target folder.
pub(crate) struct Workspace {
    /// The folder of the root manifest.
    pub(crate) root: PathBuf,
    /// The folder that holds the profile's folder; with `--target` the one named by the triple.
    pub(crate) target_dir: PathBuf,
    /// The folder that holds the finished binaries.
    binary_dir: PathBuf,
    /// The folder named by `DUCKDB_LIB_DIR`, or the default one.
    pub(crate) library_dir: PathBuf,
}

impl Workspace {
    /// Finds the checkout through cargo's variables and the target folder through this program's own place, which is
    /// right whichever way the target folder was chosen.
    ///
    /// # Errors
    /// When the program was not started by cargo out of a target folder.
    pub(crate) fn locate() -> Result<Self> {
        let manifest_dir =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = parent(Path::new(&manifest_dir))?;
        // Read before anything is built: a rebuild replaces the file.
        let executable = env::current_exe().context("cannot find the place of this program")?;
        let binary_dir = parent(&executable)?;
        let target_dir = parent(&binary_dir)?;
        let library_dir = match env::var_os(LIBRARY_DIR_VARIABLE) {
            Some(dir) => std::path::absolute(dir).context("DUCKDB_LIB_DIR is set, but not to a path")?,
            None => default_library_dir(&root),
        };
        Ok(Self {
            root,
            target_dir,
            binary_dir,
            library_dir,
        })
    }

    /// Whether the library's folder is one of those that `setup` fills, and not a folder of the user's own.
    pub(crate) fn owns_library_dir(&self) -> bool {
        let inside_target = self.target_dir.join("native").join("duckdb");
        [default_library_dir(&self.root), inside_target].contains(&self.library_dir)
    }

    /// The path of a finished binary of the workspace.
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.binary_dir.join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// A cargo command that runs in the checkout and sees the environment that the user's own cargo would see.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        for (name, _) in env::vars_os().filter(|(name, _)| is_set_by_cargo_run(name)) {
            command.env_remove(name);
        }
        if self.library_dir == default_library_dir(&self.root) {
            // Cargo sets it again from .cargo/config.toml; a second source would make it build the library's crate anew.
            command.env_remove(LIBRARY_DIR_VARIABLE);
        } else {
            command.env(LIBRARY_DIR_VARIABLE, &self.library_dir);
        }
        command
    }
}

fn parent(path: &Path) -> Result<PathBuf> {
    let parent = path
        .parent()
        .with_context(|| format!("{} has no parent folder", path.display()))?;
    Ok(parent.to_path_buf())
}

/// The folder that `.cargo/config.toml` names.
fn default_library_dir(root: &Path) -> PathBuf {
    root.join("target").join("native").join("duckdb")
}

/// Variables that describe the package `xtask` and mean nothing to a cargo that builds others.
fn is_set_by_cargo_run(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// `<first>:<rest>` in the way of the platform's search paths, with the present value of the variable behind.
pub(crate) fn prepend_to_search_path(variable: &str, first: &Path) -> OsString {
    let present = env::var_os(variable).unwrap_or_default();
    let paths =
        std::iter::once(first.to_path_buf()).chain(env::split_paths(&present).filter(|path| path != first));
    // A folder whose name holds the separator cannot stand in the list: then the list stays as it is.
    env::join_paths(paths).unwrap_or(present)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(library_dir: &str) -> Workspace {
        Workspace {
            root: "/checkout".into(),
            target_dir: "/elsewhere".into(),
            binary_dir: "/elsewhere/debug".into(),
            library_dir: library_dir.into(),
        }
    }

    #[test]
    fn setup_fills_the_default_folder_and_that_of_the_target_folder_but_no_other() {
        assert!(workspace("/checkout/target/native/duckdb").owns_library_dir());
        assert!(workspace("/elsewhere/native/duckdb").owns_library_dir());
        assert!(!workspace("/opt/duckdb").owns_library_dir());
    }

    #[test]
    fn cargo_sees_a_library_folder_of_the_users_own_but_not_the_default_one() {
        let named = |library_dir: &str| {
            let command = workspace(library_dir).cargo();
            let found = command.get_envs().find(|(name, _)| *name == LIBRARY_DIR_VARIABLE);
            found.and_then(|(_, value)| value.map(OsStr::to_os_string))
        };
        assert_eq!(named("/opt/duckdb"), Some("/opt/duckdb".into()));
        assert_eq!(named("/checkout/target/native/duckdb"), None);
    }

    #[test]
    fn binaries_lie_beside_xtask() {
        let name = format!("/elsewhere/debug/sextant{}", env::consts::EXE_SUFFIX);
        assert_eq!(workspace("/x").binary("sextant"), PathBuf::from(name));
    }

    #[test]
    fn the_search_path_begins_with_the_new_folder_and_keeps_the_old_ones() {
        let joined = prepend_to_search_path("PATH", Path::new("/opt/first"));
        let paths: Vec<_> = env::split_paths(&joined).collect();
        assert_eq!(paths[0], Path::new("/opt/first"));
        assert!(env::split_paths(&env::var_os("PATH").unwrap()).all(|old| paths.contains(&old)));
    }
}
