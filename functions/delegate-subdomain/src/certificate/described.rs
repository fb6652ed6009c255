//! Certificates in ACM's descriptions.

use super::{
    arn::CertificateArn,
    properties::{CertificateName, Wanted},
};
use aws_sdk_acm::types::{
    CertificateDetail, CertificateExport, CertificateOptions, CertificateStatus,
    CertificateSummary, DomainStatus, DomainValidation, FailureReason,
    KeyAlgorithm as SdkKeyAlgorithm,
};
use hosted_zones::DomainName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The state of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Issued,
    /// It will not be issued. None if ACM gave up after 72 hours.
    Failed(Option<FailureReason>),
    /// It was issued once and cannot be used any more.
    Ended(String),
}

impl Status {
    fn new(status: Option<&CertificateStatus>, reason: Option<&FailureReason>) -> Self {
        match status {
            None | Some(CertificateStatus::PendingValidation) => Self::Pending,
            Some(CertificateStatus::Issued) => Self::Issued,
            Some(CertificateStatus::Failed) => {
                Self::Failed(Some(reason.cloned().unwrap_or(FailureReason::Other)))
            }
            Some(CertificateStatus::ValidationTimedOut) => Self::Failed(None),
            Some(other) => Self::Ended(other.as_str().to_owned()),
        }
    }

    /// Returns whether its CNAMEs are still needed, to issue or to renew it.
    pub(super) fn needs_records(&self) -> bool {
        matches!(self, Self::Pending | Self::Issued)
    }
}

/// A CNAME with which an account proves to ACM that it controls a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(from = "(String, String)", into = "(String, String)")]
pub(super) struct ValidationRecord {
    pub(super) name: DomainName,
    pub(super) value: DomainName,
}

impl ValidationRecord {
    /// Returns the name that it validates, which is its own without the first label.
    pub(super) fn validated(&self) -> Option<DomainName> {
        self.name.parent()
    }
}

impl From<(String, String)> for ValidationRecord {
    fn from((name, value): (String, String)) -> Self {
        Self {
            name: DomainName::from_service(&name),
            value: DomainName::from_service(&value),
        }
    }
}

impl From<ValidationRecord> for (String, String) {
    fn from(record: ValidationRecord) -> Self {
        (
            record.name.as_str().to_owned(),
            record.value.as_str().to_owned(),
        )
    }
}

/// One name of a certificate, and the state of its validation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Validation {
    pub(super) name: CertificateName,
    pub(super) done: bool,
    /// Absent in the first seconds after the request.
    pub(super) record: Option<ValidationRecord>,
}

/// A certificate in the form of `DescribeCertificate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) arn: CertificateArn,
    pub(super) domain: CertificateName,
    pub(super) names: BTreeSet<CertificateName>,
    pub(super) key_algorithm: String,
    pub(super) status: Status,
    /// Whether it can be exported.
    pub(super) export: bool,
    /// ARNs of load balancers, distributions and the like.
    pub(super) in_use_by: Vec<String>,
    pub(super) validations: Vec<Validation>,
}

impl Certificate {
    pub(super) fn new(arn: &CertificateArn, detail: &CertificateDetail) -> Self {
        let validation = |option: &DomainValidation| Validation {
            name: CertificateName::from_service(option.domain_name()),
            done: option.validation_status() == Some(&DomainStatus::Success),
            record: option.resource_record().map(|record| ValidationRecord {
                name: DomainName::from_service(record.name()),
                value: DomainName::from_service(record.value()),
            }),
        };
        let domain = CertificateName::from_service(detail.domain_name().unwrap_or_default());
        let mut names = names(detail.subject_alternative_names());
        names.insert(domain.clone());
        Self {
            arn: arn.clone(),
            domain,
            names,
            key_algorithm: algorithm(detail.key_algorithm()),
            export: detail.options().and_then(CertificateOptions::export)
                == Some(&CertificateExport::Enabled),
            status: Status::new(detail.status(), detail.failure_reason()),
            in_use_by: detail.in_use_by().to_vec(),
            validations: detail
                .domain_validation_options()
                .iter()
                .map(validation)
                .collect(),
        }
    }

    /// Returns whether it has exactly the wanted names, key and export option.
    pub(super) fn is_for(&self, wanted: &Wanted) -> bool {
        let names = &wanted.names;
        self.domain == names.domain
            && self.names.iter().eq(names.iter().collect::<BTreeSet<_>>())
            && self.key_algorithm == wanted.key_algorithm.as_str()
            && self.export == wanted.export
    }

    /// Returns whether this is the domain name of the certificate, with or without `*.`.
    pub(super) fn is_named(&self, name: &DomainName) -> bool {
        self.domain.base == *name
    }

    /// Returns whether ACM has validated this name.
    pub(super) fn is_validated(&self, name: &CertificateName) -> bool {
        let mut known = self.validations.iter();
        known.any(|known| known.done && known.name == *name)
    }

    /// Returns its CNAMEs, each once, or none until ACM has returned all of them.
    pub(super) fn records(&self) -> Option<BTreeSet<ValidationRecord>> {
        let is_told = |name: &CertificateName| {
            self.validations
                .iter()
                .any(|known| known.name == *name && known.record.is_some())
        };
        self.names.iter().all(is_told).then(|| self.known_records())
    }

    /// Returns the CNAMEs that ACM has returned so far.
    pub(super) fn known_records(&self) -> BTreeSet<ValidationRecord> {
        self.validations
            .iter()
            .filter_map(|known| known.record.clone())
            .collect()
    }
}

/// A certificate in the form of `ListCertificates`.
#[derive(Clone, Debug)]
pub(super) struct Listed {
    pub(super) arn: CertificateArn,
    pub(super) domain: CertificateName,
    /// Its names, or the first of them.
    pub(super) names: BTreeSet<CertificateName>,
    pub(super) has_more_names: bool,
    pub(super) status: Status,
}

impl Listed {
    pub(super) fn new(summary: &CertificateSummary) -> Option<Self> {
        Some(Self {
            arn: CertificateArn::parse(summary.certificate_arn()?)?,
            domain: CertificateName::from_service(summary.domain_name()?),
            names: names(summary.subject_alternative_name_summaries()),
            has_more_names: summary.has_additional_subject_alternative_names() == Some(true),
            status: Status::new(summary.status(), None),
        })
    }
}

fn names(texts: &[String]) -> BTreeSet<CertificateName> {
    texts
        .iter()
        .map(|text| CertificateName::from_service(text))
        .collect()
}

/// Returns the name of the algorithm in requests. Answers have a dash: `RSA-2048`.
fn algorithm(answered: Option<&SdkKeyAlgorithm>) -> String {
    answered
        .map(|algorithm| algorithm.as_str().replace('-', "_"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_acm::types::{RecordType, ResourceRecord};
    use custom_resource::Properties;
    use serde_json::json;

    const ARN: &str = "arn:aws:acm:us-east-1:111122223333:certificate/0-1";

    fn option(name: &str, record: Option<&str>) -> DomainValidation {
        let record = record.map(|name| {
            let record = ResourceRecord::builder()
                .name(name)
                .value("_v.x.acm-validations.aws.");
            record.r#type(RecordType::Cname).build().unwrap()
        });
        DomainValidation::builder()
            .domain_name(name)
            .set_resource_record(record)
            .build()
            .unwrap()
    }

    fn certificate(options: Vec<DomainValidation>) -> Certificate {
        let detail = CertificateDetail::builder()
            .domain_name("A.example.com")
            .subject_alternative_names("a.example.com")
            .subject_alternative_names("*.a.example.com")
            .key_algorithm(SdkKeyAlgorithm::from("RSA-2048"))
            .set_domain_validation_options(Some(options));
        Certificate::new(&CertificateArn::parse(ARN).unwrap(), &detail.build())
    }

    #[test]
    fn the_cnames_are_known_when_every_name_has_one() {
        let shared = Some("_h.a.example.com.");
        assert_eq!(certificate(vec![]).records(), None);
        assert_eq!(
            certificate(vec![option("a.example.com", shared)]).records(),
            None
        );
        assert_eq!(
            certificate(vec![
                option("a.example.com", shared),
                option("*.a.example.com", None)
            ])
            .records(),
            None
        );
        let both = certificate(vec![
            option("a.example.com", shared),
            option("*.a.example.com", shared),
        ]);
        assert_eq!(both.records().unwrap().len(), 1);
    }

    #[test]
    fn a_certificate_is_for_its_names_in_any_order_and_case() {
        let is_for = |domain: &str, alternative: &[&str], more: (&str, &str)| {
            let mut properties = json!({
                "HostedZoneId": "Z1", "DomainName": domain, "SubjectAlternativeNames": alternative,
            });
            properties[more.0] = json!(more.1);
            let wanted = Wanted::parse(&Properties::from(properties), "us-east-1").unwrap();
            certificate(vec![]).is_for(&wanted)
        };
        let default = ("Export", "false");
        assert!(is_for("a.example.com", &["*.a.example.com"], default));
        assert!(!is_for("a.example.com", &[], default));
        assert!(!is_for("*.a.example.com", &["a.example.com"], default));
        for other in [("KeyAlgorithm", "EC_secp384r1"), ("Export", "true")] {
            assert!(!is_for("a.example.com", &["*.a.example.com"], other));
        }
    }
}
