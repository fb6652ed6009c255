//! Domain names in Route 53's form: lower case, trailing dot, other characters as octal escapes, ordered with
//! the labels reversed.
//!
//! Source: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>

use std::cmp::Ordering;
use std::fmt;

/// A name, absolute, as the bytes of its labels, the first label first.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name {
    labels: Vec<Vec<u8>>,
}

impl Name {
    /// Parses a name with or without trailing dot and with `\ooo` escapes.
    ///
    /// # Errors A sentence with the rule: no empty label, a label of at most 63 bytes, a name of at most 255.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut labels = Vec::new();
        let mut label = Vec::new();
        let bytes = text.strip_suffix('.').unwrap_or(text).as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'\\' => {
                    let octal = bytes
                        .get(at + 1..at + 4)
                        .and_then(|digits| std::str::from_utf8(digits).ok())
                        .and_then(|digits| u8::from_str_radix(digits, 8).ok())
                        .ok_or_else(|| format!("{text}: bad escape"))?;
                    label.push(octal.to_ascii_lowercase());
                    at += 3;
                }
                b'.' => labels.push(std::mem::take(&mut label)),
                byte => label.push(byte.to_ascii_lowercase()),
            }
            at += 1;
        }
        if !bytes.is_empty() {
            labels.push(label);
        }
        if labels
            .iter()
            .any(|label| label.is_empty() || label.len() > 63)
            || labels.iter().map(|label| label.len() + 1).sum::<usize>() > 254
        {
            return Err(format!("{text} is not a valid domain name"));
        }
        Ok(Self { labels })
    }

    /// Parses a valid name in the world's own code.
    ///
    /// # Panics The name is invalid.
    pub fn of(text: &str) -> Self {
        Self::parse(text).expect("a name in the world's own code is valid")
    }

    /// Returns the labels, in the order of the name.
    pub fn labels(&self) -> &[Vec<u8>] {
        &self.labels
    }

    /// Returns the name without its first label, or none for the root.
    pub fn parent(&self) -> Option<Self> {
        (!self.labels.is_empty()).then(|| Self {
            labels: self.labels[1..].to_vec(),
        })
    }

    /// Returns the name itself, its parent, and so on up to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + '_ {
        (0..=self.labels.len()).map(|skip| Self {
            labels: self.labels[skip..].to_vec(),
        })
    }

    /// Returns whether it is `apex` or a subdomain of it.
    pub fn is_within(&self, apex: &Self) -> bool {
        self.labels.ends_with(&apex.labels)
    }

    /// Returns whether it is a subdomain of `apex`.
    pub fn is_below(&self, apex: &Self) -> bool {
        self.labels.len() > apex.labels.len() && self.is_within(apex)
    }

    /// Returns the wildcard that would answer for it, which has `*` as its first label.
    pub fn wildcard_sibling(&self) -> Option<Self> {
        self.parent().map(|parent| {
            let mut labels = vec![b"*".to_vec()];
            labels.extend(parent.labels);
            Self { labels }
        })
    }

    /// Returns the name in the form of IAM's normalized record names: lower case, no trailing dot, octal
    /// escapes.
    pub fn normalized(&self) -> String {
        let mut text = self.to_string();
        text.pop();
        text
    }

    fn sort_key(&self) -> impl Iterator<Item = u8> + '_ {
        self.labels
            .iter()
            .rev()
            .flat_map(|label| label.iter().copied().chain([b'.']))
    }
}

impl Ord for Name {
    /// Route 53's order: the reversed labels as one text with dots, so that characters before the dot sort
    /// before subdomains.
    fn cmp(&self, other: &Self) -> Ordering {
        self.sort_key().cmp(other.sort_key())
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for label in &self.labels {
            for byte in label {
                match byte {
                    b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => write!(f, "{}", *byte as char)?,
                    other => write!(f, "\\{other:03o}")?,
                }
            }
            write!(f, ".")?;
        }
        if self.labels.is_empty() {
            write!(f, ".")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_route53_writes_them() {
        for (text, written) in [
            ("Dev.Example.COM", "dev.example.com."),
            ("*.example.com.", "\\052.example.com."),
            ("\\052.example.com", "\\052.example.com."),
            ("_x.a-b.c", "_x.a-b.c."),
            ("a b.c", "a\\040b.c."),
            ("", "."),
        ] {
            assert_eq!(Name::of(text).to_string(), written);
        }
        assert_eq!(Name::of("*.A.b").normalized(), "\\052.a.b");
    }

    #[test]
    fn a_text_that_is_no_name_is_refused() {
        let long = "a".repeat(64);
        for text in ["a..b", ".a", "\\9", long.as_str()] {
            assert!(Name::parse(text).is_err(), "{text}");
        }
        assert!(Name::parse(&["a"; 128].join(".")).is_err());
    }

    #[test]
    fn the_order_is_that_of_reversed_labels_with_their_dots() {
        let mut names = ["b.x.", "a.b.x.", "b-c.x.", "x.", "a.x.", "z.b.x."].map(Name::of);
        names.sort();
        assert_eq!(
            names.map(|name| name.to_string()),
            ["x.", "a.x.", "b-c.x.", "b.x.", "a.b.x.", "z.b.x."]
        );
    }

    #[test]
    fn subdomains_are_recognized() {
        let apex = Name::of("example.com");
        assert!(Name::of("a.example.com").is_below(&apex));
        assert!(apex.is_within(&apex));
        assert!(!apex.is_below(&apex));
        assert!(!Name::of("notexample.com").is_within(&apex));
    }
}
