//! Checks whether the chain of delegations from the root reaches a zone, and where it is broken.

use std::fmt;
use std::time::Duration;

use super::name_server::Server;
use super::question::{shown, wire_name};
use super::walk::{Stop, Walk, Zone};
use super::{BrokenChain, Dns, Transport};
use crate::chain::Chain;
use crate::{DomainName, NameServers};

/// Limits a walk. Each zone of the chain usually takes one round trip.
const WALK: Duration = Duration::from_secs(30);

/// Whether a walk from the root arrives at the zone's own name servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It does.
    Reached,
    /// It certainly does not. The clause says where the chain is broken and what each server
    /// answered.
    Broken(String),
    /// It does, but the chain of trust of DNSSEC is broken at the zone or an ancestor.
    NotValid(BrokenChain),
    /// Unknown. The clause says why. This is the result if port 53 cannot be reached.
    Unknown(String),
    /// A device on the path answers in place of the root servers, and so in place of every other
    /// server.
    Intercepted,
}

impl<T: Transport> Dns<T> {
    /// Walks from the root to the zone `name` and compares the name servers in its delegation with
    /// the zone's own. One name or address in common is enough: a registry may list only some of
    /// them, and white-label name servers are Route 53's servers under other names
    /// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/white-label-name-servers.html>).
    ///
    /// Then follows the chain of trust of DNSSEC along the same zones. Takes at most 45 s.
    pub async fn reach(&self, name: &DomainName, own: &NameServers) -> Reach {
        match self.walk_to(name, own).await {
            Ok(walk) => match self.chain(&walk.zones).await {
                Chain::Broken(broken) => Reach::NotValid(broken),
                Chain::Sound | Chain::Unknown => Reach::Reached,
            },
            Err(reach) => reach,
        }
    }

    /// Returns the walk if it arrives at the zone's own name servers. Takes at most 30 s.
    pub(super) async fn walk_to(
        &self,
        name: &DomainName,
        own: &NameServers,
    ) -> Result<Walk, Reach> {
        let judged = async {
            let walk = self.walk(&wire_name(name)).await;
            if walk.arrived_at(&wire_name(name)) && self.is_served_by(walk.last(), own).await {
                return Ok(walk);
            }
            Err(broken(&walk, name, own))
        };
        tokio::time::timeout(WALK, judged)
            .await
            .unwrap_or_else(|_| {
                Err(Reach::Unknown(format!(
                    "the walk down to {name} took over {} s",
                    WALK.as_secs()
                )))
            })
    }

    /// Returns whether a server that the parent zone names is one of these.
    async fn is_served_by(&self, zone: &Zone, own: &NameServers) -> bool {
        let by_name = |server: &Server| own.iter().any(|own| server.host.as_ref() == Some(own));
        if zone.servers.iter().any(by_name) {
            return true;
        }
        let own = self.locate_all(own.iter().cloned()).await;
        zone.servers
            .iter()
            .any(|server| own.iter().any(|own| self.share_an_address(server, own)))
    }
}

/// Returns why a walk did not arrive at the name servers `own` of the zone `name`.
fn broken(walk: &Walk, name: &DomainName, own: &NameServers) -> Reach {
    let last = walk.last();
    let (zone, servers) = (shown(&last.name), Joined(&last.servers));
    match &walk.stop {
        Stop::NoWayOut => Reach::Unknown("no name server answers at all".to_owned()),
        Stop::Intercepted => Reach::Intercepted,
        // Only listed servers refuse the root: they do not know the ancestors of the zone.
        Stop::Dead(none) if last.name.is_root() => Reach::Unknown(format!(
            "nobody knows who serves {name}: {}",
            none.replies.join("; ")
        )),
        Stop::Dead(none) => Reach::Broken(format!(
            "the zone above delegates {zone} to name servers that do not serve it: {}",
            none.replies.join("; ")
        )),
        Stop::NoName { at } => Reach::Broken(format!(
            "there is no delegation at {}: the name servers of {zone} ({servers}) say that no such name exists",
            shown(at)
        )),
        Stop::Arrived if !walk.arrived_at(&wire_name(name)) => Reach::Broken(format!(
            "the name servers of {zone} ({servers}) have no NS record set for {name}"
        )),
        Stop::Arrived => {
            let above = walk
                .zones
                .iter()
                .rev()
                .nth(1)
                .map_or_else(|| "the root".to_owned(), |zone| shown(&zone.name));
            Reach::Broken(format!(
                "{above} delegates {name} to {servers}, which are not its name servers ({own})"
            ))
        }
    }
}

struct Joined<'a>(&'a [Server]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, server) in self.0.iter().enumerate() {
            write!(f, "{}{server}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
