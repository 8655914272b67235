//! Which library each platform needs and where a prebuilt one is known to be.

/// DuckDB's version; the `duckdb` crate of the workspace speaks exactly this one.
pub(crate) const DUCKDB_VERSION: &str = "1.5.6";

/// The release of the npm packages that carry that version.
const NPM_RELEASE: &str = "1.5.6-r.1";

/// A platform on which Sextant can run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    os: &'static str,
    arch: &'static str,
    /// The file that the linker and the loader look for.
    pub(crate) library: &'static str,
    /// The npm package with the library, where its checksum has been measured.
    pub(crate) package: Option<Package>,
}

/// An npm package with a stock libduckdb inside, pinned by content.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    suffix: &'static str,
    /// SHA-256 of the package file, in lower-case hexadecimal.
    pub(crate) package_sha256: &'static str,
    /// SHA-256 of the library inside, in lower-case hexadecimal.
    pub(crate) library_sha256: &'static str,
}

impl Package {
    /// What npm is asked for: name and exact version.
    pub(crate) fn spec(&self) -> String {
        format!("@duckdb/node-bindings-{}@{NPM_RELEASE}", self.suffix)
    }
}

/// Platforms with a prebuilt libduckdb. A row without a package has no measured checksum, and nothing is unpacked that
/// is not pinned: such a platform takes the download of `libduckdb-sys`, which fetches DuckDB's own release.
const PLATFORMS: [Platform; 4] = [
    Platform {
        os: "linux",
        arch: "x86_64",
        library: "libduckdb.so",
        package: Some(Package {
            suffix: "linux-x64",
            package_sha256: "1b9f82478539bb9a1d1df44bd103121a12ae52142c07158dc52b97d2ec1d69ff",
            library_sha256: "3f4962cdd266eab2b479a5b5a4a6d063d279b2954ae814ed00385d553b747633",
        }),
    },
    Platform {
        os: "linux",
        arch: "aarch64",
        library: "libduckdb.so",
        package: None,
    },
    Platform {
        os: "macos",
        arch: "aarch64",
        library: "libduckdb.dylib",
        package: None,
    },
    Platform {
        os: "macos",
        arch: "x86_64",
        library: "libduckdb.dylib",
        package: None,
    },
];

/// The platform that this program was compiled for, or `None` where no prebuilt library is known.
pub(crate) fn host() -> Option<&'static Platform> {
    // The prebuilt libraries need glibc.
    if cfg!(target_env = "musl") {
        return None;
    }
    find(std::env::consts::OS, std::env::consts::ARCH)
}

/// `linux-x86_64` and the like, for messages.
pub(crate) fn host_name() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

fn find(os: &str, arch: &str) -> Option<&'static Platform> {
    PLATFORMS
        .iter()
        .find(|platform| platform.os == os && platform.arch == arch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_on_x86_64_has_a_pinned_package() {
        let package = find("linux", "x86_64").unwrap().package.as_ref().unwrap();
        assert_eq!(package.spec(), "@duckdb/node-bindings-linux-x64@1.5.6-r.1");
    }

    #[test]
    fn each_system_looks_for_its_own_kind_of_library() {
        let table = [
            ("linux", "aarch64", "libduckdb.so"),
            ("macos", "aarch64", "libduckdb.dylib"),
        ];
        for (os, arch, library) in table {
            assert_eq!(find(os, arch).unwrap().library, library);
        }
    }

    #[test]
    fn an_unknown_platform_has_no_prebuilt_library() {
        assert_eq!(find("freebsd", "x86_64"), None);
        assert_eq!(find("linux", "riscv64"), None);
        assert_eq!(find("windows", "x86_64"), None);
    }

    #[test]
    fn every_pin_is_a_sha256() {
        for package in PLATFORMS.iter().filter_map(|platform| platform.package.as_ref()) {
            for pin in [package.package_sha256, package.library_sha256] {
                assert_eq!(pin.len(), 64);
                assert!(
                    pin.bytes()
                        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
                );
            }
        }
    }

    #[test]
    fn the_release_carries_the_version_that_the_workspace_links() {
        assert!(NPM_RELEASE.starts_with(DUCKDB_VERSION));
        let manifest = include_str!("../../Cargo.toml");
        let crate_version = DUCKDB_VERSION
            .split('.')
            .map(|part| format!("{part:0>2}"))
            .collect::<String>();
        let crate_version = crate_version.trim_start_matches('0');
        assert!(
            manifest.contains(&format!("duckdb = {{ version = \"~1.{crate_version}.")),
            "{crate_version}"
        );
    }
}
