use std::fmt;
use thiserror::Error;

/// A domain name, absolute and normalised as Route 53 does it: lower case, without the trailing dot, every byte
/// outside `a-z 0-9 - _` as an octal escape (`\052` for `*`).
///
/// Two names are equal exactly where DNS says that they are.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

/// Why a text is no domain name. Each says the rule that it breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing between two dots, or nothing at all.
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
    /// A character that is not allowed here.
    #[error(
        "label '{label}' has the character '{character}', and only a-z, 0-9, - and _ are allowed"
    )]
    Character {
        /// The label.
        label: String,
        /// The character.
        character: char,
    },
    /// RFC 5890: in DNS an internationalized label has an ASCII form.
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

/// The A-label of an internationalized label (RFC 5891, section 4.4), if it is one: letters and digits of any script, some
/// of them not ASCII, and hyphens.
fn a_label(label: &str) -> Option<String> {
    let lower = label.to_lowercase();
    let allowed = |c: char| {
        c.is_ascii_lowercase()
            || c.is_ascii_digit()
            || c == '-'
            || !c.is_ascii() && c.is_alphanumeric()
    };
    // A combining mark is not allowed: it may be half of a letter, which then has another A-label.
    if lower.is_ascii() || !lower.chars().all(allowed) {
        return None;
    }
    let a_label = format!("xn--{}", idna::punycode::encode_str(&lower)?);
    (a_label.len() <= LONGEST_LABEL).then_some(a_label)
}

impl DomainName {
    /// A name as a user writes it for a zone: labels of `a-z 0-9 - _`, a trailing dot allowed.
    ///
    /// # Errors
    ///
    /// [`NameError`] names the label and the rule.
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

    /// A name as a service writes it: any bytes, octal escapes or none. Never fails, so that what a person or
    /// another tool put into a zone can always be named.
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
                        // A dot inside a label stays escaped, or it would part it.
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

    /// The name of `labels` below this one, e.g. `app1.dev` below `build.example.com`.
    ///
    /// # Errors
    ///
    /// [`NameError`] where `labels` are none, or the whole is too long.
    pub fn child(&self, labels: &str) -> Result<Self, NameError> {
        // Parsed alone first, so that an error speaks of what the user wrote.
        let labels = Self::parse(labels)?;
        Self::parse(&format!("{labels}.{self}"))
    }

    /// Normalised text without the trailing dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this name is `other` or lies below it.
    #[must_use]
    pub fn is_at_or_below(&self, other: &Self) -> bool {
        self == other || self.is_below(other)
    }

    /// Whether this name lies below `other`.
    #[must_use]
    pub fn is_below(&self, other: &Self) -> bool {
        self.0
            .strip_suffix(other.as_str())
            .is_some_and(|labels| labels.ends_with('.'))
    }

    /// The name without its first label; none for a name of one label.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0
            .split_once('.')
            .map(|(_, parent)| Self(parent.to_owned()))
    }

    /// The names between this one and `apex`, both excluded, nearest first: `b.c` and `c` stand between
    /// `a.b.c.example.com` and `example.com`.
    #[must_use]
    pub fn between(&self, apex: &Self) -> Vec<Self> {
        let ancestors = std::iter::successors(self.parent(), Self::parent);
        ancestors.take_while(|name| name.is_below(apex)).collect()
    }
}

/// The normalised name, `*` readable.
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
    fn parses_what_a_user_writes() {
        assert_eq!(
            name("Dev.Build.Example.COM.").as_str(),
            "dev.build.example.com"
        );
        assert_eq!(name("_dmarc.example.com").as_str(), "_dmarc.example.com");
    }

    #[test]
    fn refuses_with_the_rule() {
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
        // As RFC 3492, section 7.1, and https://www.unicode.org/reports/tr46/ have them.
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
    fn reads_what_route_53_writes() {
        let wildcard = DomainName::from_service("\\052.Example.com.");
        assert_eq!(wildcard, DomainName::from_service("*.example.com"));
        assert_eq!(wildcard.as_str(), "\\052.example.com");
        assert_eq!(wildcard.to_string(), "*.example.com");
        assert_eq!(DomainName::from_service("a\\056b.c").as_str(), "a\\056b.c");
        assert_eq!(DomainName::from_service("a\\101.c").as_str(), "aa.c");
        assert_eq!(DomainName::from_service("a\\9.c").as_str(), "a\\1349.c");
    }

    #[test]
    fn knows_above_and_below() {
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
