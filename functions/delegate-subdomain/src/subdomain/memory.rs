//! What a request remembers between attempts. It passes through the state machine, where people can read it.

use super::{delegation::Delegation, in_sync::Pending, observed::Conflict, plan::Action};
use custom_resource::Success;
use hosted_zones::{HostedZoneId, NameServers};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a request remembers between attempts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Memory {
    /// How far the removal of each zone is, by the zone's id. A zone that is not here may be delegated.
    zones: BTreeMap<String, Phase>,
    /// When the second search of a Delete by ownership tags is due, in seconds since 1970.
    pub(super) second_search: Option<u64>,
    /// What an Update has established. What is left is to delete the leftovers of a failed one.
    pub(super) established: Option<Established>,
    /// Since when Route 53 refuses the NS record set of a zone that this request created, in seconds since 1970.
    pub(super) refused_since: Option<u64>,
    /// How many answers in a row have said that what was observed has changed.
    pub(super) conflicts: u32,
    /// What a Create or Update has made of a delegation, and seen INSYNC.
    pub(super) made: Option<Made>,
    /// The changes that are to be INSYNC before anything else is done.
    pub(super) pending: Option<Box<Pending>>,
}

/// What a Create or Update has made, and seen INSYNC. It is not made again: its INSYNC would have to be waited for again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Made {
    /// The zone, with its ownership tags and the TTL of its apex.
    Zone(HostedZoneId),
    /// This zone's NS record set with this TTL.
    Delegation { zone: HostedZoneId, ttl: i64 },
}

/// How far the removal of a zone is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Phase {
    /// This Delete has deleted its NS record set, and the deletion is INSYNC.
    Undelegated {
        /// The TTL of that record set.
        ttl: i64,
        /// The TTL of the NS record set at the zone's own apex, which resolvers prefer.
        #[serde(default)]
        apex_ttl: i64,
    },
    /// Resolvers may still use the delegation, until this second since 1970. The TTL is that of the NS record set that this
    /// Delete has deleted, if it was this Delete.
    Draining { until: u64, ttl: Option<i64> },
    /// It is deleted, but a Create that was delivered twice may have delegated to it again just before.
    Deleted {
        delegation: Delegation,
        name_servers: String,
    },
    /// Nothing is left to do.
    Finished,
}

/// What an Update answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Established {
    pub(super) delegation: Delegation,
    pub(super) name_servers: String,
    pub(super) parent_name: String,
}

impl Memory {
    pub(super) fn phase(&self, zone: &HostedZoneId) -> Option<&Phase> {
        self.zones.get(zone.as_str())
    }

    /// Returns a zone that is deleted while its parent is still to be read, with its name servers.
    pub(super) fn deleted(&self) -> Option<(&Delegation, NameServers)> {
        self.zones.values().find_map(|phase| match phase {
            Phase::Deleted {
                delegation,
                name_servers,
            } => Some((delegation, NameServers::new(name_servers.split(',')))),
            _ => None,
        })
    }

    /// Notes an answer that contradicts what was observed, at this second since 1970.
    pub(super) fn note(&mut self, conflict: &Conflict, now: u64) {
        match conflict {
            Conflict::Stale(_) | Conflict::NotEmpty(_) => self.conflicts += 1,
            Conflict::Refused(_) => {
                self.refused_since.get_or_insert(now);
            }
            Conflict::Active
            | Conflict::NoPermission(_)
            | Conflict::ZoneDeleted(_)
            | Conflict::ReferenceUsed(_) => {}
        }
    }

    /// Notes what this action has done, as soon as it is INSYNC.
    pub(super) fn note_done(&mut self, action: &Action) {
        match action {
            Action::AwaitZone(zone) => self.made = Some(Made::Zone(zone.id.clone())),
            Action::Delegate { zone, set, .. } => {
                self.made = Some(Made::Delegation {
                    zone: zone.id.clone(),
                    ttl: set.ttl().unwrap_or_default(),
                });
            }
            _ => {}
        }
        self.conflicts = 0;
    }

    /// Returns it with changes that are to be INSYNC before anything else is done.
    #[must_use]
    pub(super) fn awaiting(&self, pending: Pending) -> Self {
        Self {
            pending: Some(Box::new(pending)),
            ..self.clone()
        }
    }

    /// Returns it with this phase of a zone.
    #[must_use]
    pub(super) fn with(&self, zone: &HostedZoneId, phase: Phase) -> Self {
        let mut memory = self.clone();
        memory.zones.insert(zone.to_string(), phase);
        memory
    }
}

impl Established {
    /// The answer of a Create or Update.
    pub(super) fn success(&self) -> Success {
        let Delegation {
            name, zone, parent, ..
        } = &self.delegation;
        Success::new(self.delegation.to_string())
            .attribute("HostedZoneId", zone.as_str())
            .attribute("DomainName", name.as_str())
            .attribute("NameServers", self.name_servers.as_str())
            .attribute("ParentHostedZoneId", parent.as_str())
            .attribute("ParentDomainName", self.parent_name.as_str())
    }
}
