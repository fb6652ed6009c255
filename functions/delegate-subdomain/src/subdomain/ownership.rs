use super::Subdomains;
use crate::error::Error;
use custom_resource::{Claim, Owner, PREVIOUS_LOGICAL_ID_TAG};
use dns_zones::{DomainName, HostedZoneId, ListedZone, NameServers, dns::Transport};
use std::collections::BTreeMap;

/// What a zone is to this resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// This resource's own.
    Own {
        /// Made by this project, so that it goes with the resource; otherwise it was given by `HostedZoneId`.
        made: bool,
        /// The logical id that it was taken over from and that has not been deleted since.
        taken_from: Option<String>,
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
    /// What this zone is to the owner.
    ///
    /// The tags speak first: a logical id that was renamed took the zone over by them. Where there are none yet,
    /// the `CallerReference` speaks, which stands from the zone's first moment.
    pub(super) async fn hold(&self, owner: &Owner, zone: &ListedZone) -> Result<Hold, Error> {
        let tags = self.route53.zone_tags(&zone.id).await?;
        Ok(match owner.claim(&tags) {
            Claim::Own { taken_from } => Hold::Own {
                made: is_made_here(&zone.caller_reference),
                taken_from,
            },
            Claim::Nobody if owner.made(&zone.caller_reference) => Hold::Own {
                made: true,
                taken_from: None,
            },
            Claim::Nobody => Hold::Nobody,
            Claim::Sibling {
                logical_id,
                taken_from_us,
            } => Hold::Sibling {
                logical_id,
                taken_from_us,
            },
            Claim::Foreign(owner) => Hold::Foreign(owner),
        })
    }

    /// The zones of this name that are the owner's own or a sibling's.
    pub(super) async fn held_zones(
        &self,
        owner: &Owner,
        name: &DomainName,
    ) -> Result<Vec<(ListedZone, Hold)>, Error> {
        let mut held = Vec::new();
        for zone in self.route53.zones_named(name).await? {
            match self.hold(owner, &zone).await? {
                Hold::Foreign(_) | Hold::Nobody => {}
                hold => held.push((zone, hold)),
            }
        }
        Ok(held)
    }

    /// The name servers of the owner's zones of this name: an NS record set with one of these is the owner's.
    pub(super) async fn own_name_servers(
        &self,
        owner: &Owner,
        name: &DomainName,
    ) -> Result<Vec<NameServers>, Error> {
        let mut own = Vec::new();
        for (listed, hold) in self.held_zones(owner, name).await? {
            if matches!(hold, Hold::Own { .. }) {
                own.extend(
                    self.route53
                        .zone(&listed.id)
                        .await?
                        .map(|zone| zone.name_servers),
                );
            }
        }
        Ok(own)
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

    /// Forgets whose a zone was: the old logical id is gone.
    pub(super) async fn forget_previous(&self, zone: &HostedZoneId) -> Result<(), Error> {
        let note = [PREVIOUS_LOGICAL_ID_TAG.to_owned()];
        Ok(self.route53.tag_zone(zone, &BTreeMap::new(), &note).await?)
    }
}

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
