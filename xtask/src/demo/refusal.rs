//! Lets a consumer request a name that it was not granted, which IAM refuses.

use serde::Deserialize;

use super::inventory::Inventory;
use super::{NEIGHBOR, NEIGHBOR_NAME, NETWORKING, stacks, zone_name};
use crate::emulator::Emulator;
use crate::failure::Failure;
use crate::progress::Progress;

/// An unused name: only the role's policy prevents the neighbor from having it.
const NAME: &str = "payments";

/// The result of the update.
#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    status: String,
    /// CloudFormation's reason for the failure, which is the function's own sentence.
    reason: String,
}

fn domain() -> String {
    format!("{NAME}.{}", zone_name())
}

/// Lets the neighbor add a name to its own stack that its delegation role does not cover.
///
/// # Errors
/// IAM did not refuse the name, or something changed.
pub(super) fn ask_for_a_name_that_was_not_granted(emulator: &Emulator) -> Result<Refused, Failure> {
    let before = Inventory::read(emulator)?;
    let stack = stacks::consumer(NEIGHBOR_NAME);
    let refused: Refused = emulator.ask(
        &["try-name", NEIGHBOR, NAME, "--stack", &stack],
        "let the neighbor request a name",
    )?;
    if refused.status != "UPDATE_ROLLBACK_COMPLETE" {
        return Err(Failure::new(format!(
            "The neighbor's stack ended as {}: {}",
            refused.status, refused.reason
        )));
    }
    if !refused.reason.contains("AccessDenied") || !refused.reason.contains(&domain()) {
        return Err(Failure::new(format!(
            "The neighbor was refused, but not by IAM: {}",
            refused.reason
        )));
    }
    let after = Inventory::read(emulator)?;
    after.check_account_same(NEIGHBOR, &before)?;
    match after.zone(NETWORKING, &zone_name())?.delegation(&domain()) {
        None => Ok(refused),
        Some(_) => Err(Failure::new(format!("{} is delegated.", domain()))),
    }
}

/// Returns the refusal as text.
pub(super) fn shown(progress: &Progress, refused: &Refused) -> String {
    let mut text = progress.bold(&format!(
        "\n  {NEIGHBOR} requests {}, which it was not granted\n\n",
        domain()
    ));
    for line in wrapped(&refused.reason, 96) {
        text += &format!("    {} {line}\n", progress.red("│"));
    }
    text += &format!(
        "\n    The update is rolled back. {} in {NETWORKING} has no such name,\n    \
         and {NEIGHBOR} is as it was before.\n",
        zone_name()
    );
    text
}

/// Returns lines of at most `columns`, broken between words.
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
