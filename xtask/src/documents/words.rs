//! Finds phrases that the project does not use, in the documents and in the comments of the code. The spelling
//! checker finds single words (`flagWords` in tests/documents/cspell.json); these phrases consist of words that
//! are not wrong alone.

use std::fs;

use crate::checkout;
use crate::failure::{Doing, Failure};

/// Each phrase, and what to write instead.
const PHRASES: [(&str, &str); 18] = [
    ("as a rule", "usually"),
    ("give back", "restore"),
    ("given back", "restored"),
    ("gives back", "restores"),
    ("given zone", "existing zone"),
    ("half made", "a leftover of a failed update"),
    ("half-made", "a leftover of a failed update"),
    ("in vain", "without effect"),
    ("is no more", "is deleted"),
    ("let through", "accept"),
    ("put back", "restore"),
    ("put right", "correct"),
    ("take out", "remove"),
    ("take up", "adopt"),
    ("taken out", "removed"),
    ("taken up", "adopted"),
    ("takes out", "removes"),
    ("takes up", "adopts"),
];

/// Returns the places of such phrases.
pub(super) fn faults() -> Result<Vec<String>, Failure> {
    let mut faults = Vec::new();
    for page in super::written()? {
        let path = checkout::root().join(&page);
        let text = fs::read_to_string(&path).doing(|| format!("read {}", page.display()))?;
        let is_code = page.extension().is_none_or(|extension| extension != "md");
        let found = faults_in(&text, is_code).into_iter();
        faults.extend(found.map(|fault| format!("{}:{fault}", page.display())));
    }
    Ok(faults)
}

/// Returns the lines with such a phrase. In code, only lines that are comments count.
fn faults_in(text: &str, is_code: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let starts_comment = |start: &&str| line.trim_start().starts_with(*start);
        if is_code && !["//", "#", "*", "/*"].iter().any(starts_comment) {
            continue;
        }
        // Text in backticks is a name or a command.
        let prose: String = line.split('`').step_by(2).collect();
        let prose = prose.to_lowercase();
        for (phrase, better) in PHRASES {
            if prose.contains(phrase) {
                let line = number + 1;
                faults.push(format!("{line}: \"{phrase}\"; write \"{better}\""));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_found_only_outside_of_backticks() {
        assert_eq!(
            faults_in("One.\nAs a rule, two.\n`as a rule`", false),
            ["2: \"as a rule\"; write \"usually\""]
        );
    }

    #[test]
    fn a_phrase_in_code_is_found_only_in_comments() {
        assert_eq!(
            faults_in("let a = \"as a rule\";\n    // As a rule.", true),
            ["2: \"as a rule\"; write \"usually\""]
        );
    }
}
