//! Redacts secrets in the text of answers and logs, and escapes characters that hide its meaning.
//!
//! Text comes from templates, DNS answers and AWS error messages. A `SignatureDoesNotMatch`
//! message, for example, contains the request with its session token. All text passes through
//! [`shown`] once, where it leaves the function.

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

/// The replacement of a secret.
const HIDDEN: &str = "[secret]";

/// The text before a secret, in lower case: the parameters of a signed URL, which are escaped if
/// the URL is itself in a query string, and the headers of a signed request.
const BEFORE_SECRETS: [&str; 8] = [
    "signature=",
    "signature%3d",
    "credential=",
    "credential%3d",
    "security-token=",
    "security-token%3d",
    "security-token:",
    "security-token%3a",
];

/// The environment variables with the function's own credentials.
const OWN_CREDENTIALS: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// How many secrets are remembered. A request has a handful: its `ResponseURL`, its `ExternalId`,
/// and the credentials of the roles that it assumes.
const REMEMBERED: usize = 64;

/// A secret of at least this many bytes is not part of another word by chance. A shorter one, such
/// as the `ExternalId` "dev", may be part of a name, and is redacted only if it is a word of its
/// own.
const LONG: usize = 8;

/// The secrets of the last requests of this process. Lambda sends a process one request at a time.
static SECRETS: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Keeps `secret` out of all answers and log lines from now on.
pub fn keep_secret(secret: &str) {
    if secret.is_empty() {
        return;
    }
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    secrets.retain(|known| known != secret);
    if secrets.len() == REMEMBERED {
        secrets.pop_front();
    }
    secrets.push_back(secret.to_owned());
}

/// Returns `text` for people: secrets are redacted, and control, bidirectional and invisible
/// characters are escaped, such as `\u{202e}`.
pub(crate) fn shown(text: &str) -> String {
    let own = OWN_CREDENTIALS.map(|name| std::env::var(name).unwrap_or_default());
    let known = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = Cow::Borrowed(text);
    // The last secret first: the query of a `ResponseURL` is part of the URL, and was remembered
    // before it.
    for secret in known.iter().rev().chain(&own) {
        if !secret.is_empty() && text.contains(secret) {
            text = Cow::Owned(without(&text, secret));
        }
    }
    escaped(&without_named(&text))
}

/// Returns the text without a secret.
fn without(text: &str, secret: &str) -> String {
    if secret.len() >= LONG {
        return text.replace(secret, HIDDEN);
    }
    let joins = |c: char| c.is_alphanumeric() || "-_./:=+@,".contains(c);
    let mut shown = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, _) in text.match_indices(secret) {
        let end = at + secret.len();
        let joined = text[..at].ends_with(joins) || text[end..].starts_with(joins);
        if !joined {
            shown += &text[copied..at];
            shown += HIDDEN;
            copied = end;
        }
    }
    shown + &text[copied..]
}

/// Returns the text without what follows the name of a secret.
fn without_named(text: &str) -> Cow<'_, str> {
    // The length is equal, because only ASCII letters change.
    let lower = text.to_ascii_lowercase();
    let mut shown = String::new();
    let mut copied = 0;
    while let Some(start) = next_secret(&lower, copied) {
        let is_secret = |c: char| c.is_ascii_alphanumeric() || "%/+-_.~=".contains(c);
        let length = text[start..].find(|c| !is_secret(c));
        shown += &text[copied..start];
        shown += HIDDEN;
        copied = length.map_or(text.len(), |length| start + length);
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    Cow::Owned(shown + &text[copied..])
}

/// Returns where the next secret begins.
fn next_secret(lower: &str, from: usize) -> Option<usize> {
    let starts = BEFORE_SECRETS.iter().filter_map(|name| {
        let start = from + lower[from..].find(name)? + name.len();
        let rest = &lower[start..];
        Some(start + rest.len() - rest.trim_start_matches(' ').len())
    });
    starts.min()
}

/// Escapes characters that a terminal executes or that nobody sees: control characters, and those
/// that change the direction of text
/// (<https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>) or are invisible.
fn escaped(text: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c,
                '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_of_a_signed_url_are_redacted() {
        assert_eq!(
            shown(
                "https://b.s3.amazonaws.com/k?X-Amz-Date=20261124T194800Z&X-Amz-Signature=0a1b&X-Amz-Security-Token=IQo%2Fb==&x=1"
            ),
            "https://b.s3.amazonaws.com/k?X-Amz-Date=20261124T194800Z&X-Amz-Signature=[secret]&X-Amz-Security-Token=[secret]&x=1"
        );
        assert_eq!(shown("Signature=x%2By, then"), "Signature=[secret], then");
        assert_eq!(
            shown("x-amz-security-token%3AIQoJ"),
            "x-amz-security-token%3A[secret]"
        );
    }

    #[test]
    fn the_session_token_is_redacted_in_a_canonical_request() {
        // In AWS's form, with real line breaks.
        let message = "The Canonical String for this request should have been\n'GET\n/2013-04-01/hostedzone\n\n\
                       host:route53.amazonaws.com\nx-amz-date:20261124T194800Z\nx-amz-security-token:IQoJb3JpZ2lu/+a==\n\n\
                       host;x-amz-date;x-amz-security-token\ne3b0c4'";
        let shown = shown(message);
        assert!(!shown.contains("IQoJ"), "{shown}");
        assert!(
            shown.contains("\\nx-amz-security-token:[secret]\\n\\nhost;x-amz-date;x-amz-security-token\\ne3b0c4"),
            "{shown}"
        );
        assert_eq!(
            super::shown("Credential=ASIA1/20261124/us-east-1, SignedHeaders=host, Signature=0a1b"),
            "Credential=[secret], SignedHeaders=host, Signature=[secret]"
        );
    }

    #[test]
    fn a_remembered_secret_is_redacted_everywhere() {
        keep_secret("correct-horse");
        assert_eq!(
            shown("the external id 'correct-horse' is not correct-horse2"),
            "the external id '[secret]' is not [secret]2"
        );
    }

    #[test]
    fn a_short_secret_is_redacted_if_it_is_a_word_of_its_own() {
        keep_secret("q7z");
        assert_eq!(
            shown("Value 'q7z' at 'externalId' of q7z.example.com, xq7z and q7z"),
            "Value '[secret]' at 'externalId' of q7z.example.com, xq7z and [secret]"
        );
    }

    #[test]
    fn control_bidirectional_and_invisible_characters_are_escaped() {
        assert_eq!(
            shown("a\u{1b}[31mb\r\n\u{202e}c\u{2066}d\u{200b}e\u{9b}f\u{7f}"),
            "a\\u{1b}[31mb\\r\\n\\u{202e}c\\u{2066}d\\u{200b}e\\u{9b}f\\u{7f}"
        );
        assert_eq!(
            shown("bücher, שלום, 例え \"x\" \\"),
            "bücher, שלום, 例え \"x\" \\"
        );
    }
}
