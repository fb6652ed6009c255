//! Checks a delegation over DNS before the function answers SUCCESS.

use std::fmt;
use std::time::Duration;

use futures::future::{join, join_all};
use hickory_proto::rr::RecordType;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};

use super::question::{Reply, Silence, wire_name};
use super::walk::Zone;
use super::{BrokenChain, Dns, Protocol, Reach, Transport};
use crate::chain::Chain;
use crate::{DomainName, NameServers};

/// Limits the check. A delegation that is not correct by then is a fault.
const LONGEST: Duration = Duration::from_secs(60);
/// The first and the longest pause between two rounds, in which servers that still have old data
/// are queried again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The number of rounds in which some servers may be silent while all others answer correctly. More
/// rounds would not tell more: the silent servers are down, or this network does not reach them.
const SILENT_ROUNDS: u32 = 2;

/// The result of a check that found no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Every server answered correctly, over UDP and over TCP.
    Fully,
    /// The servers that answered did so correctly. These did not answer.
    Partly {
        /// One entry per server: `ns-1.example.net over TCP: timed out`.
        silent: Vec<String>,
    },
    /// No name server answered: port 53 cannot be reached from here, or a device on the path
    /// answers in the servers' place. Nothing was checked.
    NoWayOut,
}

/// A fault of a delegation. Each named server answered, except those listed as silent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The walk from the root does not reach the parent zone.
    #[error("{parent} itself is not delegated: {found}")]
    ParentNotDelegated {
        /// The parent zone.
        parent: DomainName,
        /// Where the chain of delegations ends, as a clause.
        found: String,
    },
    /// A server of the parent does not serve the parent.
    #[error("name server {server} of {parent} does not serve it: over {protocol} it {said}")]
    ParentRefused {
        /// The parent zone.
        parent: DomainName,
        /// The server's host name.
        server: DomainName,
        /// The protocol of the query.
        protocol: Protocol,
        /// Its answer, as a clause.
        said: String,
    },
    /// A server of the parent has a different NS record set for the child.
    #[error(
        "name server {server} of {parent} delegates {child} to {found} over {protocol}, not to {expected}"
    )]
    WrongSet {
        /// The parent zone.
        parent: DomainName,
        /// The child zone.
        child: DomainName,
        /// The server's host name.
        server: DomainName,
        /// The protocol of the query.
        protocol: Protocol,
        /// The name servers to which it delegates.
        found: NameServers,
        /// The child's own name servers.
        expected: NameServers,
    },
    /// A server of the parent has no NS record set for the child.
    #[error(
        "name server {server} of {parent} does not delegate {child}: over {protocol} it {said}"
    )]
    NotDelegated {
        /// The parent zone.
        parent: DomainName,
        /// The child zone.
        child: DomainName,
        /// The server's host name.
        server: DomainName,
        /// The protocol of the query.
        protocol: Protocol,
        /// Its answer, as a clause.
        said: String,
    },
    /// A server of the child does not serve the child.
    #[error("name server {server} of {child} does not serve it: over {protocol} it {said}")]
    ChildRefused {
        /// The child zone.
        child: DomainName,
        /// The server's host name.
        server: DomainName,
        /// The protocol of the query.
        protocol: Protocol,
        /// Its answer, as a clause.
        said: String,
    },
    /// The delegation is correct, but the chain of trust of DNSSEC is broken at the child, the parent
    /// or an ancestor.
    #[error("{0}")]
    BrokenChain(BrokenChain),
    /// No server of this zone answers, although others do.
    #[error("no name server of {zone} answers: {}", .silent.join("; "))]
    Silent {
        /// The zone.
        zone: DomainName,
        /// One entry per server: `ns-1.example.net over TCP: timed out`.
        silent: Vec<String>,
    },
}

/// A delegation as it should be.
#[derive(Clone, Copy)]
struct Delegation<'a> {
    parent: &'a DomainName,
    parent_servers: &'a NameServers,
    child: &'a DomainName,
    child_servers: &'a NameServers,
}

/// One server's answer to one question.
struct Answer<'a> {
    server: &'a DomainName,
    protocol: Protocol,
    said: Result<Reply, Silence>,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} over {}: ", self.server, self.protocol)?;
        match &self.said {
            Ok(reply) => reply.fmt(f),
            Err(silence) => silence.fmt(f),
        }
    }
}

impl<T: Transport> Dns<T> {
    /// Queries each name server of the parent for the child's NS record set and each of the child's
    /// for its SOA record, both over UDP and TCP, walks from the root to the parent, and follows the
    /// chain of trust of DNSSEC down to the child. Repeats this while an answer is wrong, because a
    /// change reaches Route 53's name servers at different times. Takes at most 60 s.
    ///
    /// # Errors
    ///
    /// The [`Fault`] of the last round.
    pub async fn check_delegation(
        &self,
        parent: &DomainName,
        parent_servers: &NameServers,
        child: &DomainName,
        child_servers: &NameServers,
    ) -> Result<Checked, Fault> {
        let delegation = Delegation {
            parent,
            parent_servers,
            child,
            child_servers,
        };
        let end = Instant::now() + LONGEST;
        let mut pause = FIRST_PAUSE;
        let mut silent_rounds = 0;
        let mut last = None;
        // The last known state of the chain of trust, which a missing answer does not change.
        let mut broken = None;
        loop {
            let Ok(round) = timeout_at(end, self.round(delegation)).await else {
                return last.unwrap_or_else(|| {
                    let silent = vec![format!("not all within {} s", LONGEST.as_secs())];
                    Err(Fault::Silent {
                        zone: parent.clone(),
                        silent,
                    })
                });
            };
            let verdict = match round {
                Ok((checked, zones)) => {
                    // Has its own time-out, so that lost answers about DNSSEC are never a fault of the delegation.
                    broken = match timeout_at(end, self.chain(&zones)).await {
                        Ok(Chain::Sound) => None,
                        Ok(Chain::Broken(found)) => Some(found),
                        Ok(Chain::Unknown) | Err(_) => broken,
                    };
                    match &broken {
                        Some(broken) => Err(Fault::BrokenChain(broken.clone())),
                        None => Ok(checked),
                    }
                }
                Err(fault) => Err(fault),
            };
            match &verdict {
                Ok(Checked::Fully) => return verdict,
                Ok(Checked::NoWayOut) => {
                    tracing::warn!(%parent, %child, "the delegation is not checked: no name server can be reached from here");
                    return verdict;
                }
                Ok(Checked::Partly { silent }) => {
                    silent_rounds += 1;
                    if silent_rounds == SILENT_ROUNDS {
                        tracing::warn!(%parent, %child, ?silent, "the name servers that answered serve the delegation; some did not answer");
                        return verdict;
                    }
                }
                Err(fault) => {
                    tracing::info!(%parent, %child, %fault, "the delegation is not correct yet");
                }
            }
            last = Some(verdict);
            sleep(pause.min(end.saturating_duration_since(Instant::now()))).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Queries all servers once. Without a fault, also returns the zones from the root to the child,
    /// if they are known.
    async fn round(&self, delegation: Delegation<'_>) -> Result<(Checked, Vec<Zone>), Fault> {
        let Delegation {
            parent,
            parent_servers,
            child,
            child_servers,
        } = delegation;
        let (at_parent, at_child) = join(
            self.ask_each(parent_servers, child, RecordType::NS),
            self.ask_each(child_servers, child, RecordType::SOA),
        )
        .await;
        let verdict = judge(delegation, &at_parent, &at_child);
        // Finds out why the parent's servers refuse, or whether the parent itself cannot be
        // reached. A missing or wrong NS record set needs no further explanation.
        let refused = matches!(verdict, Err(Fault::ParentRefused { .. }));
        if !refused && !matches!(verdict, Ok(Checked::Fully | Checked::Partly { .. })) {
            return Ok((verdict?, Vec::new()));
        }
        let mut zones = Vec::new();
        match self.walk_to(parent, parent_servers).await {
            Err(Reach::Broken(found)) => {
                return Err(Fault::ParentNotDelegated {
                    parent: parent.clone(),
                    found,
                });
            }
            // Port 53 cannot be reached either if a firewall answers every query itself.
            Err(Reach::Intercepted) if refused => return Ok((Checked::NoWayOut, zones)),
            Err(_) => {}
            Ok(walk) if verdict.is_ok() => {
                zones = walk.zones;
                zones.push(Zone {
                    name: wire_name(child),
                    servers: self.locate_all(child_servers.iter().cloned()).await,
                    is_whole: true,
                });
            }
            Ok(_) => {}
        }
        Ok((verdict?, zones))
    }

    async fn ask_each<'a>(
        &self,
        servers: &'a NameServers,
        name: &DomainName,
        record_type: RecordType,
    ) -> Vec<Answer<'a>> {
        let name = &wire_name(name);
        let each = servers.iter().map(|host| async move {
            let server = self.locate(host.clone()).await;
            let mut answers = Vec::with_capacity(2);
            for protocol in [Protocol::Udp, Protocol::Tcp] {
                let said = self.ask(&server, name, record_type, protocol).await;
                answers.push(Answer {
                    server: host,
                    protocol,
                    said,
                });
            }
            answers
        });
        join_all(each).await.into_iter().flatten().collect()
    }
}

fn judge(
    delegation: Delegation<'_>,
    at_parent: &[Answer<'_>],
    at_child: &[Answer<'_>],
) -> Result<Checked, Fault> {
    let silent = |answers: &[Answer<'_>]| -> Vec<String> {
        answers
            .iter()
            .filter(|answer| answer.said.is_err())
            .map(ToString::to_string)
            .collect()
    };
    let (silent_parent, silent_child) = (silent(at_parent), silent(at_child));
    let (all_parent, all_child) = (
        silent_parent.len() == at_parent.len(),
        silent_child.len() == at_child.len(),
    );
    // Eight independent hosts in different networks were queried over two protocols, and none
    // answered. No fault of a delegation causes this, because Route 53's servers answer, at least
    // with a refusal, whatever a zone contains. A subnet without a route, a security group or a
    // firewall causes it, whether it drops packets (a time-out), rejects them (refused,
    // unreachable) or blocks the system's resolver (no address is known). So the kind of failure
    // does not matter, only that no server answered. A single answer proves that port 53 can be
    // reached; from then on, silence counts against the zone.
    if all_parent && all_child {
        return Ok(Checked::NoWayOut);
    }
    for answer in at_parent {
        judge_parent(delegation, answer)?;
    }
    if all_parent {
        return Err(Fault::Silent {
            zone: delegation.parent.clone(),
            silent: silent_parent,
        });
    }
    for answer in at_child {
        judge_child(delegation.child, answer)?;
    }
    if all_child {
        return Err(Fault::Silent {
            zone: delegation.child.clone(),
            silent: silent_child,
        });
    }
    let silent = [silent_parent, silent_child].concat();
    if silent.is_empty() {
        Ok(Checked::Fully)
    } else {
        Ok(Checked::Partly { silent })
    }
}

fn judge_parent(delegation: Delegation<'_>, answer: &Answer<'_>) -> Result<(), Fault> {
    let Delegation {
        parent,
        child,
        child_servers: expected,
        ..
    } = delegation;
    let Ok(reply) = &answer.said else {
        return Ok(());
    };
    let (parent, child) = (parent.clone(), child.clone());
    let (server, protocol) = (answer.server.clone(), answer.protocol);
    match reply.name_servers_of(&wire_name(&child)) {
        Some(found) if found == *expected => Ok(()),
        Some(found) => Err(Fault::WrongSet {
            parent,
            child,
            server,
            protocol,
            found,
            expected: expected.clone(),
        }),
        None if reply.serves(&wire_name(&parent), &wire_name(&child)) => Err(Fault::NotDelegated {
            parent,
            child,
            server,
            protocol,
            said: reply.to_string(),
        }),
        None => Err(Fault::ParentRefused {
            parent,
            server,
            protocol,
            said: reply.to_string(),
        }),
    }
}

fn judge_child(child: &DomainName, answer: &Answer<'_>) -> Result<(), Fault> {
    match &answer.said {
        Ok(Reply::Records(_)) | Err(_) => Ok(()),
        Ok(reply) => Err(Fault::ChildRefused {
            child: child.clone(),
            server: answer.server.clone(),
            protocol: answer.protocol,
            said: reply.to_string(),
        }),
    }
}
