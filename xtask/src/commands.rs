//! What the command line means: which words belong to xtask and which go to `sextant`.

use std::ffi::OsString;

use anyhow::{Result, bail};

/// The list of commands, one per line: owner, command, description. Tests of the docs read the same file.
const COMMANDS: &str = include_str!("../commands.txt");

/// One call of `cargo xtask`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Invocation {
    /// Print the list of commands.
    Help,
    /// Make libduckdb available.
    Setup(LibrarySource),
    /// Run the tests; the arguments go to the test runner.
    Test(Vec<OsString>),
    /// Run format, lints and checks.
    Check,
    /// Run the benchmarks; the arguments go to `cargo bench`.
    Bench(Vec<OsString>),
    /// Everything else belongs to `sextant`.
    Sextant(Vec<OsString>),
}

/// Where `setup` is to take libduckdb from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LibrarySource {
    /// A library that others have compiled.
    Prebuilt,
    /// DuckDB's sources, compiled with the workspace.
    Bundled,
}

/// Splits the arguments after `cargo xtask`.
///
/// # Errors
/// When a command of xtask's own gets an argument that it does not know.
pub(crate) fn parse(mut arguments: Vec<OsString>) -> Result<Invocation> {
    let Some(first) = arguments
        .first()
        .map(|first| first.to_string_lossy().into_owned())
    else {
        return Ok(Invocation::Help);
    };
    let rest = || arguments[1..].to_vec();
    Ok(match first.as_str() {
        "-h" | "--help" => Invocation::Help,
        "help" => return Ok(parse_help(arguments)),
        "setup" => Invocation::Setup(parse_setup(&arguments[1..])?),
        "test" => Invocation::Test(rest()),
        "check" => {
            reject_arguments("check", &arguments[1..])?;
            Invocation::Check
        }
        "bench" => Invocation::Bench(rest()),
        _ => Invocation::Sextant(std::mem::take(&mut arguments)),
    })
}

/// `help` alone and `help <command of xtask>` print the list; `help backtest` is a question for `sextant`.
fn parse_help(arguments: Vec<OsString>) -> Invocation {
    let of_sextant = |word: &OsString| !is_own(&word.to_string_lossy());
    if arguments.get(1).is_some_and(of_sextant) {
        return Invocation::Sextant(arguments);
    }
    Invocation::Help
}

fn parse_setup(arguments: &[OsString]) -> Result<LibrarySource> {
    match arguments {
        [] => Ok(LibrarySource::Prebuilt),
        [only] if only == "--bundled" => Ok(LibrarySource::Bundled),
        _ => bail!(
            "`cargo xtask setup` does not know {arguments:?}; allowed: nothing, or --bundled to compile DuckDB from source"
        ),
    }
}

fn reject_arguments(command: &str, arguments: &[OsString]) -> Result<()> {
    if !arguments.is_empty() {
        bail!("`cargo xtask {command}` takes no arguments, but got {arguments:?}");
    }
    Ok(())
}

/// The text of `cargo xtask help`.
pub(crate) fn overview() -> String {
    let mut text = String::from("Sextant: cargo xtask <command> [arguments]\n\nBuilding and checking:\n");
    text.push_str(&section("xtask"));
    text.push_str(
        "\nCommands of sextant (compiled first if needed; `cargo xtask <command> --help` tells more):\n",
    );
    text.push_str(&section("sextant"));
    text.push_str(
        "\nThe first run fetches libduckdb and compiles everything, about ten minutes on two cores.\n",
    );
    text
}

fn section(owner: &str) -> String {
    let lines = entries().filter(|entry| entry.owner == owner);
    lines
        .map(|entry| format!("  {:<17} {}\n", entry.command, entry.description))
        .collect()
}

fn is_own(word: &str) -> bool {
    entries().any(|entry| entry.owner == "xtask" && entry.command == word)
}

struct Entry {
    owner: &'static str,
    command: &'static str,
    description: &'static str,
}

fn entries() -> impl Iterator<Item = Entry> {
    COMMANDS.lines().filter_map(|line| {
        let mut fields = line.splitn(3, " | ");
        let entry = Entry {
            owner: fields.next()?,
            command: fields.next()?,
            description: fields.next()?,
        };
        (!line.starts_with('#')).then_some(entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn own_commands_keep_their_arguments_and_the_rest_goes_to_sextant_whole() {
        let table = [
            ("", Invocation::Help),
            ("help", Invocation::Help),
            ("--help", Invocation::Help),
            ("-h", Invocation::Help),
            ("help test", Invocation::Help),
            ("help backtest", Invocation::Sextant(words("help backtest"))),
            ("setup", Invocation::Setup(LibrarySource::Prebuilt)),
            ("setup --bundled", Invocation::Setup(LibrarySource::Bundled)),
            ("check", Invocation::Check),
            ("test", Invocation::Test(vec![])),
            (
                "test ledger --no-capture",
                Invocation::Test(words("ledger --no-capture")),
            ),
            ("bench -- sma", Invocation::Bench(words("-- sma"))),
            ("runs", Invocation::Sextant(words("runs"))),
            (
                "backtest --start 2005-01-01",
                Invocation::Sextant(words("backtest --start 2005-01-01")),
            ),
            (
                "data import --help",
                Invocation::Sextant(words("data import --help")),
            ),
            ("--version", Invocation::Sextant(words("--version"))),
            ("tests", Invocation::Sextant(words("tests"))),
        ];
        for (line, expected) in table {
            assert_eq!(parse(words(line)).unwrap(), expected, "cargo xtask {line}");
        }
    }

    #[test]
    fn unknown_arguments_of_own_commands_are_refused_with_what_is_allowed() {
        let error = parse(words("setup --quick")).unwrap_err().to_string();
        assert!(
            error.contains("--quick") && error.contains("--bundled"),
            "{error}"
        );
        assert!(
            parse(words("check --fix"))
                .unwrap_err()
                .to_string()
                .contains("--fix")
        );
    }

    #[test]
    fn the_list_names_exactly_the_commands_that_are_parsed_as_own() {
        for entry in entries() {
            let parsed = parse(words(entry.command)).unwrap();
            let goes_to_sextant = matches!(parsed, Invocation::Sextant(_));
            assert_eq!(goes_to_sextant, entry.owner == "sextant", "{}", entry.command);
        }
    }

    #[test]
    fn every_line_of_the_list_has_an_owner_and_a_description() {
        let lines = COMMANDS.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(entries().count(), lines);
        for entry in entries() {
            assert!(["xtask", "sextant"].contains(&entry.owner), "{}", entry.owner);
            assert!(!entry.description.is_empty());
        }
    }

    #[test]
    fn the_overview_shows_every_command() {
        let text = overview();
        for entry in entries() {
            assert!(
                text.contains(entry.command) && text.contains(entry.description),
                "{}",
                entry.command
            );
        }
    }
}
