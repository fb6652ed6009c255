//! The way from the top down to a name, delegation by delegation.

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hickory_proto::rr::{Name, RecordType};

use super::name_server::{MOST_LOOKED_UP, Server};
use super::question::{Reply, shown};
use super::{Dns, Protocol, Transport};

/// As many servers of one zone are asked: Route 53 gives a zone four, the root has thirteen.
const MOST_SERVERS: usize = 6;

/// A zone on the way, with the servers that the zone above names for it.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) name: Name,
    pub(super) servers: Vec<Server>,
    /// Whether these are all of them, and not the first of too many.
    pub(super) is_whole: bool,
}

/// How a walk ended.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The last zone is the one that the name lies in.
    Arrived,
    /// The last zone says that nothing stands at `at`, the name or one above it.
    NoName { at: Name },
    /// The last zone's servers do not serve it; what each said.
    Dead(NoService),
    /// Nobody answered at the top, where the walk starts: most likely there is no way out.
    NoWayOut,
    /// The root servers, which serve the root whatever happens, are said not to: someone else has answered.
    Intercepted,
}

/// What the servers of a zone said, none of which serves it.
#[derive(Clone, Debug)]
pub(super) struct NoService {
    /// `ns-1.example.net refuses (REFUSED)`, for each.
    pub(super) replies: Vec<String>,
    /// Whether any said something at all.
    pub(super) heard: bool,
}

/// The zones from the top down to a name.
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

    /// Whether the zone `name` was found.
    pub(super) fn arrived_at(&self, name: &Name) -> bool {
        matches!(self.stop, Stop::Arrived) && self.last().name == *name
    }

    /// The deepest zone on the way that holds `name`.
    pub(super) fn zone_of(&self, name: &Name) -> &Zone {
        self.zones
            .iter()
            .rev()
            .find(|zone| zone.name.zone_of(name))
            .unwrap_or(&self.zones[0])
    }
}

impl<T: Transport> Dns<T> {
    /// Walks down to `name`, asking each zone for the NS record set of the next label.
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
                        // Some servers say so of a name that only has names below it: the full name decides
                        // (RFC 9156, section 2.3).
                        no_name.get_or_insert(at);
                    } else {
                        no_name = None;
                    }
                }
                // The listed servers stand for the Internet, but need not serve the zones above those in question.
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

    /// Asks the servers of a zone at once and takes the first answer from one that serves it.
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
