//! Documents that are made from the code, or must agree with it.

use clap::CommandFactory;

use crate::workspace::repository;

#[test]
fn the_config_reference_is_the_generated_one() {
    let file = repository().join("specs/config-reference.md");
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        written == sextant_cli::config::config_reference(),
        "specs/config-reference.md is not up to date: cargo xtask config reference > specs/config-reference.md"
    );
}

#[test]
fn xtask_lists_exactly_the_commands_there_are() {
    let text = std::fs::read_to_string(repository().join("xtask/commands.txt")).unwrap();
    let mut listed: Vec<String> = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("sextant | ")?
                .split(" | ")
                .next()
                .map(str::to_owned)
        })
        .collect();
    let mut known = Vec::new();
    for command in sextant_cli::args::Cli::command().get_subcommands() {
        let inner: Vec<_> = command.get_subcommands().collect();
        let name = command.get_name();
        if inner.is_empty() {
            known.push(name.to_owned());
        }
        known.extend(inner.iter().map(|one| format!("{name} {}", one.get_name())));
    }
    listed.sort();
    known.sort();
    assert_eq!(listed, known);
}

#[test]
fn the_feature_catalogue_names_every_feature() {
    let text = std::fs::read_to_string(repository().join("configs/features.yaml")).unwrap();
    for entry in sextant_features::registry() {
        assert!(
            text.contains(&format!("name: {}", entry.name)),
            "{} is not in configs/features.yaml",
            entry.name
        );
    }
}
