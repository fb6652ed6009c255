//! Plans a Create or Update until its certificate is issued.
//!
//! A failed Update is rolled back by another Update with the properties swapped. So an Update, too, first
//! searches for what the resource has already, and finally deletes leftovers for the other properties.

use super::{
    action::{Action, NewCertificate, Purpose},
    decision::{Delivery, Next, Plan, Question},
    delete::{Leftover, leftover, remove_leftover},
    diagnosis::{PAUSE, Verdict, since},
    phase::{Finish, Origin, Phase, Search, Waiting},
};
use crate::certificate::{
    arn::CertificateArn,
    described::{Certificate, Status},
    error::Error,
    observed::{CnameState, Listing, Observed, Obstacle, Tracked},
    properties::{Issue, Names},
    tagged::{TaggedCertificate, missing_digest, tag_changes, tags_of_new},
    zones::ValidationZones,
};
use aws_sdk_acm::types::FailureReason;
use custom_resource::{Clock, RequestType, Success};
use ownership::{
    Requester,
    certificate::{Fate, Successor, fate, is_undone_with, settled_tag, transfer_tags},
};
use std::{collections::BTreeSet, time::Duration};

/// How long after its request a certificate may be invisible. ACM's documentation says "a delay of several
/// seconds".
const APPEARS: Duration = Duration::from_secs(60);
/// How long before a Create is too late to request a certificate ([`Delivery::max_age`]) it is requested in
/// any case: longer than the pause between two attempts.
const LAST_REQUEST: Duration = Duration::from_secs(150);
/// The shortest and the longest pause between two attempts.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Continues with a certificate that satisfies the request, or requests one.
pub(super) fn search(
    issue: &Issue,
    search: &Search,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Error> {
    let Some(held) = best(issue, observed, delivery)? else {
        return request(issue, search, observed, delivery);
    };
    let origin = if is_undone_with(delivery.request, &held.tags) {
        Origin::Requested
    } else {
        Origin::Found
    };
    let is_issued = held.certificate.status == Status::Issued;
    let zones = match ValidationZones::usable(&observed.zones, &issue.wanted.names) {
        Ok(zones) => zones,
        Err(error) if !is_issued || is_new(origin, delivery) && error.is_transient() => {
            return Err(error);
        }
        // It was issued before, whatever happened to its zones since. Only its renewal needs them.
        Err(_) => ValidationZones::default(),
    };
    let arn = held.arn().clone();
    Ok(Plan::again(if is_issued && !is_new(origin, delivery) {
        Phase::Finish(Finish {
            arn,
            origin,
            left: search.left.clone(),
        })
    } else {
        let waiting = Waiting {
            shown: true,
            ..waiting(origin, zones, search, delivery)
        };
        Phase::Await(arn, waiting)
    }))
}

/// Returns whether the certificate is new for this resource, so that it may need other CNAMEs than it has. A
/// rollback gets its certificate unchanged.
fn is_new(origin: Origin, delivery: &Delivery<'_>) -> bool {
    delivery.request.request_type == RequestType::Create || origin == Origin::Requested
}

fn waiting(
    origin: Origin,
    zones: ValidationZones,
    search: &Search,
    delivery: &Delivery<'_>,
) -> Waiting {
    Waiting {
        origin,
        since: Clock::seconds(delivery.now),
        shown: false,
        zones,
        records: BTreeSet::new(),
        diagnosis: search.diagnosis.clone(),
    }
}

/// Returns the best of several certificates that satisfy the request: the one that CloudFormation tracks,
/// else one that is issued.
fn best(
    issue: &Issue,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Option<TaggedCertificate>, Error> {
    let found = match &observed.certificates {
        Listing::NotRead => &[][..],
        Listing::Found(found) => found,
        Listing::Unreadable(error) => return Err(error.clone().into()),
    };
    let mut found = found.to_vec();
    match &observed.tracked {
        Tracked::Found(held) if held.arn().region() == issue.wanted.region => {
            let missing = missing_digest(&held.tags, issue);
            found.push((**held).clone().with(missing));
        }
        Tracked::Unreadable(error) => {
            let arn = issue.tracked.as_ref();
            let is_here = arn.is_some_and(|arn| arn.region() == issue.wanted.region);
            if is_here || error.is_transient() {
                return Err(error.clone().into());
            }
        }
        Tracked::Found(_) | Tracked::Missing | Tracked::NotRead => {}
    }
    let owner = delivery.request.owner();
    found.retain(|held| {
        held.certificate.status.needs_records() && held.is_for(&owner, &issue.wanted)
    });
    Ok(found.into_iter().min_by_key(|held| {
        let is_issued = held.certificate.status == Status::Issued;
        let is_tracked = issue.tracked.as_ref() == Some(held.arn());
        (!is_tracked, !is_issued, held.arn().clone())
    }))
}

/// Requests a certificate, unless name servers show that it could not be issued: each request counts
/// against a yearly quota, even after the certificate is deleted.
fn request(
    issue: &Issue,
    search: &Search,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Error> {
    let name = || issue.wanted.names.domain.clone();
    check_tracked_exists(issue, observed, delivery)?;
    let zones = ValidationZones::usable(&observed.zones, &issue.wanted.names)?;
    if observed.obstacle == Obstacle::NotAsked && search.diagnosis.is_due(delivery.now) {
        return Ok(Plan::Ask(obstacle(&issue.wanted.names, None, &zones)));
    }
    let (diagnosis, verdict) = search.diagnosis.updated(&observed.obstacle, delivery.now);
    let search = Search {
        diagnosis,
        ..search.clone()
    };
    match verdict {
        Verdict::Hopeful => {}
        Verdict::Hopeless(cause) => {
            let name = name();
            return Err(Error::Hopeless { name, cause });
        }
        // Later, a Delete may have searched for the last time.
        Verdict::Suspected(cause) if delivery.age() + LAST_REQUEST < delivery.max_age => {
            let waiting_for = format!(
                "the certificate for {} to be requested, which ACM could not issue now, because {cause}",
                name()
            );
            return Ok(Plan::wait(waiting_for, PAUSE, Phase::Search(search)));
        }
        Verdict::Suspected(_) => {}
    }
    if delivery.is_too_late {
        return Err(Error::TooLate {
            name: name(),
            failed: search.failed,
        });
    }
    let mut actions = match notes(issue, &search, observed, delivery)? {
        Notes::Actions(actions) => actions,
        Notes::First(plan) => return Ok(*plan),
    };
    actions.push(Action::Request(Box::new(NewCertificate {
        wanted: issue.wanted.clone(),
        token: delivery.request.token(),
        tags: tags_of_new(delivery.request, &issue.wanted),
    })));
    let waiting = waiting(Origin::Requested, zones, &search, delivery);
    Ok(Plan::Do(actions, Next::AwaitRequested(waiting)))
}

/// Refuses to request a certificate if the one that CloudFormation tracks does not exist, and this may be a late duplicate
/// of an Update that a Delete has followed: nobody would ever delete what it made. An Update in place requests none but for
/// that.
fn check_tracked_exists(
    issue: &Issue,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<(), Error> {
    let mut before = issue.before.iter();
    let in_place = before.any(|before| before.is_same(&issue.wanted));
    if !in_place && !delivery.may_be_repeat {
        return Ok(());
    }
    match (&observed.tracked, &issue.tracked) {
        (Tracked::Missing, Some(arn)) => Err(Error::Gone { arn: arn.clone() }),
        (Tracked::Unreadable(error), _) => Err(error.clone().into()),
        _ => Ok(()),
    }
}

/// The note on the certificate that is replaced.
enum Notes {
    Actions(Vec<Action>),
    /// This has to be done first.
    First(Box<Plan>),
}

fn notes(
    issue: &Issue,
    search: &Search,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Notes, Error> {
    let tracked = match &observed.tracked {
        Tracked::Found(held) if held.is_own(&delivery.request.owner()) => held,
        _ => return Ok(Notes::Actions(Vec::new())),
    };
    let arn = tracked.arn();
    let digest = missing_digest(&tracked.tags, issue);
    let mut actions = Vec::from_iter(Action::tag(Purpose::CompleteZones, arn, digest));
    let successor = Successor::of_request(
        delivery.request,
        &issue.wanted.region,
        &issue.wanted.names.domain.base,
    );
    let noted = Successor::of(&tracked.tags);
    if noted.as_ref() == Some(&successor) {
        return Ok(Notes::Actions(actions));
    }
    if let Some(noted) = noted {
        // The note will be overwritten.
        match leftover(&noted, &observed.others, delivery)? {
            Leftover::Unknown(question) => return Ok(Notes::First(Box::new(Plan::Ask(question)))),
            Leftover::Found(found) => {
                let mut found = found.into_iter();
                if let Some(found) = found.find(|held| !search.left.contains(held.arn())) {
                    let mut then = search.clone();
                    then.left.insert(found.arn().clone());
                    let then = Phase::Search(then);
                    let remove = remove_leftover(found, &issue.cnames_before, then);
                    return Ok(Notes::First(Box::new(remove)));
                }
            }
        }
    }
    actions.extend(Action::tag(Purpose::NoteSuccessor, arn, successor.tag()));
    Ok(Notes::Actions(actions))
}

fn obstacle(names: &Names, certificate: Option<&Certificate>, zones: &ValidationZones) -> Question {
    // A name that ACM has validated can be reached, whatever the function sees.
    let open = names
        .iter()
        .filter(|name| certificate.is_none_or(|certificate| !certificate.is_validated(name)));
    Question::Obstacle {
        zones: zones.used_by(open).into_iter().cloned().collect(),
        names: names.iter().cloned().collect(),
    }
}

/// Waits until the certificate is issued, and creates its CNAMEs.
pub(super) fn until_issued(
    issue: &Issue,
    (arn, waiting): (&CertificateArn, &Waiting),
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Error> {
    let name = issue.wanted.names.domain.clone();
    let age = since(waiting.since, delivery.now);
    let Some(certificate) = &observed.certificate else {
        // It is never requested again, because a Delete may have deleted it.
        if waiting.shown || age >= APPEARS {
            return Err(Error::Vanished { arn: arn.clone() });
        }
        let waiting_for = format!("ACM to show the certificate {arn} that it was asked for");
        let phase = Phase::Await(arn.clone(), waiting.clone());
        return Ok(Plan::wait(waiting_for, Duration::from_secs(1), phase));
    };
    let mut waiting = waiting.clone();
    waiting.shown = true;
    match &certificate.status {
        Status::Pending => {}
        Status::Issued => {
            // If an old CNAME was sufficient, the wanted zone may not have it yet, and the renewal needs it.
            if is_new(waiting.origin, delivery)
                && let Some(plan) = create_cnames(arn, &waiting, observed)?
            {
                return Ok(plan);
            }
            return Ok(Plan::again(Phase::Finish(Finish {
                arn: arn.clone(),
                origin: waiting.origin,
                left: BTreeSet::new(),
            })));
        }
        Status::Failed(Some(FailureReason::CaaError))
            if observed.obstacle == Obstacle::NotAsked =>
        {
            // Its CAA query also fails if the chain of trust of DNSSEC is broken.
            return Ok(Plan::Ask(obstacle(
                &issue.wanted.names,
                None,
                &waiting.zones,
            )));
        }
        Status::Failed(reason) => {
            return Err(match (reason, &observed.obstacle) {
                (_, Obstacle::Some(cause)) => {
                    let cause = cause.clone();
                    Error::Hopeless { name, cause }
                }
                (Some(reason), _) => {
                    let reason = reason.clone();
                    Error::Failed { name, reason }
                }
                (None, _) => Error::TimedOut { name },
            });
        }
        Status::Ended(status) => {
            return Err(Error::Ended {
                arn: arn.clone(),
                status: status.clone(),
            });
        }
    }
    if let Some(plan) = create_cnames(arn, &waiting, observed)? {
        return Ok(plan);
    }
    if observed.obstacle == Obstacle::NotAsked && waiting.diagnosis.is_due(delivery.now) {
        let question = obstacle(&issue.wanted.names, Some(certificate), &waiting.zones);
        return Ok(Plan::Ask(question));
    }
    let (diagnosis, verdict) = waiting.diagnosis.updated(&observed.obstacle, delivery.now);
    waiting.diagnosis = diagnosis;
    waiting.records = certificate.known_records();
    let has_cnames = certificate.records().is_some();
    let why = match verdict {
        Verdict::Hopeless(cause) => return Err(Error::Hopeless { name, cause }),
        Verdict::Suspected(cause) => format!("; ACM cannot issue it now, because {cause}"),
        Verdict::Hopeful if has_cnames => String::new(),
        Verdict::Hopeful => "; ACM has not said yet which CNAMEs validate it".to_owned(),
    };
    let retry_after = if has_cnames {
        // Soon if the certificate is issued quickly, and seldom if that takes an hour.
        let pause = (age / 8).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        pause.mul_f64(delivery.jitter)
    } else {
        Duration::from_secs(2)
    };
    let waiting_for = format!("certificate {arn} for {name} to be issued{why}");
    let phase = Phase::Await(arn.clone(), waiting);
    Ok(Plan::wait(waiting_for, retry_after, phase))
}

/// Creates the missing CNAMEs. An existing one with the same value is used unchanged, because another
/// certificate may need it too.
fn create_cnames(
    arn: &CertificateArn,
    waiting: &Waiting,
    observed: &Observed,
) -> Result<Option<Plan>, Error> {
    let mut missing = Vec::new();
    for cname in &observed.cnames {
        match &cname.state {
            // In a missing zone they cannot be created, which Route 53 then reports.
            CnameState::Missing | CnameState::NoZone => {
                missing.push((cname.zone.clone(), cname.record.clone()));
            }
            CnameState::Exists(_) => {}
            CnameState::Other(set) => {
                return Err(Error::OtherRecord {
                    name: cname.record.name.clone(),
                    zone: cname.zone.clone(),
                    value: set.values().collect::<Vec<_>>().join(", "),
                    wanted: cname.record.value.clone(),
                });
            }
        }
    }
    if missing.is_empty() {
        return Ok(None);
    }
    let records = observed.cnames.iter().map(|cname| cname.record.clone());
    let waiting = Waiting {
        records: records.collect(),
        ..waiting.clone()
    };
    let again = Next::Again(Phase::Await(arn.clone(), waiting));
    Ok(Some(Plan::Do(vec![Action::CreateCnames(missing)], again)))
}

/// Sets the wanted tags of an issued certificate. Before that, deletes what a failed Update has requested for
/// the properties that are now the old ones.
pub(super) fn finish(
    issue: &Issue,
    finish: &Finish,
    observed: &Observed,
    delivery: &Delivery<'_>,
) -> Result<Plan, Error> {
    let arn = &finish.arn;
    let Some(tags) = &observed.tags else {
        return Err(Error::Vanished { arn: arn.clone() });
    };
    if let Some(before) = &issue.before {
        let found = match &observed.others {
            Listing::NotRead => {
                return Ok(Plan::Ask(Question::Others {
                    region: before.region.clone(),
                    name: before.names.domain.base.clone(),
                }));
            }
            Listing::Unreadable(error) if error.aws().is_transient() => {
                return Err(error.clone().into());
            }
            // A rollback must not fail because of a leftover.
            Listing::Unreadable(_) => &[][..],
            Listing::Found(found) => found,
        };
        let owner = delivery.request.owner();
        let is_left = |held: &&TaggedCertificate| {
            let is_other =
                held.arn() != arn && held.arn().as_str() != delivery.request.physical_id();
            is_other
                && held.is_for(&owner, before)
                && fate(delivery.request, held.arn().as_str(), &held.tags) == Fate::Delete
                && !finish.left.contains(held.arn())
        };
        if let Some(held) = found.iter().find(is_left) {
            let mut then = finish.clone();
            then.left.insert(held.arn().clone());
            return Ok(remove_leftover(
                held,
                &issue.cnames_before,
                Phase::Finish(then),
            ));
        }
    }
    let is_create = delivery.request.request_type == RequestType::Create;
    let mut actions = Vec::new();
    let mut present = tags.clone();
    if is_create && finish.origin == Origin::Found {
        let transfer = transfer_tags(&delivery.request.owner(), tags);
        present.extend(transfer.clone());
        actions.extend(Action::tag(Purpose::Transfer, arn, transfer));
    }
    // A Create has already requested its certificate with these tags.
    if !is_create || finish.origin == Origin::Found {
        let (dropped, wanted) = tag_changes(&present, issue, delivery.request);
        actions.extend(Action::untag(Purpose::Template, arn, dropped));
        actions.extend(Action::tag(Purpose::Template, arn, wanted));
    }
    if issue.tracked.as_ref() != Some(arn) {
        actions.extend(Action::tag(Purpose::Settle, arn, settled_tag(tags)));
    }
    let success = Success::new(arn.as_str())
        .attribute("CertificateArn", arn.as_str())
        .attribute("DomainName", issue.wanted.names.domain.to_string())
        .attribute("Region", arn.region());
    Ok(Plan::Do(actions, Next::Done(success)))
}
