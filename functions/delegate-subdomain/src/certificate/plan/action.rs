//! The changes of a plan. Nothing is decided here.

use crate::certificate::{arn::CertificateArn, described::ValidationRecord, properties::Wanted};
use hosted_zones::{HostedZoneId, RecordSet};
use ownership::Tags;
use std::fmt;

/// One change.
#[derive(Clone, Debug)]
pub(in crate::certificate) enum Action {
    Request(Box<NewCertificate>),
    Tag(Purpose, CertificateArn, Tags),
    Untag(Purpose, CertificateArn, Vec<String>),
    /// Creates all CNAMEs of a zone at once, or none.
    CreateCnames(Vec<(HostedZoneId, ValidationRecord)>),
    /// Deletes each as it was read. One that does not exist any more is an error.
    DeleteCnames(Vec<(HostedZoneId, RecordSet)>),
    DeleteCertificate(CertificateArn),
}

/// A certificate to request.
#[derive(Clone, Debug)]
pub(in crate::certificate) struct NewCertificate {
    pub(in crate::certificate) wanted: Wanted,
    /// For an hour, the same token, names and account return the same certificate.
    pub(in crate::certificate) token: String,
    pub(in crate::certificate) tags: Tags,
}

/// Why tags are changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::certificate) enum Purpose {
    /// The resource of the request becomes the owner, and a note names the former one.
    Transfer,
    /// This logical id becomes the owner again.
    ReturnTo(String),
    /// The rename is final: its note is removed.
    EndRenaming,
    /// The properties and the owner.
    Template,
    /// The Create or Update is complete.
    Settle,
    /// The note how to find the certificate that replaces this one.
    NoteSuccessor,
    /// The tags that release 0.2.0 did not write.
    CompleteZones,
}

impl Action {
    /// Returns the action that sets tags, if there are any.
    pub(super) fn tag(purpose: Purpose, arn: &CertificateArn, tags: Tags) -> Option<Self> {
        (!tags.is_empty()).then(|| Self::Tag(purpose, arn.clone(), tags))
    }

    /// Returns the action that removes tags, if there are any.
    pub(super) fn untag(purpose: Purpose, arn: &CertificateArn, keys: Vec<String>) -> Option<Self> {
        (!keys.is_empty()).then(|| Self::Untag(purpose, arn.clone(), keys))
    }

    /// Returns whether the request continues if it fails. A replaced certificate can be in a Region that the
    /// function may not change any more.
    pub(in crate::certificate) fn is_optional(&self) -> bool {
        let optional = [Purpose::NoteSuccessor, Purpose::CompleteZones];
        matches!(self, Self::Tag(purpose, ..) if optional.contains(purpose))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(new) => {
                let Wanted { names, region, .. } = &new.wanted;
                let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "request a certificate for {} in {region}",
                    names.join(", ")
                )
            }
            Self::Tag(Purpose::Template, arn, tags) => {
                let tags: Vec<_> = tags
                    .iter()
                    .map(|(key, value)| format!("{key} = {value}"))
                    .collect();
                write!(f, "set the tags {} of {arn}", tags.join(", "))
            }
            Self::Untag(Purpose::Template, arn, keys) => {
                write!(f, "remove the tags {} of {arn}", keys.join(", "))
            }
            Self::Tag(purpose, arn, _) | Self::Untag(purpose, arn, _) => {
                write!(f, "tag {arn}: {purpose}")
            }
            Self::CreateCnames(cnames) => {
                let cnames = cnames
                    .iter()
                    .map(|(zone, record)| format!("{} in {zone}", record.name));
                write!(
                    f,
                    "create the CNAMEs {}",
                    cnames.collect::<Vec<_>>().join(", ")
                )
            }
            Self::DeleteCnames(cnames) => {
                let cnames = cnames
                    .iter()
                    .map(|(zone, set)| format!("{} in {zone}", set.name()));
                write!(
                    f,
                    "delete the CNAMEs {}",
                    cnames.collect::<Vec<_>>().join(", ")
                )
            }
            Self::DeleteCertificate(arn) => write!(f, "delete certificate {arn}"),
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transfer => "transfer it to this logical id, noting the former one",
            Self::ReturnTo(to) => return write!(f, "return it to {to}"),
            Self::EndRenaming => "remove the note of its former logical id",
            Self::Template => "as the template says",
            Self::Settle => "its request came to its end",
            Self::NoteSuccessor => "note the certificate that replaces it",
            Self::CompleteZones => "complete the list of its zones",
        })
    }
}
