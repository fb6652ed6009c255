//! Logs: JSON lines on stdout, filtered by `RUST_LOG`, and never a secret.
//!
//! Two rules keep secrets out of the log whatever `RUST_LOG` says. Only this project's own crates
//! log below WARN: at TRACE, `lambda_runtime` logs the whole event and the SDK its signed requests.
//! And every text in a line is redacted, whichever code wrote it, such as an error or a panic.

use crate::{panic_guard, redact::shown};
use serde::Serializer;
use serde_json::Value;
use std::{
    fmt,
    io::{self, Write},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// The crates for which `RUST_LOG` applies. All others log warnings and errors only.
const OWN: [&str; 6] = [
    "aws_calls",
    "custom_resource",
    "delegate_subdomain",
    "dns_check",
    "hosted_zones",
    "publish_zone",
];

/// Starts the log, once per process, and logs panics too. A `RUST_LOG` that cannot be parsed is
/// logged, and `info` applies.
pub fn init() {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let parsed = filter(&wanted);
    let misunderstood = parsed.as_ref().err().cloned();
    let filter = parsed.unwrap_or_else(|_| only_own(LevelFilter::INFO));
    let lines = Lines(io::stdout).with_filter(filter);
    // Fails if a test has already started a log, which serves as well.
    let _ = tracing_subscriber::registry().with(lines).try_init();
    panic_guard::install_hook();
    if let Some(directive) = misunderstood {
        tracing::warn!(directive, "RUST_LOG is not understood, logging at info");
    }
}

/// Parses a comma-joined list of `level` and `target=level` directives. Without a level of its own
/// the filter is `info`.
///
/// # Errors
///
/// The directive that cannot be parsed.
fn filter(directives: &str) -> Result<Targets, String> {
    let directives = directives
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty());
    let mut everywhere = LevelFilter::INFO;
    let mut somewhere = Vec::new();
    for directive in directives {
        match directive.split_once('=') {
            Some((target, level)) => {
                let level = level.parse().map_err(|_| directive)?;
                somewhere.push((target, level));
            }
            None if is_own(directive) => somewhere.push((directive, LevelFilter::TRACE)),
            None => everywhere = directive.parse().map_err(|_| directive)?,
        }
    }
    let capped = |(target, level): (&str, LevelFilter)| {
        let level = if is_own(target) {
            level
        } else {
            level.min(LevelFilter::WARN)
        };
        (target.to_owned(), level)
    };
    Ok(only_own(everywhere).with_targets(somewhere.into_iter().map(capped)))
}

fn only_own(level: LevelFilter) -> Targets {
    Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_targets(OWN.map(|own| (own, level)))
}

fn is_own(target: &str) -> bool {
    let root = target.split("::").next().unwrap_or(target);
    OWN.contains(&root)
}

/// Writes each event as one line of JSON: `timestamp`, `level`, `module`, the event's own fields, and the fields of the
/// span that it is in.
struct Lines<W>(W);

impl<S, W, O> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn() -> O + 'static,
    O: Write,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut timestamp = String::new();
        // Writing to a String cannot fail.
        let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
        let mut line = Fields::default();
        line.put("timestamp", timestamp.into());
        line.put("level", event.metadata().level().as_str().into());
        line.put("module", event.metadata().target().into());
        event.record(&mut line);
        if let Some(span) = context.event_span(event)
            && let Some(fields) = span.extensions().get::<Fields>()
        {
            let fields = fields.0.iter();
            line.put(
                "span",
                fields.map(|(name, value)| (*name, value.clone())).collect(),
            );
        }
        let mut text = line.to_json();
        text.push(b'\n');
        // If the log is closed, nobody can be told.
        let _ = (self.0)().write_all(&text);
    }
}

/// Fields in order, with each name once, because JSON readers differ in which of two values they
/// use
/// (<https://www.rfc-editor.org/rfc/rfc8259#section-4>).
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn put(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            // The name of an event's field is also a field of the line: both values are kept.
            Some((_, known)) => *known = Value::from(vec![known.take(), value]),
            None => self.0.push((name, value)),
        }
    }

    fn to_json(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let fields = self.0.iter().map(|(name, value)| (name, value));
        serde_json::Serializer::new(&mut text)
            .collect_map(fields)
            .expect("names and values are always JSON");
        text
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), shown(&format!("{value:?}")).into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), shown(value).into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing::Level;

    fn shows(directives: &str, target: &'static str, level: Level) -> bool {
        filter(directives).unwrap().would_enable(target, &level)
    }

    #[test]
    fn the_level_applies_to_crates_of_this_project() {
        assert!(shows("", "custom_resource::function", Level::INFO));
        assert!(!shows("", "custom_resource::function", Level::DEBUG));
        assert!(shows("trace", "aws_calls", Level::TRACE));
        assert!(shows("error", "hosted_zones", Level::ERROR));
        assert!(!shows("error", "hosted_zones", Level::WARN));
        assert!(shows("warn,dns_check=debug", "dns_check", Level::DEBUG));
        assert!(!shows(
            "warn,dns_check=debug",
            "hosted_zones::zone",
            Level::INFO
        ));
        assert!(shows(
            "custom_resource",
            "custom_resource::function",
            Level::TRACE
        ));
        assert!(shows("OFF,publish_zone=INFO", "publish_zone", Level::INFO));
    }

    #[test]
    fn other_crates_log_warnings_at_most_whatever_the_level() {
        for directives in [
            "",
            "trace",
            "lambda_runtime=trace",
            "trace,aws_smithy_runtime=trace,hyper=debug",
        ] {
            for target in [
                "lambda_runtime::layers::api_response",
                "aws_smithy_runtime",
                "hyper",
                "reqwest",
                "aws",
            ] {
                assert!(
                    !shows(directives, target, Level::INFO),
                    "{directives} {target}"
                );
                assert!(
                    shows(directives, target, Level::WARN),
                    "{directives} {target}"
                );
            }
        }
        assert!(!shows("off", "hyper", Level::ERROR));
        assert!(!shows("hyper=error", "hyper", Level::WARN));
    }

    #[test]
    fn a_directive_that_cannot_be_parsed_is_reported() {
        for (directives, wrong) in [
            ("verbose", "verbose"),
            ("info,hyper", "hyper"),
            ("custom_resource=loud", "custom_resource=loud"),
            ("info, debgu", "debgu"),
        ] {
            assert_eq!(filter(directives).unwrap_err(), wrong);
        }
    }

    /// Returns what a function writes to the log.
    fn written(log: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Shared(Arc<Mutex<Vec<u8>>>);
        impl Write for Shared {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let shared = Shared::default();
        let to = shared.clone();
        let subscriber = tracing_subscriber::registry().with(Lines(move || to.clone()));
        tracing::subscriber::with_default(subscriber, log);
        String::from_utf8(shared.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_line_is_json_without_secrets() {
        let text = written(|| {
            let span = tracing::info_span!("invocation", invocation = "1-2", number = 7);
            span.in_scope(|| tracing::info!(url = "https://log.example/k?Signature=abc", at = %"x", count = 3, "sent"));
        });
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["url"], "https://log.example/k?Signature=[secret]");
        assert_eq!(line["message"], "sent");
        assert_eq!((&line["at"], &line["count"]), (&"x".into(), &3.into()));
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["module"], module_path!());
        assert_eq!(
            line["span"],
            serde_json::json!({ "invocation": "1-2", "number": 7 })
        );
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(
            timestamp.starts_with("20") && timestamp.ends_with('Z'),
            "{timestamp}"
        );
    }

    #[test]
    fn a_name_is_in_a_line_once() {
        let text = written(|| tracing::info!(target = "dev.example.com", level = 5, "AWS call"));
        for name in ["target", "level", "module", "message", "timestamp"] {
            assert_eq!(text.matches(&format!("\"{name}\":")).count(), 1, "{text}");
        }
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["target"], "dev.example.com");
        assert_eq!(line["level"], serde_json::json!(["INFO", 5]));
    }

    #[test]
    fn control_and_bidirectional_characters_are_escaped() {
        let text = written(|| tracing::warn!(name = "dev\u{202e}moc\u{9b}", "\u{1b}[2J\nnext"));
        assert!(
            text.trim_end()
                .chars()
                .all(|c| !c.is_control() && c != '\u{202e}'),
            "{text:?}"
        );
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["name"], "dev\\u{202e}moc\\u{9b}");
        assert_eq!(line["message"], "\\u{1b}[2J\\nnext");
    }
}
