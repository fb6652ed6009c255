//! What stands in the accounts, as text.

use super::inventory::{Account, Inventory, RecordSet, Zone};
use super::{BASE_DOMAIN, CONSUMER, NEIGHBOUR, NETWORKING};
use crate::progress::Progress;

/// Accounts, zones, record sets, parameters, certificates and delegation roles.
pub(super) fn shown(progress: &Progress, stands: &Inventory) -> String {
    let mut text = progress.bold("\n  What stands\n");
    for account in &stands.accounts {
        text += &format!(
            "\n    {} {}\n",
            progress.bold(&account.account),
            progress.dim(role_of(&account.account))
        );
        let lines = lines_of(progress, stands, account);
        for (number, line) in lines.iter().enumerate() {
            let branch = match (line, number + 1 == lines.len()) {
                (Line::Thing(_), false) => "├─",
                (Line::Thing(_), true) => "└─",
                (Line::Part(_), _) => "│    ",
            };
            let (Line::Thing(said) | Line::Part(said)) = line;
            text += &format!("    {} {said}\n", progress.dim(branch));
        }
    }
    text
}

enum Line {
    Thing(String),
    Part(String),
}

fn role_of(account: &str) -> &'static str {
    match account {
        NETWORKING => "networking team",
        CONSUMER => "application team",
        NEIGHBOUR => "its neighbour",
        _ => "",
    }
}

fn lines_of(progress: &Progress, stands: &Inventory, account: &Account) -> Vec<Line> {
    let mut lines = Vec::new();
    for zone in &account.zones {
        let note = if zone.name == BASE_DOMAIN {
            "the base domain"
        } else {
            ""
        };
        lines.push(Line::Thing(format!(
            "zone {} {} {note}",
            progress.cyan(&zone.name),
            progress.dim(&zone.id)
        )));
        for set in &zone.record_sets {
            if let Some(said) = record_set(progress, stands, account, zone, set) {
                lines.push(Line::Part(said));
            }
        }
    }
    for role in account.roles.iter().filter(|role| {
        role.starts_with("zone-delegation-") && role.ends_with(|c: char| c.is_ascii_digit())
    }) {
        lines.push(Line::Thing(format!("role {role}")));
    }
    for parameter in &account.parameters {
        lines.push(Line::Thing(format!(
            "parameter {} {}",
            parameter.name,
            progress.dim(&cut(&parameter.value, 60))
        )));
    }
    for certificate in &account.certificates {
        let status = match certificate.status.as_str() {
            "ISSUED" => progress.green("ISSUED"),
            other => progress.red(other),
        };
        lines.push(Line::Thing(format!(
            "certificate {} {status} {}",
            certificate.names.join(", "),
            progress.dim(&certificate.region)
        )));
    }
    lines
}

/// Delegations with where they lead, and what is neither SOA nor NS of the apex.
fn record_set(
    progress: &Progress,
    stands: &Inventory,
    account: &Account,
    zone: &Zone,
    set: &RecordSet,
) -> Option<String> {
    if set.name == zone.name && matches!(set.record_type.as_str(), "NS" | "SOA") {
        return None;
    }
    let ttl = set.ttl.map_or(String::new(), |ttl| ttl.to_string());
    if set.record_type != "NS" {
        let values = cut(&set.values.join(", "), 44);
        return Some(format!(
            "{} {} {}",
            cut(&set.name, 44),
            set.record_type,
            progress.dim(&format!("{ttl} {values}"))
        ));
    }
    let target = match stands.zone_served_by(&set.values) {
        Some((owner, child)) if owner.account == account.account => {
            format!("→ {} here", child.id)
        }
        Some((owner, child)) => format!("→ {} in {}", child.id, owner.account),
        None => progress.red("→ no zone"),
    };
    Some(format!(
        "{} NS {} {target}",
        set.name,
        progress.dim(&format!("{ttl} {}, ...", set.values.first()?))
    ))
}

/// `text` in at most so many characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}

/// What is left at the end.
pub(super) fn left(progress: &Progress, left: &Inventory) -> String {
    let mut text = progress.bold("\n  What is left\n\n");
    for account in &left.accounts {
        let zones: Vec<&str> = account
            .zones
            .iter()
            .map(|zone| zone.name.as_str())
            .collect();
        let said = if zones.is_empty() {
            "nothing".to_owned()
        } else {
            format!("{}, as at the start", zones.join(", "))
        };
        text += &format!("    {} {said}\n", progress.bold(&account.account));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut() {
        assert_eq!(cut("short", 10), "short");
        assert_eq!(cut("longer than ten", 10), "longer th…");
    }
}
