//! What exists, as plain data. [`observe`](super::observe) reads it, [`plan`](super::plan) decides by it.

use super::{
    acm::ListError,
    arn::CertificateArn,
    cause::Cause,
    described::{Certificate, Status, ValidationRecord},
    tagged::TaggedCertificate,
    zones::SeenZone,
};
use aws_calls::AwsError;
use hosted_zones::{DomainName, HostedZoneId, RecordSet};
use ownership::{Tags, certificate::Shown};
use std::{collections::BTreeSet, fmt};

/// What exists, as far as a phase needs it. Everything else is empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    /// The zones in which the names are validated.
    pub(super) zones: Vec<SeenZone>,
    /// The certificate that CloudFormation tracks.
    pub(super) tracked: Tracked,
    /// The certificates that may belong to this resource: those with the wanted domain name, or the one that
    /// the request names.
    pub(super) certificates: Listing,
    /// The certificate of the phase. None if ACM does not return it.
    pub(super) certificate: Option<Certificate>,
    /// Its tags. None if ACM does not return it.
    pub(super) tags: Option<Tags>,
    /// Its CNAMEs, as far as they are known.
    pub(super) cnames: Vec<Cname>,
    /// The answer to [`Question::Others`](super::plan::Question::Others).
    pub(super) others: Listing,
    /// The answer to [`Question::Sharers`](super::plan::Question::Sharers).
    pub(super) sharers: Sharers,
    /// The answer to [`Question::Obstacle`](super::plan::Question::Obstacle).
    pub(super) obstacle: Obstacle,
}

/// Certificates of a Region with their tags.
#[derive(Clone, Debug, Default)]
pub(super) enum Listing {
    #[default]
    NotRead,
    Found(Vec<TaggedCertificate>),
    Unreadable(ListError),
}

/// The certificate that CloudFormation tracks.
#[derive(Clone, Debug, Default)]
pub(super) enum Tracked {
    /// It tracks none, or none that this phase needs.
    #[default]
    NotRead,
    Missing,
    Found(Box<TaggedCertificate>),
    Unreadable(AwsError),
}

/// A CNAME by which ACM validates a name, in the zone for that name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cname {
    pub(super) zone: HostedZoneId,
    pub(super) record: ValidationRecord,
    pub(super) state: CnameState,
}

/// Whether a CNAME exists.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum CnameState {
    Missing,
    /// It exists with the value that ACM wants, in any spelling and with any TTL.
    Exists(RecordSet),
    /// It exists with another value.
    Other(RecordSet),
    NoZone,
}

/// The certificates of the account that may need a CNAME, including the one in question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Sharers {
    #[default]
    NotRead,
    Known(Vec<Sharer>),
    /// This Region did not answer. It may later.
    Silent {
        region: String,
        error: AwsError,
    },
    /// This Region cannot be queried.
    Unknown {
        region: String,
        why: String,
    },
}

/// A certificate that needs the CNAMEs of these names, to be issued or renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sharer {
    pub(super) arn: CertificateArn,
    /// Without `*.`: ACM gives an account one CNAME for a name and its wildcard, in every Region
    /// (<https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html>).
    pub(super) names: BTreeSet<DomainName>,
}

/// What name servers say about a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Obstacle {
    #[default]
    NotAsked,
    /// Nothing prevents it from being issued, as far as name servers answer.
    None,
    /// It cannot be issued now.
    Some(Cause),
}

/// Writes one line, or a list with `{:#}`.
impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut facts: Vec<String> = self.zones.iter().map(ToString::to_string).collect();
        match &self.tracked {
            Tracked::NotRead => {}
            Tracked::Missing => facts.push("the tracked certificate does not exist".to_owned()),
            Tracked::Found(held) => facts.push(format!("tracked: {held}")),
            Tracked::Unreadable(error) => facts.push(format!("tracked: unreadable: {error}")),
        }
        facts.extend(self.certificates.facts(""));
        facts.extend(self.certificate.as_ref().map(ToString::to_string));
        facts.extend(self.tags.as_ref().map(|tags| Shown(tags).to_string()));
        facts.extend(self.cnames.iter().map(ToString::to_string));
        facts.extend(self.others.facts("other: "));
        match &self.sharers {
            Sharers::NotRead => {}
            Sharers::Known(sharers) => {
                let arns: Vec<_> = sharers.iter().map(|one| one.arn.as_str()).collect();
                facts.push(format!("the CNAMEs can be needed by: {}", arns.join(", ")));
            }
            Sharers::Silent { region, error } => {
                facts.push(format!(
                    "{region} does not say whether it needs the CNAMEs: {error}"
                ));
            }
            Sharers::Unknown { region, why } => facts.push(format!(
                "the CNAMEs stay, because certificates of {region} may need them: {why}"
            )),
        }
        match &self.obstacle {
            Obstacle::NotAsked => {}
            Obstacle::None => facts.push("name servers say nothing against it".to_owned()),
            Obstacle::Some(cause) => facts.push(format!("name servers say: {cause}")),
        }
        if facts.is_empty() {
            facts.push("nothing".to_owned());
        }
        if f.alternate() {
            return facts.iter().try_for_each(|fact| writeln!(f, "- {fact}"));
        }
        f.write_str(&facts.join("; "))
    }
}

impl Listing {
    fn facts(&self, label: &str) -> Vec<String> {
        match self {
            Self::NotRead => Vec::new(),
            Self::Found(found) => found.iter().map(|held| format!("{label}{held}")).collect(),
            Self::Unreadable(error) => vec![format!("{label}certificates unreadable: {error}")],
        }
    }
}

impl fmt::Display for TaggedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.certificate, Shown(&self.tags))
    }
}

/// Writes `certificate arn:... for app.example.com, ISSUED, in use by ...`.
impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "certificate {} for {}, ", self.arn, self.domain)?;
        match &self.status {
            Status::Pending if self.records().is_none() => f.write_str("pending without CNAMEs")?,
            Status::Pending => f.write_str("pending")?,
            Status::Issued => f.write_str("issued")?,
            Status::Failed(None) => f.write_str("timed out")?,
            Status::Failed(Some(reason)) => write!(f, "failed ({})", reason.as_str())?,
            Status::Ended(status) => f.write_str(status)?,
        }
        if !self.in_use_by.is_empty() {
            write!(f, ", in use by {}", self.in_use_by.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Cname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            zone,
            record,
            state,
        } = self;
        write!(f, "CNAME {} in {zone} ", record.name)?;
        match state {
            CnameState::Missing => f.write_str("is missing"),
            CnameState::Exists(_) => f.write_str("exists"),
            CnameState::Other(_) => f.write_str("has another value"),
            CnameState::NoZone => f.write_str("has no zone any more"),
        }
    }
}
