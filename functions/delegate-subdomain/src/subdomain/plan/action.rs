//! The actions of a plan, which are carried out one at a time.

use crate::{error::Error, subdomain::access::ParentZone};
use hosted_zones::{DomainName, HostedZone, HostedZoneId, RecordSet};
use ownership::zone::Tagging;
use std::fmt;

/// One action.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    CreateZone {
        name: DomainName,
        caller_reference: String,
        comment: String,
    },
    Tag {
        zone: HostedZoneId,
        tagging: Tagging,
        purpose: Purpose,
    },
    SetComment {
        zone: HostedZoneId,
        comment: String,
    },
    /// Set the TTL of the NS record set at the zone's own apex.
    SetApexTtl {
        zone: HostedZone,
        ttl: u32,
    },
    /// Wait until the changes of this attempt in the zone are INSYNC.
    AwaitZone(HostedZone),
    /// Create the zone's NS record set in the parent, in one batch with the deletion of the one that it
    /// replaces, and wait until that and the changes of this attempt in the zone are INSYNC.
    Delegate {
        zone: HostedZone,
        parent: HostedZoneId,
        set: RecordSet,
        replaces: Option<RecordSet>,
    },
    /// Query the name servers of the parent and of the zone.
    Verify {
        zone: HostedZone,
        parent: ParentZone,
        on_fault: OnFault,
    },
    /// Delete the NS record set in the parent by its exact values, and wait until that is INSYNC.
    DeleteDelegation {
        parent: HostedZoneId,
        set: RecordSet,
    },
    DeleteRecords {
        zone: HostedZoneId,
        name: DomainName,
        sets: Vec<RecordSet>,
    },
    DeleteZone {
        zone: HostedZoneId,
        name: DomainName,
    },
    /// Log that a zone or record set is left as it is.
    Leave {
        zone: HostedZoneId,
        why: Why,
    },
}

/// Why tags are set or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Own,
    Transfer,
    Return,
    Settle,
    Release,
    Complete,
    User,
}

/// The effect of a fault that the check over DNS finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFault {
    Fail,
    /// The delegation existed before, and this request did not change it.
    Warn,
}

/// Why something is not changed.
#[derive(Clone, Debug)]
pub(crate) enum Why {
    LaterRequest,
    NotThisResources,
    WithoutTags,
    OtherZone,
    /// The parent cannot be read, and its name servers do not answer.
    Unseen {
        cause: Error,
        said: String,
    },
    /// A rollback does not fail because of records that the same stack has created in the zone.
    Leftover(Error),
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateZone { name, .. } => write!(f, "create the zone {name}"),
            Self::Tag {
                zone,
                tagging,
                purpose,
            } => write!(f, "{purpose}: {tagging} ({zone})"),
            Self::SetComment { zone, comment } => write!(f, "set the comment '{comment}' ({zone})"),
            Self::SetApexTtl { zone, ttl } => {
                write!(
                    f,
                    "set the TTL of the apex NS record set to {ttl} ({})",
                    zone.id
                )
            }
            Self::AwaitZone(zone) => write!(f, "wait until {} is INSYNC", zone.id),
            Self::Delegate {
                parent,
                set,
                replaces: None,
                ..
            } => write!(
                f,
                "create in the parent {parent}: {} with TTL {}",
                set,
                ttl(set)
            ),
            Self::Delegate {
                parent,
                set,
                replaces: Some(old),
                ..
            } => write!(
                f,
                "replace in the parent {parent}: {old} with TTL {} by {set} with TTL {}",
                ttl(old),
                ttl(set)
            ),
            Self::Verify { zone, on_fault, .. } => {
                let name = zone.name.as_str();
                match on_fault {
                    OnFault::Fail => write!(f, "query the name servers for {name}"),
                    OnFault::Warn => write!(f, "query the name servers for {name}, only to warn"),
                }
            }
            Self::DeleteDelegation { parent, set } => {
                write!(
                    f,
                    "delete from the parent {parent}: {set} with TTL {}",
                    ttl(set)
                )
            }
            Self::DeleteRecords { zone, sets, .. } => {
                write!(f, "delete {} record sets of {zone}", sets.len())
            }
            Self::DeleteZone { zone, name } => write!(f, "delete the zone {zone} {name}"),
            Self::Leave { zone, why } => write!(f, "leave {zone} as it is: {why}"),
        }
    }
}

fn ttl(set: &RecordSet) -> i64 {
    set.ttl().unwrap_or_default()
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "write the ownership tags",
            Self::Transfer => "transfer from another logical id",
            Self::Return => "return to the logical id before",
            Self::Settle => "delete the notes of a transfer",
            Self::Release => "delete the ownership tags",
            Self::Complete => "note that the work is complete",
            Self::User => "set the template's tags",
        })
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LaterRequest => f.write_str("a request that was made after this one came to it"),
            Self::NotThisResources => f.write_str("it is not this resource's"),
            Self::WithoutTags => f.write_str("it has no ownership tags"),
            Self::OtherZone => f.write_str("the NS record set is another zone's"),
            Self::Unseen { cause, said } => write!(
                f,
                "the zone does not exist, and whether the parent still delegates to it is unknown ({said}): have the owner of \
                 the parent check. {cause}"
            ),
            Self::Leftover(error) => write!(
                f,
                "a leftover of a failed update, without a delegation: delete it by hand. {error}"
            ),
        }
    }
}
