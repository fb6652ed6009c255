//! Prints lines for people. If the reader ends early, as `head` does, the command still continues to its end.

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
