//! `GetChange`.

use super::authorize;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;
use crate::wire::xml::Element;

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let id = call.path[0].clone();
    call.target.clone_from(&id);
    authorize(state, call, &format!("change/{id}"))?;
    state
        .route53
        .changes
        .get(&id)
        .filter(|change| change.account == call.caller.account)
        .ok_or_else(|| {
            ServiceError::new(
                404,
                "NoSuchChange",
                format!("Could not find resource with ID: {id}"),
            )
        })?;
    Ok(Answer::Xml(
        Element::new("GetChangeResponse").with(element(state, &id)),
    ))
}

/// Returns the `ChangeInfo` of a change.
pub(super) fn element(state: &State, id: &str) -> Element {
    let change = &state.route53.changes[id];
    let status = if change.in_sync { "INSYNC" } else { "PENDING" };
    Element::new("ChangeInfo")
        .text("Id", format!("/change/{}", change.id))
        .text("Status", status)
        .text("SubmittedAt", state.clock.iso(change.submitted))
}
