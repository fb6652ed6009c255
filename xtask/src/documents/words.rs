//! Finds phrases that the project does not use. The spelling checker finds single words (`flagWords` in
//! tests/documents/cspell.json); these phrases consist of words that are not wrong alone.

use std::fs;

use crate::checkout;
use crate::failure::{Doing, Failure};

/// Each phrase, and what to write instead.
const PHRASES: [(&str, &str); 13] = [
    ("as a rule", "usually"),
    ("give back", "restore"),
    ("given back", "restored"),
    ("gives back", "restores"),
    ("half made", "a leftover of a failed update"),
    ("is no more", "is deleted"),
    ("put back", "restore"),
    ("take out", "remove"),
    ("take up", "adopt"),
    ("taken out", "removed"),
    ("taken up", "adopted"),
    ("takes out", "removes"),
    ("takes up", "adopts"),
];

/// Returns the places of such phrases in the documents.
pub(super) fn faults() -> Result<Vec<String>, Failure> {
    let mut faults = Vec::new();
    for page in super::written()? {
        let path = checkout::root().join(&page);
        let text = fs::read_to_string(&path).doing(|| format!("read {}", page.display()))?;
        let found = faults_in(&text).into_iter();
        faults.extend(found.map(|fault| format!("{}:{fault}", page.display())));
    }
    Ok(faults)
}

fn faults_in(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
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
            faults_in("One.\nAs a rule, two.\n`as a rule`"),
            ["2: \"as a rule\"; write \"usually\""]
        );
    }
}
