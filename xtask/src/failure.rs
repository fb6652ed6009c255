//! The failure of a command: one sentence, and the log with more.

use std::fmt;
use std::path::{Path, PathBuf};

/// The failure of a command, as text for people.
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

    /// Adds the log, unless the failure has one.
    pub(crate) fn with_log(mut self, log: &Path) -> Self {
        self.log.get_or_insert_with(|| log.to_owned());
        self
    }

    /// Returns the log.
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

/// Adds to an error of the system what was being done.
pub(crate) trait Doing<T> {
    /// `what` follows "Could not".
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("Could not {}: {error}.", what())))
    }
}
