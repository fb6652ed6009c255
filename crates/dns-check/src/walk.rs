//! Walks from the root to a name, delegation by delegation.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hickory_proto::rr::{Name, RecordType};

use super::name_server::{MOST_LOOKED_UP, Server};
use super::question::{Reply, shown};
use super::{Dns, Protocol, Transport};

/// Limits the servers of one zone that are queried: Route 53 assigns four to a zone, the root has
/// thirteen.
pub(super) const MOST_SERVERS: usize = 6;

/// A zone of the chain, with the servers that its parent zone names.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) name: Name,
    pub(super) servers: Vec<Server>,
    /// Whether this is the complete set, not the first of too many servers.
    pub(super) is_whole: bool,
}

/// How a walk ended.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The last zone contains the name.
    Arrived,
    /// The last zone says that nothing exists at `at`, which is the name or an ancestor of it.
    NoName { at: Name },
    /// The last zone's servers do not serve it. Contains what each answered.
    Dead(NoService),
    /// No server answered at the start of the walk: port 53 probably cannot be reached.
    NoWayOut,
    /// The root servers appear not to serve the root, so something else has answered in their
    /// place.
    Intercepted,
}

/// The answers of a zone's servers, none of which serves it.
#[derive(Clone, Debug)]
pub(super) struct NoService {
    /// One entry per server: `ns-1.example.net refuses (REFUSED)`.
    pub(super) replies: Vec<String>,
    /// Whether any server answered.
    pub(super) heard: bool,
}

/// The zones from the root to a name.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    /// Never empty: the first is the root.
    pub(super) zones: Vec<Zone>,
    pub(super) stop: Stop,
}

impl Walk {
    pub(super) fn last(&self) -> &Zone {
        &self.zones[self.zones.len() - 1]
    }

    /// Returns whether the zone `name` was found.
    pub(super) fn arrived_at(&self, name: &Name) -> bool {
        matches!(self.stop, Stop::Arrived) && self.last().name == *name
    }

    /// Returns the deepest zone of the chain that contains `name`.
    pub(super) fn zone_of(&self, name: &Name) -> &Zone {
        self.zones
            .iter()
            .rev()
            .find(|zone| zone.name.zone_of(name))
            .unwrap_or(&self.zones[0])
    }
}

impl<T: Transport> Dns<T> {
    /// Walks to `name` and queries each zone for the NS record set of the next label.
    pub(super) async fn walk(&self, name: &Name) -> Walk {
        let mut zones = vec![Zone {
            name: Name::root(),
            servers: self.top(MOST_SERVERS).await,
            is_whole: true,
        }];
        let mut no_name = None;
        for labels in 1..=name.iter().count() {
            let at = name.trim_to(labels);
            let current = &zones[zones.len() - 1];
            match self.ask_zone(current, &at, RecordType::NS).await {
                Ok(reply) => {
                    if let Some(servers) = reply.name_servers_of(&at) {
                        let is_whole = servers.iter().count() <= MOST_LOOKED_UP;
                        let servers = self.locate_all(servers.iter().cloned()).await;
                        zones.push(Zone {
                            name: at,
                            servers,
                            is_whole,
                        });
                        no_name = None;
                    } else if let Reply::NoName { .. } = reply {
                        // Some servers answer NXDOMAIN for a name that only has subdomains, so the
                        // full name decides (RFC 9156, section 2.3).
                        no_name.get_or_insert(at);
                    } else {
                        no_name = None;
                    }
                }
                // The listed servers replace the Internet, but need not serve the ancestors of the
                // zones in question.
                Err(silent)
                    if current.name.is_root() && !self.listed.is_empty() && silent.heard =>
                {
                    if labels == name.iter().count() {
                        return Walk {
                            zones,
                            stop: Stop::Dead(silent),
                        };
                    }
                }
                Err(silent) if current.name.is_root() => {
                    let stop = if silent.heard {
                        Stop::Intercepted
                    } else {
                        Stop::NoWayOut
                    };
                    return Walk { zones, stop };
                }
                Err(silent) => {
                    return Walk {
                        zones,
                        stop: Stop::Dead(silent),
                    };
                }
            }
        }
        Walk {
            zones,
            stop: no_name.map_or(Stop::Arrived, |at| Stop::NoName { at }),
        }
    }

    /// Queries the servers of a zone concurrently and returns the first response from one that
    /// serves it.
    pub(super) async fn ask_zone(
        &self,
        zone: &Zone,
        name: &Name,
        record_type: RecordType,
    ) -> Result<Reply, NoService> {
        let ask = |server| async move {
            (
                server,
                self.ask(server, name, record_type, Protocol::Udp).await,
            )
        };
        let mut asked: FuturesUnordered<_> =
            zone.servers.iter().take(MOST_SERVERS).map(ask).collect();
        let mut none = NoService {
            replies: Vec::new(),
            heard: false,
        };
        while let Some((server, answer)) = asked.next().await {
            match answer {
                Ok(reply) if reply.serves(&zone.name, name) => return Ok(reply),
                Ok(reply) => {
                    none.heard = true;
                    none.replies.push(format!("{server} {reply}"));
                }
                Err(silence) => none.replies.push(format!("{server} gives {silence}")),
            }
        }
        none.replies.sort();
        none.replies.dedup();
        tracing::debug!(zone = shown(&zone.name), replies = ?none.replies, "no server serves the zone");
        Err(none)
    }
}
