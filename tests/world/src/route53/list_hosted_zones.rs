//! `ListHostedZones` and `ListHostedZonesByName`.

use super::name::Name;
use super::{Zone, authorize, page_size};
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;

fn account_zones<'a>(state: &'a State, call: &Call) -> Vec<&'a Zone> {
    state
        .route53
        .zones
        .values()
        .filter(|zone| zone.account == call.caller.account)
        .collect()
}

fn elements(zones: &[&Zone]) -> Element {
    Element::new("HostedZones").with_all(zones.iter().map(|zone| zone.element()))
}

pub(super) fn all(state: &mut State, call: &mut Call) -> Outcome {
    authorize(state, call, "*")?;
    let size = page_size(state, call, "maxitems")?.min(100);
    let marker = call.query.get("marker").cloned().unwrap_or_default();
    call.target.clone_from(&marker);
    let zones: Vec<&Zone> = account_zones(state, call)
        .into_iter()
        .filter(|zone| zone.id >= marker)
        .collect();
    let page = &zones[..size.min(zones.len())];
    let next = zones.get(size).map(|zone| zone.id.clone());
    Ok(Answer::Xml(
        Element::new("ListHostedZonesResponse")
            .with(elements(page))
            .text("Marker", marker)
            .text("IsTruncated", next.is_some().to_string())
            .maybe("NextMarker", next)
            .text("MaxItems", size.to_string()),
    ))
}

pub(super) fn by_name(state: &mut State, call: &mut Call) -> Outcome {
    authorize(state, call, "*")?;
    let size = page_size(state, call, "maxitems")?.min(100);
    let name = call.query.get("dnsname").cloned();
    call.target = name.clone().unwrap_or_default();
    let from = name
        .as_deref()
        .map(Name::parse)
        .transpose()
        .map_err(|error| ServiceError::bad("InvalidDomainName", error))?;
    let from_id = call.query.get("hostedzoneid").cloned();
    if from_id.is_some() && from.is_none() {
        return Err(ServiceError::bad(
            "InvalidInput",
            "hostedzoneid without dnsname",
        ));
    }
    let mut zones = account_zones(state, call);
    zones.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
    if let Some(from) = &from {
        let from_id = from_id.clone().unwrap_or_default();
        zones.retain(|zone| (&zone.name, &zone.id) >= (from, &from_id));
    }
    let page = &zones[..size.min(zones.len())];
    let next = zones.get(size);
    Ok(Answer::Xml(
        Element::new("ListHostedZonesByNameResponse")
            .with(elements(page))
            .maybe("DNSName", name)
            .maybe("HostedZoneId", from_id)
            .text("IsTruncated", next.is_some().to_string())
            .maybe("NextDNSName", next.map(|zone| zone.name.to_string()))
            .maybe("NextHostedZoneId", next.map(|zone| zone.id.clone()))
            .text("MaxItems", size.to_string()),
    ))
}
