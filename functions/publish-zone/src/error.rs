use aws_calls::{AwsError, Kind};
use custom_resource::{Outlook, Owner, PropertyError, Trouble};
use dns_zones::{DomainName, HostedZoneId, RecordSet};
use thiserror::Error;

/// Everything that can go wrong with a published zone. `Display` is the sentence that the user reads.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Property(#[from] PropertyError),
    #[error("{}; {}.", .0, next(.0))]
    Aws(#[from] AwsError),
    #[error(
        "Property HostedZoneId is {0}, and this account has no such hosted zone: correct the id."
    )]
    NoZone(HostedZoneId),
    #[error("Property HostedZoneId is {0}, which is a private hosted zone: name a public one.")]
    PrivateZone(HostedZoneId),
    #[error(
        "Nothing was published under {prefix}: the request is {age} s old, so that an earlier delivery of it may have \
         been answered, and undone, already; deploy again."
    )]
    TooLate { prefix: String, age: u64 },
    #[error("The parameter {name} stands already and {}: choose another ParameterPrefix, or remove it.", whose(.owner))]
    Taken { name: String, owner: Option<Owner> },
    #[error(
        "{prefix} still publishes the zone {zone} ({id}), and nothing was touched: record sets in it delegate to other \
         accounts: {sets}; delete these subdomains first, or set DelegationsOnDelete to Ignore."
    )]
    Delegates {
        prefix: String,
        zone: DomainName,
        id: HostedZoneId,
        sets: String,
    },
}

/// How many record sets an error lists: an answer has 4,096 bytes.
pub(crate) const LISTED: usize = 10;

impl Error {
    pub(crate) fn delegates(
        prefix: &str,
        zone: DomainName,
        id: HostedZoneId,
        sets: &[RecordSet],
    ) -> Self {
        let names = sets.iter().take(LISTED).map(|set| set.name().to_string());
        let mut sets_text = names.collect::<Vec<_>>().join(", ");
        if sets.len() > LISTED {
            sets_text.push_str(" and more");
        }
        Self::Delegates {
            prefix: prefix.to_owned(),
            zone,
            id,
            sets: sets_text,
        }
    }

    /// What the protocol has to know of it.
    pub(crate) fn trouble(&self) -> Trouble {
        let outlook = match self {
            Self::Aws(error) if error.passes() => Outlook::Passing,
            Self::Aws(error) if error.kind == Kind::Denied => Outlook::Spreading,
            _ => Outlook::Final,
        };
        Trouble {
            reason: self.to_string(),
            outlook,
        }
    }
}

fn next(error: &AwsError) -> &'static str {
    match error.kind {
        Kind::Denied => "grant the function's role this action",
        Kind::Throttled | Kind::NoAnswer => "deploy again when the service answers",
        Kind::NoEndpoint => "check that this function's network resolves the service's endpoint",
        Kind::Refused => match error.code.as_deref() {
            Some("ParameterLimitExceeded") => {
                "the quota of parameters of this account and Region is used up: delete parameters that nobody needs, or \
                 ask AWS for a higher quota, then deploy again"
            }
            Some("ParameterMaxVersionLimitExceeded") => {
                "the quota of versions of this parameter is used up, and its oldest one has a label: remove that label, \
                 then deploy again"
            }
            _ => "correct what it names, then deploy again",
        },
    }
}

fn whose(owner: &Option<Owner>) -> String {
    match owner {
        Some(owner) => format!("belongs to {owner}"),
        None => "carries no tags of this project, so it is someone else's".to_owned(),
    }
}
