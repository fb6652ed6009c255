//! Logs: JSON lines on stdout, filtered by `RUST_LOG`, and never a secret.
//!
//! Two things keep secrets out whatever `RUST_LOG` asks for. Only this project's own crates go below WARN: at TRACE,
//! `lambda_runtime` logs the whole event and the SDK its signed requests. And signatures and tokens are blotted out of
//! the finished line, for text that came from elsewhere, such as an error or a panic.

use crate::panic_guard;
use std::{
    borrow::Cow,
    io::{self, Write},
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

/// The crates that run in a function and obey `RUST_LOG`. A crate that is not listed shows its warnings only.
const OWN: [&str; 5] = [
    "aws_calls",
    "custom_resource",
    "delegate_subdomain",
    "dns_zones",
    "publish_zone",
];

/// What comes before a secret in a signed URL, or in the headers of a signed request.
const BEFORE_SECRETS: [&str; 4] = [
    "Signature=",
    "Security-Token=",
    "security-token: ",
    "X-Amz-Credential=",
];

/// Starts logging, once for the process, panics included. A `RUST_LOG` that cannot be understood is said, and taken for
/// `info`.
pub fn init() {
    let wanted = std::env::var("RUST_LOG").unwrap_or_default();
    let parsed = filter(&wanted);
    let misunderstood = parsed.as_ref().err().cloned();
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(|| Blotting(io::stdout()))
        .with_filter(parsed.unwrap_or_else(|_| only_own(LevelFilter::INFO)));
    // Fails where a test has begun to log already; that log is as good.
    let _ = tracing_subscriber::registry().with(lines).try_init();
    panic_guard::install_hook();
    if let Some(directive) = misunderstood {
        tracing::warn!(directive, "RUST_LOG is not understood, logging at info");
    }
}

/// The filter of `level` and `target=level` directives, comma-joined. Without a level of its own it is `info`.
///
/// # Errors
///
/// The directive that is none.
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

/// Writes lines without the secrets that are in them.
struct Blotting<W>(W);

impl<W: Write> Write for Blotting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One event is one call, so that a secret is never split between two.
        self.0
            .write_all(blotted(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The text with what follows a secret's name taken out.
fn blotted(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for name in BEFORE_SECRETS {
        if text.contains(name) {
            let mut parts = text.split(name);
            let mut rest = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let secret =
                    part.find(|c: char| !(c.is_ascii_alphanumeric() || "%/+-_.~=".contains(c)));
                rest += name;
                rest += "[secret]";
                rest += secret.map_or("", |end| &part[end..]);
            }
            text = Cow::Owned(rest);
        }
    }
    text
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
    fn own_crates_obey() {
        assert!(shows("", "custom_resource::function", Level::INFO));
        assert!(!shows("", "custom_resource::function", Level::DEBUG));
        assert!(shows("trace", "aws_calls", Level::TRACE));
        assert!(shows("error", "dns_zones", Level::ERROR));
        assert!(!shows("error", "dns_zones", Level::WARN));
        assert!(shows(
            "warn,dns_zones::dns=debug",
            "dns_zones::dns",
            Level::DEBUG
        ));
        assert!(!shows(
            "warn,dns_zones::dns=debug",
            "dns_zones::zone",
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
    fn others_are_capped_whatever_is_asked_for() {
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
    fn nonsense_is_said() {
        for (directives, wrong) in [
            ("verbose", "verbose"),
            ("info,hyper", "hyper"),
            ("custom_resource=loud", "custom_resource=loud"),
            ("info, debgu", "debgu"),
        ] {
            assert_eq!(filter(directives).unwrap_err(), wrong);
        }
    }

    #[test]
    fn secrets_are_blotted_out() {
        let line = r#"{"a":"https://b.s3.amazonaws.com/k?X-Amz-Date=20261124T194800Z&X-Amz-Signature=0a1b&X-Amz-Security-Token=IQo%2Fb==","b":"Signature=x%2By"}"#;
        assert_eq!(
            blotted(line),
            r#"{"a":"https://b.s3.amazonaws.com/k?X-Amz-Date=20261124T194800Z&X-Amz-Signature=[secret]&X-Amz-Security-Token=[secret]","b":"Signature=[secret]"}"#
        );
        assert!(matches!(
            blotted("nothing to hide"),
            Cow::Borrowed("nothing to hide")
        ));
    }

    #[test]
    fn a_line_is_json_and_keeps_no_secret() {
        #[derive(Clone, Default)]
        struct Lines(Arc<Mutex<Vec<u8>>>);
        impl Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().extend(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let lines = Lines::default();
        let to = lines.clone();
        let layer = fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(move || Blotting(to.clone()));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!(url = "https://b/k?Signature=abc", "sent");
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["url"], "https://b/k?Signature=[secret]");
        assert_eq!(line["message"], "sent");
    }
}
