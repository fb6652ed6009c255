use crate::{error::Error, region::region};
use custom_resource::{Properties, PropertyError, properties};
use dns_zones::{DomainName, HostedZoneId};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

/// `Custom::DelegatedSubdomain` as the template writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Template {
    subdomain: String,
    #[serde(default)]
    parameter_prefix: Option<String>,
    #[serde(default)]
    network_role_arn: Option<String>,
    #[serde(default)]
    network_region: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    parent_hosted_zone_id: Option<String>,
    #[serde(default)]
    hosted_zone_id: Option<String>,
    #[serde(default = "default_ttl", deserialize_with = "ttl")]
    ttl: u32,
    #[serde(default, deserialize_with = "drain_seconds")]
    drain_seconds: u64,
    #[serde(default = "yes", deserialize_with = "properties::boolean")]
    verify_delegation: bool,
    #[serde(default)]
    records_on_delete: RecordsOnDelete,
    #[serde(default)]
    comment: String,
    #[serde(default, deserialize_with = "properties::string_map")]
    tags: BTreeMap<String, String>,
}

/// What happens on delete to records that someone put into the zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum RecordsOnDelete {
    /// Nothing is deleted; the error lists them.
    #[default]
    Fail,
    /// They go with the zone.
    Delete,
}

/// What a subdomain is to be.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// One or more labels relative to the parent zone.
    pub(crate) labels: String,
    pub(crate) parent: ParentReference,
    /// The existing zone to delegate; none where one is to be made.
    pub(crate) given_zone: Option<HostedZoneId>,
    /// Of the NS record set in the parent, seconds.
    pub(crate) ttl: u32,
    pub(crate) drain: Duration,
    pub(crate) verify: bool,
    pub(crate) records_on_delete: RecordsOnDelete,
    pub(crate) comment: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// Where the parent zone is found, and with whose rights it is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ParentReference {
    /// In this account.
    Own(HostedZoneId),
    /// Across accounts: published under a prefix, read and changed by a role.
    Published(Network),
}

/// A role of the networking account, and what it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) prefix: String,
    pub(crate) role_arn: String,
    /// Of the parameters; this Region where none is given.
    pub(crate) region: Option<String>,
    pub(crate) external_id: Option<String>,
}

impl Wanted {
    /// What the properties say.
    ///
    /// # Errors
    ///
    /// The first thing wrong with them, by its name.
    pub(crate) fn parse(properties: &Properties) -> Result<Self, Error> {
        let template: Template = properties.parse()?;
        // Checked without the parent first, so that a bad label is named before anything is asked.
        DomainName::parse(&template.subdomain).map_err(|error| Error::Name {
            property: "Subdomain",
            error,
        })?;
        let given_zone = template
            .hosted_zone_id
            .as_deref()
            .filter(|id| !id.is_empty());
        Ok(Self {
            parent: template.parent()?,
            given_zone: given_zone
                .map(|id| zone_id("HostedZoneId", id))
                .transpose()?,
            labels: template.subdomain.trim_end_matches('.').to_owned(),
            ttl: template.ttl,
            drain: Duration::from_secs(template.drain_seconds),
            verify: template.verify_delegation,
            records_on_delete: template.records_on_delete,
            comment: template.comment,
            tags: template.tags,
        })
    }
}

impl Template {
    fn parent(&self) -> Result<ParentReference, Error> {
        // A template with parameters sends an empty string for what is not used.
        let text = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
        let external_id = text(&self.external_id);
        match (
            text(&self.parameter_prefix),
            text(&self.network_role_arn),
            text(&self.parent_hosted_zone_id),
        ) {
            (None, None, Some(id)) => Ok(ParentReference::Own(zone_id("ParentHostedZoneId", &id)?)),
            (Some(prefix), Some(role_arn), None) => {
                if !prefix.starts_with('/') || prefix.ends_with('/') {
                    let rule = "a path that starts with / and does not end with it";
                    return Err(
                        PropertyError::invalid("ParameterPrefix", &json!(prefix), rule).into(),
                    );
                }
                if !is_role_arn(&role_arn) {
                    let rule = "the ARN of an IAM role";
                    return Err(
                        PropertyError::invalid("NetworkRoleArn", &json!(role_arn), rule).into(),
                    );
                }
                Ok(ParentReference::Published(Network {
                    prefix,
                    role_arn,
                    region: region("NetworkRegion", self.network_region.clone())?,
                    external_id,
                }))
            }
            _ => Err(Error::WhichParent),
        }
    }
}

fn is_role_arn(text: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (arn, partition, service, region, account, resource) =
        (part(), part(), part(), part(), part(), part());
    arn == "arn"
        && partition.starts_with("aws")
        && service == "iam"
        && region.is_empty()
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && resource.starts_with("role/")
}

fn zone_id(property: &str, text: &str) -> Result<HostedZoneId, Error> {
    HostedZoneId::parse(text).map_err(|_| {
        let rule = "the id of a hosted zone, 1 to 32 of A-Z and 0-9";
        PropertyError::invalid(property, &json!(text), rule).into()
    })
}

/// A quarter of an hour: long enough to spare queries, short enough that a re-created zone is not dark for two
/// days, as with the default of aws-cdk-lib (<https://github.com/oslokommune/okctl/pull/231>).
fn default_ttl() -> u32 {
    900
}

fn yes() -> bool {
    true
}

fn ttl<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    // RFC 2181, 8, and Route 53's `TTL`.
    properties::integer_within::<_, _, 0, 2_147_483_647>(deserializer)
}

fn drain_seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    properties::integer_within::<_, _, 0, { u32::MAX as u64 }>(deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn parse(properties: Value) -> Result<Wanted, String> {
        Wanted::parse(&Properties::from(properties)).map_err(|error| error.to_string())
    }

    #[test]
    fn strings_and_defaults() {
        let wanted = parse(json!({
            "Subdomain": "app1.dev", "ParentHostedZoneId": "Z1", "Ttl": "60", "DrainSeconds": "30",
            "VerifyDelegation": "false", "RecordsOnDelete": "Delete", "Tags": { "team": "a" },
        }))
        .unwrap();
        assert_eq!(wanted.ttl, 60);
        assert_eq!(wanted.drain, Duration::from_secs(30));
        assert!(!wanted.verify);
        assert_eq!(wanted.records_on_delete, RecordsOnDelete::Delete);
        let wanted = parse(json!({ "Subdomain": "dev", "ParentHostedZoneId": "Z1" })).unwrap();
        assert_eq!((wanted.ttl, wanted.verify), (900, true));
        assert_eq!(wanted.records_on_delete, RecordsOnDelete::Fail);
    }

    #[test]
    fn a_wrong_property_is_named() {
        let role = "arn:aws:iam::111111111111:role/dev";
        let refused = |properties: Value| parse(properties).unwrap_err();
        for (properties, part) in [
            (
                json!({ "Subdomain": "*", "ParentHostedZoneId": "Z1" }),
                "Property Subdomain",
            ),
            (json!({ "Subdomain": "dev" }), "ParentHostedZoneId"),
            (
                json!({ "Subdomain": "dev", "ParameterPrefix": "/a" }),
                "NetworkRoleArn",
            ),
            (
                json!({ "Subdomain": "dev", "ParameterPrefix": "a/", "NetworkRoleArn": role }),
                "Property ParameterPrefix",
            ),
            (
                json!({ "Subdomain": "dev", "ParameterPrefix": "/a", "NetworkRoleArn": "admin" }),
                "Property NetworkRoleArn",
            ),
            (
                json!({
                    "Subdomain": "dev", "ParameterPrefix": "/a", "NetworkRoleArn": role, "NetworkRegion": "eu-wst-1",
                }),
                "Property NetworkRegion",
            ),
            (
                json!({ "Subdomain": "dev", "ParentHostedZoneId": "Z1", "ParameterPrefix": "/a", "NetworkRoleArn": role }),
                "either",
            ),
            (
                json!({ "Subdomain": "dev", "ParentHostedZoneId": "z1" }),
                "Property ParentHostedZoneId",
            ),
            (
                json!({ "Subdomain": "dev", "ParentHostedZoneId": "Z1", "Ttl": "-1" }),
                "Property Ttl",
            ),
            (
                json!({ "Subdomain": "dev", "ParentHostedZoneId": "Z1", "TTL": "1" }),
                "Property TTL is unknown",
            ),
        ] {
            let error = refused(properties);
            assert!(error.contains(part), "{error}");
        }
    }
}
