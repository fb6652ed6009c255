//! Shows steps: as bars on a terminal, as plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::failure::Failure;
use crate::terminal;

/// The width of a step's name.
const NAME_COLUMNS: usize = 24;

/// The steps of a command.
pub(crate) struct Progress {
    bars: Option<MultiProgress>,
    overall: ProgressBar,
    steps: usize,
    done: std::cell::Cell<usize>,
    colours: bool,
}

/// How often a long step prints what it does, if no bar shows it.
const SAID_EVERY: Duration = Duration::from_secs(15);

/// A running step.
pub(crate) struct Step {
    bar: ProgressBar,
    /// When it last printed what it does. None if a bar shows that, or nobody watches.
    said: Option<Mutex<Instant>>,
}

impl Progress {
    /// Creates the progress of a command with this many steps.
    pub(crate) fn new(steps: usize) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let bars = terminal.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        let overall = match &bars {
            Some(bars) => bars.add(ProgressBar::new(steps as u64)),
            None => ProgressBar::hidden(),
        };
        overall.set_style(style("  {bar:44.cyan/238} {pos}/{len} steps, {elapsed}"));
        overall.enable_steady_tick(Duration::from_millis(250));
        Self {
            bars,
            overall,
            steps,
            done: std::cell::Cell::new(0),
            colours: terminal && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    /// Runs a step, and shows its result beside its name and its time.
    ///
    /// # Errors
    /// The error of the step.
    pub(crate) fn step<T>(
        &self,
        name: &str,
        work: impl FnOnce(&Step) -> Result<(T, String), Failure>,
    ) -> Result<T, Failure> {
        let bar = match &self.bars {
            Some(bars) => bars.insert_before(&self.overall, ProgressBar::new(0)),
            None => ProgressBar::hidden(),
        };
        bar.set_style(style("  {spinner:.cyan} {prefix} {wide_msg:.dim}"));
        bar.set_prefix(format!("{name:NAME_COLUMNS$}"));
        bar.enable_steady_tick(Duration::from_millis(100));
        let begun = Instant::now();
        let said = self.bars.is_none().then(|| Mutex::new(begun));
        let step = Step { bar, said };
        let result = work(&step);
        step.bar.finish_and_clear();
        let number = self.done.get() + 1;
        self.done.set(number);
        self.overall.inc(1);
        let (mark, said) = match &result {
            Ok((_, said)) => (self.green("✓"), said.as_str()),
            Err(_) => (self.red("✗"), "failed"),
        };
        self.say(&format!(
            "  {mark} {number:>2}/{} {name:NAME_COLUMNS$} {} {said}",
            self.steps,
            self.dim(&format!("{:>8}", seconds(begun.elapsed()))),
        ));
        result.map(|(value, _)| value)
    }

    /// Prints text above the bars, and an empty line if the text ends with one.
    pub(crate) fn say(&self, text: &str) {
        let (text, more) = match text.strip_suffix('\n') {
            Some(text) => (text, true),
            None => (text, false),
        };
        for text in [Some(text), more.then_some("")].into_iter().flatten() {
            match &self.bars {
                Some(bars) => {
                    let _ = bars.println(text);
                }
                None => terminal::line(text),
            }
        }
    }

    /// Removes the bars, at the end or before other output.
    pub(crate) fn finish(&self) {
        self.overall.finish_and_clear();
    }

    pub(crate) fn bold(&self, text: &str) -> String {
        self.painted("1", text)
    }

    pub(crate) fn dim(&self, text: &str) -> String {
        self.painted("2", text)
    }

    pub(crate) fn green(&self, text: &str) -> String {
        self.painted("32", text)
    }

    pub(crate) fn red(&self, text: &str) -> String {
        self.painted("31", text)
    }

    pub(crate) fn cyan(&self, text: &str) -> String {
        self.painted("36", text)
    }

    fn painted(&self, code: &str, text: &str) -> String {
        if self.colours {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

impl Step {
    /// Creates a step that is not shown.
    pub(crate) fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            said: None,
        }
    }

    /// Shows what the step does.
    pub(crate) fn at(&self, text: impl AsRef<str>) {
        // Tools decorate their lines, but the bar is enough decoration.
        let plain = |c: char| !c.is_alphanumeric() && !"\"'/@[(".contains(c);
        let text = text.as_ref().trim_start_matches(plain);
        self.bar.set_message(text.to_owned());
        if let Some(said) = &self.said {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.elapsed() >= SAID_EVERY {
                *said = Instant::now();
                let reached = self.bar.length().filter(|of| *of > 0);
                let reached = reached.map(|of| format!("{}/{of} ", self.bar.position()));
                terminal::line(format!("         {}{text}", reached.unwrap_or_default()));
            }
        }
    }

    /// Shows how much of the step is done. The first call adds a bar.
    pub(crate) fn reached(&self, done: u64, of: u64) {
        if self.bar.length() != Some(of) {
            self.bar.set_length(of);
            self.bar.set_style(style(
                "  {spinner:.cyan} {prefix} {bar:28.cyan/238} {pos}/{len} {wide_msg:.dim}",
            ));
        }
        self.bar.set_position(done.min(of));
    }
}

/// Returns a duration in the format of the steps.
pub(crate) fn seconds(time: Duration) -> String {
    if time.as_secs() >= 60 {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_valid_and_times_are_short() {
        for template in [
            "  {bar:44.cyan/238} {pos}/{len} steps, {elapsed}",
            "  {spinner:.cyan} {prefix} {wide_msg:.dim}",
            "  {spinner:.cyan} {prefix} {bar:28.cyan/238} {pos}/{len} {wide_msg:.dim}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(61)), "1 min 01 s");
    }
}
