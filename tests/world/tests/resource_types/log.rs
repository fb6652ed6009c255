//! What a function writes while a test runs on this thread.

use std::io;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;

/// A log that ends with its value.
pub(crate) struct Log {
    lines: Lines,
    _logging: DefaultGuard,
}

impl Log {
    /// Logs at `info`, as a function does.
    pub(crate) fn start() -> Self {
        let lines = Lines::default();
        let to = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || to.clone())
            .with_ansi(false)
            .finish();
        Self {
            lines,
            _logging: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The lines that have `words`.
    pub(crate) fn lines_with(&self, words: &str) -> Vec<String> {
        let bytes = self.lines.0.lock().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().filter(|line| line.contains(words));
        lines.map(str::to_owned).collect()
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
