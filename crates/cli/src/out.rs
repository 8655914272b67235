//! Printing that ends quietly when nobody reads on: `sextant runs | head -1` is no error.

use std::fmt;
use std::io::{ErrorKind, Write};

/// Prints a line to standard output.
macro_rules! say {
    ($($part:tt)*) => { $crate::out::line(format_args!($($part)*)) };
}

pub(crate) use say;

/// Writes a line. A closed pipe ends the program without a word; any other failure ends it with one.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_fmt(text)
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush());
    match written {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => {
            eprintln!("error: standard output cannot be written: {error}");
            std::process::exit(1);
        }
    }
}
