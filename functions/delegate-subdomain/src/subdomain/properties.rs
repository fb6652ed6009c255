use crate::{error::Error, network::Network, region::region};
use custom_resource::{Properties, PropertyError, properties};
use hosted_zones::{DomainName, HostedZoneId};
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

/// `Custom::DelegatedSubdomain` in the form of the template.
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
    drain_seconds: Option<u64>,
    #[serde(default = "yes", deserialize_with = "properties::boolean")]
    verify_delegation: bool,
    #[serde(default)]
    records_on_delete: RecordsOnDelete,
    #[serde(default, deserialize_with = "properties::boolean")]
    adopt_delegation: bool,
    #[serde(default, deserialize_with = "properties::string_list")]
    former_logical_ids: Vec<String>,
    #[serde(default)]
    comment: String,
    #[serde(default, deserialize_with = "properties::string_map")]
    tags: BTreeMap<String, String>,
}

/// What a delete does with records that someone created in the zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum RecordsOnDelete {
    /// Deletes nothing. The error lists them.
    #[default]
    Fail,
    /// Deletes them with the zone.
    Delete,
}

/// The wanted subdomain.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// One or more labels relative to the parent zone.
    pub(crate) labels: String,
    pub(crate) parent: ParentReference,
    /// The existing zone to delegate. None if one has to be created.
    pub(crate) external_zone: Option<HostedZoneId>,
    /// The TTL of the NS record set in the parent, in seconds.
    pub(crate) ttl: u32,
    /// The time between the deletion of the NS record set and that of the zone. None means the TTL.
    pub(crate) drain: Option<Duration>,
    pub(crate) verify: bool,
    pub(crate) records_on_delete: RecordsOnDelete,
    /// Whether an existing delegation of the parent to the existing zone may be adopted.
    pub(crate) adopts: bool,
    /// The logical ids that the resource had in earlier templates of the stack.
    pub(crate) former: Vec<String>,
    pub(crate) comment: String,
    pub(crate) tags: BTreeMap<String, String>,
}

/// The parent zone, and the permissions with which it is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ParentReference {
    /// In this account.
    Own(HostedZoneId),
    /// Across accounts: published under a prefix, read and changed by a role.
    Published(Network),
}

impl Wanted {
    /// Parses the properties.
    ///
    /// # Errors
    ///
    /// The first fault, with the name of its property.
    pub(crate) fn parse(properties: &Properties) -> Result<Self, Error> {
        let template: Template = properties.parse()?;
        // Checked without the parent first, so that an invalid label is named before any call.
        DomainName::parse(&template.subdomain).map_err(|error| Error::Name {
            property: "Subdomain",
            error,
        })?;
        let external_zone = template
            .hosted_zone_id
            .as_deref()
            .filter(|id| !id.is_empty());
        Ok(Self {
            parent: template.parent()?,
            external_zone: external_zone
                .map(|id| zone_id("HostedZoneId", id))
                .transpose()?,
            labels: template.subdomain.trim_end_matches('.').to_owned(),
            ttl: template.ttl,
            drain: template.drain_seconds.map(Duration::from_secs),
            verify: template.verify_delegation,
            records_on_delete: template.records_on_delete,
            adopts: template.adopt_delegation,
            former: template.former_logical_ids,
            comment: template.comment,
            tags: template.tags,
        })
    }
}

impl Wanted {
    /// Returns the subdomain's name.
    ///
    /// # Errors
    ///
    /// It is not a domain name.
    pub(crate) fn name(&self, parent: &DomainName) -> Result<DomainName, Error> {
        let name = parent.child(&self.labels);
        name.map_err(|error| Error::Name {
            property: "Subdomain",
            error,
        })
    }
}

/// The properties that a Delete needs. Each is read separately, so that other invalid properties do not
/// prevent it.
#[derive(Debug)]
pub(crate) struct Leaving {
    pub(crate) parent: Result<ParentReference, Error>,
    /// One or more labels relative to the parent zone.
    pub(crate) labels: String,
    pub(crate) external_zone: Option<HostedZoneId>,
    /// The TTL of the NS record set, if the properties have it.
    pub(crate) ttl: Option<u32>,
    /// None if the properties do not say it.
    drain: Option<Duration>,
    pub(crate) records_on_delete: RecordsOnDelete,
    pub(crate) former: Vec<String>,
}

impl Leaving {
    /// Reads the properties, with the default for each that is unusable.
    pub(crate) fn parse(properties: &Properties) -> Self {
        let text = |name: &str| properties.text(name).filter(|text| !text.is_empty());
        let number = |name: &str| text(name).and_then(|text| text.parse::<u32>().ok());
        let id = |name: &str| text(name).and_then(|id| HostedZoneId::parse(id).ok());
        let parent = match (
            text("ParameterPrefix"),
            text("NetworkRoleArn"),
            id("ParentHostedZoneId"),
        ) {
            (_, _, Some(id)) => Ok(ParentReference::Own(id)),
            (Some(prefix), Some(role_arn), None) => Ok(ParentReference::Published(Network {
                prefix: prefix.to_owned(),
                role_arn: role_arn.to_owned(),
                region: text("NetworkRegion").map(str::to_owned),
                external_id: text("ExternalId").map(str::to_owned),
            })),
            _ => Err(Error::WhichParent),
        };
        let former = properties.get("FormerLogicalIds");
        Self {
            parent,
            labels: text("Subdomain")
                .unwrap_or_default()
                .trim_end_matches('.')
                .to_ascii_lowercase(),
            external_zone: id("HostedZoneId"),
            ttl: match properties.get("Ttl") {
                None => Some(default_ttl()),
                Some(_) => number("Ttl"),
            },
            drain: number("DrainSeconds").map(|seconds| Duration::from_secs(seconds.into())),
            records_on_delete: match text("RecordsOnDelete") {
                Some("Delete") => RecordsOnDelete::Delete,
                _ => RecordsOnDelete::Fail,
            },
            former: former
                .and_then(|list| properties::string_list(list).ok())
                .unwrap_or_default(),
        }
    }

    /// Returns what a Delete needs for resources with these properties.
    pub(crate) fn of(wanted: &Wanted) -> Self {
        Self {
            parent: Ok(wanted.parent.clone()),
            labels: wanted.labels.to_ascii_lowercase(),
            external_zone: wanted.external_zone.clone(),
            ttl: Some(wanted.ttl),
            drain: wanted.drain,
            records_on_delete: wanted.records_on_delete,
            former: wanted.former.clone(),
        }
    }

    /// Returns how long resolvers may use a delegation after it is deleted. By default as long as they may cache it: the
    /// longest of the `Ttl` and the TTLs that its record sets have, in seconds, if an Update has shortened the `Ttl`.
    pub(crate) fn drain(&self, ttls: u32) -> Duration {
        let longest = self.ttl.unwrap_or(default_ttl()).max(ttls);
        self.drain.unwrap_or(Duration::from_secs(longest.into()))
    }
}

/// Refuses names that are not subdomains. The owner of such a name can get certificates for its ancestors.
///
/// # Errors
///
/// The label, and why it is refused.
pub(crate) fn check_name(labels: &str, parent: &DomainName) -> Result<(), Error> {
    let subdomain = labels.to_ascii_lowercase();
    let refuse = |why: String| {
        let subdomain = labels.to_owned();
        Err(Error::NoSubdomain { subdomain, why })
    };
    if let Some(relative) = subdomain.strip_suffix(parent.as_str())
        && (relative.is_empty() || relative.ends_with('.'))
    {
        let relative = relative.trim_end_matches('.');
        return refuse(format!(
            "it ends in the name of the parent zone, {parent}, to which it is relative: write '{relative}'"
        ));
    }
    for label in subdomain.split('.') {
        let is_acms = label.strip_prefix('_').is_some_and(|digest| {
            digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if label == "_acme-challenge" {
            return refuse(
                "whoever holds _acme-challenge can get certificates for the name above it (RFC 8555, section 8.4): choose \
                 another name"
                    .to_owned(),
            );
        }
        if is_acms {
            return refuse(format!(
                "a label of the form of {label} is where ACM validates the name above it: choose another name"
            ));
        }
    }
    Ok(())
}

impl Template {
    fn parent(&self) -> Result<ParentReference, Error> {
        // A template with parameters sends an empty string for a parameter that was left empty.
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

/// Returns five minutes. It is long enough to save queries, and short enough for a Delete to wait until
/// resolvers have forgotten the delegation. With the two days of aws-cdk-lib's default, a zone that is
/// created again would not resolve for that long (<https://github.com/oslokommune/okctl/pull/231>).
fn default_ttl() -> u32 {
    300
}

fn yes() -> bool {
    true
}

fn ttl<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    // RFC 2181, section 8, and Route 53's `TTL`.
    properties::integer_within::<_, _, 0, 2_147_483_647>(deserializer)
}

fn drain_seconds<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    properties::integer_within::<_, _, 0, { u32::MAX as u64 }>(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn parse(properties: Value) -> Result<Wanted, String> {
        Wanted::parse(&Properties::from(properties)).map_err(|error| error.to_string())
    }

    #[test]
    fn strings_are_parsed_and_defaults_apply() {
        let wanted = parse(json!({
            "Subdomain": "app1.dev", "ParentHostedZoneId": "Z1", "Ttl": "60", "DrainSeconds": "30",
            "VerifyDelegation": "false", "RecordsOnDelete": "Delete", "Tags": { "team": "a" },
        }))
        .unwrap();
        assert_eq!(wanted.ttl, 60);
        assert_eq!(wanted.drain, Some(Duration::from_secs(30)));
        assert!(!wanted.verify);
        assert_eq!(wanted.records_on_delete, RecordsOnDelete::Delete);
        let wanted = parse(json!({ "Subdomain": "dev", "ParentHostedZoneId": "Z1" })).unwrap();
        assert_eq!((wanted.ttl, wanted.verify), (300, true));
        assert_eq!(wanted.records_on_delete, RecordsOnDelete::Fail);
    }

    #[test]
    fn a_name_that_gives_certificates_for_the_parent_is_refused() {
        let parent = DomainName::parse("build.example.com").unwrap();
        let refused = |labels: &str| {
            check_name(labels, &parent)
                .err()
                .map(|error| error.to_string())
        };
        for labels in ["dev", "app1.dev", "_dmarc", "_dev", "notbuild.example.co"] {
            assert_eq!(refused(labels), None, "{labels}");
        }
        let acms = "_0123456789abcdef0123456789ABCDEF";
        for (labels, part) in [
            ("dev.build.example.com", "write 'dev'"),
            ("Build.Example.com", "the parent zone"),
            ("_acme-challenge", "_acme-challenge"),
            ("_ACME-Challenge.dev", "_acme-challenge"),
            ("a._acme-challenge", "_acme-challenge"),
            (acms, "ACM"),
            (&format!("{acms}.dev"), "ACM"),
        ] {
            let why = refused(labels).expect(labels);
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn a_delete_reads_what_it_needs_although_other_properties_are_invalid() {
        let leaving = Leaving::parse(&Properties::from(json!({
            "Subdomain": "Dev", "ParameterPrefix": "/a", "NetworkRoleArn": "role", "NetworkRegion": "mx-middle-1",
            "DrainSeconds": "30", "RecordsOnDelete": "Delete", "Ttl": "x", "Unknown": "1", "FormerLogicalIds": ["Old"],
        })));
        assert_eq!(leaving.labels, "dev");
        let parent = leaving.parent.as_ref().unwrap();
        assert!(
            matches!(parent, ParentReference::Published(network) if network.region.as_deref() == Some("mx-middle-1"))
        );
        assert_eq!(leaving.ttl, None);
        assert_eq!(leaving.drain(3_600), Duration::from_secs(30));
        let drain = |properties: Value, ttls| {
            let leaving = Leaving::parse(&Properties::from(properties));
            leaving.drain(ttls).as_secs()
        };
        assert_eq!(drain(json!({}), 0), 300);
        assert_eq!(drain(json!({"Ttl": "60"}), 30), 60);
        assert_eq!(drain(json!({"Ttl": "60"}), 3_600), 3_600);
        assert_eq!(drain(json!({"Ttl": "60", "DrainSeconds": "0"}), 3_600), 0);
        assert_eq!(leaving.records_on_delete, RecordsOnDelete::Delete);
        assert_eq!(leaving.former, ["Old"]);
    }

    #[test]
    fn an_invalid_property_is_named() {
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
                    "Subdomain": "dev", "ParameterPrefix": "/a", "NetworkRoleArn": role, "NetworkRegion": "eu_west_1",
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
