//! Whose a zone is.
//!
//! What cannot be changed decides: the `CallerReference` of a zone that this project created names the stack, the logical
//! id and the request. Tags say which logical id of the same stack holds the zone now, and which request delegates an
//! external zone. If the tags and the `CallerReference` disagree about the stack, nothing is done with the zone.

use super::{Subdomains, delegation::Proof};
use crate::error::Error;
use aws_calls::at_once;
use custom_resource::{
    Claim, Creation, LOGICAL_ID_TAG, Owner, PREVIOUS_LOGICAL_ID_TAG, REQUEST_TAG, Request,
    STACK_ID_TAG, Stage, is_second_form,
};
use dns_check::Transport;
use futures::join;
use hosted_zones::{DomainName, HostedZone, HostedZoneId, ListedZone, NameServers};
use std::collections::BTreeMap;

/// On an external zone: the id of the parent from which this resource delegates it. When the parent changes, the Delete
/// of the old delegation sees by it that the zone is still delegated.
const PARENT_ID_TAG: &str = "zone-delegation:parent-id";
/// On an external zone whose delegation existed before: a failed request leaves that delegation.
const ADOPTED_TAG: &str = "zone-delegation:adopted";
/// The same mark as release 0.2.0 wrote it.
const PREVIOUS_TTL_TAG: &str = "zone-delegation:previous-ttl";
/// Written with the first ownership tags and removed when all else is done: no request that worked on the zone can have
/// been answered SUCCESS yet.
const INCOMPLETE_TAG: &str = "zone-delegation:incomplete";
/// On a transferred zone: the logical id that the `CallerReference` names.
const CREATED_AS_TAG: &str = "zone-delegation:created-as";
/// On a zone that existed before the request which delegated it: that request, as in [`REQUEST_TAG`].
const DELEGATION_TAG: &str = "zone-delegation:delegation-request";

/// What a zone is to this resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Created by this project for this stack, and this resource's now.
    Managed {
        /// Whether this logical id created it, and not one that was renamed.
        created_here: bool,
        /// The logical id that it was transferred from and that has not been deleted since.
        taken_from: Option<String>,
        /// The logical id that its `CallerReference` names.
        created_as: String,
        /// The request that created it.
        creation: Option<Creation>,
        stage: Stage,
        /// The request that delegated it, if that is a later one.
        delegated_by: Option<Creation>,
    },
    /// An external zone that this resource delegates.
    External {
        /// The logical id that it was transferred from and that has not been deleted since.
        taken_from: Option<String>,
        /// The parent from which it is delegated.
        parent: Option<HostedZoneId>,
        /// Whether its delegation existed before.
        adopted: bool,
        /// The request that delegated it.
        creation: Option<Creation>,
        stage: Stage,
    },
    /// Another logical id's of the same stack.
    Sibling {
        logical_id: String,
        taken_from_us: bool,
        stage: Stage,
        /// The logical id that its `CallerReference` names; none of an external zone.
        created_as: Option<String>,
    },
    /// Another stack's.
    Foreign(Owner),
    /// It carries no ownership tags, and this project did not create it, or not for this resource.
    Untagged,
    /// Its tags and its `CallerReference` disagree about the stack.
    Contradicting {
        /// Whether this resource created it.
        created_here: bool,
        /// Whose the tags say it is.
        tags: Owner,
    },
}

impl Hold {
    /// Returns what a zone is to the owner, which had the `former` logical ids in earlier templates.
    fn of(
        owner: &Owner,
        former: &[String],
        zone: &ListedZone,
        tags: &BTreeMap<String, String>,
    ) -> Self {
        let created_here = owner.made(&zone.caller_reference);
        let by_project = Creation::of_reference(&zone.caller_reference);
        let named = |key: &str| tags.get(key).cloned();
        // The logical id of a stack that created the zone, among all that are known.
        let creator = |stack: &Owner, logical_ids: &[&String]| {
            let noted = [named(CREATED_AS_TAG), named(PREVIOUS_LOGICAL_ID_TAG)];
            let all = logical_ids.iter().copied().chain(noted.iter().flatten());
            all.map(|id| sibling(stack, id))
                .find(|creator| creator.made(&zone.caller_reference))
                .map(|creator| creator.logical_id)
        };
        let known: Vec<&String> = [&owner.logical_id].into_iter().chain(former).collect();
        let claim = owner.claim(tags);
        let stage = if claim == Claim::Nobody || tags.contains_key(INCOMPLETE_TAG) {
            Stage::Creating
        } else {
            Stage::Created
        };
        let tagged = Creation::of_tags(tags);
        // The digest of the reference counts; the tag adds the time.
        let creation = match &by_project {
            Some(by_reference) => tagged
                .clone()
                .filter(|tagged| tagged.is_same_request(by_reference))
                .or_else(|| by_project.clone()),
            None => tagged.clone(),
        };
        let managed = |created_as: String, taken_from| Self::Managed {
            created_here,
            taken_from,
            created_as,
            creation: creation.clone(),
            stage,
            delegated_by: named(DELEGATION_TAG).and_then(|tag| Creation::of_tag(&tag)),
        };
        let stack_tags = |logical_id: &String| {
            let ids: Vec<&String> = known.iter().copied().chain([logical_id]).collect();
            creator(owner, &ids)
        };
        match claim {
            Claim::Nobody => match creator(owner, &known) {
                Some(created_as) => managed(created_as, None),
                None => Self::Untagged,
            },
            Claim::Own { taken_from } if by_project.is_none() => Self::External {
                taken_from,
                parent: named(PARENT_ID_TAG).and_then(|id| HostedZoneId::parse(&id).ok()),
                adopted: tags.contains_key(ADOPTED_TAG) || tags.contains_key(PREVIOUS_TTL_TAG),
                creation,
                stage,
            },
            Claim::Sibling {
                logical_id,
                taken_from_us,
            } if by_project.is_none() => Self::Sibling {
                logical_id,
                taken_from_us,
                stage,
                created_as: None,
            },
            Claim::Own { taken_from } => match stack_tags(&owner.logical_id) {
                Some(created_as) => managed(created_as, taken_from),
                None => Self::Contradicting {
                    created_here,
                    tags: owner.clone(),
                },
            },
            Claim::Sibling {
                logical_id,
                taken_from_us,
            } => match stack_tags(&logical_id) {
                Some(created_as) => Self::Sibling {
                    logical_id,
                    taken_from_us,
                    stage,
                    created_as: Some(created_as),
                },
                None => Self::Contradicting {
                    created_here,
                    tags: sibling(owner, &logical_id),
                },
            },
            Claim::Foreign(tags) if by_project.is_none() => Self::Foreign(tags),
            Claim::Foreign(tags) => match creator(&tags, &[&tags.logical_id]) {
                Some(_) => Self::Foreign(tags),
                None => Self::Contradicting {
                    created_here: creator(owner, &known).is_some(),
                    tags,
                },
            },
        }
    }

    /// Returns what the ids of this zone's delegations prove.
    pub(super) fn proof(&self, zone: &ListedZone) -> Proof {
        match self {
            Self::External { creation, .. } if creation.is_none() => Proof::OfNameServers,
            Self::External { .. } => Proof::OfOwner,
            _ if is_second_form(&zone.caller_reference) => Proof::OfOwner,
            _ => Proof::OfNameServers,
        }
    }

    /// Returns whether it is this resource's.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Managed { .. } | Self::External { .. })
    }

    /// Returns whether the Delete `request`, whose physical id does not name the zone, or an Update that cleans up after
    /// one that failed, may remove what is this resource's of it.
    pub(super) fn was_left_by(&self, request: &Request) -> bool {
        match self {
            // A Delete gives a transferred zone back.
            Self::Managed {
                taken_from: Some(_),
                ..
            }
            | Self::External {
                taken_from: Some(_),
                ..
            } => true,
            Self::Managed {
                created_here,
                creation,
                stage,
                ..
            } => *created_here && request.may_delete_unnamed(creation.as_ref(), *stage),
            Self::External {
                creation, stage, ..
            } => request.may_delete_unnamed(creation.as_ref(), *stage),
            _ => false,
        }
    }

    /// Returns whether the request, or one that it cleans up after, delegated a zone that existed before.
    pub(super) fn was_delegated_by(&self, request: &Request) -> bool {
        match self {
            Self::Managed { delegated_by, .. } => {
                request.may_delete_unnamed(delegated_by.as_ref(), Stage::Created)
            }
            _ => false,
        }
    }

    /// Returns the error of every request about a zone whose tags and `CallerReference` disagree.
    pub(super) fn check(self, zone: &ListedZone) -> Result<Self, Error> {
        match self {
            Self::Contradicting { tags, .. } => Err(Error::Contradicting {
                zone: zone.id.clone(),
                name: zone.name.clone(),
                tags,
            }),
            hold => Ok(hold),
        }
    }
}

fn sibling(owner: &Owner, logical_id: &str) -> Owner {
    Owner {
        logical_id: logical_id.to_owned(),
        ..owner.clone()
    }
}

impl<T: Transport> Subdomains<T> {
    /// Returns a zone with what it is to the owner, or none if there is no such zone.
    pub(super) async fn held_zone(
        &self,
        owner: &Owner,
        former: &[String],
        id: &HostedZoneId,
    ) -> Result<Option<(HostedZone, Hold)>, Error> {
        let (zone, tags) = join!(self.route53.zone(id), self.route53.zone_tags(id));
        match (zone?, tags?) {
            (Some(zone), Some(tags)) => {
                let hold = Hold::of(owner, former, &zone, &tags);
                Ok(Some((zone, hold)))
            }
            _ => Ok(None),
        }
    }

    /// Returns the zones of this name, with what each is to the owner.
    pub(super) async fn held_zones(
        &self,
        owner: &Owner,
        former: &[String],
        name: &DomainName,
    ) -> Result<Vec<(ListedZone, Hold)>, Error> {
        let zones = self.route53.zones_named(name).await?;
        let tags = at_once(zones.iter().map(|zone| self.route53.zone_tags(&zone.id))).await?;
        let held = zones.into_iter().zip(tags);
        Ok(held
            // One without tags was deleted after it was listed.
            .filter_map(|(zone, tags)| {
                let hold = Hold::of(owner, former, &zone, &tags?);
                Some((zone, hold))
            })
            .collect())
    }

    /// Returns the name servers of the owner's zones of this name: an NS record set with one of these is the owner's.
    pub(super) async fn own_name_servers(
        &self,
        owner: &Owner,
        former: &[String],
        name: &DomainName,
    ) -> Result<Vec<NameServers>, Error> {
        let held = self.held_zones(owner, former, name).await?;
        let own = held
            .iter()
            .filter(|(_, hold)| hold.is_own())
            .map(|(listed, _)| self.route53.zone(&listed.id));
        let zones = at_once(own).await?;
        Ok(zones
            .into_iter()
            .flatten()
            .map(|zone| zone.name_servers)
            .collect())
    }

    /// Gives a zone back to the logical id that it was transferred from.
    pub(super) async fn give_back(
        &self,
        owner: &Owner,
        zone: &HostedZoneId,
        to: &str,
    ) -> Result<(), Error> {
        tracing::info!(
            zone = zone.as_str(),
            to,
            "the renaming is rolled back: the zone is transferred back to its logical id"
        );
        let tags = sibling(owner, to).tag_map();
        let settled = SETTLED_TAGS.map(str::to_owned);
        Ok(self.route53.tag_zone(zone, &tags, &settled).await?)
    }

    /// Removes the ownership tags of an external zone.
    pub(super) async fn unmark(&self, zone: &HostedZoneId) -> Result<(), Error> {
        let tags = OWNERSHIP_TAGS.map(str::to_owned);
        Ok(self.route53.tag_zone(zone, &BTreeMap::new(), &tags).await?)
    }

    /// Forgets whose a zone was: the old logical id is deleted.
    pub(super) async fn forget_previous(&self, zone: &HostedZoneId) -> Result<(), Error> {
        let note = [PREVIOUS_LOGICAL_ID_TAG.to_owned()];
        Ok(self.route53.tag_zone(zone, &BTreeMap::new(), &note).await?)
    }

    /// Notes that the work on a zone is done, after the user's tags are set.
    pub(super) async fn complete(
        &self,
        zone: &HostedZoneId,
        user_tags: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        self.route53.tag_zone(zone, user_tags, &[]).await?;
        let mark = [INCOMPLETE_TAG.to_owned()];
        Ok(self.route53.tag_zone(zone, &BTreeMap::new(), &mark).await?)
    }
}

/// Returns the ownership tags of a zone that `request` creates. They fit one call.
pub(super) fn created_zone_tags(request: &Request) -> BTreeMap<String, String> {
    let mut tags = request.ownership_tags();
    tags.insert(INCOMPLETE_TAG.to_owned(), "true".to_owned());
    tags
}

/// Returns the ownership tags of an external zone that `request` begins to delegate, and whether by adoption.
pub(super) fn external_zone_tags(
    request: &Request,
    parent: &HostedZoneId,
    adopts: bool,
) -> BTreeMap<String, String> {
    let mut tags = created_zone_tags(request);
    tags.insert(PARENT_ID_TAG.to_owned(), parent.to_string());
    if adopts {
        tags.insert(ADOPTED_TAG.to_owned(), "true".to_owned());
    }
    tags
}

/// Returns the tags that transfer a zone from a renamed logical id.
pub(super) fn transfer_tags(
    owner: &Owner,
    from: &str,
    created_as: Option<&str>,
) -> BTreeMap<String, String> {
    let mut tags = owner.tags_taken_from(from);
    tags.insert(INCOMPLETE_TAG.to_owned(), "true".to_owned());
    if let Some(created_as) = created_as {
        tags.insert(CREATED_AS_TAG.to_owned(), created_as.to_owned());
    }
    tags
}

/// Returns the tag that names the request which delegates a zone that existed before.
pub(super) fn delegation_tags(request: &Request) -> BTreeMap<String, String> {
    let creation = request.ownership_tags().remove(REQUEST_TAG);
    creation
        .into_iter()
        .map(|creation| (DELEGATION_TAG.to_owned(), creation))
        .collect()
}

/// Returns the tags of an external zone after an Update: whose it is, and its parent.
pub(super) fn external_zone_kept(owner: &Owner, parent: &HostedZoneId) -> BTreeMap<String, String> {
    let mut tags = owner.tag_map();
    tags.insert(PARENT_ID_TAG.to_owned(), parent.to_string());
    tags
}

/// Every ownership tag that an external zone may carry, also from earlier releases: ten fit one call.
const OWNERSHIP_TAGS: [&str; 8] = [
    STACK_ID_TAG,
    LOGICAL_ID_TAG,
    REQUEST_TAG,
    PREVIOUS_LOGICAL_ID_TAG,
    PARENT_ID_TAG,
    ADOPTED_TAG,
    PREVIOUS_TTL_TAG,
    INCOMPLETE_TAG,
];

/// The tags that an Update in place removes: the stack has moved on from a renaming that could still be rolled back.
pub(super) const SETTLED_TAGS: [&str; 2] = [PREVIOUS_LOGICAL_ID_TAG, INCOMPLETE_TAG];

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(stack: &str, logical_id: &str) -> Owner {
        Owner {
            stack_id: stack.to_owned(),
            logical_id: logical_id.to_owned(),
        }
    }

    fn zone(caller_reference: &str) -> ListedZone {
        ListedZone {
            id: HostedZoneId::parse("Z1").unwrap(),
            name: DomainName::parse("dev.example.com").unwrap(),
            caller_reference: caller_reference.to_owned(),
            private: false,
            comment: String::new(),
            record_sets: 2,
        }
    }

    fn hold(former: &[&str], reference: &str, tags: &BTreeMap<String, String>) -> Hold {
        let former: Vec<String> = former.iter().map(|id| (*id).to_owned()).collect();
        Hold::of(&owner("stack", "A"), &former, &zone(reference), tags)
    }

    #[test]
    fn tags_make_no_zone_of_another_stack_this_resources() {
        let foreign = owner("other", "A").caller_reference("request");
        let tags = owner("stack", "A").tag_map();
        assert!(matches!(
            hold(&[], &foreign, &tags),
            Hold::Contradicting {
                created_here: false,
                ..
            }
        ));
        assert_eq!(hold(&[], &foreign, &BTreeMap::new()), Hold::Untagged);
        let theirs = owner("other", "A").tag_map();
        assert!(matches!(hold(&[], &foreign, &theirs), Hold::Foreign(_)));
    }

    #[test]
    fn a_foreign_tag_makes_no_zone_of_this_resource_another_stacks() {
        let own = owner("stack", "A").caller_reference("request");
        let tags = owner("other", "A").tag_map();
        assert!(matches!(
            hold(&[], &own, &tags),
            Hold::Contradicting {
                created_here: true,
                ..
            }
        ));
        assert!(matches!(
            hold(&[], &own, &BTreeMap::new()),
            Hold::Managed {
                stage: Stage::Creating,
                ..
            }
        ));
    }

    #[test]
    fn a_zone_of_a_former_logical_id_is_known_by_the_property_or_by_its_tags() {
        let former = owner("stack", "Old").caller_reference("request");
        assert_eq!(hold(&[], &former, &BTreeMap::new()), Hold::Untagged);
        assert!(matches!(
            hold(&["Old"], &former, &BTreeMap::new()),
            Hold::Managed { .. }
        ));
        let mut tags = owner("stack", "A").tag_map();
        assert!(matches!(
            hold(&[], &former, &tags),
            Hold::Contradicting { .. }
        ));
        tags.insert(CREATED_AS_TAG.to_owned(), "Old".to_owned());
        assert!(matches!(
            hold(&[], &former, &tags),
            Hold::Managed {
                created_here: false,
                ..
            }
        ));
    }

    #[test]
    fn a_zone_that_a_person_created_is_never_managed() {
        let tags = owner("stack", "A").tag_map();
        assert!(matches!(hold(&[], "by hand", &tags), Hold::External { .. }));
        assert_eq!(hold(&[], "by hand", &BTreeMap::new()), Hold::Untagged);
    }
}
