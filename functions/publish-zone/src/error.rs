//! The sentences that the user reads.

use crate::properties::Prefix;
use aws_calls::{AwsError, Kind};
use custom_resource::{Outlook, PropertyError, Trouble};
use hosted_zones::{DomainName, HostedZoneId};
use ownership::Owner;
use thiserror::Error;

/// Everything that can fail for a published zone.
#[derive(Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Property(#[from] PropertyError),
    #[error("{}", .0)]
    Refused(#[from] Refusal),
    #[error("{}; {}.", .0, next(.0))]
    Aws(#[from] AwsError),
    #[error(
        "{0}; the quota of parameters of this account and Region is used up: delete parameters that nobody needs, or ask \
         AWS for a higher quota, then deploy again."
    )]
    TooManyParameters(AwsError),
    #[error(
        "{0}; the quota of versions of this parameter is used up, and its oldest one has a label: remove that label, then \
         deploy again."
    )]
    TooManyVersions(AwsError),
}

/// Why a plan changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
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
    TooLate { prefix: Prefix, age: u64 },
    #[error(
        "The parameter {name} already exists and has no tags of this project, so it is someone else's: choose another \
         ParameterPrefix, or delete it."
    )]
    WithoutOwner { name: String },
    #[error(
        "The parameter {name} already exists and belongs to {owner}: choose another ParameterPrefix, or delete it."
    )]
    OfAnotherStack { name: String, owner: Owner },
    #[error(
        "The parameter {name} belongs to the logical id {owner} of this stack: if {owner} was renamed to {asking} in the \
         template, add {owner} to the property FormerLogicalIds of {asking}; if not, choose another ParameterPrefix."
    )]
    OfAnotherLogicalId {
        name: String,
        owner: String,
        asking: String,
    },
    #[error(
        "The parameter {name} was changed after this request was made, by a later request or by a person, and nothing was \
         changed: deploy again."
    )]
    Superseded { name: String },
    #[error("The parameter {name} was deleted while this request was carried out: deploy again.")]
    DeletedMeanwhile { name: String },
    #[error(
        "The parameter {name} was not created: SSM answers that the name is taken, and finds no parameter of that name. \
         SSM keeps the name of a deleted parameter for a while: deploy again in some minutes."
    )]
    NameKept { name: String },
    #[error(
        "{prefix} still publishes the zone {zone} ({id}), and nothing was changed: the zone has NS record sets that \
         delegate to other accounts: {names}; delete these subdomains first, or set DelegationsOnDelete to Ignore."
    )]
    Delegates {
        prefix: Prefix,
        zone: DomainName,
        id: HostedZoneId,
        names: String,
    },
    #[error(
        "{prefix} was not changed: DelegatedNames no longer has {names}, and the zone {zone} ({id}) still has NS record \
         sets for that, which their consumers could not delete any more; delete these subdomains first, then remove \
         their names."
    )]
    NamesInUse {
        prefix: Prefix,
        names: String,
        zone: DomainName,
        id: HostedZoneId,
    },
    #[error("{}; {}.", .0, next(.0))]
    Aws(AwsError),
}

impl Error {
    /// Returns the error in the protocol's terms.
    pub(crate) fn trouble(&self) -> Trouble {
        let outlook = match self {
            Self::Aws(error) | Self::Refused(Refusal::Aws(error)) if error.is_transient() => {
                Outlook::Transient
            }
            _ => Outlook::Permanent,
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
        Kind::Refused => "correct what it names, then deploy again",
    }
}
