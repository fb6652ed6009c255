use super::{
    Delegation, Subdomains,
    delegate::Surroundings,
    delegation::Proof,
    ownership::{
        Hold, SETTLED_TAGS, created_zone_tags, delegation_tags, external_zone_tags, transfer_tags,
    },
    parent::Parent,
    properties::{Wanted, check_name},
    success,
};
use crate::{error::Error, public_zone::Unusable};
use aws_calls::Kind::Denied;
use custom_resource::{Creation, Invocation, Request, RequestType, Stage, Success, is_second_form};
use dns_check::{Checked, Fault, Transport};
use futures::{join, try_join};
use hosted_zones::{
    ChangeError, ChangeId, DomainName, HostedZone, HostedZoneId, ListedZone, NameServers,
    PROPAGATION, RecordSet, RrType,
};
use std::{collections::BTreeMap, time::Duration};

/// What a Delete needs beside the drain: the INSYNC of its change, the zone's delete and the answer.
const DELETE_WITHOUT_DRAIN: Duration = PROPAGATION.saturating_mul(2);

/// An existing zone that is to be delegated.
struct Found {
    zone: HostedZone,
    kind: Kind,
    proof: Proof,
    /// The ownership tags that it needs before anything else is changed, and those that are removed with the same call.
    tags: BTreeMap<String, String>,
    dropped: Vec<String>,
}

/// How an existing zone came to be this resource's.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// This very request created it, in an earlier delivery.
    Created,
    /// This very request created it and came to its end in an earlier delivery.
    Complete,
    /// An earlier request created it, or it is transferred from a renamed logical id. A request that fails leaves it as it
    /// was.
    Kept,
    /// It is external, and this request is to delegate it, or has done so in an earlier delivery.
    External,
    /// It is external, and an earlier request delegated it.
    ExternalKept,
    /// It is external, and its delegation is adopted: it is not changed.
    Adopted,
    /// It is external, and nobody's yet: a delegation that exists is adopted.
    ExternalNew,
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
        let name = subdomain(&wanted.labels, parent)?;
        invocation.doing(format!("looking at what stands at {name}"));
        let (confirmed, found, around) = join!(
            parent.confirm(),
            self.find_zone(request, invocation, wanted, parent, &name, current),
            Surroundings::look(parent, &name),
        );
        // In this order: what is read in the wrong zone fails too, and says less.
        confirmed?;
        let (around, found) = (around?, found?);
        let own = found.as_ref().map(|found| found.zone.name_servers.clone());
        // The record set of the zone that an Update replaces is ours too, where name and parent stay the same.
        let replaced = current.filter(|old| old.name == name && old.parent == parent.id);
        let owner = request.owner();
        let mut siblings = Vec::new();
        if let (Some(set), Some(_)) = (&around.delegation, replaced)
            && own.as_ref() != Some(&set.name_servers())
        {
            siblings = self.own_name_servers(&owner, &wanted.former, &name).await?;
        }
        let ours = |servers: &NameServers| {
            own.as_ref() == Some(servers)
                || siblings.contains(servers)
                || replaced.is_some_and(|old| old.is_to(servers, &owner))
        };
        if let Err(error) = around.check(parent, &name, ours) {
            return Err(self.explain_occupied(parent, error).await);
        }

        if let Some(found) = &found
            && found.kind == Kind::Complete
        {
            // A delivery of a request that was done before: what changed since is none of its business.
            return Ok(success(request, &found.zone, parent, found.proof));
        }
        let Some(found) = found else {
            check_name(&wanted.labels, &parent.name)?;
            let (zone, change) = self.make_zone(request, invocation, wanted, &name).await?;
            return self
                .delegate_created(
                    request, invocation, wanted, parent, zone, change, around, &ours, made,
                )
                .await;
        };
        let zone = found.zone;
        if found.kind == Kind::Created {
            return self
                .delegate_created(
                    request, invocation, wanted, parent, zone, None, around, &ours, made,
                )
                .await;
        }
        let leads_to_it = |set: &&RecordSet| set.name_servers() == zone.name_servers;
        let standing = around.delegation.as_ref().filter(leads_to_it).cloned();
        let mut tags = found.tags;
        let adopts = found.kind == Kind::ExternalNew && standing.is_some();
        if found.kind == Kind::ExternalNew {
            if adopts && !wanted.adopts {
                return Err(Error::NotAdopted {
                    name,
                    parent: parent.name.clone(),
                    zone: zone.id.clone(),
                });
            }
            tags = external_zone_tags(request, &parent.id, adopts);
        }
        if found.kind == Kind::Kept && standing.is_none() {
            tags.extend(delegation_tags(request));
        }
        if standing.is_none() {
            check_name(&wanted.labels, &parent.name)?;
        }
        // Before anything leads to it, so that the Delete of this request finds what it did by the tags.
        self.route53
            .tag_zone(&zone.id, &tags, &found.dropped)
            .await?;
        // A Create that fails names only what it creates: of an existing zone, the delegation.
        let is_external = matches!(found.kind, Kind::External | Kind::ExternalNew);
        if request.request_type == RequestType::Update || is_external && !adopts {
            *made = Some(Delegation::new(&zone, &parent.id, &owner, found.proof));
        }
        // Whatever exists already stays as it is until nothing can fail any more.
        let mut delegated = standing.is_some();
        if !delegated || found.kind == Kind::External {
            invocation.doing(format!(
                "delegating {name} to its zone {} and waiting until every name server of Route 53 has it",
                zone.id
            ));
            let standing = around.delegation.clone();
            Box::pin(self.delegate(parent, &zone, wanted.ttl, standing, &ours, None)).await?;
            delegated = false;
        }
        self.verify(invocation, wanted, parent, &zone).await?;
        let other_ttl = standing
            .as_ref()
            .is_some_and(|set| set.ttl() != Some(i64::from(wanted.ttl)));
        if delegated && other_ttl && matches!(found.kind, Kind::Kept | Kind::ExternalKept) {
            Box::pin(self.delegate(parent, &zone, wanted.ttl, standing, &ours, None)).await?;
        }
        if found.kind == Kind::Kept {
            if zone.comment != wanted.comment {
                self.route53.set_comment(&zone.id, &wanted.comment).await?;
            }
            self.complete(&zone.id, &wanted.tags).await?;
        } else {
            self.complete(&zone.id, &BTreeMap::new()).await?;
        }
        Ok(success(request, &zone, parent, found.proof))
    }

    /// Delegates a zone that this request created, and completes it.
    #[expect(clippy::too_many_arguments, reason = "rebuilt as observe, plan, act")]
    async fn delegate_created(
        &self,
        request: &Request,
        invocation: &Invocation,
        wanted: &Wanted,
        parent: &Parent,
        zone: HostedZone,
        change: Option<ChangeId>,
        around: Surroundings,
        ours: &(impl Fn(&NameServers) -> bool + Sync),
        made: &mut Option<Delegation>,
    ) -> Result<Success, Error> {
        let proof = Proof::OfOwner;
        *made = Some(Delegation::new(&zone, &parent.id, &request.owner(), proof));
        invocation.doing(format!(
            "delegating {} to its zone {} and waiting until every name server of Route 53 has it",
            zone.name, zone.id
        ));
        // Its CallerReference says whose it is before the tags do.
        let tags = created_zone_tags(request);
        let mark = async { Ok(self.route53.tag_zone(&zone.id, &tags, &[]).await?) };
        let delegate = async {
            // Its change comes after that of the zone's creation, so its INSYNC says that the zone's servers answer.
            let shortened = self.shorten_apex(&zone, wanted.ttl).await?;
            let change = shortened.or(change);
            let standing = around.delegation;
            Box::pin(self.delegate(parent, &zone, wanted.ttl, standing, ours, change.as_ref()))
                .await
        };
        try_join!(mark, Box::pin(delegate))?;
        self.verify(invocation, wanted, parent, &zone).await?;
        self.complete(&zone.id, &wanted.tags).await?;
        Ok(success(request, &zone, parent, proof))
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
                .given_zone(request, invocation, wanted, id, name)
                .await
                .map(Some);
        }
        // The zone that this Update replaces is of the same name where only the parent changes. It goes on serving
        // the old parent until CloudFormation deletes it, or for good where the Update is rolled back.
        let serves_another_parent = |id: &HostedZoneId| {
            current.is_some_and(|old| old.zone == *id && old.parent != parent.id)
        };
        let mut siblings = Vec::new();
        for (listed, hold) in self.held_zones(&owner, &wanted.former, name).await? {
            match hold.check(&listed)? {
                Hold::Managed {
                    taken_from,
                    created_as,
                    stage,
                    ..
                } if !serves_another_parent(&listed.id) => {
                    let Some(zone) = self.route53.zone(&listed.id).await? else {
                        continue;
                    };
                    let is_made = Creation::of_reference(&zone.caller_reference)
                        .is_some_and(|creation| creation.is_by(request));
                    let kind = match (is_made, stage) {
                        (true, Stage::Creating) => Kind::Created,
                        (true, Stage::Created) => Kind::Complete,
                        (false, _) => Kind::Kept,
                    };
                    let tags = match taken_from {
                        Some(from) => transfer_tags(&owner, &from, Some(&created_as)),
                        None => owner.tag_map(),
                    };
                    return Ok(Some(Found {
                        proof: managed_proof(&zone),
                        zone,
                        kind,
                        tags,
                        dropped: Vec::new(),
                    }));
                }
                // The rollback of a renaming: another logical id has taken it, whose Delete comes later.
                Hold::Sibling {
                    taken_from_us: true,
                    created_as: Some(_),
                    ..
                } if request.request_type == RequestType::Update => {
                    let Some(zone) = self.route53.zone(&listed.id).await? else {
                        continue;
                    };
                    return Ok(Some(Found {
                        proof: managed_proof(&zone),
                        zone,
                        kind: Kind::Kept,
                        tags: owner.tag_map(),
                        dropped: SETTLED_TAGS.map(str::to_owned).to_vec(),
                    }));
                }
                Hold::Sibling {
                    logical_id,
                    created_as: Some(created_as),
                    ..
                } => siblings.push((listed.id, logical_id, created_as)),
                _ => {}
            }
        }
        // Another logical id's zone is transferred only if the parent delegates the name to it.
        for (id, logical_id, created_as) in siblings {
            let Some(zone) = self.route53.zone(&id).await? else {
                continue;
            };
            let set = parent
                .route53
                .record_set(&parent.id, name, RrType::Ns)
                .await?;
            if !set.is_some_and(|set| set.name_servers() == zone.name_servers) {
                continue;
            }
            if !wanted.former.contains(&logical_id) {
                return Err(Error::HeldBySibling {
                    name: name.clone(),
                    zone: id,
                    logical_id,
                });
            }
            // Given back since, where this is a repeat.
            if invocation.may_be_repeat {
                return Err(Error::too_late(name, request, invocation));
            }
            tracing::info!(
                zone = id.as_str(),
                from = logical_id,
                "transferring the zone of a former logical id"
            );
            let tags = transfer_tags(&owner, &logical_id, Some(&created_as));
            return Ok(Some(Found {
                proof: managed_proof(&zone),
                zone,
                kind: Kind::Kept,
                tags,
                dropped: Vec::new(),
            }));
        }
        Ok(None)
    }

    /// The zone that `HostedZoneId` names, where it can be delegated by this resource.
    async fn given_zone(
        &self,
        request: &Request,
        invocation: &Invocation,
        wanted: &Wanted,
        id: &HostedZoneId,
        name: &DomainName,
    ) -> Result<Found, Error> {
        let property = "HostedZoneId";
        let owner = request.owner();
        let Some((zone, hold)) = self.held_zone(&owner, &wanted.former, id).await? else {
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
        let by_this = |creation: &Option<Creation>| {
            creation
                .as_ref()
                .is_some_and(|creation| creation.is_by(request))
        };
        let hold = hold.check(&zone)?;
        let proof = match &hold {
            Hold::Untagged => Proof::OfOwner,
            hold => hold.proof(&zone),
        };
        let (kind, tags) = match hold {
            Hold::Foreign(owner) => {
                return Err(Error::OthersZone {
                    id: id.clone(),
                    name: name.clone(),
                    owner,
                });
            }
            Hold::External {
                creation,
                adopted,
                taken_from,
                ..
            } => {
                let kind = match (adopted, by_this(&creation)) {
                    (true, _) => Kind::Adopted,
                    (false, true) => Kind::External,
                    (false, false) => Kind::ExternalKept,
                };
                let tags = match taken_from {
                    Some(from) => transfer_tags(&owner, &from, None),
                    None => owner.tag_map(),
                };
                (kind, tags)
            }
            Hold::Managed { .. } => (Kind::Kept, owner.tag_map()),
            Hold::Sibling { logical_id, .. } if !wanted.former.contains(&logical_id) => {
                return Err(Error::HeldBySibling {
                    name: name.clone(),
                    zone: id.clone(),
                    logical_id,
                });
            }
            // The tags were removed again, where this is a repeat.
            Hold::Sibling { .. } | Hold::Untagged if invocation.may_be_repeat => {
                return Err(Error::too_late(name, request, invocation));
            }
            Hold::Sibling {
                logical_id,
                created_as,
                ..
            } => {
                let kind = if created_as.is_some() {
                    Kind::Kept
                } else {
                    Kind::ExternalKept
                };
                let tags = transfer_tags(&owner, &logical_id, created_as.as_deref());
                (kind, tags)
            }
            Hold::Untagged if Creation::of_reference(&zone.caller_reference).is_some() => {
                return Err(Error::Contradicting {
                    zone: id.clone(),
                    name: name.clone(),
                    tags: owner,
                });
            }
            Hold::Untagged => (Kind::ExternalNew, BTreeMap::new()),
            Hold::Contradicting { .. } => unreachable!("checked"),
        };
        Ok(Found {
            zone,
            kind,
            proof,
            tags,
            dropped: Vec::new(),
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
        // Only if it is this resource's still: a renamed logical id may have it by now.
        let zones = self
            .held_zones(&request.owner(), &wanted.former, name)
            .await?;
        let is_made = |(zone, hold): &&(ListedZone, Hold)| {
            zone.caller_reference == reference && hold.is_own()
        };
        let zone = match zones.iter().find(is_made) {
            Some((listed, _)) => self.route53.zone(&listed.id).await?,
            None => None,
        };
        let gone = || Error::ReferenceUsed {
            name: name.clone(),
            error,
        };
        Ok((zone.ok_or_else(gone)?, None))
    }

    /// Says so if the NS record set that is in the way leads to name servers that do not serve the name.
    async fn explain_occupied(&self, parent: &Parent, error: Error) -> Error {
        let Error::Occupied {
            name,
            parent: parent_name,
            zone,
            set,
        } = error
        else {
            return error;
        };
        let servers = set.name_servers();
        let seen = self
            .dns
            .check_delegation(&parent.name, &parent.name_servers, &name, &servers);
        match seen.await {
            Err(fault @ Fault::ChildRefused { .. }) => Error::DanglingSet {
                name,
                parent: parent_name,
                zone,
                set,
                fault,
            },
            _ => Error::Occupied {
                name,
                parent: parent_name,
                zone,
                set,
            },
        }
    }

    /// Gives the NS record set at the apex of the zone the TTL of the delegation. A role of an earlier release does not allow
    /// it, and the delegation works all the same.
    async fn shorten_apex(&self, zone: &HostedZone, ttl: u32) -> Result<Option<ChangeId>, Error> {
        match self.route53.set_apex_ttl(zone, ttl).await {
            Ok(change) => Ok(Some(change)),
            Err(ChangeError::Aws(error)) if error.kind == Denied => {
                tracing::warn!(
                    %error,
                    zone = zone.id.as_str(),
                    "the zone's own NS record set keeps its TTL of two days, for which resolvers may remember it"
                );
                Ok(None)
            }
            Err(error) => Err(error.into_aws().into()),
        }
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
pub(super) fn subdomain(labels: &str, parent: &Parent) -> Result<DomainName, Error> {
    let name = parent.name.child(labels);
    name.map_err(|error| Error::Name {
        property: "Subdomain",
        error,
    })
}

/// What the ids of a zone prove that this project created.
fn managed_proof(zone: &HostedZone) -> Proof {
    if is_second_form(&zone.caller_reference) {
        Proof::OfOwner
    } else {
        Proof::OfNameServers
    }
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
    if let Some(drain) = wanted.drain.filter(|drain| *drain > most) {
        return Err(Error::LongDrain {
            seconds: drain.as_secs(),
            most: most.as_secs(),
        });
    }
    Ok(())
}
