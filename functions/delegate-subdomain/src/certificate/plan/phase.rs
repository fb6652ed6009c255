//! What a request remembers between attempts. Nothing depends on it but time: without it, the next attempt finds the
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

/// How far a request is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) enum Phase {
    /// A Create or Update searches for a certificate that it can use, and otherwise requests one.
    Search(Search),
    /// The certificate is not issued yet, or its CNAMEs are to be checked.
    Await(CertificateArn, Waiting),
    /// The certificate is issued.
    Finish(Finish),
    /// The Create or Update has failed. What it requested is deleted before that is answered.
    Undo(Undo),
    /// A Delete searches for what it is to delete.
    Delete(Delete),
    /// A certificate is deleted.
    Remove(Remove),
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) struct Search {
    pub(super) diagnosis: Diagnosis,
    /// The last call that failed and was tried again, in words.
    pub(super) failed: Option<String>,
    /// What could not be deleted of an earlier Update, and is left.
    pub(super) left: BTreeSet<CertificateArn>,
}

#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) struct Waiting {
    pub(super) origin: Origin,
    pub(super) since: u64,
    /// Whether ACM has shown it: once shown, it does not exist only if someone deleted it.
    pub(super) shown: bool,
    /// The zones in which its names are validated. None if they cannot be used and it was issued before.
    pub(in crate::certificate) zones: ValidationZones,
    /// Its CNAMEs that were created, or found.
    pub(super) records: BTreeSet<ValidationRecord>,
    pub(super) diagnosis: Diagnosis,
}

/// Where the certificate of a request comes from.
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
    /// What the request requested. None if it was cut off before it learned the ARN, so that it is searched.
    pub(in crate::certificate) arn: Option<CertificateArn>,
    pub(super) since: u64,
    pub(super) shown: bool,
    pub(super) records: BTreeSet<ValidationRecord>,
    /// Why the request has failed. None if its time is up, which the protocol says by itself.
    pub(super) reason: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) struct Delete {
    /// When a Create that was never answered cannot run any more, so that what it requested is searched once more.
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

/// How far the deletion of a certificate is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) enum Stage {
    /// The certificate can exist.
    Certificate,
    /// ACM refused to delete it, after its CNAMEs were deleted.
    #[serde(skip)]
    Refused(Refused),
    /// It is deleted. These of its CNAMEs were left to other certificates.
    Cnames(BTreeSet<ValidationRecord>),
}

impl Stage {
    /// The CNAMEs of a certificate that is deleted.
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
    /// It may delete it later.
    ForNow(aws_calls::AwsError),
    /// It will not, or it is not known whether it did.
    Failed(aws_calls::AwsError),
}

/// What the deletion of a certificate is a part of.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(in crate::certificate) enum After {
    Delete(Delete),
    Undo(Undo),
    /// A leftover of another request: the request goes on so, whether it can be deleted or not.
    Leftover(Box<Phase>),
}

impl Phase {
    /// The first phase of a request.
    pub(in crate::certificate) fn first(request: &Request) -> Self {
        match request.request_type {
            RequestType::Create | RequestType::Update => Self::Search(Search::default()),
            RequestType::Delete => Self::Delete(Delete::default()),
        }
    }

    /// Returns what the last attempt remembered, or the first phase if that is unreadable: release 0.2.0 remembered other
    /// things. Whoever may start the state machine can write that a certificate is to be deleted, so whose it is, is read again.
    pub(in crate::certificate) fn read(remembered: Option<Value>, request: &Request) -> Self {
        let phase = remembered.and_then(|value| serde_json::from_value(value).ok());
        phase.map_or_else(|| Self::first(request), |phase: Self| phase.resumed())
    }

    /// Returns what the next attempt begins with.
    pub(in crate::certificate) fn remembered(&self) -> Value {
        serde_json::to_value(self.resumed()).expect("texts and numbers are JSON")
    }

    /// As long as a certificate is not deleted, the next attempt reads again whose it is.
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

    /// Returns the phase with a note of an error that the request waits for to pass.
    pub(in crate::certificate) fn noting(&self, error: &Error) -> Self {
        let mut phase = self.clone();
        if let Self::Search(search) = &mut phase {
            search.failed = Some(error.to_string());
        }
        phase
    }
}
