//! In which zone each name is validated.

use super::{
    Certificates,
    error::Error,
    properties::{CertificateName, Names, Wanted},
};
use crate::public_zone::public_zone;
use aws_calls::at_once;
use dns_check::Transport;
use hosted_zones::{DomainName, HostedZone, HostedZoneId, IdError, NameServers, RrType};
use serde::{Deserialize, Serialize};

/// The zones in which a certificate's names are validated.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct ValidationZones(Vec<ValidationZone>);

/// Of a public hosted zone what stays the same as long as it stands, so that it has to be asked for once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(
    try_from = "(String, String, String, bool)",
    into = "(String, String, String, bool)"
)]
pub(super) struct ValidationZone {
    pub(super) id: HostedZoneId,
    pub(super) name: DomainName,
    pub(super) name_servers: NameServers,
    /// Whether nobody has used it when it was first read: it held the SOA and NS record sets of its apex and no others.
    /// Route 53 does not say when a zone was created.
    pub(super) is_new: bool,
}

impl From<HostedZone> for ValidationZone {
    fn from(zone: HostedZone) -> Self {
        Self {
            is_new: zone.listed.record_sets <= 2,
            id: zone.listed.id,
            name: zone.listed.name,
            name_servers: zone.name_servers,
        }
    }
}

impl TryFrom<(String, String, String, bool)> for ValidationZone {
    type Error = IdError;

    fn try_from(
        (id, name, name_servers, is_new): (String, String, String, bool),
    ) -> Result<Self, IdError> {
        Ok(Self {
            id: HostedZoneId::parse(&id)?,
            name: DomainName::from_service(&name),
            name_servers: NameServers::new(name_servers.split(',')),
            is_new,
        })
    }
}

impl From<ValidationZone> for (String, String, String, bool) {
    fn from(zone: ValidationZone) -> Self {
        (
            zone.id.to_string(),
            zone.name.as_str().to_owned(),
            zone.name_servers.to_string(),
            zone.is_new,
        )
    }
}

impl ValidationZones {
    /// The zone with the longest name that contains this one.
    pub(super) fn of(&self, name: &DomainName) -> Option<&ValidationZone> {
        let holding = self.0.iter().filter(|zone| name.is_at_or_below(&zone.name));
        // Of two with the same name the one that the template names first.
        holding.rev().max_by_key(|zone| zone.name.as_str().len())
    }

    /// The zones that some of these names are validated in, once each.
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

impl<T: Transport> Certificates<T> {
    /// The zones that the properties name, where each is a public one of this account and each name lies in one.
    pub(super) async fn validation_zones(&self, wanted: &Wanted) -> Result<ValidationZones, Error> {
        let zones = wanted
            .zones
            .iter()
            .map(|(property, id)| public_zone::<Error>(&self.route53, property, id));
        let zones = at_once(zones).await?;
        let zones = ValidationZones(zones.into_iter().map(Into::into).collect());
        let outside = wanted
            .names
            .by_property()
            .find(|(_, name)| zones.of(&name.base).is_none());
        match outside {
            None => Ok(zones),
            Some((property, name)) => {
                let zones: Vec<String> = zones.0.iter().map(|zone| zone.name.to_string()).collect();
                Err(Error::OutsideZones {
                    property,
                    name: name.clone(),
                    zones: zones.join(", "),
                })
            }
        }
    }

    /// The same, where resolvers find what stands in them at the names.
    pub(super) async fn resolving_zones(&self, wanted: &Wanted) -> Result<ValidationZones, Error> {
        let zones = self.validation_zones(wanted).await?;
        self.check_not_delegated(&wanted.names, &zones).await?;
        Ok(zones)
    }

    /// Those of the zones that exist: what a Delete can do something in.
    pub(super) async fn existing_zones(
        &self,
        ids: &[HostedZoneId],
    ) -> Result<ValidationZones, Error> {
        let zones = ids.iter().map(|id| self.route53.zone(id));
        let zones = at_once(zones).await?.into_iter().flatten();
        let public = zones.filter(|zone| !zone.private);
        Ok(ValidationZones(public.map(Into::into).collect()))
    }

    /// Refuses names that a zone holds in vain, because it delegates them, or a name above them, to another one: no
    /// resolver would find the CNAME.
    async fn check_not_delegated(
        &self,
        names: &Names,
        zones: &ValidationZones,
    ) -> Result<(), Error> {
        let looks = names.by_property().filter_map(|(property, name)| {
            let zone = zones.of(&name.base)?;
            Some(self.check_not_delegated_in(zone, property, name))
        });
        at_once(looks).await?;
        Ok(())
    }

    async fn check_not_delegated_in(
        &self,
        zone: &ValidationZone,
        property: &'static str,
        name: &CertificateName,
    ) -> Result<(), Error> {
        let mut held = name.base.between(&zone.name);
        if name.base.is_below(&zone.name) {
            held.push(name.base.clone());
        }
        let at = held.iter().map(async |at| {
            let set = self.route53.record_set(&zone.id, at, RrType::Ns).await;
            set.map_err(aws_calls::AwsError::from)
        });
        match at_once(at).await?.into_iter().flatten().next() {
            None => Ok(()),
            Some(set) => Err(Error::DelegatedAway {
                property,
                name: name.clone(),
                zone: zone.name.clone(),
                id: zone.id.clone(),
                at: set.name(),
            }),
        }
    }
}
