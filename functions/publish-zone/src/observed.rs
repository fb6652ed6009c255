//! What exists, as plain data. Nothing is decided here.

use crate::{
    parameters::{Parameters, Stored, TagError},
    properties::{Part, Prefix, Publication, Task},
};
use aws_calls::{AwsError, Kind, at_once};
use futures::try_join;
use hosted_zones::{DomainName, HostedZone, HostedZoneId, Route53, RrType};
use ownership::{Tags, parameter::Shown};
use std::{fmt, time::SystemTime};

/// How many names a sentence lists, because an answer has at most 4,096 bytes.
const LISTED: usize = 10;

/// What exists, as far as a request needs it.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    /// The zone to publish. None if the account has no such zone, and on Delete.
    pub(crate) zone: Option<HostedZone>,
    /// The parameters under the prefix.
    pub(crate) parameters: Vec<Parameter>,
    /// The parameters under the prefix of a failed Update.
    pub(crate) of_failed_update: Vec<Parameter>,
    /// The names that were removed from the template and that have an NS record set in the zone.
    pub(crate) names_in_use: Vec<DomainName>,
    pub(crate) delegations: Delegations,
    /// The answer to the last action of this request, if it was no success.
    pub(crate) conflict: Option<Conflict>,
}

/// A parameter with its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    pub(crate) part: Part,
    pub(crate) value: String,
    pub(crate) modified: SystemTime,
    pub(crate) tags: Tags,
}

/// The NS record sets in the published zone, without that of its apex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delegations {
    /// Not read, because most plans do not need them.
    Unread,
    /// The zone does not exist any more.
    NoZone,
    /// The zone's name, and the names with such a record set: the first ten in the order of the zone.
    Of {
        zone: DomainName,
        names: Vec<DomainName>,
        more: bool,
    },
    /// The function has no permission to read them.
    Denied(AwsError),
}

/// An answer that shows that what was observed is wrong, or has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// A parameter to create has a name that is in use.
    NameTaken,
    /// A parameter to change does not exist any more.
    Gone,
    /// The deletion of this many parameters was denied.
    DeleteDenied { error: AwsError, asked: usize },
}

/// Reads what exists.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) route53: Route53,
    pub(crate) parameters: Parameters,
}

impl Observer {
    /// Reads what a request needs, without the delegations.
    pub(crate) async fn observe(&self, task: &Task) -> Result<Observed, AwsError> {
        let nothing = Observed {
            zone: None,
            parameters: Vec::new(),
            of_failed_update: Vec::new(),
            names_in_use: Vec::new(),
            delegations: Delegations::Unread,
            conflict: None,
        };
        match task {
            Task::Withdraw(withdrawal) => Ok(Observed {
                parameters: self.below(withdrawal.prefix.as_ref()).await?,
                ..nothing
            }),
            Task::Publish(publication) => {
                let (zone, parameters, of_failed_update, names_in_use) = try_join!(
                    self.route53.zone(&publication.zone),
                    self.below(Some(&publication.prefix)),
                    self.below(publication.failed_prefix.as_ref()),
                    self.names_in_use(publication),
                )?;
                Ok(Observed {
                    zone,
                    parameters,
                    of_failed_update,
                    names_in_use,
                    ..nothing
                })
            }
        }
    }

    /// Reads the delegations in the published zone.
    pub(crate) async fn delegations(&self, id: &HostedZoneId) -> Result<Delegations, AwsError> {
        match self.route53.delegations(id, LISTED + 1).await {
            Ok(None) => Ok(Delegations::NoZone),
            Ok(Some((zone, sets))) => Ok(Delegations::Of {
                zone,
                names: sets
                    .iter()
                    .take(LISTED)
                    .map(hosted_zones::RecordSet::name)
                    .collect(),
                more: sets.len() > LISTED,
            }),
            Err(error) if error.kind == Kind::Denied => {
                tracing::warn!(
                    zone = id.as_str(),
                    %error,
                    "the function may not read whether the published zone delegates to consumers: have its owner check"
                );
                Ok(Delegations::Denied(error))
            }
            Err(error) => Err(error),
        }
    }

    async fn below(&self, prefix: Option<&Prefix>) -> Result<Vec<Parameter>, AwsError> {
        let Some(prefix) = prefix else {
            return Ok(Vec::new());
        };
        let stored = self.parameters.get(prefix).await?.into_iter();
        let parameters = at_once(stored.map(|stored| self.with_tags(prefix, stored))).await?;
        Ok(parameters.into_iter().flatten().collect())
    }

    /// Adds the tags of a parameter, or returns none if it was deleted after its value was read.
    async fn with_tags(
        &self,
        prefix: &Prefix,
        stored: Stored,
    ) -> Result<Option<Parameter>, AwsError> {
        match self.parameters.tags(&prefix.name(stored.part)).await {
            Ok(tags) => Ok(Some(Parameter {
                part: stored.part,
                value: stored.value,
                modified: stored.modified,
                tags,
            })),
            Err(TagError::NoSuchParameter) => Ok(None),
            Err(TagError::Other(error)) => Err(error),
        }
    }

    async fn names_in_use(&self, publication: &Publication) -> Result<Vec<DomainName>, AwsError> {
        let names = publication.removed_names.iter().map(async |name| {
            let set = self.route53.record_set(&publication.zone, name, RrType::Ns);
            Ok::<_, AwsError>(set.await?.map(|set| set.name()))
        });
        Ok(at_once(names).await?.into_iter().flatten().collect())
    }
}

/// Writes one line, or a list with `{:#}`.
impl fmt::Display for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut facts = Vec::new();
        if let Some(zone) = &self.zone {
            let servers = &zone.name_servers;
            let (id, name) = (&zone.id, zone.name.as_str());
            let kind = if zone.private { "private" } else { "public" };
            facts.push(format!("{kind} zone {id} {name} ({servers})"));
        }
        facts.extend(self.parameters.iter().map(ToString::to_string));
        let left = self.of_failed_update.iter();
        facts.extend(left.map(|parameter| format!("of a failed update {parameter}")));
        let in_use = self.names_in_use.iter();
        facts.extend(in_use.map(|name| format!("removed name {name} has an NS record set")));
        match &self.delegations {
            Delegations::Unread => {}
            Delegations::NoZone => facts.push("the published zone does not exist".to_owned()),
            Delegations::Of { zone, names, .. } if names.is_empty() => {
                facts.push(format!("{zone} has no NS record sets below its apex"));
            }
            Delegations::Of { zone, names, more } => {
                let names = listed(names, *more);
                facts.push(format!("{zone} has NS record sets for: {names}"));
            }
            Delegations::Denied(error) => facts.push(format!("delegations denied: {error}")),
        }
        match &self.conflict {
            None => {}
            Some(Conflict::NameTaken) => facts.push("a name to create is taken".to_owned()),
            Some(Conflict::Gone) => facts.push("a parameter to change does not exist".to_owned()),
            Some(Conflict::DeleteDenied { error, .. }) => {
                facts.push(format!("delete denied: {error}"));
            }
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

/// Writes `hosted-zone-id = Z1 of Zone in stack/dev/1 since request 0123.../1795500060, before of Former with
/// Z0`.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = Shown(&self.tags);
        write!(f, "{} = {} {shown}", self.part, self.value)
    }
}

pub(crate) fn listed(names: &[DomainName], more: bool) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let and_more = if more { " and more" } else { "" };
    format!("{}{and_more}", names.join(", "))
}
