use crate::{DomainName, NameServers};
use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// The id of a hosted zone, e.g. `Z0123456789ABCDEFGHIJ`, without the `/hostedzone/` before it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostedZoneId(String);

/// Why a text is not a hosted zone id.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is not the id of a hosted zone (1 to 32 of A-Z and 0-9)")]
pub struct IdError(String);

impl HostedZoneId {
    /// Parses an id with or without `/hostedzone/`, as users and Route 53 write it.
    ///
    /// # Errors
    ///
    /// [`IdError`] if it is not 1 to 32 of `A-Z 0-9`
    /// (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html>).
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let id = text.strip_prefix("/hostedzone/").unwrap_or(text);
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        if (1..=32).contains(&id.len()) && id.bytes().all(allowed) {
            Ok(Self(id.to_owned()))
        } else {
            Err(IdError(text.to_owned()))
        }
    }

    /// Creates the id from a response of Route 53, without a check.
    pub(crate) fn from_service(text: &str) -> Self {
        Self(text.strip_prefix("/hostedzone/").unwrap_or(text).to_owned())
    }

    /// Returns the id without `/hostedzone/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HostedZoneId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<HostedZoneId> for String {
    fn from(id: HostedZoneId) -> Self {
        id.0
    }
}

impl fmt::Display for HostedZoneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A hosted zone as the List operations return it.
#[derive(Clone, Debug)]
pub struct ListedZone {
    /// Its id.
    pub id: HostedZoneId,
    /// Its name.
    pub name: DomainName,
    /// The value that its creator chose. It is written with the zone itself and never changes.
    pub caller_reference: String,
    /// A private zone serves VPCs only, so no delegation can lead to it.
    pub private: bool,
    /// The comment, empty if there is none.
    pub comment: String,
    /// The number of its record sets. A zone that nobody uses has two: the SOA and NS of its apex.
    pub record_sets: i64,
}

/// A public hosted zone with its name servers.
#[derive(Clone, Debug)]
pub struct HostedZone {
    /// Its id, name and caller reference.
    pub listed: ListedZone,
    /// The name servers that Route 53 assigned, or none for a private zone.
    pub name_servers: NameServers,
}

impl std::ops::Deref for HostedZone {
    type Target = ListedZone;
    fn deref(&self) -> &ListedZone {
        &self.listed
    }
}

impl From<&aws_sdk_route53::types::HostedZone> for ListedZone {
    fn from(zone: &aws_sdk_route53::types::HostedZone) -> Self {
        let config = zone.config();
        Self {
            id: HostedZoneId::from_service(zone.id()),
            name: DomainName::from_service(zone.name()),
            caller_reference: zone.caller_reference().to_owned(),
            private: config.is_some_and(aws_sdk_route53::types::HostedZoneConfig::private_zone),
            // Route 53 always returns the number.
            record_sets: zone.resource_record_set_count().unwrap_or(i64::MAX),
            comment: config
                .and_then(|c| c.comment())
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HostedZoneId;

    #[test]
    fn ids_are_parsed_with_and_without_the_prefix() {
        assert_eq!(
            HostedZoneId::parse("/hostedzone/Z01").unwrap().as_str(),
            "Z01"
        );
        for wrong in [
            "",
            "z01",
            "Z-1",
            "/hostedzone/",
            "Z0123456789012345678901234567890123",
        ] {
            assert!(HostedZoneId::parse(wrong).is_err(), "{wrong}");
        }
    }
}
