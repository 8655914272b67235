//! A folder of its own for each test, with a copy of the shipped configuration.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// A folder in which the command runs.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// What a command printed and how it ended.
pub(crate) struct Outcome {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    /// A folder with `configs/` as shipped.
    pub(crate) fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        copy(&repository().join("configs"), &place.path("configs"));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Replaces text in a file that must contain it.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(name, &text.replace(from, to));
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(&[], arguments)
    }

    /// Runs with variables of the environment; keys of providers are never those of the machine.
    pub(crate) fn run_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Outcome {
        let output = Command::cargo_bin("sextant")
            .unwrap()
            .current_dir(self.folder.path())
            .env_remove("APCA_API_KEY_ID")
            .env_remove("APCA_API_SECRET_KEY")
            .envs(environment.iter().copied())
            .args(arguments)
            .output()
            .unwrap();
        Outcome {
            success: output.status.success(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The folder of the only run there is.
    pub(crate) fn run_folder(&self) -> PathBuf {
        let folders = sextant_store::RunFolders::new(self.path("results"));
        let ids = folders.ids().unwrap();
        assert_eq!(ids.len(), 1);
        folders.run_dir(&ids[0])
    }

    /// A backtest of one year on a short synthetic market.
    pub(crate) fn backtest(&self, more: &[&str]) -> Outcome {
        let mut arguments = vec![
            "backtest",
            "--set",
            "synthetic.from=2015-01-01",
            "--set",
            "synthetic.to=2016-12-31",
            "--start",
            "2016-01-01",
            "--end",
            "2016-12-31",
        ];
        arguments.extend(more);
        self.run(&arguments)
    }
}

impl Outcome {
    /// Asserts failure, and that every part stands in the message.
    pub(crate) fn fails_with(&self, parts: &[&str]) {
        assert!(!self.success, "it succeeded: {}", self.stdout);
        for part in parts {
            assert!(
                self.stderr.contains(part),
                "`{part}` is missing in: {}",
                self.stderr
            );
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    /// Asserts success and returns what was printed.
    pub(crate) fn printed(self) -> String {
        assert!(self.success, "it failed: {}", self.stderr);
        self.stdout
    }
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target)
        } else {
            std::fs::copy(&path, &target).map(drop).unwrap()
        }
    }
}
