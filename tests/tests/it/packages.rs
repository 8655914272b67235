//! The packages of the workspace as cargo sees them.

use std::process::Command;

use serde_json::Value;

use crate::files;

/// A package of the workspace.
pub(crate) struct Package {
    /// The name without the prefix `sextant-`.
    pub(crate) name: String,
    /// Everything that its manifest asks for, optional things too.
    pub(crate) dependencies: Vec<Dependency>,
    description: String,
    license: String,
}

/// One line of a manifest.
pub(crate) struct Dependency {
    /// The name of the package; without the prefix `sextant-` where it is one of ours.
    pub(crate) name: String,
    /// What it is needed for.
    pub(crate) kind: Kind,
    /// Whether it is a package of the workspace.
    pub(crate) is_internal: bool,
}

/// What a dependency is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By the library or the program itself.
    Normal,
    /// By tests, examples and benches.
    Dev,
    /// By the build script.
    Build,
}

/// Every package of the workspace, without the network.
pub(crate) fn all() -> Vec<Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(files::root());
    let output = command.output().expect("cargo can be started");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages: Vec<_> = list(&metadata["packages"]).iter().map(package).collect();
    assert!(
        packages.iter().any(|package| package.name == "domain"),
        "cargo metadata shows no sextant-domain"
    );
    packages
}

fn package(value: &Value) -> Package {
    Package {
        name: short(text(&value["name"])),
        dependencies: list(&value["dependencies"]).iter().map(dependency).collect(),
        description: text(&value["description"]),
        license: text(&value["license"]),
    }
}

fn dependency(value: &Value) -> Dependency {
    let is_internal = value["path"].is_string();
    let name = text(&value["name"]);
    let kind = match value["kind"].as_str() {
        Some("dev") => Kind::Dev,
        Some("build") => Kind::Build,
        _ => Kind::Normal,
    };
    Dependency {
        name: if is_internal { short(name) } else { name },
        kind,
        is_internal,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("cargo metadata has a list here")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn short(name: String) -> String {
    name.strip_prefix("sextant-").map_or(name.clone(), str::to_owned)
}

#[test]
fn every_package_has_a_description_and_both_licences() {
    for package in all() {
        assert!(
            package.description.len() > 20,
            "{}: its manifest needs a description of one sentence",
            package.name
        );
        assert_eq!(
            package.license, "MIT OR Apache-2.0",
            "{}: write `license.workspace = true`",
            package.name
        );
    }
    assert!(
        files::required("LICENSE-MIT")
            .text
            .contains("The Sextant developers")
    );
    assert!(files::required("LICENSE-APACHE").text.contains("Apache License"));
}
