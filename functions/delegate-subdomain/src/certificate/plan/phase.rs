//! What a request remembers between attempts. Only waits depend on it: without it, the next attempt finds the
//! certificate by its tags. Moments are in seconds since 1970.

use super::diagnosis::Diagnosis;
use crate::certificate::{
    arn::CertificateArn, described::ValidationRecord, error::Error, properties::CnameZones,
    zones::ValidationZones,
};
use custom_resource::{Request, RequestType};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The phase of a request.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) enum Phase {
    /// A Create or Update searches for a certificate that it can use, and otherwise requests one.
    Search(Search),
    /// The certificate is not issued yet, or its CNAMEs are to be checked.
    Await(CertificateArn, Waiting),
    /// The certificate is issued.
    Finish(Finish),
    /// The Create or Update has failed. Its certificate is deleted before that is answered.
    Undo(Undo),
    /// A Delete searches for what it deletes.
    Delete(Delete),
    /// A certificate is deleted.
    Remove(Remove),
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) struct Search {
    pub(super) diagnosis: Diagnosis,
    /// The last call that failed and was retried, as text.
    pub(super) failed: Option<String>,
    /// Certificates of an earlier Update that could not be deleted and remain.
    pub(super) left: BTreeSet<CertificateArn>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) struct Waiting {
    pub(super) origin: Origin,
    pub(super) since: u64,
    /// Whether ACM has returned it. If it does not exist afterwards, someone has deleted it.
    pub(super) shown: bool,
    /// The zones in which its names are validated. None if they cannot be used and it was issued before.
    pub(in crate::certificate) zones: ValidationZones,
    /// Its CNAMEs that were created or found.
    pub(super) records: BTreeSet<ValidationRecord>,
    pub(super) diagnosis: Diagnosis,
}

/// The origin of a request's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(in crate::certificate) enum Origin {
    /// This request requested it, so it is deleted if this request fails.
    Requested,
    /// It existed before.
    Found,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) struct Finish {
    pub(in crate::certificate) arn: CertificateArn,
    pub(super) origin: Origin,
    pub(super) left: BTreeSet<CertificateArn>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) struct Undo {
    /// The requested certificate. None if the request was interrupted before it knew the ARN, so that it is
    /// searched.
    pub(in crate::certificate) arn: Option<CertificateArn>,
    pub(super) since: u64,
    pub(super) shown: bool,
    pub(super) records: BTreeSet<ValidationRecord>,
    /// Why the request has failed. None if its time is over, which the protocol itself reports.
    pub(super) reason: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) struct Delete {
    /// When an unanswered Create cannot run any more, so that a second search follows.
    pub(super) search_again_at: Option<u64>,
    pub(super) left: BTreeSet<CertificateArn>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) struct Remove {
    pub(in crate::certificate) arn: CertificateArn,
    pub(in crate::certificate) stage: Stage,
    pub(in crate::certificate) cnames: CnameZones,
    pub(super) after: After,
}

/// The stage of the deletion of a certificate.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) enum Stage {
    /// The certificate may exist.
    Certificate,
    /// ACM refused to delete it after its CNAMEs were deleted.
    #[serde(skip)]
    Refused(Refused),
    /// It is deleted. These of its CNAMEs were left to other certificates.
    Cnames(BTreeSet<ValidationRecord>),
}

impl Stage {
    /// Returns the CNAMEs of a deleted certificate that were left.
    pub(in crate::certificate) fn cnames(&self) -> Option<&BTreeSet<ValidationRecord>> {
        match self {
            Self::Cnames(records) => Some(records),
            Self::Certificate | Self::Refused(_) => None,
        }
    }
}

/// Why ACM did not delete a certificate.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::certificate) enum Refused {
    /// ACM may delete it later.
    ForNow(aws_calls::AwsError),
    /// ACM will not delete it, or it is unknown whether it did.
    Failed(aws_calls::AwsError),
}

/// The purpose of the deletion of a certificate.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) enum After {
    Delete(Delete),
    Undo(Undo),
    /// A leftover of another request: the request then continues so, whether it can be deleted or not.
    Leftover(Box<Phase>),
}

impl Phase {
    /// Returns the first phase of a request.
    pub(in crate::certificate) fn first(request: &Request) -> Self {
        match request.request_type {
            RequestType::Create | RequestType::Update => Self::Search(Search::default()),
            RequestType::Delete => Self::Delete(Delete::default()),
        }
    }

    /// Returns what the last attempt remembered, or the first phase if that cannot be parsed: release 0.2.0
    /// remembered other things. Whoever may start the state machine can write that a certificate has to be
    /// deleted, so its owner is read again.
    pub(in crate::certificate) fn read(remembered: Option<Value>, request: &Request) -> Self {
        let phase = remembered.and_then(|value| serde_json::from_value(value).ok());
        phase.map_or_else(|| Self::first(request), |phase: Self| phase.resumed())
    }

    /// Returns what the next attempt begins with.
    pub(in crate::certificate) fn remembered(&self) -> Value {
        serde_json::to_value(self.resumed()).expect("texts and numbers are JSON")
    }

    /// Returns the phase of the next attempt, which reads again who owns a certificate until it is deleted.
    fn resumed(&self) -> Self {
        match self {
            Self::Remove(remove) if remove.stage.cnames().is_none() => match &remove.after {
                After::Delete(delete) => Self::Delete(delete.clone()),
                After::Undo(undo) => Self::Undo(undo.clone()),
                After::Leftover(then) => then.resumed(),
            },
            other => other.clone(),
        }
    }

    /// Adds a transient error for which the request waits.
    pub(in crate::certificate) fn noting(&self, error: &Error) -> Self {
        let mut phase = self.clone();
        if let Self::Search(search) = &mut phase {
            search.failed = Some(error.to_string());
        }
        phase
    }
}
