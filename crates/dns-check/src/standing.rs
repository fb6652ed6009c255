//! Checks whether a parent zone still delegates a name to a zone that is about to be deleted.

use std::time::Duration;

use futures::future::join_all;
use hickory_proto::rr::{Name, RecordType};

use super::name_server::MOST_LOOKED_UP;
use super::question::{Heard, Reply, Silence, shown, wire_name};
use super::{Dns, Protocol, Transport};
use crate::{DomainName, NameServers};

/// Limits the whole check.
const LONGEST: Duration = Duration::from_secs(45);

/// Whether the delegation exists in the parent zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Every name server of the parent answered that it does not delegate to these servers.
    Gone,
    /// A name server of the parent still does. The clause says what it answered.
    Stands(String),
    /// Not known for certain, which counts as existing. The clause says why.
    Unknown(String),
}

impl<T: Transport> Dns<T> {
    /// Queries every name server of the zone `parent` for a delegation of `child` to the name
    /// servers `ours`.
    ///
    /// Only the name of the parent has to be known: a walk from the root finds its servers, and the
    /// servers that the zone itself lists are queried too. The result is [`Standing::Gone`] only if
    /// all of them answer and agree: a zone must never be deleted while its delegation exists,
    /// because somebody else could then create a zone that answers for its name.
    ///
    /// Takes at most 45 s.
    pub async fn standing(
        &self,
        parent: &DomainName,
        child: &DomainName,
        ours: impl Fn(&NameServers) -> bool + Sync,
    ) -> Standing {
        let ask = self.ask_parent(parent, child, ours);
        match tokio::time::timeout(LONGEST, ask).await {
            Ok(standing) => standing,
            Err(_) => Standing::Unknown(format!(
                "the name servers of {parent} did not all answer in time"
            )),
        }
    }

    async fn ask_parent(
        &self,
        parent: &DomainName,
        child: &DomainName,
        ours: impl Fn(&NameServers) -> bool + Sync,
    ) -> Standing {
        let (parent_name, child_name) = (wire_name(parent), wire_name(child));
        let walk = self.walk(&parent_name).await;
        let zone = walk.last();
        if !walk.arrived_at(&parent_name) {
            // The parent zone may exist although it cannot be reached now, and may delegate to the
            // child again later.
            return Standing::Unknown(format!(
                "the name servers of {parent} cannot be found from {} down",
                shown(&zone.name)
            ));
        }
        let too_many = || {
            Standing::Unknown(format!(
                "{parent} has more than {MOST_LOOKED_UP} name servers, which are not all asked"
            ))
        };
        if !zone.is_whole {
            return too_many();
        }
        let mut servers = zone.servers.clone();
        match self.ask_zone(zone, &parent_name, RecordType::NS).await {
            Ok(reply) => {
                let own = reply.name_servers_of(&parent_name);
                if own
                    .as_ref()
                    .is_some_and(|own| own.iter().count() > MOST_LOOKED_UP)
                {
                    return too_many();
                }
                for host in own.iter().flat_map(NameServers::iter) {
                    if servers
                        .iter()
                        .all(|server| server.host.as_ref() != Some(host))
                    {
                        servers.push(self.locate(host.clone()).await);
                    }
                }
            }
            Err(none) => return Standing::Unknown(none.replies.join("; ")),
        }
        let answers = join_all(servers.iter().map(|server| async {
            let over_udp = self.hear(server, &child_name, RecordType::NS, Protocol::Udp);
            match over_udp.await {
                Err(_) => {
                    self.hear(server, &child_name, RecordType::NS, Protocol::Tcp)
                        .await
                }
                heard => heard,
            }
        }));
        let said = servers.iter().zip(answers.await).map(|(server, answer)| {
            let text = match &answer {
                Ok(heard) if heard.is_proof => format!("{server} {}", heard.reply),
                Ok(heard) => format!(
                    "{server} {}, which is no proof: another server may answer for it",
                    heard.reply
                ),
                Err(silence) => format!("{server} gives {silence}"),
            };
            (delegates(answer, &parent_name, &child_name, &ours), text)
        });
        let said: Vec<_> = said.collect();
        let first = |wanted: Option<bool>| said.iter().find(|(delegates, _)| *delegates == wanted);
        match (first(Some(true)), first(None)) {
            (Some((_, text)), _) => Standing::Stands(text.clone()),
            (None, Some((_, text))) => Standing::Unknown(text.clone()),
            (None, None) => Standing::Gone,
        }
    }
}

/// Returns whether this response says that the child is delegated to our servers, or none if it
/// does not say or is not proof.
fn delegates(
    answer: Result<Heard, Silence>,
    parent: &Name,
    child: &Name,
    ours: impl Fn(&NameServers) -> bool,
) -> Option<bool> {
    let Heard {
        reply, is_proof, ..
    } = answer.ok()?;
    let is_ours = reply.name_servers_of(child).map(|found| ours(&found));
    // A response that shows the delegation needs no proof, because then nothing is deleted.
    if is_ours == Some(true) || !is_proof {
        return is_ours.filter(|is_ours| *is_ours);
    }
    if is_ours.is_some() {
        return is_ours;
    }
    match &reply {
        // Only the parent zone itself can prove this: a response from another zone does not.
        Reply::NoData { zone: Some(zone) } | Reply::NoName { zone: Some(zone) }
            if zone == parent =>
        {
            Some(false)
        }
        _ => None,
    }
}
