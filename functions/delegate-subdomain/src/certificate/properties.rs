use crate::region::region;
use custom_resource::{Properties, PropertyError, properties};
use dns_zones::{DomainName, HostedZoneId, NameError};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// `Custom::SubdomainCertificate` as the template writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Template {
    hosted_zone_id: String,
    #[serde(default, deserialize_with = "properties::string_list")]
    additional_hosted_zone_ids: Vec<String>,
    domain_name: String,
    #[serde(default, deserialize_with = "properties::string_list")]
    subject_alternative_names: Vec<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    key_algorithm: KeyAlgorithm,
    #[serde(default)]
    validation_records_on_delete: RecordsOnDelete,
    #[serde(default, deserialize_with = "properties::string_map")]
    tags: BTreeMap<String, String>,
}

/// The key algorithms that ACM can be asked for, by its names
/// (<https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>). It refuses those that it does
/// not issue in a Region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum KeyAlgorithm {
    #[default]
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    #[serde(rename = "RSA_3072")]
    Rsa3072,
    #[serde(rename = "RSA_4096")]
    Rsa4096,
    #[serde(rename = "EC_prime256v1")]
    EcPrime256v1,
    #[serde(rename = "EC_secp384r1")]
    EcSecp384r1,
    #[serde(rename = "EC_secp521r1")]
    EcSecp521r1,
}

impl KeyAlgorithm {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA_2048",
            Self::Rsa3072 => "RSA_3072",
            Self::Rsa4096 => "RSA_4096",
            Self::EcPrime256v1 => "EC_prime256v1",
            Self::EcSecp384r1 => "EC_secp384r1",
            Self::EcSecp521r1 => "EC_secp521r1",
        }
    }
}

/// What happens on delete to the CNAMEs that validate the names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum RecordsOnDelete {
    /// They stay while the zone lives.
    #[default]
    Keep,
    /// Those go that no other certificate of the Region needs.
    Delete,
}

/// A name on a certificate: a domain name, or all names one label below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CertificateName {
    /// The name without `*.`, which is what the CNAME validates.
    pub(super) base: DomainName,
    pub(super) wildcard: bool,
}

impl CertificateName {
    /// A name as a user writes it.
    fn parse(text: &str) -> Result<Self, NameError> {
        let (base, wildcard) = match text.strip_prefix("*.") {
            Some(base) => (base, true),
            None => (text, false),
        };
        let base = DomainName::parse(base)?;
        // Not a host name, so no certificate authority signs it.
        if let Some(label) = base.as_str().split('.').find(|label| label.contains('_')) {
            return Err(NameError::Character {
                label: label.to_owned(),
                character: '_',
            });
        }
        Ok(Self { base, wildcard })
    }

    /// A name as ACM writes it.
    pub(super) fn from_service(text: &str) -> Self {
        match text.strip_prefix("*.") {
            Some(base) => Self {
                base: DomainName::from_service(base),
                wildcard: true,
            },
            None => Self {
                base: DomainName::from_service(text),
                wildcard: false,
            },
        }
    }
}

impl fmt::Display for CertificateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.wildcard { "*." } else { "" }, self.base)
    }
}

/// The names of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// The first, which becomes the certificate's common name.
    pub(super) domain: CertificateName,
    /// The others.
    pub(super) alternative: BTreeSet<CertificateName>,
}

impl Names {
    /// All of them, the first one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &CertificateName> {
        std::iter::once(&self.domain).chain(&self.alternative)
    }

    /// All of them with the property that has them.
    pub(super) fn by_property(&self) -> impl Iterator<Item = (&'static str, &CertificateName)> {
        let alternative = self
            .alternative
            .iter()
            .map(|name| ("SubjectAlternativeNames", name));
        std::iter::once(("DomainName", &self.domain)).chain(alternative)
    }
}

/// What a certificate is to be.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The zones in which its names are validated, with the property that names each.
    pub(super) zones: Vec<(&'static str, HostedZoneId)>,
    pub(super) names: Names,
    /// None for the function's own.
    pub(super) region: Option<String>,
    pub(super) key_algorithm: KeyAlgorithm,
    pub(super) records_on_delete: RecordsOnDelete,
    /// The user's.
    pub(super) tags: BTreeMap<String, String>,
}

/// Longest common name, in bytes (RFC 5280, upper bounds).
const LONGEST_COMMON_NAME: usize = 64;

impl Wanted {
    /// From a resource's properties.
    ///
    /// # Errors
    ///
    /// [`PropertyError`] names the property and what it may be.
    pub(super) fn parse(properties: &Properties) -> Result<Self, PropertyError> {
        let template: Template = properties.parse()?;
        let mut zones = vec![(
            "HostedZoneId",
            zone_id("HostedZoneId", &template.hosted_zone_id)?,
        )];
        for id in &template.additional_hosted_zone_ids {
            let id = zone_id("AdditionalHostedZoneIds", id)?;
            if zones.iter().all(|(_, other)| *other != id) {
                zones.push(("AdditionalHostedZoneIds", id));
            }
        }
        let domain = name("DomainName", &template.domain_name)?;
        if domain.to_string().len() > LONGEST_COMMON_NAME {
            return Err(PropertyError::invalid(
                "DomainName",
                &json!(template.domain_name),
                "64 bytes at most, because it becomes the common name; longer names can stand in \
                 SubjectAlternativeNames",
            ));
        }
        let alternative = template.subject_alternative_names.iter();
        let alternative: Result<BTreeSet<_>, _> = alternative
            .map(|text| name("SubjectAlternativeNames", text))
            .collect();
        let mut alternative = alternative?;
        alternative.remove(&domain);
        let region = region("Region", template.region)?;
        Ok(Self {
            zones,
            names: Names {
                domain,
                alternative,
            },
            region,
            key_algorithm: template.key_algorithm,
            records_on_delete: template.validation_records_on_delete,
            tags: template.tags,
        })
    }
}

fn zone_id(property: &'static str, text: &str) -> Result<HostedZoneId, PropertyError> {
    HostedZoneId::parse(text).map_err(|_| {
        PropertyError::invalid(
            property,
            &json!(text),
            "the id of a hosted zone, 1 to 32 of A-Z and 0-9",
        )
    })
}

fn name(property: &'static str, text: &str) -> Result<CertificateName, PropertyError> {
    CertificateName::parse(text).map_err(|error| {
        PropertyError::invalid(
            property,
            &json!(text),
            format!("a host name, *. allowed before it ({error})"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn parse(properties: Value) -> Result<Wanted, String> {
        Wanted::parse(&Properties::from(properties)).map_err(|error| error.to_string())
    }

    #[test]
    fn names_and_defaults() {
        let wanted = parse(json!({
            "HostedZoneId": "/hostedzone/Z1", "AdditionalHostedZoneIds": ["Z2", "Z1"],
            "DomainName": "App1.Dev.example.com.",
            "SubjectAlternativeNames": ["*.app1.dev.example.com", "app1.dev.example.com", "b.example.com"],
            "Region": "us-east-1", "KeyAlgorithm": "EC_prime256v1", "ValidationRecordsOnDelete": "Delete",
        }))
        .unwrap();
        assert_eq!(wanted.zones.len(), 2);
        let names: Vec<_> = wanted.names.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "app1.dev.example.com",
                "*.app1.dev.example.com",
                "b.example.com"
            ]
        );
        assert_eq!(wanted.key_algorithm.as_str(), "EC_prime256v1");
        assert_eq!(wanted.records_on_delete, RecordsOnDelete::Delete);
        let wanted = parse(json!({ "HostedZoneId": "Z1", "DomainName": "*.example.com" })).unwrap();
        assert!(wanted.names.domain.wildcard);
        assert_eq!(wanted.key_algorithm.as_str(), "RSA_2048");
        assert_eq!(wanted.records_on_delete, RecordsOnDelete::Keep);
        assert_eq!(wanted.region, None);
    }

    #[test]
    fn a_wrong_property_is_named() {
        let long = format!("{}.example.com", ["a".repeat(30), "b".repeat(30)].join("."));
        for (property, value) in [
            ("HostedZoneId", json!("z1")),
            ("AdditionalHostedZoneIds", json!("Z2")),
            ("AdditionalHostedZoneIds", json!(["example.com"])),
            ("DomainName", json!("*")),
            ("DomainName", json!("a.*.example.com")),
            ("DomainName", json!("_dmarc.example.com")),
            ("DomainName", json!(long)),
            ("SubjectAlternativeNames", json!("a.example.com")),
            ("SubjectAlternativeNames", json!(["**.example.com"])),
            ("Region", json!("us-est-1")),
            ("Region", json!("US-EAST-1")),
            ("Region", json!("us-east-1a")),
            ("KeyAlgorithm", json!("RSA_1024")),
            ("ValidationRecordsOnDelete", json!("Remove")),
            ("Tags", json!("team")),
            ("Domain", json!("example.com")),
        ] {
            let mut properties = json!({ "HostedZoneId": "Z1", "DomainName": "example.com" });
            properties[property] = value;
            let error = parse(properties.clone()).unwrap_err();
            assert!(
                error.starts_with(&format!("Property {property} is ")),
                "{error}"
            );
        }
    }
}
