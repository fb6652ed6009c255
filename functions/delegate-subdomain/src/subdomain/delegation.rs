use hosted_zones::{DomainName, HostedZone, HostedZoneId, NameServers};
use ownership::{Owner, zone::Proof};
use std::fmt;

/// A delegation in the form of the resource's physical id: `NAME/ZONE/PARENT/PROOF`.
///
/// It has everything that a Delete needs if nothing else is known: the zone with the NS record set, and the
/// proof that its values belong to this resource. Another name, parent or zone is another delegation, so
/// CloudFormation replaces the resource.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Delegation {
    /// The subdomain.
    pub(crate) name: DomainName,
    /// The zone to which it is delegated.
    pub(crate) zone: HostedZoneId,
    /// The zone that has its NS record set.
    pub(crate) parent: HostedZoneId,
    /// See [`Proof`].
    pub(crate) proof: String,
}

impl Delegation {
    pub(crate) fn new(
        zone: &HostedZone,
        parent: &HostedZoneId,
        owner: &Owner,
        proof: Proof,
    ) -> Self {
        Self {
            name: zone.name.clone(),
            zone: zone.id.clone(),
            parent: parent.clone(),
            proof: proof.digest(&zone.name_servers, owner),
        }
    }

    /// Parses a physical id, or returns none if this function never returned it.
    pub(crate) fn parse(physical_id: &str) -> Option<Self> {
        let mut parts = physical_id.split('/');
        let delegation = Self {
            name: DomainName::parse(parts.next()?).ok()?,
            zone: HostedZoneId::parse(parts.next()?).ok()?,
            parent: HostedZoneId::parse(parts.next()?).ok()?,
            proof: parts.next()?.to_owned(),
        };
        let is_proof =
            delegation.proof.len() == 16 && delegation.proof.bytes().all(|b| b.is_ascii_hexdigit());
        (is_proof && parts.next().is_none()).then_some(delegation)
    }

    /// Returns whether these may be the name servers of the delegated zone. Anyone can compute the proof.
    pub(crate) fn is_to(&self, name_servers: &NameServers, owner: &Owner) -> bool {
        let of_any = Proof::OfNameServers.digest(name_servers, owner);
        self.proof == of_any || self.is_proven_to(name_servers, owner)
    }

    /// Returns whether `owner` got this id for a zone with these name servers.
    pub(crate) fn is_proven_to(&self, name_servers: &NameServers, owner: &Owner) -> bool {
        self.proof == Proof::OfOwner.digest(name_servers, owner)
    }

    /// Returns whether both are the same delegation, whichever releases returned the ids.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.zone, &self.parent) == (&other.name, &other.zone, &other.parent)
    }
}

impl TryFrom<String> for Delegation {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a physical id of this function")
    }
}

impl From<Delegation> for String {
    fn from(delegation: Delegation) -> Self {
        delegation.to_string()
    }
}

impl fmt::Display for Delegation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            zone,
            parent,
            proof,
        } = self;
        write!(f, "{}/{zone}/{parent}/{proof}", name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Delegation;

    #[test]
    fn an_id_is_equal_after_cloudformation_carried_it() {
        let id = "dev.build.example.com/Z01CHILD/Z02PARENT/0123456789abcdef";
        assert_eq!(Delegation::parse(id).unwrap().to_string(), id);
    }

    #[test]
    fn an_id_that_was_never_returned_is_ignored() {
        for id in [
            "",
            "consumer-dev-Subdomain-1A2B3C4D",
            "2026/11/24/[$LATEST]0123456789abcdef0123456789abcdef",
            "refused-0123456789abcdef0123456789abcdef",
            "dev.example.com/Z01/Z02",
            "dev.example.com/Z01/Z02/0123",
            "dev.example.com/Z01/Z02/0123456789abcdef/",
            "*.example.com/Z01/Z02/0123456789abcdef",
        ] {
            assert_eq!(Delegation::parse(id), None, "{id}");
        }
    }
}
