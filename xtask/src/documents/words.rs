//! Phrases that the documents do without. Single words are the spelling checker's (`flagWords` in
//! tests/documents/cspell.json); this is for those of which no word alone is wrong.

use std::fs;

use crate::checkout;
use crate::failure::{Doing, Failure};

/// What is not written, and what is written in its place.
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

/// Where the documents have one of the phrases.
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
        // What is quoted is a name or a command.
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
    fn a_phrase_is_found_outside_of_code_only() {
        assert_eq!(
            faults_in("One.\nAs a rule, two.\n`as a rule`"),
            ["2: \"as a rule\"; write \"usually\""]
        );
    }
}
