//! `DeleteHostedZone`.

use super::{FormerZone, authorized_zone, get_change, submit};
use crate::iam::principal::Hand;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;
use crate::{dangling, ownership};

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let id = authorized_zone(state, call, &call.path[0].clone())?;
    let change = delete(state, &id, &call.caller.hand)?;
    call.effect = true;
    Ok(Answer::Xml(
        Element::new("DeleteHostedZoneResponse").with(get_change::element(state, &change)),
    ))
}

/// Deletes a zone. Its name servers refuse its name from then on.
///
/// # Errors Those of the API.
pub(crate) fn delete(state: &mut State, id: &str, hand: &Hand) -> Result<String, ServiceError> {
    let zone = &state.route53.zones[id];
    if zone.signed || !zone.protections.is_empty() || zone.other_records().next().is_some() {
        return Err(ServiceError::bad(
            "HostedZoneNotEmpty",
            "The specified hosted zone contains non-required resource record sets and so cannot be deleted.",
        ));
    }
    ownership::zone_deleted(state, id, hand);
    let change = submit(state, id, Vec::new(), hand);
    let zone = state.route53.zones.remove(id).expect("it exists");
    state.route53.former.insert(
        id.to_owned(),
        FormerZone {
            name: zone.name.clone(),
            name_servers: zone.name_servers,
            made_by: zone.made_by,
            delegated_by: zone.delegated_by,
            deleted_by: hand.clone(),
        },
    );
    state.dns.changed();
    dangling::check(state, &zone.name, hand);
    Ok(change)
}
