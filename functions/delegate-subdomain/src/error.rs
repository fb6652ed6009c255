use crate::public_zone::Unusable;
use aws_calls::{AwsError, Kind};
use custom_resource::{Outlook, PropertyError, Trouble};
use dns_check::Fault;
use hosted_zones::{DomainName, HostedZoneId, NameError, RecordSet};
use ownership::Owner;
use std::fmt;
use thiserror::Error;

/// Everything that can fail for a subdomain. `Display` is the sentence that the user reads in
/// CloudFormation's events: what failed, on which name or zone, with which AWS error code and request id, and
/// what to do next.
#[derive(Clone, Debug, Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Property(#[from] PropertyError),
    #[error("Property {property} is not a domain name: {error}.")]
    Name {
        property: &'static str,
        error: NameError,
    },
    #[error(
        "The parent zone must be named by either ParameterPrefix and NetworkRoleArn (across accounts) or \
         ParentHostedZoneId (in this account)."
    )]
    WhichParent,
    #[error(
        "DrainSeconds is {seconds}, and the time that a Delete has leaves {most} at most: lower it, or raise \
         ServiceTimeout and, where there is no state machine for waits, the function's time-out."
    )]
    LongDrain { seconds: u64, most: u64 },

    #[error("{}; {}.", .0, next(.0, DENIED))]
    Aws(#[from] AwsError),
    #[error(
        "The role {role_arn} cannot be assumed: {error}; check that it exists, that it trusts this account and \
         function, and that ExternalId is the one that it asks for."
    )]
    Role { role_arn: String, error: AwsError },
    #[error("STS gave no credentials for the role {role_arn}: deploy again.")]
    NoCredentials { role_arn: String },
    #[error(
        "Nothing is published at {} that the role {role_arn} can read: check ParameterPrefix and NetworkRegion, and \
         that the networking stack is deployed.", .missing.join(", ")
    )]
    Unpublished {
        role_arn: String,
        missing: Vec<String>,
    },
    #[error(
        "The SSM parameters under {prefix} are inconsistent: {fault}. Wait until the networking stack is deployed, then \
         deploy again."
    )]
    Inconsistent { prefix: String, fault: String },

    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(
        "HostedZoneId is {id}, whose name is {is}, and the subdomain is {wanted}: name a zone of that name."
    )]
    OtherName {
        id: HostedZoneId,
        is: DomainName,
        wanted: DomainName,
    },
    #[error(
        "Hosted zone {id} ({name}) is delegated by {owner}: remove it from that stack first, or choose another zone."
    )]
    OthersZone {
        id: HostedZoneId,
        name: DomainName,
        owner: Owner,
    },
    #[error(
        "Nothing was done with hosted zone {zone} ({name}): its tags name {tags}, and its CallerReference names another owner. \
         If the resource was renamed in the template, list its earlier logical ids in FormerLogicalIds; otherwise correct \
         the tags zone-delegation:stack-id and zone-delegation:logical-id, then deploy again."
    )]
    Contradicting {
        zone: HostedZoneId,
        name: DomainName,
        tags: Owner,
    },
    #[error(
        "{name} was not delegated: its zone {zone} belongs to the logical id {logical_id} of this stack. If that was this \
         resource's logical id before, list it in FormerLogicalIds; otherwise choose another Subdomain."
    )]
    HeldBySibling {
        name: DomainName,
        zone: HostedZoneId,
        logical_id: String,
    },
    #[error(
        "{name} was not delegated: {parent} already delegates it to HostedZoneId {zone}. Set AdoptDelegation to true to \
         adopt that delegation as it is, or delete the NS record set."
    )]
    NotAdopted {
        name: DomainName,
        parent: DomainName,
        zone: HostedZoneId,
    },
    #[error("Property Subdomain is '{subdomain}': {why}.")]
    NoSubdomain { subdomain: String, why: String },
    #[error(
        "{name} was not deleted: its zone {zone} does not exist, and {parent} ({parent_id}) has an NS record set for it of \
         which this resource's id does not prove that it is the resource's own: {set}. Check whether that record set is \
         needed; if not, delete it, then delete again."
    )]
    Unproven {
        name: DomainName,
        zone: HostedZoneId,
        parent: DomainName,
        parent_id: HostedZoneId,
        set: Box<RecordSet>,
    },
    #[error(
        "The zone {name} was not created: this request created one before, which was deleted since ({error}). Deploy again, \
         which makes a new request."
    )]
    ReferenceUsed { name: DomainName, error: AwsError },

    #[error(
        "{name} was not delegated: the request is {age} s old, so that an earlier delivery of it may have been answered and \
         undone already. Deploy again."
    )]
    TooLate { name: DomainName, age: u64 },
    #[error(
        "{name} was not changed: neither its zone {zone}, as a zone of this stack, nor its NS record set exists. Remove the \
         resource from the template, deploy, and add it again. In a rollback, continue the rollback and skip the resource."
    )]
    Deleted {
        name: DomainName,
        zone: HostedZoneId,
    },
    #[error(
        "{name} was not delegated: its zone was deleted while its NS record set was created, so that record set was deleted \
         again. Deploy again."
    )]
    ZoneGone { name: DomainName },

    #[error(
        "{name} was not delegated: {parent} ({zone}) already has an NS record set for it that this resource does not own: \
         {set}. Delete that record set, or choose another Subdomain."
    )]
    Occupied {
        name: DomainName,
        parent: DomainName,
        zone: HostedZoneId,
        set: Box<RecordSet>,
    },
    #[error(
        "{name} was not delegated: its delegation would occlude record sets of {parent} ({zone}): {}. Move these record \
         sets first, or choose another Subdomain.{}", Sets(.sets), Validations(.validations)
    )]
    Occludes {
        name: DomainName,
        parent: DomainName,
        zone: HostedZoneId,
        sets: Vec<RecordSet>,
        /// The record sets with which ACM validates certificates.
        validations: Vec<RecordSet>,
    },
    #[error(
        "{name} was not delegated: {parent} ({zone}) has a dangling delegation for it, {set}, whose name servers do not serve \
         it: {fault}. Whoever gets one of them gets the name: have the owner of {parent} delete that record set, then \
         deploy again."
    )]
    DanglingSet {
        name: DomainName,
        parent: DomainName,
        zone: HostedZoneId,
        set: Box<RecordSet>,
        fault: Fault,
    },
    #[error(
        "{name} was not delegated: {parent} ({zone}) delegates a name above it to another zone: {}. Create the subdomain \
         in that zone.", Sets(.sets)
    )]
    Occluded {
        name: DomainName,
        parent: DomainName,
        zone: HostedZoneId,
        sets: Vec<RecordSet>,
    },
    #[error(
        "{parent} refuses to delete the NS record set of {name}: {error}; ask the owner of {parent}."
    )]
    NotUndelegated {
        parent: DomainName,
        name: DomainName,
        error: AwsError,
    },
    #[error(
        "The record sets of {name} ({zone}) were not deleted: {error}; its NS record set in the parent is deleted. Correct what \
         Route 53 names, then delete again."
    )]
    RecordsKept {
        name: DomainName,
        zone: HostedZoneId,
        error: AwsError,
    },
    #[error("{name} is delegated, but does not resolve: {fault}.")]
    Unresolved { name: DomainName, fault: Fault },

    #[error("{name} was not deleted, {left}: its zone {zone} {keeps}.")]
    Kept {
        name: DomainName,
        zone: HostedZoneId,
        left: Left,
        keeps: Keeps,
    },
    #[error(
        "{name} was not deleted: its zone {zone} exists, and its NS record set in {parent} cannot be deleted ({}) \
         and may still delegate to it ({standing}). Restore the permissions, or ask the owner of {parent} to delete the \
         record set, then delete again. If {parent} does not exist, {}.", .cause.trim_end_matches('.'),
        if *.is_external { "delete the stack and retain this resource" } else { "delete the zone by hand, then delete again" }
    )]
    StillDelegated {
        /// Whether the zone existed before the resource, so that a Delete keeps it.
        is_external: bool,
        name: DomainName,
        zone: HostedZoneId,
        parent: DomainName,
        cause: String,
        standing: String,
    },
    #[error(
        "{name} was not deleted: its zone {zone} does not exist, and {parent} still delegates to it ({standing}), so that anyone \
         may take over the name; its NS record set there cannot be deleted ({}). Restore the permissions, or ask the owner of \
         {parent} to delete the record set, then delete again.", .cause.trim_end_matches('.')
    )]
    Dangling {
        name: DomainName,
        zone: HostedZoneId,
        parent: DomainName,
        cause: String,
        standing: String,
    },
    /// Why the parent zone is not known, for [`Error::StillDelegated`].
    #[error("{0}")]
    NoParent(String),
}

impl Error {
    /// Returns the error in the protocol's terms.
    pub(crate) fn trouble(&self) -> Trouble {
        let outlook = match self {
            Self::Aws(error) | Self::Role { error, .. } => outlook(error),
            _ => Outlook::Permanent,
        };
        Trouble {
            reason: self.to_string(),
            outlook,
        }
    }

    /// Returns whether the error is transient.
    pub(crate) fn is_transient(&self) -> bool {
        self.trouble().outlook == Outlook::Transient
    }

    /// Returns whether the permission in the parent is missing, so that only DNS can still answer.
    pub(crate) fn lacks_permission(&self) -> bool {
        match self {
            Self::Role { error, .. } => matches!(error.kind, Kind::Denied | Kind::Refused),
            Self::Aws(error) => error.kind == Kind::Denied,
            Self::NoParent(_) => true,
            _ => false,
        }
    }
}

/// Returns whether the error of a call is transient.
pub(crate) fn outlook(error: &AwsError) -> Outlook {
    match error.kind {
        Kind::Throttled | Kind::NoAnswer => Outlook::Transient,
        Kind::Denied | Kind::Refused | Kind::NoEndpoint => Outlook::Permanent,
    }
}

const DENIED: &str = "grant the function's role this action, or see to it that the name is one that its delegation role may \
                      change";

/// Returns the remedy for a failed call, which is `denied` if permissions are missing.
pub(crate) fn next(error: &AwsError, denied: &'static str) -> &'static str {
    match error.kind {
        Kind::Denied => denied,
        Kind::Throttled | Kind::NoAnswer => "deploy again when the service answers",
        Kind::NoEndpoint => {
            "check that the Region is one of AWS's, and that this function's network resolves its endpoint"
        }
        Kind::Refused => next_of_refused(error),
    }
}

/// Returns the remedy for a refused call. No change of the template helps if a quota is used up
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>). Route 53 does not
/// document its words for too many record sets.
fn next_of_refused(error: &AwsError) -> &'static str {
    match error.code.as_deref() {
        Some("TooManyHostedZones") => {
            "the quota of hosted zones of this account is used up: delete hosted zones that nobody needs, or ask AWS for \
             a higher quota, then deploy again"
        }
        Some("InvalidChangeBatch")
            if ["Number of records limit", "MAX_RRSETS_BY_ZONE"]
                .iter()
                .any(|words| error.message.contains(words)) =>
        {
            "the quota of record sets of this hosted zone is used up: delete record sets that nobody needs, or ask AWS \
             for a higher quota, then deploy again"
        }
        Some("LimitsExceeded") => {
            "a quota of Route 53 is used up: delete what nobody needs, or ask AWS for a higher quota, then deploy again"
        }
        _ => "correct what it names, then deploy again",
    }
}

/// The state of the delegation of a zone that was not deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    Untouched,
    Deleted,
    Restored,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untouched => "and nothing was changed",
            Self::Deleted => "only its NS record set in the parent was",
            Self::Restored => {
                "and its NS record set in the parent, which was deleted before, was restored"
            }
        })
    }
}

/// What prevents the deletion of a zone, and its remedy.
#[derive(Clone, Debug, Error)]
pub(crate) enum Keeps {
    #[error("holds {}; delete these record sets, or set RecordsOnDelete to Delete", Sets(.0))]
    Records(Vec<RecordSet>),
    #[error("delegates further: {}; delete these delegations first", Sets(.0))]
    Delegations(Vec<RecordSet>),
    #[error(
        "is signed (DNSSEC); remove the DS record set from the parent, then disable signing and delete the key-signing \
         keys"
    )]
    Signature,
    #[error(
        "has record set protections ({}); delete them first (DeleteResourceRecordSetProtections)", .0.join(", ")
    )]
    Protections(Vec<String>),
    #[error("cannot be deleted ({0}); correct what Route 53 names, then delete again")]
    Unknown(AwsError),
}

/// The remedy for record sets with which ACM validates certificates, which the user may not know.
struct Validations<'a>(&'a [RecordSet]);

impl fmt::Display for Validations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(
            f,
            " By {} ACM validates and renews certificates: replace them by certificates that are validated in the subdomain's \
             zone before you delete these record sets.",
            Sets(self.0)
        )
    }
}

/// Record sets in a sentence, of which the first ten are listed, because an answer has at most 4,096 bytes.
struct Sets<'a>(&'a [RecordSet]);

pub(crate) const LISTED: usize = 10;

impl fmt::Display for Sets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, set) in self.0.iter().take(LISTED).enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{} {}", set.kind(), set.name())?;
        }
        if self.0.len() > LISTED {
            f.write_str(" and more")?;
        }
        Ok(())
    }
}
