use std::fmt;
use thiserror::Error;

/// A domain name, absolute and normalized as Route 53 does it: lower case, without the trailing
/// dot, every byte outside `a-z 0-9 - _` as an octal escape (`\052` for `*`).
///
/// Two values are equal exactly if DNS treats the names as equal.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

/// Why a text is not a domain name. Each variant states the rule that the text breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// There is nothing between two dots, or nothing at all.
    #[error("'{0}' has an empty label")]
    EmptyLabel(String),
    /// RFC 1035, 2.3.4.
    #[error("label '{label}' has {bytes} bytes, and a label has 63 at most")]
    LongLabel {
        /// The label.
        label: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// RFC 1035, 2.3.4: 255 bytes on the wire are 253 in text.
    #[error("'{name}' has {bytes} bytes, and a domain name has 253 at most")]
    LongName {
        /// The name.
        name: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// A character that is not allowed in a label.
    #[error(
        "label '{label}' has the character '{character}', and only a-z, 0-9, - and _ are allowed"
    )]
    Character {
        /// The label.
        label: String,
        /// The character.
        character: char,
    },
    /// RFC 5890: DNS carries an internationalized label in its ASCII form.
    #[error("label '{label}' is internationalized: write its A-label '{a_label}'")]
    Internationalized {
        /// The label.
        label: String,
        /// Its ASCII form.
        a_label: String,
    },
    /// RFC 952: a label neither starts nor ends with a hyphen.
    #[error("label '{0}' starts or ends with a hyphen")]
    Hyphen(String),
}

const LONGEST_LABEL: usize = 63;
const LONGEST_NAME: usize = 253;

/// Returns the A-label of an internationalized label (RFC 5891, section 4.4). Only letters, digits
/// and hyphens count, in any script and at least one of them not ASCII.
fn a_label(label: &str) -> Option<String> {
    let lower = label.to_lowercase();
    let allowed = |c: char| {
        c.is_ascii_lowercase()
            || c.is_ascii_digit()
            || c == '-'
            || !c.is_ascii() && c.is_alphanumeric()
    };
    // A combining character is not allowed: together with the letter before it, it may be one
    // character that has another A-label.
    if lower.is_ascii() || !lower.chars().all(allowed) {
        return None;
    }
    let a_label = format!("xn--{}", idna::punycode::encode_str(&lower)?);
    (a_label.len() <= LONGEST_LABEL).then_some(a_label)
}

impl DomainName {
    /// Parses a name that a user writes for a zone: labels of `a-z 0-9 - _`, with or without a
    /// trailing dot.
    ///
    /// # Errors
    ///
    /// [`NameError`] with the label and the rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        for label in name.split('.') {
            let allowed =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
            if label.is_empty() {
                return Err(NameError::EmptyLabel(text.to_owned()));
            }
            if let Some(character) = label.chars().find(|c| !allowed(*c)) {
                let label = label.to_owned();
                return Err(match a_label(&label) {
                    Some(a_label) => NameError::Internationalized { label, a_label },
                    None => NameError::Character { label, character },
                });
            }
            if label.len() > LONGEST_LABEL {
                return Err(NameError::LongLabel {
                    label: label.to_owned(),
                    bytes: label.len(),
                });
            }
            if label.starts_with('-') || label.ends_with('-') {
                return Err(NameError::Hyphen(label.to_owned()));
            }
        }
        if name.len() > LONGEST_NAME {
            return Err(NameError::LongName {
                bytes: name.len(),
                name,
            });
        }
        Ok(Self(name))
    }

    /// Creates a name from a service's text: any bytes, with or without octal escapes. Never fails,
    /// so that everything in a zone can be named.
    #[must_use]
    pub fn from_service(text: &str) -> Self {
        let text = text.trim_end_matches('.');
        let mut name = String::with_capacity(text.len());
        let mut rest = text.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            let byte = match (byte, tail) {
                (
                    b'\\',
                    [
                        a @ b'0'..=b'3',
                        b @ b'0'..=b'7',
                        c @ b'0'..=b'7',
                        after @ ..,
                    ],
                ) => {
                    rest = after;
                    let byte = (a - b'0') * 64 + (b - b'0') * 8 + (c - b'0');
                    if byte == b'.' {
                        // A dot inside a label stays escaped, because it would otherwise separate
                        // two labels.
                        name.push_str("\\056");
                        continue;
                    }
                    byte
                }
                _ => byte,
            };
            match byte.to_ascii_lowercase() {
                b @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.') => name.push(char::from(b)),
                b => {
                    use fmt::Write as _;
                    // Writing to a String cannot fail.
                    let _ = write!(name, "\\{b:03o}");
                }
            }
        }
        Self(name)
    }

    /// Returns the name of `labels` under this one, e.g. `app1.dev` under `build.example.com`.
    ///
    /// # Errors
    ///
    /// [`NameError`] if `labels` is empty, or the whole name is too long.
    pub fn child(&self, labels: &str) -> Result<Self, NameError> {
        // Parsed alone first, so that an error names what the user wrote.
        let labels = Self::parse(labels)?;
        Self::parse(&format!("{labels}.{self}"))
    }

    /// Returns the normalized text without the trailing dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether this name is `other` or a subdomain of it.
    #[must_use]
    pub fn is_at_or_below(&self, other: &Self) -> bool {
        self == other || self.is_below(other)
    }

    /// Returns whether this name is a subdomain of `other`.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        self.0
            .strip_suffix(other.as_str())
            .is_some_and(|labels| labels.ends_with('.'))
    }

    /// Returns the name without its first label, or none for a name of one label.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0
            .split_once('.')
            .map(|(_, parent)| Self(parent.to_owned()))
    }

    /// Returns the names between this one and `apex`, both excluded, nearest first:
    /// `b.c.example.com` and `c.example.com` are between `a.b.c.example.com` and `example.com`.
    #[must_use]
    pub fn between(&self, apex: &Self) -> Vec<Self> {
        let ancestors = std::iter::successors(self.parent(), Self::parent);
        ancestors.take_while(|name| name.is_below(apex)).collect()
    }
}

/// Writes the normalized name with a readable `*`.
impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace("\\052", "*"))
    }
}

#[cfg(test)]
mod inputs;

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    #[test]
    fn names_of_users_are_parsed_and_normalized() {
        assert_eq!(
            name("Dev.Build.Example.COM.").as_str(),
            "dev.build.example.com"
        );
        assert_eq!(name("_dmarc.example.com").as_str(), "_dmarc.example.com");
    }

    #[test]
    fn an_error_states_the_rule_that_the_name_breaks() {
        let refused = |text: &str| DomainName::parse(text).unwrap_err().to_string();
        assert_eq!(refused(""), "'' has an empty label");
        assert_eq!(refused("a..b"), "'a..b' has an empty label");
        assert_eq!(refused("."), "'.' has an empty label");
        assert_eq!(
            refused("*.b"),
            "label '*' has the character '*', and only a-z, 0-9, - and _ are allowed"
        );
        assert_eq!(
            refused("bücher"),
            "label 'bücher' is internationalized: write its A-label 'xn--bcher-kva'"
        );
        // From RFC 3492, section 7.1, and https://www.unicode.org/reports/tr46/.
        for (label, a_label) in [
            ("BÜCHER", "xn--bcher-kva"),
            ("faß", "xn--fa-hia"),
            ("παράδειγμα", "xn--hxajbheg2az3al"),
            ("испытание", "xn--80akhbyknj4f"),
            ("例え", "xn--r8jz45g"),
        ] {
            let refused = refused(&format!("{label}.dev"));
            assert!(
                refused.ends_with(&format!("its A-label '{a_label}'")),
                "{refused}"
            );
        }
        for (label, character) in [
            ("bu\u{308}cher", '\u{308}'),
            ("a\u{202e}b", '\u{202e}'),
            ("ü*", 'ü'),
        ] {
            assert_eq!(
                DomainName::parse(label),
                Err(NameError::Character {
                    label: label.to_owned(),
                    character
                })
            );
        }
        let long = DomainName::parse(&"ü".repeat(63));
        assert!(matches!(long, Err(NameError::Character { .. })), "{long:?}");
        assert_eq!(refused("-a"), "label '-a' starts or ends with a hyphen");
        assert!(refused(&"a".repeat(64)).contains("has 64 bytes"));
        let long = vec!["a".repeat(49); 6].join(".");
        assert!(refused(&long).contains("299 bytes"));
        assert!(name("example.com").child("a.*").is_err());
    }

    #[test]
    fn names_of_route_53_are_normalized() {
        let wildcard = DomainName::from_service("\\052.Example.com.");
        assert_eq!(wildcard, DomainName::from_service("*.example.com"));
        assert_eq!(wildcard.as_str(), "\\052.example.com");
        assert_eq!(wildcard.to_string(), "*.example.com");
        assert_eq!(DomainName::from_service("a\\056b.c").as_str(), "a\\056b.c");
        assert_eq!(DomainName::from_service("a\\101.c").as_str(), "aa.c");
        assert_eq!(DomainName::from_service("a\\9.c").as_str(), "a\\1349.c");
    }

    #[test]
    fn ancestors_and_subdomains_are_recognized() {
        assert!(name("a.b.c").is_below(&name("b.c")));
        assert!(!name("ab.c").is_below(&name("b.c")));
        assert!(!name("b.c").is_below(&name("b.c")));
        assert!(name("b.c").is_at_or_below(&name("b.c")));
        assert_eq!(
            name("a.b.c.x.y").between(&name("x.y")),
            [name("b.c.x.y"), name("c.x.y")]
        );
        assert!(name("a.x.y").between(&name("x.y")).is_empty());
    }
}
