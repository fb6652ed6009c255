//! Decides in which zone each name is validated.

use super::{
    described::ValidationRecord,
    error::Error,
    properties::{CertificateName, Names},
};
use crate::public_zone::Unusable;
use aws_calls::AwsError;
use hosted_zones::{DomainName, HostedZone, HostedZoneId, IdError, NameServers};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// A zone that a property names, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeenZone {
    pub(super) property: &'static str,
    pub(super) id: HostedZoneId,
    pub(super) state: ZoneState,
}

/// The result of reading a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ZoneState {
    Missing,
    Private,
    Unreadable(AwsError),
    Public {
        zone: ValidationZone,
        /// The NS record sets below its apex, at the names that it validates and between those and the apex.
        delegations: Vec<DomainName>,
    },
}

/// The zones in which a certificate's names are validated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct ValidationZones(pub(super) Vec<ValidationZone>);

/// The properties of a public hosted zone that never change, so that it is read once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(
    try_from = "(String, String, String, bool)",
    into = "(String, String, String, bool)"
)]
pub(super) struct ValidationZone {
    pub(super) id: HostedZoneId,
    pub(super) name: DomainName,
    pub(super) name_servers: NameServers,
    /// Whether nobody had used it when it was first read: it had only the SOA and NS record sets of its apex.
    /// Route 53 does not say when a zone was created.
    pub(super) has_only_apex: bool,
}

impl From<HostedZone> for ValidationZone {
    fn from(zone: HostedZone) -> Self {
        Self {
            has_only_apex: zone.listed.record_sets <= 2,
            id: zone.listed.id,
            name: zone.listed.name,
            name_servers: zone.name_servers,
        }
    }
}

impl TryFrom<(String, String, String, bool)> for ValidationZone {
    type Error = IdError;

    fn try_from(
        (id, name, name_servers, has_only_apex): (String, String, String, bool),
    ) -> Result<Self, IdError> {
        Ok(Self {
            id: HostedZoneId::parse(&id)?,
            name: DomainName::from_service(&name),
            name_servers: NameServers::new(name_servers.split(',')),
            has_only_apex,
        })
    }
}

impl From<ValidationZone> for (String, String, String, bool) {
    fn from(zone: ValidationZone) -> Self {
        (
            zone.id.to_string(),
            zone.name.as_str().to_owned(),
            zone.name_servers.to_string(),
            zone.has_only_apex,
        )
    }
}

impl ValidationZones {
    /// Returns the zones, if each is a public one of this account and each name can be validated in one of them.
    ///
    /// # Errors
    ///
    /// The fault of the first zone or name that has one.
    pub(super) fn usable(seen: &[SeenZone], names: &Names) -> Result<Self, Error> {
        let mut zones = Vec::new();
        for SeenZone {
            property,
            id,
            state,
        } in seen
        {
            let (property, id) = (*property, id.clone());
            match state {
                ZoneState::Missing => return Err(Unusable::NoZone { property, id }.into()),
                ZoneState::Private => return Err(Unusable::PrivateZone { property, id }.into()),
                ZoneState::Unreadable(error) => return Err(error.clone().into()),
                ZoneState::Public { zone, .. } => zones.push(zone.clone()),
            }
        }
        let zones = Self(zones);
        let all: Vec<String> = zones.0.iter().map(|zone| zone.name.to_string()).collect();
        for (property, name) in names.by_property() {
            let name = name.clone();
            let Some(zone) = zones.of(&name.base) else {
                let zones = all.join(", ");
                return Err(Error::OutsideZones {
                    property,
                    name,
                    zones,
                });
            };
            if let Some(at) = delegation_above(seen, &zone.id, &name.base) {
                // No resolver would find the CNAME.
                return Err(Error::DelegatedAway {
                    property,
                    name,
                    zone: zone.name.clone(),
                    id: zone.id.clone(),
                    at,
                });
            }
        }
        Ok(zones)
    }

    /// Returns the records, each with its zone.
    pub(super) fn with_records(
        &self,
        records: &BTreeSet<ValidationRecord>,
    ) -> Vec<(HostedZoneId, ValidationRecord)> {
        let in_zone = |record: &ValidationRecord| {
            let zone = self.of(&record.validated()?)?;
            Some((zone.id.clone(), record.clone()))
        };
        records.iter().filter_map(in_zone).collect()
    }

    /// Returns the zone with the longest name that contains this one.
    pub(super) fn of(&self, name: &DomainName) -> Option<&ValidationZone> {
        let containing = self.0.iter().filter(|zone| name.is_at_or_below(&zone.name));
        // Of two zones with the same name, the one that the template names first.
        containing.rev().max_by_key(|zone| zone.name.as_str().len())
    }

    /// Returns the zones in which some of these names are validated, each once.
    pub(super) fn used_by<'a>(
        &'a self,
        names: impl Iterator<Item = &'a CertificateName>,
    ) -> Vec<&'a ValidationZone> {
        let mut used = Vec::new();
        for zone in names.filter_map(|name| self.of(&name.base)) {
            if !used.contains(&zone) {
                used.push(zone);
            }
        }
        used
    }
}

/// Returns the name at which a zone delegates this name to another zone.
fn delegation_above(seen: &[SeenZone], id: &HostedZoneId, name: &DomainName) -> Option<DomainName> {
    let of_zone = seen.iter().filter(|seen| seen.id == *id);
    let delegations = of_zone.flat_map(|seen| match &seen.state {
        ZoneState::Public { delegations, .. } => delegations.as_slice(),
        _ => &[],
    });
    delegations
        .filter(|at| name.is_at_or_below(at))
        .min_by_key(|at| at.as_str().len())
        .cloned()
}

/// Writes `Z1 example.com (new)`.
impl fmt::Display for SeenZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = &self.id;
        match &self.state {
            ZoneState::Missing => write!(f, "zone {id} does not exist"),
            ZoneState::Private => write!(f, "zone {id} is private"),
            ZoneState::Unreadable(error) => write!(f, "zone {id} cannot be read: {error}"),
            ZoneState::Public { zone, delegations } => {
                let new = if zone.has_only_apex {
                    "new zone"
                } else {
                    "zone"
                };
                write!(f, "{new} {id} {}", zone.name)?;
                delegations
                    .iter()
                    .try_for_each(|at| write!(f, ", which delegates {at}"))
            }
        }
    }
}
