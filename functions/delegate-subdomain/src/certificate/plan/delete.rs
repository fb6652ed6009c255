//! Plans a Delete.
//!
//! If the Create was never answered, it may still run, and request a certificate after its Delete has
//! searched. So such a Delete searches twice, with the longest life of a Create in between.

use super::{
    action::{Action, Purpose},
    decision::{Delivery, Next, Plan, Question},
    phase::{After, Delete, Phase, Remove, Stage},
};
use crate::certificate::{
    acm::ListError,
    error::Error,
    observed::{Listing, Observed},
    properties::{CnameZones, Deletion},
    tagged::TaggedCertificate,
};
use custom_resource::{Clock, Request, Success, Wait, is_refused_id};
use ownership::{
    Requester,
    certificate::{Fate, Successor, fate, return_tags, transfer_keys, zones_of},
};
use std::time::SystemTime;

pub(super) fn plan(
    deletion: &Deletion,
    delete: &Delete,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Error> {
    let request = delivery.request;
    let done = || Next::Done(Success::new(request.physical_id()));
    let found = match &observed.certificates {
        Listing::NotRead => &[][..],
        Listing::Found(found) => found,
        Listing::Unreadable(error) if requested_nothing(error, request) => {
            return Ok(Plan::Do(Vec::new(), done()));
        }
        Listing::Unreadable(error) => return Err(error.clone().into()),
    };
    let (cnames, next) = match deletion {
        Deletion::Named(_, cnames) => (cnames, done()),
        Deletion::Unnamed(_, cnames) => (cnames, Next::Again(Phase::Delete(delete.clone()))),
        Deletion::Nothing => return Ok(Plan::Do(Vec::new(), done())),
    };
    let found = found.iter().filter(|held| match deletion {
        Deletion::Unnamed(wanted, _) => held.is_for(&request.owner(), wanted),
        Deletion::Named(..) | Deletion::Nothing => true,
    });
    for held in found {
        let (arn, keys) = (held.arn(), transfer_keys());
        let actions = match fate(request, arn.as_str(), &held.tags) {
            Fate::Leave => continue,
            Fate::Delete => return remove(held, cnames, delete, observed, delivery),
            Fate::Return { to } => {
                let returned = Purpose::ReturnTo(to.clone());
                [
                    Action::tag(returned, arn, return_tags(&to)),
                    Action::untag(Purpose::EndRenaming, arn, keys),
                ]
            }
            Fate::EndRenaming => [Action::untag(Purpose::EndRenaming, arn, keys), None],
        };
        return Ok(Plan::Do(actions.into_iter().flatten().collect(), next));
    }
    Ok(match (deletion, second_search(delete, delivery)) {
        (Deletion::Unnamed(..), Some(at)) => {
            let left = at.duration_since(delivery.now).unwrap_or_default();
            let search_again_at = Some(Clock::seconds(at));
            let delete = Delete {
                search_again_at,
                ..delete.clone()
            };
            Plan::wait(Wait::second_search(), left, Phase::Delete(delete))
        }
        _ => Plan::Do(Vec::new(), done()),
    })
}

/// Returns whether the Create that was refused cannot have requested a certificate either: not in a Region
/// that does not exist or that this account has not enabled, and not without the permission.
fn requested_nothing(error: &ListError, request: &Request) -> bool {
    match error {
        ListError::NoRegion(_) | ListError::Closed(_) => true,
        ListError::Denied(_) => is_refused_id(request.physical_id()),
        ListError::Aws(_) => false,
    }
}

/// Returns when to search again for what an unanswered Create has requested.
fn second_search(delete: &Delete, delivery: &Delivery<'_>) -> Option<SystemTime> {
    if is_refused_id(delivery.request.physical_id()) {
        return None;
    }
    match delete.search_again_at {
        None => Some(delivery.search_again_at),
        Some(at) => Some(Clock::moment(at)).filter(|at| *at > delivery.now),
    }
}

/// Deletes a certificate, and before it the uncompleted successor that an Update has noted on it. The note is
/// deleted with the certificate.
fn remove(
    held: &TaggedCertificate,
    cnames: &CnameZones,
    delete: &Delete,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Error> {
    if let Some(successor) = Successor::of(&held.tags) {
        match leftover(&successor, &observed.others, delivery)? {
            Leftover::Unknown(question) => return Ok(Plan::Ask(question)),
            Leftover::Found(found) => {
                let found = found
                    .into_iter()
                    .find(|found| !delete.left.contains(found.arn()));
                if let Some(found) = found {
                    let mut then = delete.clone();
                    then.left.insert(found.arn().clone());
                    return Ok(remove_leftover(found, cnames, Phase::Delete(then)));
                }
            }
        }
    }
    Ok(Plan::again(Phase::Remove(Remove {
        arn: held.arn().clone(),
        stage: Stage::Certificate,
        cnames: cnames.clone(),
        after: After::Delete(delete.clone()),
    })))
}

/// The uncompleted certificate that a note names.
pub(super) enum Leftover<'a> {
    Found(Vec<&'a TaggedCertificate>),
    Unknown(Question),
}

pub(super) fn leftover<'a>(
    successor: &Successor,
    others: &'a Listing,
    delivery: &Delivery<'_>,
) -> Result<Leftover<'a>, Error> {
    let found = match others {
        Listing::NotRead => {
            return Ok(Leftover::Unknown(Question::Others {
                region: successor.region.clone(),
                name: successor.name.clone(),
            }));
        }
        // A request must not fail because of another request's leftover in a Region that the function may not
        // read any more.
        Listing::Unreadable(error) if error.aws().is_transient() => {
            return Err(error.clone().into());
        }
        Listing::Unreadable(_) => &[][..],
        Listing::Found(found) => found,
    };
    let owner = delivery.request.owner();
    let found = found.iter().filter(|held| {
        held.certificate.is_named(&successor.name)
            && successor.is_left(&held.tags, &owner)
            && held.arn().as_str() != delivery.request.physical_id()
    });
    Ok(Leftover::Found(found.collect()))
}

/// Deletes the leftover of another request, then continues with `then` whether that succeeded or not.
pub(super) fn remove_leftover(held: &TaggedCertificate, cnames: &CnameZones, then: Phase) -> Plan {
    Plan::again(Phase::Remove(Remove {
        arn: held.arn().clone(),
        stage: Stage::Certificate,
        cnames: cnames.clone().and_in(zones_of(&held.tags)),
        after: After::Leftover(Box::new(then)),
    }))
}
