//! The documents name only what exists: links, paths of the project, and commands.
//!
//! A reader who follows one dead link or types one command that is not there stops believing the rest.

use crate::files::{self, TextFile};

/// Paths that begin like this belong to the repository. Paths below data, results and logs come into being by running.
const SOURCE_FOLDERS: [&str; 7] = [
    "crates/", "configs/", "specs/", "tests/", "xtask/", ".cargo/", ".ci/",
];

/// Where `cargo xtask` has its list of commands from.
const COMMAND_LIST: &str = "xtask/commands.txt";

fn documents() -> Vec<TextFile> {
    let mut documents = vec![files::required("README.md"), files::required("QUICKSTART.md")];
    let specs = files::all()
        .into_iter()
        .filter(|file| file.path.starts_with("specs/") && file.path.ends_with(".md"));
    documents.extend(specs);
    documents
}

#[test]
fn every_relative_link_leads_somewhere() {
    let dead: Vec<_> = documents()
        .iter()
        .flat_map(|document| dead(document, links(&document.text)))
        .collect();
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}

#[test]
fn every_path_of_the_project_that_a_document_names_exists() {
    let mut dead = Vec::new();
    for document in documents() {
        let named = paths(&document.text)
            .into_iter()
            .filter(|path| !files::root().join(path).exists());
        dead.extend(named.map(|path| format!("{}: {path}", document.path)));
    }
    assert!(dead.is_empty(), "paths that do not exist:\n{}", dead.join("\n"));
}

#[test]
fn every_command_that_a_document_names_exists() {
    let list = files::required(COMMAND_LIST);
    let known = commands(&list.text);
    let mut unknown = Vec::new();
    for document in documents() {
        let named = named_commands(&document.text)
            .into_iter()
            .filter(|words| !is_known(words, &known));
        unknown.extend(named.map(|words| format!("{}: cargo xtask {}", document.path, words.join(" "))));
    }
    assert!(
        unknown.is_empty(),
        "not in {COMMAND_LIST}:\n{}",
        unknown.join("\n")
    );
}

/// The targets of Markdown links that are no addresses and no anchors of the same page.
fn links(text: &str) -> Vec<&str> {
    let targets = text.match_indices("](").filter_map(|(start, opening)| {
        let rest = &text[start + opening.len()..];
        rest[..rest.find(')')?].split_whitespace().next()
    });
    targets
        .filter(|target| !target.contains("://") && !target.starts_with(['#', '<']) && !target.contains(':'))
        .collect()
}

fn dead(document: &TextFile, links: Vec<&str>) -> Vec<String> {
    let folder = files::root().join(&document.path);
    let folder = folder.parent().expect("a document lies in a folder");
    let lead_nowhere = links.into_iter().filter(|link| {
        let path = link.split('#').next().unwrap_or_default();
        !folder.join(path).exists()
    });
    lead_nowhere
        .map(|link| format!("{}: {link}", document.path))
        .collect()
}

/// Words that look like a path of the repository; those with a placeholder in them are left out.
fn paths(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| c.is_whitespace() || "`\"'()[],;|=".contains(c));
    let words = words.map(|word| {
        word.trim_start_matches("./")
            .trim_end_matches(['.', ':', '!', '?', '*'])
    });
    words
        .filter(|word| SOURCE_FOLDERS.iter().any(|folder| word.starts_with(folder)))
        .filter(|word| {
            !word.contains(['<', '>', '*', '{', '$', '…']) && !word.contains("..") && !word.contains("NNNN")
        })
        .map(|word| word.split(['#', ':']).next().unwrap_or_default())
        .collect()
}

/// Each command of the list, as its words.
fn commands(list: &str) -> Vec<Vec<&str>> {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| Some(line.split(" | ").nth(1)?.split_whitespace().collect()))
        .collect()
}

/// The first two words after each `cargo xtask`, as far as they are words and not options, values or placeholders.
fn named_commands(text: &str) -> Vec<Vec<&str>> {
    let calls = text
        .split("cargo xtask ")
        .skip(1)
        .map(|rest| rest.lines().next().unwrap_or_default());
    calls
        .map(leading_words)
        .filter(|words| !words.is_empty())
        .collect()
}

fn leading_words(call: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for token in call.split_whitespace().take(2) {
        let word = token.trim_end_matches(|c: char| "`.,;:)*\"'?!".contains(c));
        if word.is_empty()
            || word.starts_with('-')
            || !word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        {
            break;
        }
        words.push(word);
        // Behind punctuation another sentence begins.
        if word.len() < token.len() {
            break;
        }
    }
    words
}

/// A command of one word is known by it; where the list has pairs, the second word must fit, if there is one.
fn is_known(words: &[&str], known: &[Vec<&str>]) -> bool {
    let mut same_first = known.iter().filter(|command| command[0] == words[0]).peekable();
    if same_first.peek().is_none() {
        return false;
    }
    words.len() == 1 || same_first.any(|command| command.len() == 1 || command[1] == words[1])
}

#[test]
fn links_are_found_and_addresses_are_not() {
    let text = "[a](specs/a.md) ![b](../b.png \"title\") [c](https://x/y) [d](#here) [e](a.md#part) [f](mailto:x) <g>";
    assert_eq!(links(text), ["specs/a.md", "../b.png", "a.md#part"]);
    let document = TextFile {
        path: "README.md".to_owned(),
        text: String::new(),
    };
    assert_eq!(
        dead(&document, vec!["Cargo.toml", "Cargo.toml#x", "no/such.md"]),
        ["README.md: no/such.md"]
    );
}

#[test]
fn paths_are_found_in_prose_and_in_commands() {
    let text = "See `configs/base/system.yaml`, crates/domain. Run x --config=configs/a.yaml and look at data/equities.\n\
                `specs/decisions/NNNN-title.md` tests/golden/<name>/ (xtask/src/main.rs:12) tests/../x crates/*/src";
    assert_eq!(
        paths(text),
        [
            "configs/base/system.yaml",
            "crates/domain",
            "configs/a.yaml",
            "xtask/src/main.rs"
        ]
    );
}

#[test]
fn commands_are_found_and_their_arguments_are_not() {
    let text = "`cargo xtask backtest`, cargo xtask data import --from x\ncargo xtask show <run>\ncargo xtask store rebuild.\n\
                cargo xtask <command>\n`cargo xtask test ledger`\n$ cargo xtask list-models\ncargo xtask data show SPY";
    let expected: [&[&str]; 7] = [
        &["backtest"],
        &["data", "import"],
        &["show"],
        &["store", "rebuild"],
        &["test", "ledger"],
        &["list-models"],
        &["data", "show"],
    ];
    assert_eq!(named_commands(text), expected);

    let known =
        commands("# owner | x | y\nsextant | data import | z\nsextant | data status | z\nxtask | test | z\n");
    for (words, expected) in [
        (vec!["data", "import"], true),
        (vec!["data"], true),
        (vec!["data", "show"], false),
        (vec!["test", "ledger"], true),
        (vec!["tset"], false),
        (vec!["x"], false),
    ] {
        assert_eq!(is_known(&words, &known), expected, "{words:?}");
    }
}
