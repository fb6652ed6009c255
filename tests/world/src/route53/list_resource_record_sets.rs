//! `ListResourceRecordSets`.

use super::name::Name;
use super::record_set::{RecordKey, element};
use super::{authorized_zone, page_size};
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let id = authorized_zone(state, call, &call.path[0].clone())?;
    let size = page_size(state, call, "maxitems")?.min(300);
    let get = |name: &str| call.query.get(name).cloned();
    let name = get("name");
    let kind = get("type");
    if name.is_none() && kind.is_some() {
        return Err(ServiceError::bad(
            "InvalidInput",
            "The input is not valid: type without name",
        ));
    }
    let from = match &name {
        None => None,
        Some(name) => Some(RecordKey {
            name: Name::parse(name).map_err(|error| ServiceError::bad("InvalidInput", error))?,
            kind: kind.unwrap_or_default(),
            set_identifier: get("identifier").unwrap_or_default(),
        }),
    };
    if let Some(from) = &from {
        call.target = format!("{} from {} {}", call.target, from.name, from.kind);
    }
    let zone = &state.route53.zones[&id];
    let mut sets: Box<dyn Iterator<Item = _>> = match from {
        Some(from) => Box::new(zone.records.range(from..)),
        None => Box::new(zone.records.iter()),
    };
    let page: Vec<Element> = sets
        .by_ref()
        .take(size)
        .map(|(key, set)| element(key, set))
        .collect();
    let next = sets.next().map(|(key, _)| key);
    Ok(Answer::Xml(
        Element::new("ListResourceRecordSetsResponse")
            .with(Element::new("ResourceRecordSets").with_all(page))
            .text("IsTruncated", next.is_some().to_string())
            .maybe("NextRecordName", next.map(|key| key.name.to_string()))
            .maybe("NextRecordType", next.map(|key| key.kind.clone()))
            .maybe(
                "NextRecordIdentifier",
                next.map(|key| key.set_identifier.clone())
                    .filter(|identifier| !identifier.is_empty()),
            )
            .text("MaxItems", size.to_string()),
    ))
}
