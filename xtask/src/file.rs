//! Files and folders: writing whole, checking, unpacking, finding.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Writes a small file under a temporary name and renames it.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<()> {
    let what = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(what)?;
    }
    let temporary = path.with_extension(format!("new-{}", std::process::id()));
    fs::write(&temporary, text).with_context(what)?;
    fs::rename(&temporary, path).with_context(what)
}

/// The SHA-256 of a file, by the tool that the system has.
pub(crate) fn sha256(file: &Path) -> Result<String> {
    let tools: [&[&str]; 2] = [&["sha256sum"], &["shasum", "-a", "256"]];
    for tool in tools {
        let Ok(output) = Command::new(tool[0]).args(&tool[1..]).arg(file).output() else {
            continue;
        };
        let printed = String::from_utf8_lossy(&output.stdout);
        if let (true, Some(digest)) = (output.status.success(), printed.split_whitespace().next()) {
            return Ok(digest.trim_start_matches('\\').to_owned());
        }
        bail!(
            "{} failed on {}: {}",
            tool[0],
            file.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    bail!(
        "neither sha256sum nor shasum is installed, so {} cannot be checked",
        file.display()
    )
}

/// Refuses a file whose SHA-256 is not the expected one; `what` names it in the message.
pub(crate) fn check_sha256(file: &Path, expected: &str, what: &str) -> Result<()> {
    let found = sha256(file)?;
    if found != expected {
        bail!(
            "{what} is not the package that was pinned: sha256 is {found}, must be {expected}; nothing was unpacked. \
             Either the registry serves something else, or the pin in xtask/src/platform.rs is due for a change"
        );
    }
    Ok(())
}

/// Takes one member out of a gzipped tar archive and returns where it lies.
pub(crate) fn unpack(archive: &Path, member: &str, into: &Path) -> Result<PathBuf> {
    let status = Command::new("tar")
        .arg("-xzf")
        .arg(archive)
        .arg("-C")
        .arg(into)
        .arg(member)
        .status();
    let status = status.context("cannot start tar")?;
    if !status.success() {
        bail!("tar found no {member} in {} ({status})", archive.display());
    }
    Ok(into.join(member))
}

/// The file with that extension, of which there must be exactly one.
pub(crate) fn only_file_with_extension(dir: &Path, extension: &str) -> Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    match <[PathBuf; 1]>::try_from(found) {
        Ok([file]) => Ok(file),
        Err(found) => bail!(
            "expected one .{extension} file in {}, found {}",
            dir.display(),
            found.len()
        ),
    }
}

/// The first file of that name below a folder.
pub(crate) fn find_file(dir: &Path, name: &str) -> Result<PathBuf> {
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|found| found == name) {
                return Ok(path);
            }
        }
    }
    bail!("no {name} below {}", dir.display())
}

/// A folder that is removed when it goes out of scope.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// A new hidden folder beside the path, so that what is made in it can be renamed to the path.
    pub(crate) fn beside(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let dir = path.with_file_name(format!(".{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(Self(dir))
    }
}

#[cfg(test)]
impl Scratch {
    /// A folder for a test, in the system's temporary folder.
    pub(crate) fn for_test(name: &str) -> Self {
        Self::beside(&std::env::temp_dir().join(name)).expect("the temporary folder can be written to")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind does no harm: it is hidden, and the next process takes a name of its own.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn sha256_is_that_of_the_standard() {
        let dir = Scratch::for_test("sextant-sha256");
        let file = dir.0.join("abc");
        fs::write(&file, "abc").unwrap();
        assert_eq!(sha256(&file).unwrap(), DIGEST_OF_ABC);
        check_sha256(&file, DIGEST_OF_ABC, "abc").unwrap();
    }

    #[test]
    fn another_content_than_the_pinned_one_is_refused_with_both_digests() {
        let dir = Scratch::for_test("sextant-damaged");
        let file = dir.0.join("abd");
        fs::write(&file, "abd").unwrap();
        let error = check_sha256(&file, DIGEST_OF_ABC, "the package")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(DIGEST_OF_ABC) && error.contains(&sha256(&file).unwrap()),
            "{error}"
        );
    }

    #[test]
    fn only_the_library_is_unpacked() {
        let dir = Scratch::for_test("sextant-unpack");
        let package = dir.0.join("package");
        fs::create_dir(&package).unwrap();
        fs::write(package.join("libduckdb.so"), "a library").unwrap();
        fs::write(package.join("other"), "something else").unwrap();
        let archive = dir.0.join("a.tgz");
        let tar = Command::new("tar")
            .arg("-czf")
            .arg(&archive)
            .arg("-C")
            .arg(&dir.0)
            .arg("package")
            .status();
        assert!(tar.unwrap().success());

        let into = dir.0.join("into");
        fs::create_dir(&into).unwrap();
        let library = unpack(&archive, "package/libduckdb.so", &into).unwrap();
        assert_eq!(fs::read_to_string(library).unwrap(), "a library");
        assert!(!into.join("package").join("other").exists());
        assert!(unpack(&archive, "package/absent", &into).is_err());
        assert_eq!(only_file_with_extension(&dir.0, "tgz").unwrap(), archive);
    }

    #[test]
    fn a_downloaded_library_is_found_at_any_depth() {
        let dir = Scratch::for_test("sextant-find");
        let deep = dir.0.join("triple").join("1.5.6");
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join("libduckdb.so"), "").unwrap();
        assert_eq!(
            find_file(&dir.0, "libduckdb.so").unwrap(),
            deep.join("libduckdb.so")
        );
        assert!(find_file(&dir.0, "libduckdb.dylib").is_err());
    }

    #[test]
    fn writing_replaces_the_whole_file_and_leaves_nothing_beside_it() {
        let dir = Scratch::for_test("sextant-write");
        let path = dir.0.join("sub").join("note.txt");
        write_new(&path, "first and long").unwrap();
        write_new(&path, "second").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        assert_eq!(fs::read_dir(dir.0.join("sub")).unwrap().count(), 1);
    }
}
