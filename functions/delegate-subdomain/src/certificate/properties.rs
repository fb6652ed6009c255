//! Parses what a request asks for, once.

use super::arn::CertificateArn;
use crate::region::region;
use custom_resource::{Properties, PropertyError, Request, RequestType, properties};
use hosted_zones::{DomainName, HostedZoneId, NameError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// `Custom::SubdomainCertificate` in the form of the template.
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
    #[serde(default, deserialize_with = "properties::boolean")]
    export: bool,
    #[serde(default, deserialize_with = "properties::string_list")]
    former_logical_ids: Vec<String>,
    /// Checked here, and read by [`CnameZones::of`], which a Delete needs even if other properties are
    /// unusable.
    #[serde(default, rename = "ValidationRecordsOnDelete")]
    _validation_records_on_delete: RecordsOnDelete,
    #[serde(default, deserialize_with = "properties::string_map")]
    tags: BTreeMap<String, String>,
}

/// The key algorithms that ACM accepts in a request, by its names. Its API has more, for certificates that are imported
/// (<https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum KeyAlgorithm {
    #[default]
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    #[serde(rename = "EC_prime256v1")]
    EcPrime256v1,
    #[serde(rename = "EC_secp384r1")]
    EcSecp384r1,
}

impl KeyAlgorithm {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA_2048",
            Self::EcPrime256v1 => "EC_prime256v1",
            Self::EcSecp384r1 => "EC_secp384r1",
        }
    }
}

/// What a delete does with the CNAMEs that validate the names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum RecordsOnDelete {
    /// Keeps them in the zone.
    #[default]
    Keep,
    /// Deletes those that no other certificate of the account lists.
    Delete,
}

/// The zones from which a certificate's validation CNAMEs are deleted with it, unless another certificate
/// lists them. None if they are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct CnameZones(Vec<String>);

impl CnameZones {
    /// Reads the zones from properties of which others may be unusable. A zone that is unusable itself is
    /// left out.
    pub(super) fn of(properties: &Properties) -> Self {
        if properties.text("ValidationRecordsOnDelete") != Some("Delete") {
            return Self::default();
        }
        let additional = properties.get("AdditionalHostedZoneIds");
        let additional = additional.and_then(Value::as_array).into_iter().flatten();
        let ids = properties.text("HostedZoneId").into_iter();
        let ids = ids.chain(additional.filter_map(Value::as_str));
        Self(ids.map(str::to_owned).collect())
    }

    /// Adds zones, if CNAMEs are deleted at all.
    pub(super) fn and_in(mut self, more: impl Iterator<Item = HostedZoneId>) -> Self {
        if !self.0.is_empty() {
            self.0.extend(more.map(|id| id.as_str().to_owned()));
        }
        self
    }

    pub(super) fn ids(&self) -> Vec<HostedZoneId> {
        let ids = self.0.iter().filter_map(|id| HostedZoneId::parse(id).ok());
        ids.collect()
    }
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// Create and Update.
    Issue(Box<Issue>),
    Delete(Deletion),
}

/// A certificate that has to be issued, or to be found issued.
#[derive(Clone, Debug)]
pub(super) struct Issue {
    pub(super) wanted: Wanted,
    pub(super) cnames: CnameZones,
    /// The previous properties. None on Create, and if they cannot be parsed, because then nothing was
    /// requested for them.
    pub(super) before: Option<Wanted>,
    pub(super) cnames_before: CnameZones,
    /// The certificate that CloudFormation tracks. None on Create.
    pub(super) tracked: Option<CertificateArn>,
}

/// What a Delete deletes.
#[derive(Clone, Debug)]
pub(super) enum Deletion {
    /// The certificate that the physical id names.
    Named(CertificateArn, CnameZones),
    /// What a Create of these properties can have requested, because the physical id names no certificate.
    Unnamed(Box<Wanted>, CnameZones),
    /// The properties are unusable, so no certificate was requested with them.
    Nothing,
}

impl Task {
    /// Parses a request to a function that runs in `region`.
    ///
    /// # Errors
    ///
    /// [`PropertyError`] on Create and Update. Invalid properties never prevent a Delete.
    pub(super) fn of(request: &Request, region: &str) -> Result<Self, PropertyError> {
        let tracked = CertificateArn::parse(request.physical_id());
        let cnames = CnameZones::of(&request.properties);
        let wanted = Wanted::parse(&request.properties, region);
        if request.request_type == RequestType::Delete {
            return Ok(Self::Delete(match (tracked, wanted) {
                (Some(arn), _) => Deletion::Named(arn, cnames),
                (None, Ok(wanted)) => Deletion::Unnamed(Box::new(wanted), cnames),
                (None, Err(_)) => Deletion::Nothing,
            }));
        }
        Ok(Self::Issue(Box::new(Issue {
            wanted: wanted?,
            cnames,
            before: Wanted::parse(&request.old_properties, region).ok(),
            cnames_before: CnameZones::of(&request.old_properties),
            tracked,
        })))
    }
}

/// A name on a certificate: a domain name, or a wildcard for all names one label below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CertificateName {
    /// The name without `*.`, which the CNAME validates.
    pub(super) base: DomainName,
    pub(super) wildcard: bool,
}

impl CertificateName {
    /// Parses a name as a user writes it.
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

    /// Creates a name from ACM's text.
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
    /// The first name, which becomes the certificate's common name.
    pub(super) domain: CertificateName,
    /// The other names.
    pub(super) alternative: BTreeSet<CertificateName>,
}

impl Names {
    /// Returns all names, the first one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &CertificateName> {
        std::iter::once(&self.domain).chain(&self.alternative)
    }

    /// Returns all names, each with the property that has it.
    pub(super) fn by_property(&self) -> impl Iterator<Item = (&'static str, &CertificateName)> {
        let alternative = self
            .alternative
            .iter()
            .map(|name| ("SubjectAlternativeNames", name));
        std::iter::once(("DomainName", &self.domain)).chain(alternative)
    }
}

/// The wanted certificate.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The zones in which its names are validated, each with the property that names it.
    pub(super) zones: Vec<(&'static str, HostedZoneId)>,
    pub(super) names: Names,
    pub(super) region: String,
    pub(super) key_algorithm: KeyAlgorithm,
    /// Whether the certificate can be exported.
    pub(super) export: bool,
    /// Logical ids of this stack whose certificate is transferred to this resource.
    pub(super) former_logical_ids: Vec<String>,
    /// The user's tags.
    pub(super) tags: BTreeMap<String, String>,
}

/// The longest common name, in bytes (RFC 5280, upper bounds).
const LONGEST_COMMON_NAME: usize = 64;

impl Wanted {
    /// Parses a resource's properties. `own_region` is the function's.
    ///
    /// # Errors
    ///
    /// [`PropertyError`] with the property and its valid values.
    pub(super) fn parse(properties: &Properties, own_region: &str) -> Result<Self, PropertyError> {
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
                "64 bytes at most, because it becomes the common name; SubjectAlternativeNames can have \
                 longer names",
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
            region: region.unwrap_or_else(|| own_region.to_owned()),
            key_algorithm: template.key_algorithm,
            export: template.export,
            former_logical_ids: template.former_logical_ids,
            tags: template.tags,
        })
    }

    /// Returns the zones' ids, sorted.
    pub(super) fn zone_ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.zones.iter().map(|(_, id)| id.as_str()).collect();
        ids.sort_unstable();
        ids
    }

    /// Returns whether one certificate satisfies both.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.zone_ids() == other.zone_ids()
            && self.names == other.names
            && self.key_algorithm == other.key_algorithm
            && self.export == other.export
            && self.region == other.region
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

    fn parse(properties: Value) -> Result<Wanted, String> {
        Wanted::parse(&Properties::from(properties), "eu-west-1").map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_parsed_and_defaults_apply() {
        let wanted = parse(json!({
            "HostedZoneId": "/hostedzone/Z1", "AdditionalHostedZoneIds": ["Z2", "Z1"],
            "DomainName": "App1.Dev.example.com.",
            "SubjectAlternativeNames": ["*.app1.dev.example.com", "app1.dev.example.com", "b.example.com"],
            "Region": "us-east-1", "KeyAlgorithm": "EC_prime256v1", "ValidationRecordsOnDelete": "Delete",
            "Export": "true",
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
        assert!(wanted.export);
        let wanted = parse(json!({ "HostedZoneId": "Z1", "DomainName": "*.example.com" })).unwrap();
        assert!(wanted.names.domain.wildcard);
        assert_eq!(wanted.key_algorithm.as_str(), "RSA_2048");
        assert!(!wanted.export);
        assert_eq!(wanted.region, "eu-west-1");
    }

    #[test]
    fn the_zones_of_unusable_properties_are_read() {
        let cnames = |properties: Value| CnameZones::of(&Properties::from(properties));
        let found = cnames(json!({
            "HostedZoneId": "/hostedzone/Z1", "AdditionalHostedZoneIds": ["z?", "Z2", 3], "Region": "nowhere",
            "ValidationRecordsOnDelete": "Delete",
        }));
        let zones = found.ids();
        let ids: Vec<_> = zones.iter().map(HostedZoneId::as_str).collect();
        assert_eq!(ids, ["Z1", "Z2"]);
        for properties in [
            json!(null),
            json!({ "HostedZoneId": "Z1", "ValidationRecordsOnDelete": "Keep" }),
        ] {
            assert_eq!(cnames(properties), CnameZones::default());
        }
    }

    #[test]
    fn an_invalid_property_is_named() {
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
            ("Region", json!("us-est")),
            ("Region", json!("US-EAST-1")),
            ("Region", json!("us-east-1a")),
            ("KeyAlgorithm", json!("RSA_3072")),
            ("KeyAlgorithm", json!("EC_secp521r1")),
            ("Export", json!("ENABLED")),
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
