//! What every source file carries, and what none may hold.

use crate::files::{self, TextFile};

/// Five hundred lines are a long file; here is the end.
const LONGEST_LINES: usize = 700;

/// Stubs and switched-off tests, put together here so that this file does not hold them itself.
fn stubs() -> Vec<String> {
    [
        ("todo", "!("),
        ("unimplemented", "!("),
        ("#[igno", "re"),
        ("dbg", "!("),
    ]
    .map(|(first, second)| format!("{first}{second}"))
    .to_vec()
}

#[test]
fn every_source_file_begins_with_its_documentation() {
    let silent: Vec<_> = files::rust()
        .into_iter()
        .filter(|file| !has_module_doc(&file.text))
        .collect();
    let advice = "begin the file with `//!`: what it is and why it exists";
    assert!(silent.is_empty(), "{advice}:\n{}", paths(&silent));
}

fn has_module_doc(text: &str) -> bool {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    first
        .strip_prefix("//!")
        .is_some_and(|words| !words.trim().is_empty())
}

#[test]
fn no_source_file_is_too_long() {
    let long: Vec<_> = files::rust()
        .into_iter()
        .filter(|file| file.text.lines().count() > LONGEST_LINES)
        .collect();
    assert!(
        long.is_empty(),
        "longer than {LONGEST_LINES} lines; split by what changes together:\n{}",
        paths(&long)
    );
}

#[test]
fn no_source_file_holds_a_stub_or_a_switched_off_test() {
    let stubs = stubs();
    let mut found = Vec::new();
    for file in files::rust() {
        found.extend(lines_with(&file, &stubs));
    }
    assert!(
        found.is_empty(),
        "finish it or take it out:\n{}",
        found.join("\n")
    );
}

fn lines_with(file: &TextFile, words: &[String]) -> Vec<String> {
    let hits = file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| words.iter().any(|word| line.contains(word)));
    hits.map(|(index, line)| format!("{}:{}: {}", file.path, index + 1, line.trim()))
        .collect()
}

fn paths(files: &[TextFile]) -> String {
    files
        .iter()
        .map(|file| format!("{} ({} lines)\n", file.path, file.text.lines().count()))
        .collect()
}

#[test]
fn each_rule_finds_what_breaks_it() {
    assert!(has_module_doc("//! Bars and their times.\n\nuse x;\n"));
    for text in [
        "",
        "use x;\n//! Too late to be a doc.\n",
        "//!\nfn main() {}\n",
        "// A comment only.\n",
    ] {
        assert!(!has_module_doc(text), "{text:?}");
    }
    let text = stubs()
        .iter()
        .map(|stub| format!("fn f() {{ {stub} }}\n"))
        .collect();
    let file = TextFile {
        path: "x.rs".to_owned(),
        text,
    };
    let found = lines_with(&file, &stubs());
    assert_eq!(found.len(), 4);
    assert!(found[3].starts_with("x.rs:4: "), "{found:?}");
}
