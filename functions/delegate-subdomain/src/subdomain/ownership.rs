use super::Subdomains;
use crate::error::Error;
use aws_calls::at_once;
use custom_resource::{Claim, LOGICAL_ID_TAG, Owner, PREVIOUS_LOGICAL_ID_TAG, STACK_ID_TAG};
use dns_zones::{DomainName, HostedZone, HostedZoneId, ListedZone, NameServers, dns::Transport};
use futures::join;
use std::collections::BTreeMap;

/// On a zone given by `HostedZoneId`: the id of the parent from which this resource delegates it. Where the parent
/// changes, the Delete of the old delegation sees by it that the zone is still delegated.
const PARENT_ID_TAG: &str = "zone-delegation:parent-id";
/// On a zone given by `HostedZoneId` that was delegated before: the TTL in seconds that its NS record set had then. Where the
/// request that took the zone up was not answered SUCCESS, so that no id names the delegation, that is put back.
pub(super) const PREVIOUS_TTL_TAG: &str = "zone-delegation:previous-ttl";

/// What a zone is to this resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// This resource's own.
    Own {
        /// Made by this project, so that it goes with the resource; otherwise it was given by `HostedZoneId`.
        made: bool,
        /// The logical id that it was taken over from and that has not been deleted since.
        taken_from: Option<String>,
        /// The parent from which a given zone is delegated.
        parent: Option<HostedZoneId>,
        /// Of a given zone that was delegated before: the TTL of its NS record set then.
        previous_ttl: Option<u32>,
    },
    /// Another logical id's of the same stack.
    Sibling {
        logical_id: String,
        taken_from_us: bool,
    },
    /// Another stack's.
    Foreign(Owner),
    /// Not of this project.
    Nobody,
}

impl<T: Transport> Subdomains<T> {
    /// A zone with what it is to the owner; none where there is no such zone.
    pub(super) async fn held_zone(
        &self,
        owner: &Owner,
        id: &HostedZoneId,
    ) -> Result<Option<(HostedZone, Hold)>, Error> {
        let (zone, tags) = join!(self.route53.zone(id), self.route53.zone_tags(id));
        let Some(zone) = zone? else {
            return Ok(None);
        };
        match tags {
            Err(error) if error.is("NoSuchHostedZone") => Ok(None),
            tags => {
                let hold = Hold::of(owner, &zone, &tags?);
                Ok(Some((zone, hold)))
            }
        }
    }

    async fn hold(&self, owner: &Owner, zone: &ListedZone) -> Result<Hold, Error> {
        match self.route53.zone_tags(&zone.id).await {
            Ok(tags) => Ok(Hold::of(owner, zone, &tags)),
            // Gone since it was listed.
            Err(error) if error.is("NoSuchHostedZone") => Ok(Hold::Nobody),
            Err(error) => Err(error.into()),
        }
    }

    /// The zones of this name that are the owner's own or a sibling's.
    pub(super) async fn held_zones(
        &self,
        owner: &Owner,
        name: &DomainName,
    ) -> Result<Vec<(ListedZone, Hold)>, Error> {
        let zones = self.route53.zones_named(name).await?;
        let holds = at_once(zones.iter().map(|zone| self.hold(owner, zone))).await?;
        let held = zones.into_iter().zip(holds);
        Ok(held
            .filter(|(_, hold)| !matches!(hold, Hold::Foreign(_) | Hold::Nobody))
            .collect())
    }

    /// The name servers of the owner's zones of this name: an NS record set with one of these is the owner's.
    pub(super) async fn own_name_servers(
        &self,
        owner: &Owner,
        name: &DomainName,
    ) -> Result<Vec<NameServers>, Error> {
        let held = self.held_zones(owner, name).await?;
        let own = held
            .iter()
            .filter(|(_, hold)| matches!(hold, Hold::Own { .. }))
            .map(|(listed, _)| self.route53.zone(&listed.id));
        let zones = at_once(own).await?;
        Ok(zones
            .into_iter()
            .flatten()
            .map(|zone| zone.name_servers)
            .collect())
    }

    /// Gives a zone back to the logical id that it was taken over from.
    pub(super) async fn give_back(
        &self,
        owner: &Owner,
        zone: &HostedZoneId,
        to: &str,
    ) -> Result<(), Error> {
        tracing::info!(
            zone = zone.as_str(),
            to,
            "the renaming is rolled back: the zone goes back to its logical id"
        );
        let previous = Owner {
            logical_id: to.to_owned(),
            ..owner.clone()
        };
        Ok(self
            .route53
            .tag_zone(
                zone,
                &previous.tag_map(),
                &[PREVIOUS_LOGICAL_ID_TAG.to_owned()],
            )
            .await?)
    }

    /// Takes the marks off a given zone.
    pub(super) async fn unmark(&self, zone: &HostedZoneId) -> Result<(), Error> {
        let marks = GIVEN_ZONE_MARKS.map(str::to_owned);
        Ok(self
            .route53
            .tag_zone(zone, &BTreeMap::new(), &marks)
            .await?)
    }

    /// Forgets whose a zone was: the old logical id is gone.
    pub(super) async fn forget_previous(&self, zone: &HostedZoneId) -> Result<(), Error> {
        let note = [PREVIOUS_LOGICAL_ID_TAG.to_owned()];
        Ok(self.route53.tag_zone(zone, &BTreeMap::new(), &note).await?)
    }
}

impl Hold {
    /// What a zone is to the owner.
    ///
    /// The tags speak first: a logical id that was renamed took the zone over by them. Where there are none yet,
    /// the `CallerReference` speaks, which stands from the zone's first moment.
    fn of(owner: &Owner, zone: &ListedZone, tags: &BTreeMap<String, String>) -> Self {
        let parent = tags
            .get(PARENT_ID_TAG)
            .and_then(|id| HostedZoneId::parse(id).ok());
        let previous_ttl = tags.get(PREVIOUS_TTL_TAG).and_then(|ttl| ttl.parse().ok());
        let own = owner.made(&zone.caller_reference);
        match owner.claim(tags) {
            Claim::Own { taken_from } => Self::Own {
                // Another stack's that was kept and is given to this one has a reference of that form as well.
                made: own || (is_made_here(&zone.caller_reference) && parent.is_none()),
                taken_from,
                parent,
                previous_ttl,
            },
            Claim::Nobody if own => Self::Own {
                made: true,
                taken_from: None,
                parent,
                previous_ttl: None,
            },
            Claim::Nobody => Self::Nobody,
            Claim::Sibling {
                logical_id,
                taken_from_us,
            } => Self::Sibling {
                logical_id,
                taken_from_us,
            },
            Claim::Foreign(owner) => Self::Foreign(owner),
        }
    }
}

/// The marks of a given zone: whose it is, and from where it is delegated.
pub(super) fn given_zone_marks(
    mut marks: BTreeMap<String, String>,
    parent: &HostedZoneId,
) -> BTreeMap<String, String> {
    marks.insert(PARENT_ID_TAG.to_owned(), parent.to_string());
    marks
}

/// Every mark that a given zone may carry.
pub(super) const GIVEN_ZONE_MARKS: [&str; 5] = [
    STACK_ID_TAG,
    LOGICAL_ID_TAG,
    PREVIOUS_LOGICAL_ID_TAG,
    PARENT_ID_TAG,
    PREVIOUS_TTL_TAG,
];

/// Whether a `CallerReference` has the form that this project writes, whatever stack it is of: a zone that was taken
/// over carries the one of its first logical id.
fn is_made_here(caller_reference: &str) -> bool {
    let is_digest = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    caller_reference
        .split_once('-')
        .is_some_and(|(owner, request)| is_digest(owner) && is_digest(request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_caller_references() {
        let owner = Owner {
            stack_id: "stack".into(),
            logical_id: "A".into(),
        };
        assert!(is_made_here(&owner.caller_reference("request")));
        for foreign in [
            "",
            "2026-11-24",
            "a-b",
            "terraform-20261124",
            &owner.digest(),
        ] {
            assert!(!is_made_here(foreign), "{foreign}");
        }
    }
}
