//! Words that may stand in no file of the project: paths of one machine, and hosts of package registries.
//!
//! A path of somebody's machine works nowhere else; the address of a registry goes past the one that a user's package
//! manager is set to.

use crate::files::{self, TextFile};

/// The words, put together here so that this file does not hold them itself.
fn forbidden() -> Vec<String> {
    let folders = ["root", "home", "Users"].map(|folder| format!("/{folder}/"));
    let hosts = [
        ("registry.", "npmjs"),
        ("py", "pi.org"),
        ("pythonhosted", ".org"),
        ("deb.", "debian.org"),
    ];
    let crates = ["static", "index"].map(|host| format!("{host}.crates.{}", "io"));
    let hosts = hosts.map(|(first, second)| format!("{first}{second}"));
    folders.into_iter().chain(hosts).chain(crates).collect()
}

#[test]
fn no_file_names_a_path_of_one_machine_or_a_registry_host() {
    let words = forbidden();
    let found: Vec<_> = files::all().iter().flat_map(|file| hits(file, &words)).collect();
    assert!(
        found.is_empty(),
        "write it relative to the project, or leave it to the tool:\n{}",
        found.join("\n")
    );
}

fn hits(file: &TextFile, words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let word = words.iter().find(|word| line.contains(word.as_str()));
        found.extend(word.map(|word| format!("{}:{}: {word}", file.path, index + 1)));
    }
    found
}

#[test]
fn each_word_is_found_with_its_line() {
    for word in forbidden() {
        let file = TextFile {
            path: "a.md".to_owned(),
            text: format!("fine\nsee {word}x\n"),
        };
        assert_eq!(hits(&file, &forbidden()), [format!("a.md:2: {word}")]);
    }
    let fine = TextFile {
        path: "b.md".to_owned(),
        text: "crates.io, the home of crates\n".to_owned(),
    };
    assert!(hits(&fine, &forbidden()).is_empty());
}
