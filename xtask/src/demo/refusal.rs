//! A consumer reaches for a name that belongs to another, and IAM turns it away.

use serde::Deserialize;

use super::inventory::Inventory;
use super::{CONSUMER_NAME, NEIGHBOUR, NETWORKING, consumer_domain, stacks, zone_name};
use crate::emulator::Emulator;
use crate::failure::Failure;
use crate::progress::Progress;

/// What became of the stack.
#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    status: String,
    /// Why CloudFormation says that it failed: the function's own sentence.
    reason: String,
    deleted: String,
}

/// The neighbour's own function, with its own delegation role, is asked for the consumer's name. The name is free as
/// yet and nothing stands in its way but the role's policy.
///
/// # Errors
/// It was not turned away by IAM, or something changed.
pub(super) fn reach_for_a_foreign_name(emulator: &Emulator) -> Result<Refused, Failure> {
    let before = Inventory::read(emulator)?;
    let role = stacks::delegation_role(NEIGHBOUR);
    let refused: Refused = emulator.ask(
        &[
            "try-name",
            NEIGHBOUR,
            CONSUMER_NAME,
            "--function",
            "delegatesubdomain",
            "--prefix",
            &stacks::parameter_prefix(),
            "--role",
            &role,
        ],
        "let the neighbour reach for a name",
    )?;
    if refused.status != "ROLLBACK_COMPLETE" || refused.deleted != "DELETE_COMPLETE" {
        return Err(Failure::new(format!(
            "The neighbour's stack ended as {} and {}: {}",
            refused.status, refused.deleted, refused.reason
        )));
    }
    if !refused.reason.contains("AccessDenied") || !refused.reason.contains(&consumer_domain()) {
        return Err(Failure::new(format!(
            "The neighbour was turned away, but not by IAM: {}",
            refused.reason
        )));
    }
    let after = Inventory::read(emulator)?;
    after.check_same(&before)?;
    Ok(refused)
}

/// The refusal as a person reads it.
pub(super) fn shown(progress: &Progress, refused: &Refused) -> String {
    let mut text = progress.bold(&format!(
        "\n  {NEIGHBOUR} reaches for {}, which belongs to another team\n\n",
        consumer_domain()
    ));
    for line in wrapped(&refused.reason, 96) {
        text += &format!("    {} {line}\n", progress.red("│"));
    }
    text += &format!(
        "\n    The stack is rolled back and deleted. {} in {NETWORKING} is the same before and after,\n    \
         and {NEIGHBOUR} holds no zone of that name.\n",
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
