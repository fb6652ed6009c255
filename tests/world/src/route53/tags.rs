//! `ChangeTagsForResource`, `ListTagsForResource`, `ListTagsForResources`, for hosted zones.

use std::collections::BTreeSet;

use super::{Zone, authorize, authorized_zone, existing_zone};
use crate::ownership;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;

fn only_zones(kind: &str) -> Result<(), ServiceError> {
    if kind == "hostedzone" {
        Ok(())
    } else {
        Err(ServiceError::bad(
            "InvalidInput",
            format!("resource type {kind}"),
        ))
    }
}

fn tag_set(zone: &Zone) -> Element {
    Element::new("ResourceTagSet")
        .text("ResourceType", "hostedzone")
        .text("ResourceId", &zone.id)
        .with(
            Element::new("Tags").with_all(
                zone.tags
                    .iter()
                    .map(|(key, value)| Element::new("Tag").text("Key", key).text("Value", value)),
            ),
        )
}

pub(super) fn list(state: &mut State, call: &mut Call) -> Outcome {
    only_zones(&call.path[0])?;
    let id = authorized_zone(state, call, &call.path[1].clone())?;
    Ok(Answer::Xml(
        Element::new("ListTagsForResourceResponse").with(tag_set(&state.route53.zones[&id])),
    ))
}

pub(super) fn list_many(state: &mut State, call: &mut Call) -> Outcome {
    only_zones(&call.path[0])?;
    let body = call.xml()?;
    let ids: Vec<String> = body
        .child("ResourceIds")
        .into_iter()
        .flat_map(|ids| ids.children_named("ResourceId"))
        .map(|id| id.text.clone())
        .collect();
    call.target = ids.join(",");
    if ids.is_empty() || ids.len() > 10 {
        return Err(ServiceError::bad("InvalidInput", "1 to 10 ResourceIds"));
    }
    for id in &ids {
        authorize(state, call, &format!("hostedzone/{id}"))?;
        existing_zone(state, call, id)?;
    }
    Ok(Answer::Xml(
        Element::new("ListTagsForResourcesResponse").with(
            Element::new("ResourceTagSets")
                .with_all(ids.iter().map(|id| tag_set(&state.route53.zones[id]))),
        ),
    ))
}

pub(super) fn change(state: &mut State, call: &mut Call) -> Outcome {
    only_zones(&call.path[0])?;
    let id = authorized_zone(state, call, &call.path[1].clone())?;
    let body = call.xml()?;
    let add: Vec<(String, String)> = body
        .child("AddTags")
        .into_iter()
        .flat_map(|tags| tags.children_named("Tag"))
        .map(|tag| {
            let get = |name| tag.get(name).unwrap_or_default().to_owned();
            (get("Key"), get("Value"))
        })
        .collect();
    let remove: Vec<String> = body
        .child("RemoveTagKeys")
        .into_iter()
        .flat_map(|keys| keys.children_named("Key"))
        .map(|key| key.text.clone())
        .collect();
    if add.is_empty() && remove.is_empty() || add.len() > 10 || remove.len() > 10 {
        return Err(ServiceError::bad("InvalidInput", "1 to 10 tags"));
    }
    if add
        .iter()
        .any(|(key, value)| key.is_empty() || key.len() > 128 || value.len() > 256)
    {
        return Err(ServiceError::bad("InvalidInput", "a tag is too long"));
    }
    let tags = &state.route53.zones[&id].tags;
    let kept = tags.keys().filter(|key| !remove.contains(key));
    let added = add.iter().map(|(key, _)| key);
    if kept.chain(added).collect::<BTreeSet<_>>().len() > 50 {
        return Err(ServiceError::bad("InvalidInput", "50 tags at most"));
    }
    ownership::zone_tagged(state, &id, &call.caller.hand, &add, &remove);
    let zone = state.route53.zones.get_mut(&id).expect("it exists");
    for key in remove {
        zone.tags.remove(&key);
    }
    zone.tags.extend(add);
    call.effect = true;
    Ok(Answer::Xml(Element::new("ChangeTagsForResourceResponse")))
}
