use super::{
    Delegation, Subdomains,
    delegate::Surroundings,
    ownership::{Hold, PREVIOUS_TTL_TAG, given_zone_marks},
    parent::Parent,
    properties::Wanted,
    success,
};
use crate::{error::Error, public_zone::Unusable};
use custom_resource::{Invocation, Request, RequestType, Success};
use dns_zones::{
    ChangeId, DomainName, HostedZone, HostedZoneId, NameServers, PROPAGATION, RecordSet, RrType,
    dns::{Checked, Transport},
};
use futures::{join, try_join};
use std::{collections::BTreeMap, time::Duration};

/// What a Delete needs beside the drain: the INSYNC of its change, the zone's delete and the answer.
const DELETE_WITHOUT_DRAIN: Duration = PROPAGATION.saturating_mul(2);

/// A zone that stands already and is to be delegated, with the tags that make it this resource's.
struct Found {
    zone: HostedZone,
    tags: BTreeMap<String, String>,
    /// Of a given zone: what stands of its NS record set is not this request's, and is put back where it fails.
    takes_up: TakesUp,
}

/// Whether what stands of a given zone's delegation was there before this request.
#[derive(Clone, Copy, PartialEq)]
enum TakesUp {
    No,
    Yes,
    /// It is noted by an earlier delivery or an earlier request.
    Noted,
}

impl Found {
    /// One that this resource has by now.
    fn own(zone: HostedZone, tags: BTreeMap<String, String>) -> Self {
        Self {
            zone,
            tags,
            takes_up: TakesUp::No,
        }
    }
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
        check_drain(&wanted, request, invocation)?;
        let parent = self.parent(&wanted.parent, request, invocation).await?;
        // Boxed here and in an Update: it is the largest of all futures, and stands in both.
        Box::pin(self.establish(request, invocation, &wanted, &parent, None, made)).await
    }

    /// Makes or finds the delegation that is wanted: for a Create, and for an Update that replaces, where `current` is
    /// what it replaces. `made` is set as soon as something stands.
    pub(super) async fn establish(
        &self,
        request: &Request,
        invocation: &Invocation,
        wanted: &Wanted,
        parent: &Parent,
        current: Option<&Delegation>,
        made: &mut Option<Delegation>,
    ) -> Result<Success, Error> {
        let name = subdomain(wanted, parent)?;
        invocation.doing(format!("looking at what stands at {name}"));
        let (confirmed, found, around) = join!(
            parent.confirm(),
            self.find_zone(request, invocation, wanted, parent, &name, current),
            Surroundings::look(parent, &name),
        );
        // In this order: what is read in the wrong zone fails too, and says less.
        confirmed?;
        let (around, found) = (around?, found?);
        let mut own: Vec<NameServers> = found
            .iter()
            .map(|found| found.zone.name_servers.clone())
            .collect();
        // The record set of the zone that this one replaces is ours too, where name and parent stay the same.
        let replaced = current.filter(|old| old.name == name && old.parent == parent.id);
        let is_known = |servers: &NameServers| replaced.is_some_and(|old| old.is_to(servers));
        if let Some(set) = &around.delegation
            && !own.contains(&set.name_servers())
            && !is_known(&set.name_servers())
        {
            own.extend(self.own_name_servers(&request.owner(), &name).await?);
        }
        let ours = |servers: &NameServers| own.contains(servers) || is_known(servers);
        around.check(parent, &name, ours)?;

        let mut takes_up = false;
        let mut dropped = Vec::new();
        let (zone, zone_change, tags, comment) = match found {
            Some(Found {
                zone,
                mut tags,
                takes_up: found,
            }) => {
                let stands = around.delegation.as_ref();
                let stands = stands.filter(|set| set.name_servers() == zone.name_servers);
                takes_up = found != TakesUp::No && stands.is_some();
                match (found, stands.and_then(RecordSet::ttl)) {
                    (TakesUp::Yes, Some(ttl)) => {
                        tags.insert(PREVIOUS_TTL_TAG.to_owned(), ttl.to_string());
                    }
                    (TakesUp::Noted, None) => dropped.push(PREVIOUS_TTL_TAG.to_owned()),
                    _ => {}
                }
                let other = wanted.given_zone.is_none() && zone.comment != wanted.comment;
                (zone, None, tags, other.then_some(&wanted.comment))
            }
            None => {
                let (zone, change) = self.make_zone(request, invocation, wanted, &name).await?;
                let tags = made_zone_tags(wanted, request.owner().tag_map());
                (zone, change, tags, None)
            }
        };
        let delegation = Delegation::new(&zone, &parent.id);
        if wanted.given_zone.is_none() {
            *made = Some(delegation.clone());
        }
        invocation.doing(format!(
            "delegating {name} to its zone {} and waiting until every name server of Route 53 has it",
            zone.id
        ));
        let mark = async {
            self.route53.tag_zone(&zone.id, &tags, &dropped).await?;
            if let Some(comment) = comment {
                self.route53.set_comment(&zone.id, comment).await?;
            }
            Ok(())
        };
        let delegate = Box::pin(self.delegate(
            parent,
            &zone,
            wanted.ttl,
            around.delegation,
            ours,
            zone_change.as_ref(),
        ));
        if zone_change.is_some() {
            // A zone that was just made carries its mark already, in its CallerReference.
            try_join!(mark, delegate)?;
        } else {
            // Another one is marked before anything leads to it; a given one is not this resource's before. A Create that
            // takes one up made nothing that its id could name: its Delete goes by the marks, and puts back what stood.
            mark.await?;
            if !takes_up || request.request_type == RequestType::Update {
                *made = Some(delegation);
            }
            delegate.await?;
        }
        self.verify(invocation, wanted, parent, &zone).await?;
        Ok(success(&zone, parent))
    }

    /// The zone to delegate where it stands already: the one given, one that an earlier delivery of this request or an
    /// earlier request made, or one of a logical id that was renamed to this one.
    async fn find_zone(
        &self,
        request: &Request,
        invocation: &Invocation,
        wanted: &Wanted,
        parent: &Parent,
        name: &DomainName,
        current: Option<&Delegation>,
    ) -> Result<Option<Found>, Error> {
        let owner = request.owner();
        if let Some(id) = &wanted.given_zone {
            return self
                .given_zone(request, invocation, id, parent, name)
                .await
                .map(Some);
        }
        // The zone that this Update replaces is of the same name where only the parent changes. It goes on serving
        // the old parent until CloudFormation deletes it, or for good where the Update is rolled back.
        let serves_another_parent = |id: &HostedZoneId| {
            current.is_some_and(|old| old.zone == *id && old.parent != parent.id)
        };
        let mut siblings = Vec::new();
        for (listed, hold) in self.held_zones(&owner, name).await? {
            match hold {
                Hold::Own {
                    made: true,
                    taken_from,
                    ..
                } if !serves_another_parent(&listed.id) => {
                    let Some(zone) = self.route53.zone(&listed.id).await? else {
                        continue;
                    };
                    let tags = match taken_from {
                        Some(sibling) => owner.tags_taken_from(&sibling),
                        None => owner.tag_map(),
                    };
                    let tags = made_zone_tags(wanted, tags);
                    return Ok(Some(Found::own(zone, tags)));
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
            let set = parent
                .route53
                .record_set(&parent.id, name, RrType::Ns)
                .await?;
            if set.is_some_and(|set| set.name_servers() == zone.name_servers) {
                // Given back since, where this is a repeat.
                if invocation.may_be_repeat {
                    return Err(Error::too_late(name, request, invocation));
                }
                tracing::info!(
                    zone = id.as_str(),
                    from = sibling,
                    "taking over the zone of a renamed logical id"
                );
                let tags = made_zone_tags(wanted, owner.tags_taken_from(&sibling));
                return Ok(Some(Found::own(zone, tags)));
            }
        }
        Ok(None)
    }

    /// The zone that `HostedZoneId` names, where it can be delegated by this resource.
    async fn given_zone(
        &self,
        request: &Request,
        invocation: &Invocation,
        id: &HostedZoneId,
        parent: &Parent,
        name: &DomainName,
    ) -> Result<Found, Error> {
        let property = "HostedZoneId";
        let owner = request.owner();
        let Some((zone, hold)) = self.held_zone(&owner, id).await? else {
            let id = id.clone();
            return Err(Unusable::NoZone { property, id }.into());
        };
        if zone.private {
            let id = id.clone();
            return Err(Unusable::PrivateZone { property, id }.into());
        }
        if zone.name != *name {
            let (is, wanted) = (zone.name.clone(), name.clone());
            return Err(Error::OtherName {
                id: id.clone(),
                is,
                wanted,
            });
        }
        let takes_up = match &hold {
            Hold::Nobody => TakesUp::Yes,
            Hold::Own {
                previous_ttl: Some(_),
                ..
            } => TakesUp::Noted,
            _ => TakesUp::No,
        };
        let marks = match hold {
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
            Hold::Own {
                taken_from: None, ..
            } => owner.tag_map(),
            // The marks were taken off again, where this is a repeat.
            Hold::Sibling { .. } | Hold::Nobody if invocation.may_be_repeat => {
                return Err(Error::too_late(name, request, invocation));
            }
            Hold::Sibling { logical_id, .. } => owner.tags_taken_from(&logical_id),
            Hold::Nobody => owner.tag_map(),
        };
        let tags = given_zone_marks(marks, &parent.id);
        Ok(Found {
            zone,
            tags,
            takes_up,
        })
    }

    /// Makes the zone. A reference that is used up is this request's own, delivered or sent before: the zone that it
    /// made is taken where it stands, and none is made where it is gone, because its Delete was here first.
    async fn make_zone(
        &self,
        request: &Request,
        invocation: &Invocation,
        wanted: &Wanted,
        name: &DomainName,
    ) -> Result<(HostedZone, Option<ChangeId>), Error> {
        if invocation.is_too_late(request) {
            return Err(Error::too_late(name, request, invocation));
        }
        invocation.doing(format!("making the zone {name}"));
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
        invocation: &Invocation,
        wanted: &Wanted,
        parent: &Parent,
        zone: &HostedZone,
    ) -> Result<(), Error> {
        if !wanted.verify {
            return Ok(());
        }
        let name = zone.name.as_str();
        invocation.doing(format!("asking name servers for {name}"));
        let check = self.dns.check_delegation(
            &parent.name,
            &parent.name_servers,
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
    let name = parent.name.child(&wanted.labels);
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
///
/// A Delete has `ServiceTimeout`, and without a waiter what an invocation has, of which this one is taken as a sample.
pub(super) fn check_drain(
    wanted: &Wanted,
    request: &Request,
    invocation: &Invocation,
) -> Result<(), Error> {
    let time = if invocation.can_hand_over {
        request.service_timeout
    } else {
        request.service_timeout.min(invocation.remaining())
    };
    let most = time.saturating_sub(DELETE_WITHOUT_DRAIN);
    if wanted.drain > most {
        return Err(Error::LongDrain {
            seconds: wanted.drain.as_secs(),
            most: most.as_secs(),
        });
    }
    Ok(())
}
