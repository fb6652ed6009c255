//! What ends a command: one sentence, and where more is written.

use std::fmt;
use std::path::{Path, PathBuf};

/// A command's end, as a person reads it.
#[derive(Debug)]
pub(crate) struct Failure {
    sentence: String,
    log: Option<PathBuf>,
}

impl Failure {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            log: None,
        }
    }

    /// The same with the log that says more, unless one is named already.
    pub(crate) fn with_log(mut self, log: &Path) -> Self {
        self.log.get_or_insert_with(|| log.to_owned());
        self
    }

    /// The log that says more.
    pub(crate) fn log(&self) -> Option<&Path> {
        self.log.as_deref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        match &self.log {
            Some(log) => write!(f, "\nMore: {}", log.display()),
            None => Ok(()),
        }
    }
}

/// An error of the machine, with what was being done.
pub(crate) trait Doing<T> {
    /// `what` follows "Could not".
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("Could not {}: {error}.", what())))
    }
}
