//! Lists what exists in the accounts, from their own APIs.

use serde::Deserialize;

use super::{
    ACCOUNTS, CONSUMER, NEIGHBOR, NEIGHBOR_NAME, NETWORKING, REGION, application_domain,
    consumer_domain, stacks, zone_name,
};
use crate::emulator::Emulator;
use crate::failure::Failure;

/// The content of all accounts.
#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Inventory {
    pub(super) accounts: Vec<Account>,
}

/// The content of one account in the Region of the demo, without what `cdk bootstrap` creates.
#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Account {
    pub(super) account: String,
    pub(super) zones: Vec<Zone>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) roles: Vec<String>,
    pub(super) functions: Vec<String>,
    pub(super) stacks: Vec<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Zone {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) name_servers: Vec<String>,
    pub(super) record_sets: Vec<RecordSet>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct RecordSet {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) record_type: String,
    pub(super) ttl: Option<u32>,
    pub(super) values: Vec<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Parameter {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) parameter_type: String,
    pub(super) value: String,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Certificate {
    pub(super) arn: String,
    pub(super) names: Vec<String>,
    pub(super) status: String,
    pub(super) region: String,
}

impl Inventory {
    /// Reads all accounts.
    pub(super) fn read(emulator: &Emulator) -> Result<Self, Failure> {
        let mut arguments = vec!["inventory", "--region", REGION];
        arguments.extend(ACCOUNTS);
        emulator.ask(&arguments, "list what exists in the accounts")
    }

    pub(super) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.account == id)
    }

    /// Returns the zone with these name servers, and its account.
    pub(super) fn zone_served_by(&self, servers: &[String]) -> Option<(&Account, &Zone)> {
        let wanted = sorted(servers);
        self.accounts.iter().find_map(|account| {
            let zone = account
                .zones
                .iter()
                .find(|zone| sorted(&zone.name_servers) == wanted)?;
            Some((account, zone))
        })
    }

    /// Checks that everything exists which the stacks promise.
    ///
    /// # Errors
    /// The first thing that does not exist.
    pub(super) fn check_what_exists(&self) -> Result<(), Failure> {
        let neighbor_domain = format!("{NEIGHBOR_NAME}.{}", zone_name());
        for (account, name) in [
            (NETWORKING, zone_name()),
            (CONSUMER, consumer_domain()),
            (CONSUMER, application_domain()),
            (NEIGHBOR, neighbor_domain),
        ] {
            let zone = self.zone(account, &name)?;
            let (parent, set) = self
                .accounts
                .iter()
                .flat_map(|account| &account.zones)
                .find_map(|parent| Some((parent, parent.delegation(&name)?)))
                .ok_or_else(|| Failure::new(format!("Nothing delegates {name}.")))?;
            if sorted(&set.values) != sorted(&zone.name_servers) {
                return Err(Failure::new(format!(
                    "{} delegates {name} to name servers that are not those of zone {}.",
                    parent.name, zone.id
                )));
            }
        }
        let parameters: Vec<&str> = self
            .account(NETWORKING)
            .map(|account| account.parameters.iter().map(|p| p.name.as_str()).collect())
            .unwrap_or_default();
        let prefix = stacks::parameter_prefix();
        for name in ["hosted-zone-id", "hosted-zone-name", "name-servers"] {
            let name = format!("{prefix}/{name}");
            if !parameters.contains(&name.as_str()) {
                return Err(Failure::new(format!("The parameter {name} is missing.")));
            }
        }
        let wanted = [application_domain(), format!("*.{}", application_domain())];
        let certificate = self
            .account(CONSUMER)
            .and_then(|account| {
                account
                    .certificates
                    .iter()
                    .find(|c| sorted(&c.names) == sorted(&wanted))
            })
            .ok_or_else(|| {
                Failure::new(format!(
                    "There is no certificate for {}.",
                    wanted.join(" and ")
                ))
            })?;
        if certificate.status != "ISSUED" {
            return Err(Failure::new(format!(
                "The certificate {} is {}, not ISSUED.",
                certificate.arn, certificate.status
            )));
        }
        Ok(())
    }

    /// Checks that the consumer accounts are as they were before, and that nothing delegates to them.
    ///
    /// # Errors
    /// The first thing that remains.
    pub(super) fn check_consumers_deleted(&self, before: &Self) -> Result<(), Failure> {
        for account in [CONSUMER, NEIGHBOR] {
            self.check_account_same(account, before)?;
        }
        let zone = self.zone(NETWORKING, &zone_name())?;
        match zone.record_sets.iter().find(|set| set.name != zone.name) {
            None => Ok(()),
            Some(set) => Err(Failure::new(format!(
                "{} {} is left in {}.",
                set.name, set.record_type, zone.name
            ))),
        }
    }

    /// Checks that every account is as it was before.
    ///
    /// # Errors
    /// The first difference.
    pub(super) fn check_same(&self, before: &Self) -> Result<(), Failure> {
        ACCOUNTS
            .iter()
            .try_for_each(|account| self.check_account_same(account, before))
    }

    /// Checks that one account is as it was before.
    ///
    /// # Errors
    /// The first difference.
    pub(super) fn check_account_same(&self, account: &str, before: &Self) -> Result<(), Failure> {
        same(self.account(account), before.account(account), account)
    }

    pub(super) fn zone(&self, account: &str, name: &str) -> Result<&Zone, Failure> {
        self.account(account)
            .and_then(|account| account.zones.iter().find(|zone| zone.name == name))
            .ok_or_else(|| Failure::new(format!("{account} has no zone {name}.")))
    }
}

impl Zone {
    /// Returns the NS record set that delegates `name`.
    pub(super) fn delegation(&self, name: &str) -> Option<&RecordSet> {
        self.record_sets
            .iter()
            .find(|set| set.record_type == "NS" && set.name == name && set.name != self.name)
    }
}

/// Returns names sorted, without their final dots.
pub(super) fn sorted(names: &[String]) -> Vec<&str> {
    let mut names: Vec<&str> = names
        .iter()
        .map(|name| name.trim_end_matches('.'))
        .collect();
    names.sort_unstable();
    names
}

fn same(now: Option<&Account>, before: Option<&Account>, account: &str) -> Result<(), Failure> {
    let (Some(now), Some(before)) = (now, before) else {
        return Err(Failure::new(format!("{account} is not listed.")));
    };
    let names = |found: &[String]| found.join(", ");
    let lists = [
        ("zones", names(&zones(now)), names(&zones(before))),
        (
            "parameters",
            listed(&now.parameters),
            listed(&before.parameters),
        ),
        (
            "certificates",
            listed(&now.certificates),
            listed(&before.certificates),
        ),
        ("roles", names(&now.roles), names(&before.roles)),
        ("functions", names(&now.functions), names(&before.functions)),
        ("stacks", names(&now.stacks), names(&before.stacks)),
    ];
    match lists.iter().find(|(_, now, before)| now != before) {
        None => Ok(()),
        Some((what, now, before)) => Err(Failure::new(format!(
            "The {what} of {account} are not as before: [{now}], before [{before}]."
        ))),
    }
}

fn zones(account: &Account) -> Vec<String> {
    let set =
        |set: &RecordSet| format!("{} {} {}", set.name, set.record_type, set.values.join(" "));
    account
        .zones
        .iter()
        .map(|zone| {
            let sets: Vec<String> = zone.record_sets.iter().map(set).collect();
            format!("{} {} ({})", zone.id, zone.name, sets.join("; "))
        })
        .collect()
}

fn listed<T: std::fmt::Debug>(found: &[T]) -> String {
    found
        .iter()
        .map(|one| format!("{one:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}
