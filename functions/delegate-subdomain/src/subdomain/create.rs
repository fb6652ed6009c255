use super::{
    Delegation, Subdomains, delegate::Surroundings, ownership::Hold, parent::Parent,
    properties::Wanted, success,
};
use crate::{error::Error, public_zone::public_zone};
use custom_resource::{Invocation, Owner, Request, Success};
use dns_zones::{
    ChangeId, DomainName, HostedZone, HostedZoneId, NameServers, PROPAGATION,
    dns::{Checked, Transport},
};
use futures::try_join;
use std::{collections::BTreeMap, time::Duration};

/// What a Delete needs beside the drain: the INSYNC of its change, the zone's delete and the answer.
const DELETE_WITHOUT_DRAIN: Duration = PROPAGATION.saturating_mul(2);

/// A zone that stands already and is to be delegated, with the tags that make it this resource's.
struct Found {
    zone: HostedZone,
    tags: BTreeMap<String, String>,
}

impl<T: Transport> Subdomains<T> {
    /// Makes a subdomain. It looks at the parent first, then makes the zone, then delegates to it, waits until every
    /// name server of Route 53 has it, and asks them from the outside.
    pub(super) async fn create(
        &self,
        request: &Request,
        invocation: &Invocation,
        made: &mut Option<Delegation>,
    ) -> Result<Success, Error> {
        let wanted = Wanted::parse(&request.properties)?;
        check_drain(&wanted, request)?;
        let parent = self.parent(&wanted.parent, request, invocation).await?;
        // Boxed here and in an Update: it is the largest of all futures, and stands in both.
        Box::pin(self.establish(request, &wanted, &parent, None, made)).await
    }

    /// Makes or finds the delegation that is wanted: for a Create, and for an Update that replaces, where `current` is
    /// what it replaces. `made` is set as soon as something stands.
    pub(super) async fn establish(
        &self,
        request: &Request,
        wanted: &Wanted,
        parent: &Parent,
        current: Option<&Delegation>,
        made: &mut Option<Delegation>,
    ) -> Result<Success, Error> {
        let name = subdomain(wanted, parent)?;
        let (found, around) = try_join!(
            self.find_zone(request, wanted, parent, &name, current),
            Surroundings::look(parent, &name),
        )?;
        let mut own: Vec<NameServers> = found
            .iter()
            .map(|found| found.zone.name_servers.clone())
            .collect();
        // The record set of the zone that this one replaces is ours too, where name and parent stay the same.
        let replaced = current.filter(|old| old.name == name && old.parent == parent.zone.id);
        let is_known = |servers: &NameServers| replaced.is_some_and(|old| old.is_to(servers));
        if let Some(set) = &around.delegation
            && !own.contains(&set.name_servers())
            && !is_known(&set.name_servers())
        {
            own.extend(self.own_name_servers(&request.owner(), &name).await?);
        }
        let ours = |servers: &NameServers| own.contains(servers) || is_known(servers);
        around.check(parent, &name, ours)?;

        let (zone, zone_change, tags) = match found {
            Some(Found { zone, tags }) => (zone, None, tags),
            None => {
                let (zone, change) = self.make_zone(request, wanted, &name).await?;
                (
                    zone,
                    change,
                    made_zone_tags(wanted, request.owner().tag_map()),
                )
            }
        };
        *made = Some(Delegation::new(&zone, &parent.zone.id));
        let tag = async { Ok(self.route53.tag_zone(&zone.id, &tags, &[]).await?) };
        let delegate = self.delegate(
            parent,
            &zone,
            wanted.ttl,
            around.delegation,
            ours,
            zone_change.as_ref(),
        );
        if zone_change.is_some() {
            // A zone that was just made carries its mark already, in its CallerReference.
            try_join!(tag, delegate)?;
        } else {
            // Another one is marked before anything leads to it.
            tag.await?;
            delegate.await?;
        }
        self.verify(wanted, parent, &zone).await?;
        Ok(success(&zone, parent))
    }

    /// The zone to delegate where it stands already: the one given, one that an earlier delivery of this request or an
    /// earlier request made, or one of a logical id that was renamed to this one.
    async fn find_zone(
        &self,
        request: &Request,
        wanted: &Wanted,
        parent: &Parent,
        name: &DomainName,
        current: Option<&Delegation>,
    ) -> Result<Option<Found>, Error> {
        let owner = request.owner();
        if let Some(id) = &wanted.given_zone {
            return self.given_zone(&owner, id, name).await.map(Some);
        }
        // The zone that this Update replaces is of the same name where only the parent changes. It goes on serving
        // the old parent until CloudFormation deletes it, or for good where the Update is rolled back.
        let serves_another_parent = |id: &HostedZoneId| {
            current.is_some_and(|old| old.zone == *id && old.parent != parent.zone.id)
        };
        let mut siblings = Vec::new();
        for (listed, hold) in self.held_zones(&owner, name).await? {
            match hold {
                Hold::Own {
                    made: true,
                    taken_from,
                } if !serves_another_parent(&listed.id) => {
                    let Some(zone) = self.route53.zone(&listed.id).await? else {
                        continue;
                    };
                    let tags = match taken_from {
                        Some(sibling) => owner.tags_taken_from(&sibling),
                        None => owner.tag_map(),
                    };
                    let tags = made_zone_tags(wanted, tags);
                    return Ok(Some(Found { zone, tags }));
                }
                Hold::Sibling { logical_id, .. } => siblings.push((listed.id, logical_id)),
                _ => {}
            }
        }
        // A sibling's zone is taken over only where it is this very delegation: its logical id was renamed.
        for (id, sibling) in siblings {
            let Some(zone) = self.route53.zone(&id).await? else {
                continue;
            };
            let around = Surroundings::look(parent, name).await?;
            if around
                .delegation
                .is_some_and(|set| set.name_servers() == zone.name_servers)
            {
                tracing::info!(
                    zone = id.as_str(),
                    from = sibling,
                    "taking over the zone of a renamed logical id"
                );
                let tags = made_zone_tags(wanted, owner.tags_taken_from(&sibling));
                return Ok(Some(Found { zone, tags }));
            }
        }
        Ok(None)
    }

    /// The zone that `HostedZoneId` names, where it can be delegated by this resource.
    async fn given_zone(
        &self,
        owner: &Owner,
        id: &HostedZoneId,
        name: &DomainName,
    ) -> Result<Found, Error> {
        let zone = public_zone::<Error>(&self.route53, "HostedZoneId", id).await?;
        if zone.name != *name {
            let (is, wanted) = (zone.name.clone(), name.clone());
            return Err(Error::OtherName {
                id: id.clone(),
                is,
                wanted,
            });
        }
        let tags = match self.hold(owner, &zone).await? {
            Hold::Foreign(owner) => {
                return Err(Error::OthersZone {
                    id: id.clone(),
                    name: name.clone(),
                    owner,
                });
            }
            Hold::Own {
                taken_from: Some(sibling),
                ..
            } => owner.tags_taken_from(&sibling),
            Hold::Sibling { logical_id, .. } => owner.tags_taken_from(&logical_id),
            Hold::Own {
                taken_from: None, ..
            }
            | Hold::Nobody => owner.tag_map(),
        };
        Ok(Found { zone, tags })
    }

    /// Makes the zone. A reference that is used up is this request's own, delivered or sent before: the zone that it
    /// made is taken where it stands, and none is made where it is gone, because its Delete was here first.
    async fn make_zone(
        &self,
        request: &Request,
        wanted: &Wanted,
        name: &DomainName,
    ) -> Result<(HostedZone, Option<ChangeId>), Error> {
        let reference = request.caller_reference();
        let error = match self
            .route53
            .create_zone(name, &reference, &wanted.comment)
            .await
        {
            Ok(created) => return Ok((created.zone, Some(created.change))),
            Err(error) if error.is("HostedZoneAlreadyExists") => error,
            Err(error) => return Err(error.into()),
        };
        let zones = self.route53.zones_named(name).await?;
        let zone = match zones.iter().find(|zone| zone.caller_reference == reference) {
            Some(listed) => self.route53.zone(&listed.id).await?,
            None => None,
        };
        let gone = || Error::ReferenceUsed {
            name: name.clone(),
            error,
        };
        Ok((zone.ok_or_else(gone)?, None))
    }

    /// Asks the parent's and the zone's own name servers from the outside, where that is wanted.
    pub(super) async fn verify(
        &self,
        wanted: &Wanted,
        parent: &Parent,
        zone: &HostedZone,
    ) -> Result<(), Error> {
        if !wanted.verify {
            return Ok(());
        }
        let name = zone.name.as_str();
        let check = self.dns.check_delegation(
            &parent.zone.name,
            &parent.zone.name_servers,
            &zone.name,
            &zone.name_servers,
        );
        match check.await {
            Ok(Checked::Fully) => tracing::info!(name, "the delegation answers over DNS"),
            Ok(Checked::Partly { silent }) => {
                tracing::warn!(
                    name,
                    ?silent,
                    "the delegation answers over DNS, some name servers were silent"
                );
            }
            Ok(Checked::NoWayOut) => {
                tracing::warn!(
                    name,
                    "not checked over DNS: this function has no way out to port 53"
                );
            }
            Err(fault) => {
                return Err(Error::Unresolved {
                    name: zone.name.clone(),
                    fault,
                });
            }
        }
        Ok(())
    }
}

/// The subdomain's name.
pub(super) fn subdomain(wanted: &Wanted, parent: &Parent) -> Result<DomainName, Error> {
    let name = parent.zone.name.child(&wanted.labels);
    name.map_err(|error| Error::Name {
        property: "Subdomain",
        error,
    })
}

/// The tags of a zone that this project makes: the user's, and the marks that say whose it is, which win.
pub(super) fn made_zone_tags(
    wanted: &Wanted,
    marks: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    wanted.tags.clone().into_iter().chain(marks).collect()
}

/// Refuses a drain that no Delete has the time for: better now than when the stack has to go.
pub(super) fn check_drain(wanted: &Wanted, request: &Request) -> Result<(), Error> {
    let most = request.service_timeout.saturating_sub(DELETE_WITHOUT_DRAIN);
    if wanted.drain > most {
        return Err(Error::LongDrain {
            seconds: wanted.drain.as_secs(),
            most: most.as_secs(),
        });
    }
    Ok(())
}
