//! What is done to delete certificates, decided from what exists. Nothing here calls AWS, waits or reads a clock.
//!
//! [`fate`] says what a request may do with a certificate, [`removal`] how one is deleted:
//!
//! 1. A certificate that is in use stays, and keeps its CNAMEs: its renewal needs them.
//! 2. A CNAME is deleted only if no other certificate of the account lists it, in any Region. If that is not known, it
//!    stays.
//! 3. The CNAMEs are deleted before the certificate: a process killed in between would otherwise leave CNAMEs that
//!    nothing names any more. If ACM then refuses to delete the certificate, they are created again.
//! 4. Of two certificates that are deleted at the same time, each can leave the CNAMEs to the other. So they are checked
//!    once more when the certificate is deleted.

use super::{
    arn::CertificateArn,
    described::ValidationRecord,
    observed::{Cnames, Observed, Sharers},
    ownership::Tags,
    successor::SETTLED_TAG,
    validation_records::ByZone,
};
use aws_calls::AwsError;
use custom_resource::{Claim, Creation, Request, Stage};
use std::{collections::BTreeSet, fmt};

/// What a request does with a certificate that it does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Delete,
    /// The logical id was renamed, and that is rolled back: the certificate is the former logical id's again.
    GiveBack {
        to: String,
    },
    /// The logical id was renamed, and that is over: from now on a Delete of the new logical id deletes the certificate.
    EndRenaming,
    /// Why it is left alone.
    Leave(&'static str),
}

/// Returns what a request may do with a certificate that has these tags. An Update may delete what a failed Update left,
/// and nothing else.
pub(super) fn fate(request: &Request, arn: &CertificateArn, tags: &Tags) -> Fate {
    let creation = Creation::of_tags(tags);
    let stage = if tags.contains_key(SETTLED_TAG) {
        Stage::Created
    } else {
        Stage::Creating
    };
    let is_named = request.physical_id() == arn.as_str();
    match request.owner().claim(tags) {
        Claim::Own {
            taken_from: Some(to),
        } => Fate::GiveBack { to },
        Claim::Own { taken_from: None } if is_named => {
            if request.may_delete_named(creation.as_ref()) {
                Fate::Delete
            } else {
                Fate::Leave("a later request created it")
            }
        }
        Claim::Own { taken_from: None } => {
            if request.may_delete_unnamed(creation.as_ref(), stage) {
                Fate::Delete
            } else {
                Fate::Leave("another request created it")
            }
        }
        Claim::Sibling {
            taken_from_us: true,
            ..
        } if is_named => Fate::EndRenaming,
        _ => Fate::Leave("its tags do not say that it is this resource's"),
    }
}

/// How far the removal of a certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The certificate can exist.
    Certificate,
    /// ACM refused to delete it, after its CNAMEs were deleted.
    Refused(Refused),
    /// It is deleted. Other certificates listed these of its CNAMEs when they were checked.
    Cnames(BTreeSet<ValidationRecord>),
    /// Nothing is left to do.
    Deleted,
}

/// Why ACM did not delete a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It may delete it later.
    ForNow(AwsError),
    /// It will not, or it is not known whether it did.
    Failed(AwsError),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    CreateCnames(ByZone),
    DeleteCnames(ByZone),
    DeleteCertificate(CertificateArn),
}

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// These changes in this order, and then the phase, unless ACM refuses.
    Do(Vec<Action>, Phase),
    /// Nothing can be done before this has happened, to follow "waiting for".
    Wait(String),
    /// A call failed, and nothing more can be done about it here.
    Fail(AwsError),
    Done,
}

/// Returns what happens next to delete the certificate `arn`.
pub(super) fn removal(arn: &CertificateArn, phase: &Phase, observed: &Observed) -> Plan {
    match phase {
        Phase::Deleted => Plan::Done,
        Phase::Certificate => match &observed.in_use_by {
            None => Plan::Done,
            Some(users) if users.is_empty() => delete(arn, observed),
            Some(users) => {
                let users = users.join(", ");
                let wait = format!("certificate {arn} to be let go by {users}");
                restore(phase, observed).unwrap_or(Plan::Wait(wait))
            }
        },
        Phase::Refused(_) if observed.in_use_by.is_none() => Plan::Done,
        Phase::Refused(refused) => restore(phase, observed).unwrap_or_else(|| match refused {
            Refused::ForNow(error) => Plan::Wait(format!(
                "ACM to delete certificate {arn}, which it refused: {error}"
            )),
            Refused::Failed(error) => Plan::Fail(error.clone()),
        }),
        Phase::Cnames(_) => {
            let free = free(arn, observed);
            if free.is_empty() {
                return Plan::Done;
            }
            Plan::Do(vec![Action::DeleteCnames(free)], Phase::Deleted)
        }
    }
}

/// Deletes the CNAMEs that nothing else needs, then the certificate.
fn delete(arn: &CertificateArn, observed: &Observed) -> Plan {
    let free = free(arn, observed);
    let existing = observed.cnames.as_ref().map(|cnames| &cnames.existing);
    let existing = existing.into_iter().flat_map(ByZone::values).flatten();
    let is_kept = |record: &&ValidationRecord| !free.values().flatten().any(|one| one == *record);
    let kept: BTreeSet<_> = existing.filter(is_kept).cloned().collect();
    let then = if kept.is_empty() {
        Phase::Deleted
    } else {
        Phase::Cnames(kept)
    };
    let mut actions = Vec::new();
    if !free.is_empty() {
        actions.push(Action::DeleteCnames(free));
    }
    actions.push(Action::DeleteCertificate(arn.clone()));
    Plan::Do(actions, then)
}

/// Creates the CNAMEs that are missing of a certificate that stays.
fn restore(phase: &Phase, observed: &Observed) -> Option<Plan> {
    let missing = &observed.cnames.as_ref()?.missing;
    let create = || Plan::Do(vec![Action::CreateCnames(missing.clone())], phase.clone());
    (!missing.is_empty()).then(create)
}

/// The CNAMEs that exist, that are to be deleted, and that no certificate but `arn` lists.
fn free(arn: &CertificateArn, observed: &Observed) -> ByZone {
    let Some(Cnames {
        existing,
        listed_by: Sharers::Known(sharers),
        ..
    }) = &observed.cnames
    else {
        return ByZone::new();
    };
    let is_free = |record: &&ValidationRecord| {
        let name = record.validated();
        !sharers.iter().any(|sharer| {
            sharer.arn != *arn && name.as_ref().is_none_or(|name| sharer.names.contains(name))
        })
    };
    let mut free = ByZone::new();
    for (zone, records) in existing {
        let records: Vec<_> = records.iter().filter(is_free).cloned().collect();
        if !records.is_empty() {
            free.insert(zone.clone(), records);
        }
    }
    free
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delete => f.write_str("delete"),
            Self::GiveBack { to } => write!(f, "give it back to {to}"),
            Self::EndRenaming => f.write_str("end its renaming"),
            Self::Leave(why) => write!(f, "leave it: {why}"),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cnames = |f: &mut fmt::Formatter<'_>, verb: &str, cnames: &ByZone| {
            let mut separator = "";
            for (zone, records) in cnames {
                for record in records {
                    write!(f, "{separator}{verb} CNAME {} in {zone}", record.name)?;
                    separator = "; ";
                }
            }
            Ok(())
        };
        match self {
            Self::CreateCnames(created) => cnames(f, "create", created),
            Self::DeleteCnames(deleted) => cnames(f, "delete", deleted),
            Self::DeleteCertificate(arn) => write!(f, "delete certificate {arn}"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Do(actions, then) => {
                for action in actions {
                    write!(f, "{action}; ")?;
                }
                match then {
                    Phase::Cnames(records) => {
                        write!(f, "then check {} CNAMEs once more", records.len())
                    }
                    Phase::Deleted => f.write_str("then done"),
                    Phase::Certificate | Phase::Refused(_) => f.write_str("then check again"),
                }
            }
            Self::Wait(waiting_for) => write!(f, "wait for {waiting_for}"),
            Self::Fail(error) => write!(f, "fail: {error}"),
            Self::Done => f.write_str("done"),
        }
    }
}

#[cfg(test)]
mod tests;
