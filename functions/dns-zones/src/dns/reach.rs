//! Whether a zone is reached from the outside, and where the way to it breaks.

use std::fmt;
use std::time::Duration;

use super::question::{shown, wire_name};
use super::walk::{Stop, Walk};
use super::{Dns, Transport};
use crate::{DomainName, NameServers};

/// The longest walk. Each zone on the way takes one round trip as a rule.
const WALK: Duration = Duration::from_secs(30);

/// Whether a walk from the top leads to a zone's own name servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It does.
    Reached,
    /// It does not, for certain: where it breaks and which servers answered what, as a clause.
    Broken(String),
    /// Cannot be said; why, as a clause. A function without a way out to port 53 ends here.
    Unknown(String),
}

impl<T: Transport> Dns<T> {
    /// Walks from the top down to the zone `name` and compares the name servers found with the zone's own. One in
    /// common is enough: a registry may list them in part.
    ///
    /// Takes 30 s at most.
    pub async fn reach(&self, name: &DomainName, own: &NameServers) -> Reach {
        match tokio::time::timeout(WALK, self.walk(&wire_name(name))).await {
            Ok(walk) => judge(&walk, name, own),
            Err(_) => Reach::Unknown(format!(
                "the walk down to {name} took over {} s",
                WALK.as_secs()
            )),
        }
    }
}

fn judge(walk: &Walk, name: &DomainName, own: &NameServers) -> Reach {
    let last = walk.last();
    let (zone, servers) = (shown(&last.name), Joined(&last.servers));
    match &walk.stop {
        Stop::NoWayOut => Reach::Unknown("no name server answers at all".to_owned()),
        // Only listed servers refuse at the top: what lies above the zone is not theirs to know.
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
        Stop::Arrived if last.name != wire_name(name) => Reach::Broken(format!(
            "the name servers of {zone} ({servers}) have no NS record set for {name}"
        )),
        Stop::Arrived
            if last
                .servers
                .iter()
                .any(|server| own.iter().any(|own| server.host.as_ref() == Some(own))) =>
        {
            Reach::Reached
        }
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

struct Joined<'a>(&'a [super::name_server::Server]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, server) in self.0.iter().enumerate() {
            write!(f, "{}{server}", if i > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}
