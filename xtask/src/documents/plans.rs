//! Checks that the plans in docs/how-it-works.md are those of the golden files.

use std::fs;

use crate::checkout;
use crate::failure::{Doing, Failure};

/// Precedes a block of code whose lines are in the named file.
const MARK: &str = "<!-- plan: ";

/// Returns the lines that the page has and their file has not.
pub(super) fn faults() -> Result<Vec<String>, Failure> {
    let page = checkout::root().join("docs").join("how-it-works.md");
    let page = fs::read_to_string(page).doing(|| "read docs/how-it-works.md".into())?;
    let mut faults = Vec::new();
    for (file, lines) in blocks(&page) {
        let plan = fs::read_to_string(checkout::root().join(file)).unwrap_or_default();
        let missing = lines
            .into_iter()
            .filter(|line| !line.is_empty() && !plan.lines().any(|planned| planned == *line));
        faults.extend(missing.map(|line| format!("how-it-works.md: {file} has no line {line}")));
    }
    Ok(faults)
}

fn blocks(page: &str) -> Vec<(&str, Vec<&str>)> {
    let parts = page.split(MARK).skip(1).filter_map(|rest| {
        let (file, rest) = rest.split_once(" -->\n```\n")?;
        let (block, _) = rest.split_once("\n```")?;
        Some((file, block.lines().collect()))
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_belongs_to_the_file_that_is_named_before_it() {
        let page = "A\n\n<!-- plan: a/b.txt -->\n```\n1. one\n2. two\n```\n\n```\nother\n```\n";
        assert_eq!(blocks(page), [("a/b.txt", vec!["1. one", "2. two"])]);
    }
}
