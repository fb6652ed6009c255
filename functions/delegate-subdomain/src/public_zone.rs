use aws_calls::AwsError;
use hosted_zones::{HostedZone, HostedZoneId, Route53};
use thiserror::Error;

/// Why the zone that a property names cannot be used.
#[derive(Clone, Debug, Error)]
pub(crate) enum Unusable {
    #[error(
        "Property {property} is {id}, and this account has no such hosted zone: correct the id."
    )]
    NoZone {
        property: &'static str,
        id: HostedZoneId,
    },
    #[error("Property {property} is {id}, which is a private hosted zone: name a public one.")]
    PrivateZone {
        property: &'static str,
        id: HostedZoneId,
    },
}

/// Returns a public zone of this account that a property names.
pub(crate) async fn public_zone<E: From<AwsError> + From<Unusable>>(
    route53: &Route53,
    property: &'static str,
    id: &HostedZoneId,
) -> Result<HostedZone, E> {
    let id = id.clone();
    match route53.zone(&id).await? {
        None => Err(Unusable::NoZone { property, id }.into()),
        Some(zone) if zone.private => Err(Unusable::PrivateZone { property, id }.into()),
        Some(zone) => Ok(zone),
    }
}
