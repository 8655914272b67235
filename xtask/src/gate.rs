//! Passes cargo's progress on to the terminal, and swallows it where nothing had to be compiled.
//!
//! A fresh build says no more than "Finished". So the output is held back until it holds anything else; then the
//! announcement is printed, what was held back, and from there on everything as it comes.

use std::io::{self, IsTerminal, Read, Write};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result};

/// Width of cargo's progress bar; cargo cannot ask the terminal for it through a pipe.
const PROGRESS_WIDTH_COLUMNS: &str = "80";

/// What became of a gated command.
pub(crate) struct Outcome {
    /// The command's exit status.
    pub(crate) status: ExitStatus,
    /// Whether anything was shown.
    pub(crate) shown: bool,
}

/// Runs a cargo command; `announcement` is printed before its first output that matters.
///
/// # Errors
/// When the command cannot be started or its output cannot be passed on.
pub(crate) fn run(cargo: &mut Command, announcement: &str) -> Result<Outcome> {
    if io::stderr().is_terminal() {
        cargo
            .env("CARGO_TERM_PROGRESS_WHEN", "always")
            .env("CARGO_TERM_PROGRESS_WIDTH", PROGRESS_WIDTH_COLUMNS);
        if std::env::var_os("CARGO_TERM_COLOR").is_none() && std::env::var_os("NO_COLOR").is_none() {
            cargo.env("CARGO_TERM_COLOR", "always");
        }
    }
    let mut child = cargo
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let mut source = child.stderr.take().context("cargo's output is not connected")?;
    let mut gate = Gate::new(announcement, io::stderr());
    let mut buffer = [0; 4096];
    loop {
        let length = source.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        gate.pass(&buffer[..length])?;
    }
    let status = child.wait()?;
    if !status.success() {
        gate.open()?;
    }
    Ok(Outcome {
        status,
        shown: gate.is_open,
    })
}

struct Gate<'a, W> {
    announcement: &'a str,
    held_back: Vec<u8>,
    is_open: bool,
    destination: W,
}

impl<'a, W: Write> Gate<'a, W> {
    fn new(announcement: &'a str, destination: W) -> Self {
        Self {
            announcement,
            held_back: Vec::new(),
            is_open: false,
            destination,
        }
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.is_open {
            self.destination.write_all(bytes)?;
            return self.destination.flush();
        }
        self.held_back.extend_from_slice(bytes);
        if matters(&self.held_back) {
            self.open()?;
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        if !self.is_open {
            self.is_open = true;
            writeln!(self.destination, "{}", self.announcement)?;
            self.destination.write_all(&std::mem::take(&mut self.held_back))?;
        }
        self.destination.flush()
    }
}

/// Whether the output holds a drawn progress bar or a whole line that is not cargo's "Finished".
fn matters(output: &[u8]) -> bool {
    let text = String::from_utf8_lossy(output);
    let whole_lines = text.rfind('\n').map_or("", |end| &text[..end]);
    let says_more = |line: &str| {
        let line = without_escapes(line);
        !line.trim().is_empty() && !line.trim_start().starts_with("Finished")
    };
    text.contains('\r') || whole_lines.lines().any(says_more)
}

/// Takes terminal escapes (`ESC [ ... letter`) out of a line.
fn without_escapes(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..start]);
        let sequence = &rest[start + 2..];
        let length = sequence
            .find(|c: char| c.is_ascii_alphabetic())
            .map_or(sequence.len(), |end| end + 1);
        rest = &sequence[length..];
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINISHED: &str =
        "\u{1b}[1m\u{1b}[92m    Finished\u{1b}[0m `dev` profile [optimized] target(s) in 0.25s\n";

    fn passed(chunks: &[&str]) -> String {
        let mut gate = Gate::new("[2/3] compile", Vec::new());
        for chunk in chunks {
            gate.pass(chunk.as_bytes()).unwrap();
        }
        String::from_utf8(gate.destination).unwrap()
    }

    #[test]
    fn a_fresh_build_is_silent() {
        assert_eq!(passed(&["    Finished `dev` profile in 0.2s\n"]), "");
        assert_eq!(passed(&[FINISHED]), "");
        assert_eq!(passed(&[&FINISHED[..7], &FINISHED[7..30], &FINISHED[30..]]), "");
    }

    #[test]
    fn anything_else_is_announced_once_and_passed_on_whole() {
        let chunks = ["   Comp", "iling sextant-domain\n", FINISHED];
        assert_eq!(
            passed(&chunks),
            format!("[2/3] compile\n   Compiling sextant-domain\n{FINISHED}")
        );
    }

    #[test]
    fn a_wait_for_another_cargo_and_a_progress_bar_are_shown_at_once() {
        assert!(passed(&["    Blocking waiting for file lock\n"]).contains("Blocking"));
        assert!(passed(&["    Building [==>   ] 3/372\r"]).contains("3/372"));
    }

    #[test]
    fn a_failure_shows_what_was_held_back() {
        let mut gate = Gate::new("[2/3] compile", Vec::new());
        gate.pass(b"error: no line end").unwrap();
        assert!(gate.destination.is_empty());
        gate.open().unwrap();
        assert_eq!(gate.destination, b"[2/3] compile\nerror: no line end");
    }

    #[test]
    fn escapes_are_taken_out() {
        assert_eq!(
            without_escapes("\u{1b}[1m\u{1b}[92m  Finished\u{1b}[0m x"),
            "  Finished x"
        );
        assert_eq!(without_escapes("cut \u{1b}[1"), "cut ");
        assert_eq!(without_escapes("plain"), "plain");
    }
}
