//! Checks that docs/troubleshooting.md explains each error sentence of the functions.
//!
//! An entry of the page names its error by the variant, `<!-- error: Occupied -->`, and quotes the sentence
//! below that. `cargo xtask documents --write` copies the quotation from the code, so that a search for the
//! words of an answer finds it. The text after the quotation is written by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

use crate::checkout;
use crate::failure::{Doing, Failure};

/// The least number of words that a text has if it is a sentence, and not only a wrapper of another error.
const LEAST_WORDS: usize = 3;

/// The paragraphs that every entry has.
const PARTS: [&str; 3] = ["**Cause.**", "**Remedy.**", "**Example.**"];

/// The sentences by variant. Several errors may have a variant of the same name.
type Sentences = BTreeMap<String, Vec<String>>;

fn page() -> PathBuf {
    checkout::root().join("docs").join("troubleshooting.md")
}

fn read() -> Result<String, Failure> {
    fs::read_to_string(page()).doing(|| "read docs/troubleshooting.md".into())
}

/// Copies the sentences of the code into the page.
pub(super) fn write() -> Result<(), Failure> {
    let written = with_sentences(&read()?, &in_code()?);
    fs::write(page(), written).doing(|| "write docs/troubleshooting.md".into())
}

/// Returns the faults of the page: entries that are missing, that have no error, or that quote another
/// sentence.
pub(super) fn faults() -> Result<Vec<String>, Failure> {
    let (page, sentences) = (read()?, in_code()?);
    let mut faults = Vec::new();
    let entries: Vec<Entry> = entries(&page).collect();
    for (name, texts) in &sentences {
        if !entries
            .iter()
            .any(|entry| entry.names.contains(&name.as_str()))
        {
            let texts = texts.join(" / ");
            faults.push(format!("troubleshooting.md has no entry {name}: {texts}"));
        }
    }
    for entry in &entries {
        for name in &entry.names {
            if !sentences.contains_key(*name) {
                faults.push(format!(
                    "troubleshooting.md explains {name}, and the code has no such error"
                ));
            }
        }
        for part in PARTS {
            if !entry.text.contains(part) {
                faults.push(format!(
                    "the entry {} has no {part}",
                    entry.names.join(", ")
                ));
            }
        }
    }
    if faults.is_empty() && with_sentences(&page, &sentences) != page {
        faults.push("troubleshooting.md quotes other words than the code has: run cargo xtask documents --write".into());
    }
    Ok(faults)
}

/// An entry of the page.
struct Entry<'a> {
    names: Vec<&'a str>,
    /// The text up to the next entry or heading.
    text: &'a str,
}

const MARK: &str = "<!-- error: ";

fn entries(page: &str) -> impl Iterator<Item = Entry<'_>> {
    page.split(MARK).skip(1).filter_map(|rest| {
        let (names, rest) = rest.split_once(" -->\n")?;
        Some(Entry {
            names: names.split(", ").collect(),
            text: rest.split("\n#").next().unwrap_or(rest),
        })
    })
}

/// Returns the page with the quotations from the code.
fn with_sentences(page: &str, sentences: &Sentences) -> String {
    let mut written = String::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        written.push_str(line);
        written.push('\n');
        let Some(names) = line
            .strip_prefix(MARK)
            .and_then(|rest| rest.strip_suffix(" -->"))
        else {
            continue;
        };
        while lines.next_if(|line| line.starts_with('>')).is_some() {}
        let mut texts: Vec<&String> = names
            .split(", ")
            .filter_map(|name| sentences.get(name))
            .flatten()
            .collect();
        texts.dedup();
        let quoted: Vec<String> = texts.iter().map(|text| format!("> {text}\n")).collect();
        written.push_str(&quoted.join(">\n"));
    }
    written
}

/// Returns the sentences of the functions and of their libraries.
fn in_code() -> Result<Sentences, Failure> {
    let mut sentences = Sentences::new();
    for room in ["crates", "functions"] {
        let mut reader = Reader {
            sentences: &mut sentences,
        };
        each_source(&checkout::root().join(room), &mut |file| {
            reader.visit_file(file);
        })?;
    }
    for texts in sentences.values_mut() {
        texts.sort();
        texts.dedup();
    }
    Ok(sentences)
}

/// Parses each Rust source in a folder, except those of tests.
pub(super) fn each_source(
    folder: &Path,
    on_file: &mut impl FnMut(&syn::File),
) -> Result<(), Failure> {
    let entries = fs::read_dir(folder).doing(|| format!("list {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() && name != "tests" {
            each_source(&path, on_file)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).doing(|| format!("read {}", path.display()))?;
            on_file(&syn::parse_file(&text).doing(|| format!("parse {}", path.display()))?);
        }
    }
    Ok(())
}

/// Collects the sentences in thiserror's attributes.
struct Reader<'a> {
    sentences: &'a mut Sentences,
}

impl Reader<'_> {
    fn add(&mut self, name: &syn::Ident, attributes: &[syn::Attribute]) {
        let texts = attributes
            .iter()
            .filter(|one| one.path().is_ident("error"))
            .filter_map(text_of);
        for text in texts.filter(|text| own_words(text) >= LEAST_WORDS) {
            self.sentences
                .entry(name.to_string())
                .or_default()
                .push(text);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.add(&variant.ident, &variant.attrs);
        visit::visit_variant(self, variant);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.add(&item.ident, &item.attrs);
        visit::visit_item_struct(self, item);
    }
}

/// Returns the text of `#[error("...")]` for people: a field is its name in capital letters.
fn text_of(attribute: &syn::Attribute) -> Option<String> {
    let list = attribute.meta.require_list().ok()?;
    let first = list.tokens.clone().into_iter().next()?;
    let literal: syn::LitStr = syn::parse2(first.into()).ok()?;
    Some(readable(&literal.value()))
}

fn readable(format: &str) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (field, after) = after.split_once('}').unwrap_or((after, ""));
        let field = field.split(':').next().unwrap_or(field);
        if field.starts_with(|first: char| first.is_ascii_alphabetic()) {
            text.push_str(&field.to_uppercase().replace('_', "-"));
        } else {
            text.push('…');
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Returns how many words of the text are not a field.
fn own_words(text: &str) -> usize {
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().any(char::is_lowercase))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_of_the_code_is_copied_into_its_entry() {
        let file = syn::parse_file(
            r#"enum Error { #[error("{0}")] Wrapped(String), #[error("Zone {zone_id} is {}: do it.", .0)] Kept { zone_id: u8 } }"#,
        )
        .expect("it is Rust");
        let mut sentences = Sentences::new();
        Reader {
            sentences: &mut sentences,
        }
        .visit_file(&file);
        let page = "# A\n<!-- error: Kept -->\n> Old.\n\n**Cause.** ...\n";
        assert_eq!(
            with_sentences(page, &sentences),
            "# A\n<!-- error: Kept -->\n> Zone ZONE-ID is …: do it.\n\n**Cause.** ...\n"
        );
        assert_eq!(sentences.len(), 1);
        let entry = entries(page).next().expect("it is found");
        assert_eq!(
            (entry.names, entry.text.contains("Cause")),
            (vec!["Kept"], true)
        );
    }
}
