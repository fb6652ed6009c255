//! `DeleteCertificate`.

use super::certificate;
use crate::custody::Then;
use crate::ownership;
use crate::state::State;
use crate::wire::answer::{Answer, Outcome, ServiceError};
use crate::wire::call::Call;

pub(super) fn run(state: &mut State, call: &mut Call) -> Outcome {
    let arn = certificate(state, call)?;
    let found = &state.acm.certificates[&arn];
    if !found.in_use_by.is_empty() {
        return Err(ServiceError::bad(
            "ResourceInUseException",
            format!("Certificate {arn} in account {} is in use.", found.account),
        ));
    }
    ownership::certificate_changed(state, &arn, Then::IsGone, &call.caller.hand);
    state.acm.certificates.remove(&arn);
    call.effect = true;
    Ok(Answer::Empty)
}
