//! The check of a delegation, before SUCCESS is answered.

use std::fmt;
use std::time::Duration;

use futures::future::{join, join_all};
use hickory_proto::rr::RecordType;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};

use super::question::{Reply, Silence, wire_name};
use super::{Dns, Protocol, Reach, Transport};
use crate::{DomainName, NameServers};

/// The longest check. What is not seen by then is a fault.
const LONGEST: Duration = Duration::from_secs(60);
/// First and longest pause between two rounds: servers that still have the old data are asked again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Rounds in which some servers may stay silent while all others answer rightly. More would not tell more: the silent
/// ones are down, or this network's way to them is.
const SILENT_ROUNDS: u32 = 2;

/// A check that found no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Every server answered rightly, over UDP and over TCP.
    Fully,
    /// Those that answered did so rightly; these did not answer.
    Partly {
        /// `ns-1.example.net over TCP: timed out`, for each.
        silent: Vec<String>,
    },
    /// No name server answered anything: there is no way out to port 53, or something on the way answers in their
    /// place. Nothing was checked.
    NoWayOut,
}

/// What is wrong with a delegation. Every name server that is named here answered, except in the silent ones.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// The parent zone itself is not reached from above.
    #[error("{parent} itself is not delegated: {found}")]
    ParentNotDelegated {
        /// The parent zone.
        parent: DomainName,
        /// Where the way to it breaks, as a clause.
        found: String,
    },
    /// A server of the parent does not serve the parent.
    #[error("name server {server} of {parent} does not serve it: over {protocol} it {said}")]
    ParentRefused {
        /// The parent zone.
        parent: DomainName,
        /// The server's host name.
        server: DomainName,
        /// How it was asked.
        protocol: Protocol,
        /// What it said, as a clause.
        said: String,
    },
    /// A server of the parent has another NS record set for the child.
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
        /// How it was asked.
        protocol: Protocol,
        /// What it delegates to.
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
        /// How it was asked.
        protocol: Protocol,
        /// What it said, as a clause.
        said: String,
    },
    /// A server of the child does not serve the child.
    #[error("name server {server} of {child} does not serve it: over {protocol} it {said}")]
    ChildRefused {
        /// The child zone.
        child: DomainName,
        /// The server's host name.
        server: DomainName,
        /// How it was asked.
        protocol: Protocol,
        /// What it said, as a clause.
        said: String,
    },
    /// No server of this zone answers, although others do.
    #[error("no name server of {zone} answers: {}", .silent.join("; "))]
    Silent {
        /// The zone.
        zone: DomainName,
        /// `ns-1.example.net over TCP: timed out`, for each.
        silent: Vec<String>,
    },
}

/// A delegation as it should be seen.
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
    /// Asks each name server of the parent, over UDP and then TCP, for the NS record set of the child, each of the
    /// child's for its SOA, and walks from the top down to the parent. Asks again while an answer is wrong, because
    /// Route 53's servers learn of a change one after another; 60 s at most.
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
        loop {
            let Ok(verdict) = timeout_at(end, self.round(delegation)).await else {
                return last.unwrap_or_else(|| {
                    let silent = vec![format!("not all within {} s", LONGEST.as_secs())];
                    Err(Fault::Silent {
                        zone: parent.clone(),
                        silent,
                    })
                });
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
                        tracing::warn!(%parent, %child, ?silent, "the delegation is right as far as servers answer");
                        return verdict;
                    }
                }
                Err(fault) => {
                    tracing::info!(%parent, %child, %fault, "the delegation is not right, or not yet");
                }
            }
            last = Some(verdict);
            sleep(pause.min(end.saturating_duration_since(Instant::now()))).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn round(&self, delegation: Delegation<'_>) -> Result<Checked, Fault> {
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
        // Why the parent's servers refuse, or whether all this leads to nothing because nobody gets to the parent.
        // Not asked in between: a set that is missing or wrong says all there is to say.
        let refused = matches!(verdict, Err(Fault::ParentRefused { .. }));
        if !refused && !matches!(verdict, Ok(Checked::Fully | Checked::Partly { .. })) {
            return verdict;
        }
        match self.reach(parent, parent_servers).await {
            Reach::Broken(found) => Err(Fault::ParentNotDelegated {
                parent: parent.clone(),
                found,
            }),
            // A firewall that answers every question by itself is no way out either.
            Reach::Intercepted if refused => Ok(Checked::NoWayOut),
            Reach::Intercepted | Reach::Reached | Reach::Unknown(_) => verdict,
        }
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
    // Eight independent hosts in different networks, asked over two protocols, of which not one is heard: no fault of
    // a delegation looks like this, since Route 53's servers answer, if only to refuse, whatever a zone holds. A subnet
    // without a route, a security group or a firewall does, whether it drops (a time-out), rejects (refused,
    // unreachable) or keeps even the system's resolver from answering (no address is known). So the kind of failure
    // does not count, only that nothing was heard. One word from any of them proves the way out, and then silence
    // counts against the zone.
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
