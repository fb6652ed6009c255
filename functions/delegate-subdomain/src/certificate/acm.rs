//! ACM, one function for each operation.

use super::properties::{CertificateName, KeyAlgorithm, Names};
use aws_calls::{AwsError, Kind, call};
use aws_sdk_acm::{
    Client,
    types::{
        CertificateDetail, CertificateStatus, CertificateSummary, DomainStatus, FailureReason,
        Filters, KeyAlgorithm as SdkKeyAlgorithm, Tag, ValidationMethod,
    },
};
use aws_types::{SdkConfig, region::Region};
use dns_zones::DomainName;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::SystemTime,
};

const SERVICE: &str = "ACM";

/// The ARN of a certificate, `arn:aws:acm:REGION:ACCOUNT:certificate/ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct CertificateArn(String);

impl CertificateArn {
    /// None for any other text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", _, "acm", region, account, resource] = parts.as_slice() else {
            return None;
        };
        let id = resource.strip_prefix("certificate/")?;
        let whole = [region, account, &id].iter().all(|part| !part.is_empty());
        whole.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

impl TryFrom<String> for CertificateArn {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not the ARN of a certificate")
    }
}

impl From<CertificateArn> for String {
    fn from(arn: CertificateArn) -> Self {
        arn.0
    }
}

impl fmt::Display for CertificateArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Issued,
    /// It will not be issued; none where ACM gave up after 72 hours.
    Failed(Option<FailureReason>),
    /// It was issued once and is of no use any more.
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

    /// Whether its CNAMEs are still asked for: to issue it, or to renew it.
    pub(super) fn needs_records(&self) -> bool {
        matches!(self, Self::Pending | Self::Issued)
    }
}

/// A CNAME by which ACM sees that a name is its account's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(from = "(String, String)", into = "(String, String)")]
pub(super) struct ValidationRecord {
    pub(super) name: DomainName,
    pub(super) value: DomainName,
}

impl ValidationRecord {
    /// The name that it validates: the record stands one label below it.
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

/// One name of a certificate and how far its validation is.
#[derive(Clone, Debug)]
pub(super) struct Validation {
    pub(super) name: CertificateName,
    pub(super) done: bool,
    /// Absent in the first seconds.
    pub(super) record: Option<ValidationRecord>,
}

/// A certificate as `DescribeCertificate` shows it.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) arn: CertificateArn,
    domain: CertificateName,
    names: BTreeSet<CertificateName>,
    key_algorithm: String,
    pub(super) status: Status,
    /// ARNs of load balancers, distributions and the like.
    pub(super) in_use_by: Vec<String>,
    pub(super) created_at: Option<SystemTime>,
    pub(super) validations: Vec<Validation>,
}

impl Certificate {
    fn new(arn: &CertificateArn, detail: &CertificateDetail) -> Self {
        let validation = |option: &aws_sdk_acm::types::DomainValidation| Validation {
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
            status: Status::new(detail.status(), detail.failure_reason()),
            in_use_by: detail.in_use_by().to_vec(),
            created_at: detail
                .created_at()
                .and_then(|at| SystemTime::try_from(*at).ok()),
            validations: detail
                .domain_validation_options()
                .iter()
                .map(validation)
                .collect(),
        }
    }

    /// Whether it is for exactly these names, with this key.
    pub(super) fn is_for(&self, names: &Names, key_algorithm: KeyAlgorithm) -> bool {
        self.domain == names.domain
            && self.names.iter().eq(names.iter().collect::<BTreeSet<_>>())
            && self.key_algorithm == key_algorithm.as_str()
    }

    /// Its CNAMEs, shared ones once; none until ACM has told all of them.
    pub(super) fn records(&self) -> Option<BTreeSet<ValidationRecord>> {
        let is_told = |name: &CertificateName| {
            self.validations
                .iter()
                .any(|known| known.name == *name && known.record.is_some())
        };
        self.names.iter().all(is_told).then(|| self.known_records())
    }

    /// As many of its CNAMEs as ACM has told so far.
    pub(super) fn known_records(&self) -> BTreeSet<ValidationRecord> {
        self.validations
            .iter()
            .filter_map(|known| known.record.clone())
            .collect()
    }
}

/// A certificate as `ListCertificates` shows it.
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
    fn new(summary: &CertificateSummary) -> Option<Self> {
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

/// By the name that requests have: answers have a dash, `RSA-2048`.
fn algorithm(answered: Option<&SdkKeyAlgorithm>) -> String {
    answered
        .map(|algorithm| algorithm.as_str().replace('-', "_"))
        .unwrap_or_default()
}

/// What became of a certificate that was to be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deleted {
    /// It does not stand, now or before.
    Gone,
    /// Something uses it.
    InUse,
}

/// ACM in one Region.
#[derive(Clone, Debug)]
pub(super) struct Acm {
    client: Client,
}

impl Acm {
    pub(super) fn new(config: &SdkConfig, region: Option<&str>) -> Self {
        let mut builder = aws_sdk_acm::config::Builder::from(config);
        if let Some(region) = region {
            builder.set_region(Some(Region::new(region.to_owned())));
        }
        Self {
            client: Client::from_conf(builder.build()),
        }
    }

    /// Requests a certificate. The same token, names and account give the same certificate for an hour
    /// (<https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>).
    ///
    /// # Errors
    ///
    /// [`AwsError`]; `LimitExceededException` where a quota is used up.
    pub(super) async fn request(
        &self,
        names: &Names,
        key_algorithm: KeyAlgorithm,
        token: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<CertificateArn, AwsError> {
        let domain = names.domain.to_string();
        let alternative: Vec<String> = names.alternative.iter().map(ToString::to_string).collect();
        let request = self
            .client
            .request_certificate()
            .domain_name(&domain)
            .set_subject_alternative_names(Some(alternative).filter(|names| !names.is_empty()))
            .validation_method(ValidationMethod::Dns)
            .key_algorithm(SdkKeyAlgorithm::from(key_algorithm.as_str()))
            .idempotency_token(token)
            .set_tags(Some(sdk_tags(tags)));
        let answer = call(SERVICE, "RequestCertificate", &domain, request.send()).await?;
        let arn = answer.certificate_arn().and_then(CertificateArn::parse);
        arn.ok_or_else(|| malformed("RequestCertificate", &domain))
    }

    /// A certificate; none where there is none, or where it was requested seconds ago.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub(super) async fn describe(
        &self,
        arn: &CertificateArn,
    ) -> Result<Option<Certificate>, AwsError> {
        let describe = self
            .client
            .describe_certificate()
            .certificate_arn(arn.as_str());
        let answer = match call(
            SERVICE,
            "DescribeCertificate",
            arn.as_str(),
            describe.send(),
        )
        .await
        {
            Ok(answer) => answer,
            Err(error) if error.is(NOT_FOUND) => return Ok(None),
            Err(error) => return Err(error),
        };
        let detail = answer
            .certificate()
            .ok_or_else(|| malformed("DescribeCertificate", arn.as_str()))?;
        Ok(Some(Certificate::new(arn, detail)))
    }

    /// All certificates of the Region for which `wanted` holds.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub(super) async fn list(
        &self,
        wanted: impl Fn(&Listed) -> bool,
    ) -> Result<Vec<Listed>, AwsError> {
        // Without this filter ACM leaves out every key but RSA_1024 and RSA_2048.
        let every_key = SdkKeyAlgorithm::values()
            .iter()
            .map(|name| SdkKeyAlgorithm::from(*name))
            .collect();
        let filter = Filters::builder().set_key_types(Some(every_key)).build();
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let list = self
                .client
                .list_certificates()
                .includes(filter.clone())
                .max_items(1_000)
                .set_next_token(next);
            let page = call(SERVICE, "ListCertificates", "all certificates", list.send()).await?;
            found.extend(
                page.certificate_summary_list()
                    .iter()
                    .filter_map(Listed::new)
                    .filter(|c| wanted(c)),
            );
            next = page.next_token().map(str::to_owned);
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    /// Deletes a certificate.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub(super) async fn delete(&self, arn: &CertificateArn) -> Result<Deleted, AwsError> {
        let delete = self
            .client
            .delete_certificate()
            .certificate_arn(arn.as_str());
        match call(SERVICE, "DeleteCertificate", arn.as_str(), delete.send()).await {
            Ok(_) => Ok(Deleted::Gone),
            Err(error) if error.is(NOT_FOUND) => Ok(Deleted::Gone),
            Err(error) if error.is("ResourceInUseException") => Ok(Deleted::InUse),
            Err(error) => Err(error),
        }
    }

    /// A certificate's tags; none where there is no certificate.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub(super) async fn tags(
        &self,
        arn: &CertificateArn,
    ) -> Result<Option<BTreeMap<String, String>>, AwsError> {
        let list = self
            .client
            .list_tags_for_certificate()
            .certificate_arn(arn.as_str());
        match call(SERVICE, "ListTagsForCertificate", arn.as_str(), list.send()).await {
            Ok(answer) => {
                let pair = |tag: &Tag| {
                    (
                        tag.key().to_owned(),
                        tag.value().unwrap_or_default().to_owned(),
                    )
                };
                Ok(Some(answer.tags().iter().map(pair).collect()))
            }
            Err(error) if error.is(NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sets tags of a certificate. Nothing to do sends nothing.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub(super) async fn add_tags(
        &self,
        arn: &CertificateArn,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), AwsError> {
        if tags.is_empty() {
            return Ok(());
        }
        let add = self
            .client
            .add_tags_to_certificate()
            .certificate_arn(arn.as_str())
            .set_tags(Some(sdk_tags(tags)));
        call(SERVICE, "AddTagsToCertificate", arn.as_str(), add.send())
            .await
            .map(|_| ())
    }

    /// Removes tags of a certificate, whatever their values. Nothing to do sends nothing.
    ///
    /// # Errors
    ///
    /// [`AwsError`].
    pub(super) async fn remove_tags(
        &self,
        arn: &CertificateArn,
        keys: &[String],
    ) -> Result<(), AwsError> {
        if keys.is_empty() {
            return Ok(());
        }
        let tag = |key: &String| Tag::builder().key(key).build().expect("key is set");
        let tags = keys.iter().map(tag).collect();
        let remove = self
            .client
            .remove_tags_from_certificate()
            .certificate_arn(arn.as_str())
            .set_tags(Some(tags));
        call(
            SERVICE,
            "RemoveTagsFromCertificate",
            arn.as_str(),
            remove.send(),
        )
        .await
        .map(|_| ())
    }
}

const NOT_FOUND: &str = "ResourceNotFoundException";

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| {
        Tag::builder()
            .key(key)
            .value(value)
            .build()
            .expect("key is set")
    };
    tags.iter().map(tag).collect()
}

/// A good answer without what its model requires, which no AWS endpoint gives.
fn malformed(operation: &'static str, target: &str) -> AwsError {
    AwsError {
        service: SERVICE,
        operation,
        target: target.to_owned(),
        code: None,
        message: "the answer lacks what the API promises".to_owned(),
        request_id: None,
        kind: Kind::NoAnswer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_acm::types::{DomainValidation, RecordType, ResourceRecord};

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
    fn an_arn_is_one_of_a_certificate() {
        assert_eq!(CertificateArn::parse(ARN).unwrap().region(), "us-east-1");
        for other in [
            "",
            "refused-00000000000000000000000000000000",
            "dev_ZoneCert_1ABC",
            "arn:aws:iam::111122223333:role/x",
            "arn:aws:acm::111122223333:certificate/x",
            "arn:aws:acm:us-east-1:111122223333:certificate/",
            "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/x",
        ] {
            assert_eq!(CertificateArn::parse(other), None, "{other}");
        }
    }

    #[test]
    fn records_are_known_once_every_name_has_one() {
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
        let names = |domain: &str, alternative: &[&str]| Names {
            domain: CertificateName::from_service(domain),
            alternative: alternative
                .iter()
                .map(|name| CertificateName::from_service(name))
                .collect(),
        };
        let certificate = certificate(vec![]);
        assert!(certificate.is_for(
            &names("a.example.com", &["*.a.example.com"]),
            KeyAlgorithm::Rsa2048
        ));
        assert!(!certificate.is_for(
            &names("a.example.com", &["*.a.example.com"]),
            KeyAlgorithm::Rsa4096
        ));
        assert!(!certificate.is_for(&names("a.example.com", &[]), KeyAlgorithm::Rsa2048));
        assert!(!certificate.is_for(
            &names("*.a.example.com", &["a.example.com"]),
            KeyAlgorithm::Rsa2048
        ));
    }
}
