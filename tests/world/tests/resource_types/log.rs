//! The log of a function while a test runs on this thread.

use std::io;
use std::sync::{Arc, Mutex, Once};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;

/// A log that ends when this value is dropped.
pub(crate) struct Log {
    lines: Lines,
    _logging: DefaultGuard,
}

/// Makes `tracing` ask this thread's subscriber about each event. Otherwise an event that is logged for the
/// first time on one thread, while another starts its log, can be missing from that log, because `tracing`
/// caches that nobody wants it.
pub(crate) fn ask_each_time() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let nothing = tracing_subscriber::registry().with(dynamic_filter_fn(|_, _| false));
        tracing::subscriber::set_global_default(nothing).expect("it is set once");
    });
}

impl Log {
    /// Logs at `info`, as a function does.
    pub(crate) fn start() -> Self {
        ask_each_time();
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

    /// Returns the lines that have `words`.
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
