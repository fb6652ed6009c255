//! Shows as text what exists in the accounts.

use super::inventory::{Account, Inventory, RecordSet, Zone};
use super::{ACCOUNTS, BASE_DOMAIN, CONSUMER, NEIGHBOR, NETWORKING, stacks};
use crate::progress::Progress;

/// Returns accounts, zones, record sets, parameters, certificates and delegation roles as text.
pub(super) fn shown(progress: &Progress, found: &Inventory) -> String {
    let mut text = progress.bold("  What exists\n");
    for account in &found.accounts {
        text += &format!(
            "\n    {} {}\n",
            progress.bold(&account.account),
            progress.dim(role_of(&account.account))
        );
        let lines = lines_of(progress, found, account);
        for (number, line) in lines.iter().enumerate() {
            let branch = match (line, number + 1 == lines.len()) {
                (Line::Thing(_), false) => "├─",
                (Line::Thing(_), true) => "└─",
                (Line::Part(_), _) => "│              ",
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
        NEIGHBOR => "its neighbor",
        _ => "",
    }
}

fn lines_of(progress: &Progress, found: &Inventory, account: &Account) -> Vec<Line> {
    let mut lines = Vec::new();
    let thing = |kind: &str, said: String| Line::Thing(format!("{kind:12} {said}"));
    for zone in &account.zones {
        let note = if zone.name == BASE_DOMAIN {
            "  the base domain"
        } else {
            ""
        };
        lines.push(thing(
            "zone",
            format!(
                "{}  {}{note}",
                progress.cyan(&zone.name),
                progress.dim(&zone.id)
            ),
        ));
        let sets = zone.record_sets.iter();
        lines.extend(
            sets.filter_map(|set| record_set(progress, found, account, zone, set))
                .map(Line::Part),
        );
    }
    for role in account.roles.iter().filter(|role| is_delegation(role)) {
        lines.push(thing("role", role.clone()));
    }
    for parameter in &account.parameters {
        let value = cut(&parameter.value, 56);
        lines.push(thing(
            "parameter",
            format!("{}  {}", parameter.name, progress.dim(&value)),
        ));
    }
    for certificate in &account.certificates {
        let status = match certificate.status.as_str() {
            "ISSUED" => progress.green("ISSUED"),
            other => progress.red(other),
        };
        lines.push(thing(
            "certificate",
            format!(
                "{}  {status}  {}",
                certificate.names.join(", "),
                progress.dim(&certificate.region)
            ),
        ));
    }
    lines
}

/// Returns whether a role is a delegation role. The others are the functions' own.
fn is_delegation(role: &str) -> bool {
    ACCOUNTS
        .iter()
        .any(|account| stacks::delegation_role(account).ends_with(&format!("/{role}")))
}

/// Returns a delegation with the account to which it leads, or any other record set except SOA and NS of the
/// apex.
fn record_set(
    progress: &Progress,
    found: &Inventory,
    account: &Account,
    zone: &Zone,
    set: &RecordSet,
) -> Option<String> {
    if set.name == zone.name && matches!(set.record_type.as_str(), "NS" | "SOA") {
        return None;
    }
    let ttl = set.ttl.map_or(String::new(), |ttl| format!("{ttl} s"));
    let first = set.values.first()?.trim_end_matches('.');
    if set.record_type != "NS" {
        return Some(format!(
            "{} {}  {}",
            set.record_type,
            cut(&set.name, 44),
            progress.dim(&format!("{ttl}  {}", cut(first, 44)))
        ));
    }
    let target = match found.zone_served_by(&set.values) {
        Some((owner, child)) if owner.account == account.account => {
            format!("→ {} here", child.id)
        }
        Some((owner, child)) => format!("→ {} in {}", child.id, owner.account),
        None => progress.red("→ no zone"),
    };
    Some(format!(
        "NS {}  {}  {target}",
        set.name,
        progress.dim(&format!("{ttl}  {first}, …"))
    ))
}

/// Returns `text` with at most `most` characters.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}

/// Returns as text what remains at the end.
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
    fn long_values_are_shortened() {
        assert_eq!(cut("short", 10), "short");
        assert_eq!(cut("longer than ten", 10), "longer th…");
    }
}
