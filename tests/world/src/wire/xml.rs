//! XML as Route 53 and STS use it: elements and text, and no attributes that matter.

use std::fmt::Write;

/// One element: its local name, its text, its children in document order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// Adds a child that contains only text.
    pub(crate) fn text(mut self, name: &str, text: impl Into<String>) -> Self {
        self.children.push(Self {
            name: name.to_owned(),
            text: text.into(),
            children: Vec::new(),
        });
        self
    }

    /// Adds a child that contains only text, if there is one.
    pub(crate) fn maybe(self, name: &str, text: Option<impl Into<String>>) -> Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// Adds a child.
    pub(crate) fn with(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    /// Adds many children.
    pub(crate) fn with_all(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children);
        self
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn children_named<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Element> + 'a {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the text of a child.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    /// Returns the document, with the namespace on its root.
    pub(crate) fn document(&self, namespace: &str) -> String {
        let mut out = String::from("<?xml version=\"1.0\"?>\n");
        write!(out, "<{} xmlns=\"{namespace}\">", self.name).expect("a string takes all");
        self.write_inner(&mut out);
        write!(out, "</{}>", self.name).expect("a string takes all");
        out
    }

    fn write_inner(&self, out: &mut String) {
        escape(&self.text, out);
        for child in &self.children {
            write!(out, "<{}>", child.name).expect("a string takes all");
            child.write_inner(out);
            write!(out, "</{}>", child.name).expect("a string takes all");
        }
    }

    /// Parses a document.
    ///
    /// # Errors A sentence, if it is not well-formed.
    pub(crate) fn parse(document: &str) -> Result<Self, String> {
        use xmlparser::{ElementEnd, Token, Tokenizer};
        let mut open: Vec<Element> = Vec::new();
        for token in Tokenizer::from(document) {
            match token.map_err(|error| error.to_string())? {
                Token::ElementStart { local, .. } => open.push(Element::new(local.as_str())),
                Token::ElementEnd { end, .. } => {
                    if let ElementEnd::Close(_, local) = end
                        && open.last().is_none_or(|last| last.name != local.as_str())
                    {
                        return Err(format!("unexpected </{local}>"));
                    }
                    if !matches!(end, ElementEnd::Open) {
                        let done = open.pop().ok_or("an end without a start")?;
                        match open.last_mut() {
                            Some(parent) => parent.children.push(done),
                            None => return Ok(done),
                        }
                    }
                }
                Token::Text { text } => {
                    if let Some(last) = open.last_mut() {
                        let text = unescape(text.as_str());
                        if !text.trim().is_empty() || last.children.is_empty() {
                            last.text.push_str(&text);
                        }
                    }
                }
                Token::Cdata { text, .. } => {
                    if let Some(last) = open.last_mut() {
                        last.text.push_str(text.as_str());
                    }
                }
                _ => {}
            }
        }
        Err("the document ends before its root does".to_owned())
    }
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(';').unwrap_or(0);
        let replaced = match &rest[..=end] {
            "&lt;" => Some('<'),
            "&gt;" => Some('>'),
            "&amp;" => Some('&'),
            "&quot;" => Some('"'),
            "&apos;" => Some('\''),
            entity => entity
                .strip_prefix("&#")
                .and_then(|number| number.strip_suffix(';'))
                .and_then(|number| match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => number.parse().ok(),
                })
                .and_then(char::from_u32),
        };
        match replaced {
            Some(character) => {
                out.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_document_is_read_again() {
        let element = Element::new("A").text("B", "1 < 2 & \"3\"").with(
            Element::new("List").with_all(["x", "y"].map(|v| Element::new("Item").text("V", v))),
        );
        let document = element.document("urn:x");
        assert_eq!(Element::parse(&document).unwrap(), element);
    }

    #[test]
    fn a_document_that_is_not_well_formed_is_refused() {
        for document in ["", "<a>", "<a></b>", "<a", "text"] {
            assert!(Element::parse(document).is_err(), "{document}");
        }
    }

    #[test]
    fn entities_and_white_space() {
        let element = Element::parse("<a>\n  <b>&#65;&amp;&quot;&#x42;</b>\n  <c/>\n</a>").unwrap();
        assert_eq!(element.get("b"), Some("A&\"B"));
        assert_eq!(element.get("c"), Some(""));
    }
}
