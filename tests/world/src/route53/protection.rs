//! Record set protections (2026): while one exists, its name and type cannot be changed, and its zone cannot
//! be deleted.
//!
//! Source: botocore 1.44.8, `ListResourceRecordSetProtections`.

use super::name::Name;
use super::{Zone, authorized_zone, page_size};
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;

use super::record_set::Change;

/// Returns the error if a protection refuses this change.
pub(super) fn refusal(zone: &Zone, change: &Change) -> Option<String> {
    let key = (change.key.name.clone(), change.key.kind.clone());
    zone.protections.get(&key).map(|comment| {
        format!(
            "Tried to {} resource record set [name='{}', type='{}'] but it has a resource record set protection: {comment}",
            change.action.name().to_lowercase(),
            change.key.name,
            change.key.kind
        )
    })
}

pub(super) fn list(state: &mut State, call: &mut Call) -> Outcome {
    let id = authorized_zone(state, call, &call.path[0].clone())?;
    let size = page_size(state, call, "maxresults")?.min(300);
    let from = match (call.query.get("nexttoken"), call.query.get("name")) {
        (Some(token), _) => token
            .split_once(' ')
            .ok_or_else(|| ServiceError::bad("InvalidPaginationToken", "NextToken"))?,
        (None, Some(name)) => (
            name.as_str(),
            call.query.get("type").map_or("", String::as_str),
        ),
        (None, None) => ("", ""),
    };
    let from = (
        Name::parse(from.0).map_err(|error| ServiceError::bad("InvalidInput", error))?,
        from.1.to_owned(),
    );
    let mut protections = state.route53.zones[&id].protections.range(from..);
    let page: Vec<Element> = protections
        .by_ref()
        .take(size)
        .map(|((name, kind), comment)| {
            Element::new("ResourceRecordSetProtection")
                .text("RecordName", name.to_string())
                .text("RecordType", kind)
                .maybe("Comment", Some(comment).filter(|text| !text.is_empty()))
        })
        .collect();
    let next = protections
        .next()
        .map(|((name, kind), _)| format!("{name} {kind}"));
    Ok(Answer::Xml(
        Element::new("ListResourceRecordSetProtectionsResponse")
            .with(Element::new("ResourceRecordSetProtections").with_all(page))
            .maybe("NextToken", next),
    ))
}
