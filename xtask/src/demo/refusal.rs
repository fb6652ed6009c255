//! A consumer asks for a name that it was not granted, and IAM refuses it.

use serde::Deserialize;

use super::inventory::Inventory;
use super::{NEIGHBOUR, NEIGHBOUR_NAME, NETWORKING, stacks, zone_name};
use crate::emulator::Emulator;
use crate::failure::Failure;
use crate::progress::Progress;

/// A free name: nothing but the role's policy keeps the neighbour from it.
const NAME: &str = "payments";

/// What became of the update.
#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    status: String,
    /// Why CloudFormation says that it failed: the function's own sentence.
    reason: String,
}

fn domain() -> String {
    format!("{NAME}.{}", zone_name())
}

/// The neighbour adds a name to its own stack, and its delegation role does not cover that name.
///
/// # Errors
/// The name was not refused by IAM, or something changed.
pub(super) fn ask_for_a_name_that_was_not_granted(emulator: &Emulator) -> Result<Refused, Failure> {
    let before = Inventory::read(emulator)?;
    let stack = stacks::consumer(NEIGHBOUR_NAME);
    let refused: Refused = emulator.ask(
        &["try-name", NEIGHBOUR, NAME, "--stack", &stack],
        "let the neighbour ask for a name",
    )?;
    if refused.status != "UPDATE_ROLLBACK_COMPLETE" {
        return Err(Failure::new(format!(
            "The neighbour's stack ended as {}: {}",
            refused.status, refused.reason
        )));
    }
    if !refused.reason.contains("AccessDenied") || !refused.reason.contains(&domain()) {
        return Err(Failure::new(format!(
            "The neighbour was refused, but not by IAM: {}",
            refused.reason
        )));
    }
    let after = Inventory::read(emulator)?;
    after.check_account_same(NEIGHBOUR, &before)?;
    match after.zone(NETWORKING, &zone_name())?.delegation(&domain()) {
        None => Ok(refused),
        Some(_) => Err(Failure::new(format!("{} is delegated.", domain()))),
    }
}

/// The refusal as a person reads it.
pub(super) fn shown(progress: &Progress, refused: &Refused) -> String {
    let mut text = progress.bold(&format!(
        "\n  {NEIGHBOUR} asks for {}, which it was not granted\n\n",
        domain()
    ));
    for line in wrapped(&refused.reason, 96) {
        text += &format!("    {} {line}\n", progress.red("│"));
    }
    text += &format!(
        "\n    The update is rolled back. {} in {NETWORKING} has no such name,\n    \
         and {NEIGHBOUR} is as it was before.\n",
        zone_name()
    );
    text
}

/// Lines of at most `columns`, broken between words.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].len() + 1 + word.len() > columns {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last] += word;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("longer-than-that", 7), ["longer-than-that"]);
    }
}
