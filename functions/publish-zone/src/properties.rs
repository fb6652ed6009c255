//! Parses what a request asks for, once, so that the rest of the crate gets only valid properties.

use custom_resource::{
    Properties, PropertyError, Request, RequestType, is_refused_id,
    properties::{string_list, string_map},
};
use hosted_zones::{DomainName, HostedZone, HostedZoneId};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// The number of the template's tags that a parameter can have. SSM accepts 50, of which the others are
/// reserved for ownership.
const MOST_TAGS: usize = 44;

/// The task of a request.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// Create or Update: the parameters publish the zone.
    Publish(Publication),
    /// Delete: the parameters of this resource are deleted.
    Withdraw(Withdrawal),
}

/// What a Create or an Update asks for.
#[derive(Clone, Debug)]
pub(crate) struct Publication {
    pub(crate) zone: HostedZoneId,
    pub(crate) prefix: Prefix,
    pub(crate) place: Place,
    pub(crate) delegations_on_delete: DelegationsOnDelete,
    pub(crate) former_logical_ids: Vec<String>,
    pub(crate) tags: BTreeMap<String, String>,
    /// The keys of tags that the template had before this Update.
    pub(crate) removed_tags: Vec<String>,
    /// The names that the template had before this Update, for the same zone.
    pub(crate) removed_names: BTreeSet<DomainName>,
    /// The prefix of a failed Update, if this Update is its rollback.
    pub(crate) failed_prefix: Option<Prefix>,
}

/// Whether the resource is known to have published under its prefix before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A Create, or an Update to another prefix: parameters that exist there existed before.
    New,
    /// An Update that keeps the prefix.
    Current,
}

/// What a Delete asks for.
#[derive(Clone, Debug)]
pub(crate) struct Withdrawal {
    /// None if nothing can have been published.
    pub(crate) prefix: Option<Prefix>,
    pub(crate) of: Of,
    /// The zone of the properties, if the parameter that names it does not exist any more.
    pub(crate) zone: Option<HostedZoneId>,
    pub(crate) delegations_on_delete: DelegationsOnDelete,
}

/// The Create to which a Delete belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The physical id is a prefix: a Create or an Update answered SUCCESS.
    Published,
    /// The physical id is that of a Create that answered FAILED.
    RefusedCreate,
    /// CloudFormation got no answer to the Create, and assigned an id. The Create may still run.
    UnansweredCreate,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum DelegationsOnDelete {
    #[default]
    Fail,
    Ignore,
}

/// The prefix under which a zone is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix(String);

/// One of the three parameters under a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    HostedZoneId,
    HostedZoneName,
    NameServers,
}

/// `Custom::PublishedZone` in the form of the template.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Template {
    hosted_zone_id: String,
    parameter_prefix: String,
    #[serde(default)]
    delegations_on_delete: DelegationsOnDelete,
    #[serde(default, deserialize_with = "string_list")]
    delegated_names: Vec<String>,
    #[serde(default, deserialize_with = "string_list")]
    former_logical_ids: Vec<String>,
    #[serde(default, deserialize_with = "string_map")]
    tags: BTreeMap<String, String>,
}

/// The checked properties.
struct Checked {
    zone: HostedZoneId,
    prefix: Prefix,
    names: BTreeSet<DomainName>,
    template: Template,
}

impl Task {
    /// Parses the task of a request.
    ///
    /// # Errors
    ///
    /// The first invalid property. Never for a Delete, which reads only what it needs.
    pub(crate) fn of(request: &Request) -> Result<Self, PropertyError> {
        Ok(match request.request_type {
            RequestType::Delete => Self::Withdraw(Withdrawal::of(request)),
            RequestType::Create | RequestType::Update => Self::Publish(Publication::of(request)?),
        })
    }
}

impl Publication {
    fn of(request: &Request) -> Result<Self, PropertyError> {
        let wanted = Checked::parse(&request.properties)?;
        // Those for which an Update failed may be unusable: then it published nothing.
        let before = Checked::parse(&request.old_properties).ok();
        let is_current = Prefix::parse(request.physical_id()).as_ref() == Some(&wanted.prefix);
        let mut publication = Self {
            zone: wanted.zone,
            prefix: wanted.prefix,
            place: if is_current {
                Place::Current
            } else {
                Place::New
            },
            delegations_on_delete: wanted.template.delegations_on_delete,
            former_logical_ids: wanted.template.former_logical_ids,
            tags: wanted.template.tags,
            removed_tags: Vec::new(),
            removed_names: BTreeSet::new(),
            failed_prefix: None,
        };
        if let Some(mut before) = before {
            if before.zone == publication.zone {
                publication.removed_names = &before.names - &wanted.names;
            }
            let tags = &mut before.template.tags;
            tags.retain(|key, _| !publication.tags.contains_key(key));
            publication.removed_tags = before.template.tags.into_keys().collect();
            let is_known = before.prefix == publication.prefix
                || before.prefix.as_str() == request.physical_id();
            publication.failed_prefix = (!is_known).then_some(before.prefix);
        }
        Ok(publication)
    }
}

impl Withdrawal {
    fn of(request: &Request) -> Self {
        let text = |name| request.properties.text(name);
        let named = Prefix::parse(request.physical_id());
        let of = match &named {
            Some(_) => Of::Published,
            None if is_refused_id(request.physical_id()) => Of::RefusedCreate,
            None => Of::UnansweredCreate,
        };
        Self {
            prefix: named.or_else(|| Prefix::parse(text("ParameterPrefix")?)),
            of,
            zone: text("HostedZoneId").and_then(|id| HostedZoneId::parse(id).ok()),
            delegations_on_delete: match text("DelegationsOnDelete") {
                Some("Ignore") => DelegationsOnDelete::Ignore,
                _ => DelegationsOnDelete::Fail,
            },
        }
    }
}

impl Checked {
    fn parse(properties: &Properties) -> Result<Self, PropertyError> {
        let template: Template = properties.parse()?;
        let invalid = |property: &str, value: &str, rule: &str| {
            PropertyError::invalid(property, &json!(value), rule)
        };
        let id = &template.hosted_zone_id;
        let zone = HostedZoneId::parse(id).map_err(|_| {
            let rule = "the id of a hosted zone, 1 to 32 of A-Z and 0-9";
            invalid("HostedZoneId", id, rule)
        })?;
        let prefix = Prefix::parse(&template.parameter_prefix).ok_or_else(|| {
            let rule = "a path such as /zone-delegation/dev: it starts with /, does not end with it, and is made of \
                        a-z, A-Z, 0-9, ., -, _ and /, in at most 14 levels and 900 characters, not below /aws or /ssm";
            invalid("ParameterPrefix", &template.parameter_prefix, rule)
        })?;
        let name = |name: &String| {
            let full = "full domain names, such as app.dev.example.com";
            DomainName::parse(name)
                .map_err(|error| invalid("DelegatedNames", name, &format!("{full}, but {error}")))
        };
        // A template with parameters sends an empty name for a parameter that was left empty.
        let given = template
            .delegated_names
            .iter()
            .filter(|name| !name.is_empty());
        let names = given.map(name);
        let names = names.collect::<Result<_, _>>()?;
        if template.tags.len() > MOST_TAGS {
            let count = template.tags.len();
            let rule = format!("at most {MOST_TAGS} tags, and there are {count}");
            return Err(PropertyError::invalid("Tags", &json!(template.tags), rule));
        }
        Ok(Self {
            zone,
            prefix,
            names,
            template,
        })
    }
}

impl Prefix {
    /// Parses a prefix according to SSM's rules for names, including 15 levels, less the level and the length
    /// of the longest of the three names
    /// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html>).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let levels = text.strip_prefix('/')?.split('/');
        let is_level = |level: &str| {
            !level.is_empty()
                && level
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
        };
        let first = levels.clone().next()?.to_ascii_lowercase();
        let is_prefix = text.len() <= 900
            && levels.clone().count() <= 14
            && levels.clone().all(is_level)
            && !first.starts_with("aws")
            && !first.starts_with("ssm");
        is_prefix.then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the full name of a parameter.
    pub(crate) fn name(&self, part: Part) -> String {
        format!("{self}/{part}")
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::HostedZoneId, Self::HostedZoneName, Self::NameServers];

    /// Returns the parameter's value for a zone.
    pub(crate) fn value(self, zone: &HostedZone) -> String {
        match self {
            Self::HostedZoneId => zone.id.to_string(),
            Self::HostedZoneName => zone.name.as_str().to_owned(),
            Self::NameServers => zone.name_servers.to_string(),
        }
    }
}

/// Writes the last level of the parameter's name.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HostedZoneId => "hosted-zone-id",
            Self::HostedZoneName => "hosted-zone-name",
            Self::NameServers => "name-servers",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn refused(properties: Value) -> String {
        Checked::parse(&Properties::from(properties))
            .err()
            .expect("refused")
            .to_string()
    }

    #[test]
    fn an_invalid_property_is_named() {
        let with = |name: &str, value: Value| {
            let mut properties = json!({ "HostedZoneId": "Z1", "ParameterPrefix": "/a" });
            properties[name] = value;
            refused(properties)
        };
        let many: BTreeMap<String, String> = (0..45)
            .map(|number| (format!("tag{number}"), String::new()))
            .collect();
        for (name, value) in [
            ("HostedZoneId", json!(null)),
            ("HostedZoneId", json!("z")),
            ("ParameterPrefix", json!("a")),
            ("ParameterPrefix", json!("/a/")),
            ("ParameterPrefix", json!("/aws/a")),
            ("ParameterPrefix", json!("/")),
            ("DelegationsOnDelete", json!("Delete")),
            ("DelegatedNames", json!(["dev example.com"])),
            ("FormerLogicalIds", json!("A")),
            ("Tags", json!(many)),
        ] {
            let error = with(name, value);
            assert!(
                error.starts_with(&format!("Property {name} is ")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_physical_id_is_a_prefix_or_was_never_assigned() {
        assert!(Prefix::parse("/zone-delegation/dev").is_some());
        for id in [
            "networking-dev-PublishedZone-1A2B3C",
            "refused-0123456789abcdef0123456789abcdef",
            "",
        ] {
            assert!(Prefix::parse(id).is_none(), "{id}");
        }
    }
}
