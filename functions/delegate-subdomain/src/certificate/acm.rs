//! Calls ACM, with one function for each operation.

use super::{
    arn::CertificateArn,
    described::{Certificate, Listed},
    properties::Wanted,
};
use aws_calls::{AwsError, Kind, call};
use aws_sdk_acm::{
    Client,
    config::http::HttpRequest,
    types::{
        CertificateExport, CertificateKeyPairOrigin, CertificateOptions, Filters,
        KeyAlgorithm as SdkKeyAlgorithm, Tag, ValidationMethod,
    },
};
use aws_smithy_types::body::SdkBody;
use aws_types::{SdkConfig, region::Region};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use thiserror::Error;

const SERVICE: &str = "ACM";

/// Why a certificate was not requested.
#[derive(Clone, Debug, Error)]
pub(super) enum RequestError {
    /// A quota is used up.
    #[error("{0}")]
    Quota(AwsError),
    #[error("{0}")]
    Aws(AwsError),
}

/// Why the certificates of a Region could not be listed.
#[derive(Clone, Debug, Error)]
pub(super) enum ListError {
    /// The Region does not exist, or this function's network blocks its name.
    #[error("{0}")]
    NoRegion(AwsError),
    /// The Region is not enabled for the account: ACM does not know its credentials there.
    #[error("{0}")]
    Closed(AwsError),
    #[error("{0}")]
    Denied(AwsError),
    #[error("{0}")]
    Aws(AwsError),
}

/// Why a certificate was not deleted.
#[derive(Clone, Debug, Error)]
pub(super) enum DeleteError {
    /// Not deleted now: something uses it, or another change of it is in progress.
    #[error("{0}")]
    NotYet(AwsError),
    #[error("{0}")]
    Aws(AwsError),
}

impl ListError {
    pub(super) fn of(error: AwsError) -> Self {
        let is_closed = error.is("UnrecognizedClientException") || error.is("InvalidClientTokenId");
        match error.kind {
            _ if is_closed => Self::Closed(error),
            Kind::NoEndpoint => Self::NoRegion(error),
            Kind::Denied => Self::Denied(error),
            _ => Self::Aws(error),
        }
    }

    /// Returns the error of the failed call.
    pub(super) fn aws(&self) -> &AwsError {
        match self {
            Self::NoRegion(error)
            | Self::Closed(error)
            | Self::Denied(error)
            | Self::Aws(error) => error,
        }
    }
}

/// The certificates of a Region that are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// Those that this function can have requested.
    Requested,
    /// All of them, however they were issued.
    Every,
}

/// ACM in one Region.
#[derive(Clone, Debug)]
pub(super) struct Acm {
    client: Client,
}

impl Acm {
    pub(super) fn new(config: &SdkConfig, region: &str) -> Self {
        let builder = aws_sdk_acm::config::Builder::from(config);
        let builder = builder.region(Region::new(region.to_owned()));
        Self {
            client: Client::from_conf(builder.build()),
        }
    }

    /// Requests a certificate. For an hour, the same token, names and account return the same certificate
    ///
    /// # Errors
    ///
    /// [`RequestError`].
    pub(super) async fn request(
        &self,
        wanted: &Wanted,
        token: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<CertificateArn, RequestError> {
        let names = &wanted.names;
        let domain = names.domain.to_string();
        let alternative: Vec<String> = names.alternative.iter().map(ToString::to_string).collect();
        let request = self
            .client
            .request_certificate()
            .domain_name(&domain)
            .set_subject_alternative_names(Some(alternative).filter(|names| !names.is_empty()))
            .validation_method(ValidationMethod::Dns)
            .key_algorithm(SdkKeyAlgorithm::from(wanted.key_algorithm.as_str()))
            .set_options(wanted.export.then(exportable))
            .idempotency_token(token)
            .set_tags(Some(sdk_tags(tags)));
        let send = || request.clone().send();
        let answer = call(SERVICE, "RequestCertificate", &domain, send).await;
        let answer = answer.map_err(|error| {
            if error.is("LimitExceededException") {
                RequestError::Quota(error)
            } else {
                RequestError::Aws(error)
            }
        })?;
        let arn = answer.certificate_arn().and_then(CertificateArn::parse);
        arn.ok_or_else(|| {
            RequestError::Aws(AwsError::malformed(SERVICE, "RequestCertificate", &domain))
        })
    }

    /// Returns a certificate, or none if it does not exist or is not visible yet after its request.
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
        let answer = match call(SERVICE, "DescribeCertificate", arn.as_str(), || {
            describe.clone().send()
        })
        .await
        {
            Ok(answer) => answer,
            Err(error) if error.is(NOT_FOUND) => return Ok(None),
            Err(error) => return Err(error),
        };
        let detail = answer
            .certificate()
            .ok_or_else(|| AwsError::malformed(SERVICE, "DescribeCertificate", arn.as_str()))?;
        Ok(Some(Certificate::new(arn, detail)))
    }

    /// Returns the certificates of the Region that satisfy `wanted`.
    ///
    /// # Errors
    ///
    /// [`ListError`].
    pub(super) async fn list(
        &self,
        listing: Listing,
        wanted: impl Fn(&Listed) -> bool,
    ) -> Result<Vec<Listed>, ListError> {
        let listed = async {
            let mut found = self.list_of(Roots::Default, listing, &wanted).await?;
            if listing == Listing::Every {
                found.extend(self.list_of(Roots::N2, listing, &wanted).await?);
            }
            Ok(found)
        };
        listed.await.map_err(ListError::of)
    }

    /// Lists the certificates of some root hierarchies: ACM does not list all of them in one call.
    async fn list_of(
        &self,
        roots: Roots,
        listing: Listing,
        wanted: impl Fn(&Listed) -> bool,
    ) -> Result<Vec<Listed>, AwsError> {
        // Without this filter ACM omits every key type but RSA_1024 and RSA_2048.
        let every_key = SdkKeyAlgorithm::values()
            .iter()
            .map(|name| SdkKeyAlgorithm::from(*name))
            .collect();
        let filter = Filters::builder().set_key_types(Some(every_key)).build();
        // Without this one, ACM omits certificates that were requested by ACME.
        let origins = CertificateKeyPairOrigin::values().iter();
        let origins = origins.map(|name| CertificateKeyPairOrigin::from(*name));
        let origins = (listing == Listing::Every).then(|| origins.collect());
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let list = self
                .client
                .list_certificates()
                .includes(filter.clone())
                .set_certificate_key_pair_origins(origins.clone())
                .max_items(1_000)
                .set_next_token(next);
            let page = call(
                SERVICE,
                "ListCertificates",
                "all certificates",
                async || {
                    let list = list.clone().customize();
                    match roots {
                        Roots::Default => list.send().await,
                        Roots::N2 => list.mutate_request(list_n2).send().await,
                    }
                },
            )
            .await?;
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

    /// Deletes a certificate. Succeeds if the certificate does not exist.
    ///
    /// The permission applies to certificates with the stack's id as a tag. One that does not exist has no
    /// tags, so a delete that is sent again after its answer was lost is denied.
    ///
    /// # Errors
    ///
    /// [`DeleteError`].
    pub(super) async fn delete(&self, arn: &CertificateArn) -> Result<(), DeleteError> {
        let delete = self
            .client
            .delete_certificate()
            .certificate_arn(arn.as_str());
        let send = || delete.clone().send();
        match call(SERVICE, "DeleteCertificate", arn.as_str(), send).await {
            Ok(_) => Ok(()),
            Err(error) if error.is(NOT_FOUND) => Ok(()),
            Err(error) if error.is("ResourceInUseException") || error.is("ConflictException") => {
                Err(DeleteError::NotYet(error))
            }
            Err(error) => Err(DeleteError::Aws(error)),
        }
    }

    /// Returns a certificate's tags, or none if it does not exist.
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
        match call(SERVICE, "ListTagsForCertificate", arn.as_str(), || {
            list.clone().send()
        })
        .await
        {
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

    /// Sets tags of a certificate. Sends nothing if there is nothing to set.
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
        call(SERVICE, "AddTagsToCertificate", arn.as_str(), || {
            add.clone().send()
        })
        .await
        .map(|_| ())
    }

    /// Removes tags of a certificate, whatever their values. Sends nothing if there is nothing to remove.
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
        call(SERVICE, "RemoveTagsFromCertificate", arn.as_str(), || {
            remove.clone().send()
        })
        .await
        .map(|_| ())
    }
}

/// The root hierarchies of a list.
#[derive(Clone, Copy, Debug)]
enum Roots {
    /// All but Amazon N2.
    Default,
    /// Amazon N2, which ACM lists only on request, and then alone (botocore 1.44.8, `ListCertificates`).
    N2,
}

/// Requests the certificates of Amazon N2. The pinned SDK does not have this parameter yet.
fn list_n2(request: &mut HttpRequest) {
    let body = request.body().bytes().unwrap_or_default();
    let mut body: Value = serde_json::from_slice(body).unwrap_or_else(|_| json!({}));
    body["RootHierarchyTypes"] = json!(["N2_AMAZON_MANAGED", "N2_SFG2_AMAZON_MANAGED"]);
    let body = body.to_string();
    let length = body.len().to_string();
    request.headers_mut().insert("content-length", length);
    *request.body_mut() = SdkBody::from(body);
}

fn exportable() -> CertificateOptions {
    CertificateOptions::builder()
        .export(CertificateExport::Enabled)
        .build()
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
