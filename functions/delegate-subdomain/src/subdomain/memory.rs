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
    /// The phase of the removal of each zone, by the zone's id. A zone that is absent may be delegated.
    zones: BTreeMap<String, Phase>,
    /// When the second search of a Delete by ownership tags is due, in seconds since 1970.
    pub(super) second_search: Option<u64>,
    /// The result of an Update. Only the leftovers of a failed one are still to be deleted.
    pub(super) established: Option<Established>,
    /// Since when Route 53 refuses the NS record set of a zone that this request created, in seconds since 1970.
    pub(super) refused_since: Option<u64>,
    /// The number of consecutive answers after which what was observed had changed.
    pub(super) conflicts: u32,
    /// The changes that a Create or Update has made and seen INSYNC.
    pub(super) made: Option<Made>,
    /// The changes that have to be INSYNC before anything else is done.
    pub(super) pending: Option<Box<Pending>>,
}

/// What a Create or Update has created and seen INSYNC. It is not done again, because its INSYNC would have
/// to be waited for again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Made {
    /// The zone, with its ownership tags and the TTL of its apex.
    Zone(HostedZoneId),
    /// The NS record set of this zone, with this TTL.
    Delegation { zone: HostedZoneId, ttl: i64 },
}

/// The phase of the removal of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) enum Phase {
    /// This Delete has deleted its NS record set, and the deletion is INSYNC.
    DelegationDeleted {
        /// The TTL of that record set.
        ttl: i64,
        /// The TTL of the NS record set at the zone's own apex, which resolvers prefer.
        #[serde(default)]
        apex_ttl: i64,
    },
    /// Resolvers may still use the delegation until this second since 1970. The TTL is that of the NS record
    /// set, if this Delete has deleted it.
    Draining { until: u64, ttl: Option<i64> },
    /// It is deleted, but a redelivered Create may have delegated to it again just before.
    Deleted {
        delegation: Delegation,
        name_servers: String,
    },
    /// Nothing is left to do.
    Finished,
}

/// The answer of an Update.
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

    /// Returns the zones whose delegations resolvers may still use, each with the second since 1970 until when.
    pub(super) fn drains(&self) -> impl Iterator<Item = (&str, u64)> {
        self.zones.iter().filter_map(|(zone, phase)| match phase {
            Phase::Draining { until, .. } => Some((zone.as_str(), *until)),
            _ => None,
        })
    }

    /// Returns a deleted zone whose parent has to be read again, with its name servers.
    pub(super) fn deleted(&self) -> Option<(&Delegation, NameServers)> {
        self.zones.values().find_map(|phase| match phase {
            Phase::Deleted {
                delegation,
                name_servers,
            } => Some((delegation, NameServers::new(name_servers.split(',')))),
            _ => None,
        })
    }

    /// Notes, at this second since 1970, an answer that contradicts what was observed.
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

    /// Notes the result of this action when it is INSYNC.
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

    /// Adds changes that have to be INSYNC before anything else is done.
    #[must_use]
    pub(super) fn awaiting(&self, pending: Pending) -> Self {
        Self {
            pending: Some(Box::new(pending)),
            ..self.clone()
        }
    }

    /// Sets the phase of a zone.
    #[must_use]
    pub(super) fn with(&self, zone: &HostedZoneId, phase: Phase) -> Self {
        let mut memory = self.clone();
        memory.zones.insert(zone.to_string(), phase);
        memory
    }
}

impl Established {
    /// Returns the answer of a Create or Update.
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
