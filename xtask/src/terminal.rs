//! Lines for a person. A reader that has gone away, as `head` does, is no error: the command goes on to its end.

use std::fmt::Display;
use std::io::{Write, stderr, stdout};

/// Prints a line.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(stdout(), "{text}");
}

/// Prints a line to standard error.
pub(crate) fn error(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}
