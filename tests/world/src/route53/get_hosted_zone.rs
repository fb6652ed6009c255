//! `GetHostedZone`, `GetDNSSEC`, `UpdateHostedZoneComment`.

use super::authorized_zone;
use crate::ownership;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let id = authorized_zone(state, call, &call.path[0].clone())?;
    let zone = &state.route53.zones[&id];
    let answer = Element::new("GetHostedZoneResponse").with(zone.element());
    Ok(Answer::Xml(if zone.private {
        answer.with(
            Element::new("VPCs").with(
                Element::new("VPC")
                    .text("VPCRegion", "us-east-1")
                    .text("VPCId", "vpc-1"),
            ),
        )
    } else {
        answer.with(zone.delegation_set())
    }))
}

pub(super) fn dnssec(state: &mut State, call: &mut Call) -> Outcome {
    let id = authorized_zone(state, call, &call.path[0].clone())?;
    let zone = &state.route53.zones[&id];
    if zone.private {
        return Err(ServiceError::bad(
            "InvalidArgument",
            "Private hosted zones cannot be signed.",
        ));
    }
    let status = if zone.signed {
        "SIGNING"
    } else {
        "NOT_SIGNING"
    };
    let key = zone.signed.then(|| {
        Element::new("KeySigningKey")
            .text("Name", "key")
            .text("Status", "ACTIVE")
            .text("DSRecord", crate::dns::ds(zone))
    });
    Ok(Answer::Xml(
        Element::new("GetDNSSECResponse")
            .with(Element::new("Status").text("ServeSignature", status))
            .with(Element::new("KeySigningKeys").with_all(key)),
    ))
}

pub(super) fn update_comment(state: &mut State, call: &mut Call) -> Outcome {
    let id = authorized_zone(state, call, &call.path[0].clone())?;
    let body = call.xml()?;
    let comment = body.get("Comment").unwrap_or_default().to_owned();
    if comment.chars().count() > 256 {
        return Err(ServiceError::bad("InvalidInput", "Comment"));
    }
    ownership::zone_changed(state, &id, &call.caller.hand, "its comment");
    let zone = state.route53.zones.get_mut(&id).expect("it exists");
    zone.comment = comment;
    call.effect = true;
    Ok(Answer::Xml(
        Element::new("UpdateHostedZoneCommentResponse").with(zone.element()),
    ))
}
