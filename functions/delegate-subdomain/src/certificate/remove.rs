//! The removal of a certificate: observe, plan, act, until nothing is left or something has to be waited for.

use super::{
    Certificates,
    acm::{Acm, DeleteError},
    arn::CertificateArn,
    error::Error,
    plan::{self, Action, Phase, Plan, Refused},
    properties::{Records, RecordsOnDelete},
    validation_zones::ValidationZones,
};
use custom_resource::{Invocation, Request};
use dns_check::Transport;
use std::time::Duration;

/// How long after a request a Region is asked again that does not answer. A function whose network leads to its own
/// Region alone must not fail a Delete for that.
const REGIONS_ANSWER: Duration = Duration::from_secs(300);

/// How often a removal plans anew in one attempt. No plan needs more ([`plan`]).
const ROUNDS: u32 = 4;

/// Where the CNAMEs are that are to be deleted.
pub(super) struct RecordsPlace {
    /// None if they are to stay.
    pub(super) zones: Option<ValidationZones>,
    /// Whether a Region that does not answer is asked again.
    pub(super) waits_for_regions: bool,
}

/// How far a removal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Removed {
    Wholly,
    /// It exists still. What has to happen first, to follow "waiting for".
    NotYet(String),
}

impl<T: Transport> Certificates<T> {
    /// Reads the zones from which CNAMEs are to be deleted, if any.
    pub(super) async fn place(
        &self,
        records: &Records,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<RecordsPlace, Error> {
        let zones = match records.on_delete {
            RecordsOnDelete::Keep => None,
            RecordsOnDelete::Delete => Some(self.existing_zones(&records.zones).await?),
        };
        let age = invocation.clock.since(request.requested_at);
        Ok(RecordsPlace {
            zones,
            waits_for_regions: age < REGIONS_ANSWER,
        })
    }

    /// Deletes a certificate that nothing uses, with its CNAMEs if that is wanted. It is this resource's: the caller has
    /// checked that.
    pub(super) async fn remove(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        mut phase: Phase,
        place: &RecordsPlace,
    ) -> Result<Removed, Error> {
        for _ in 0..ROUNDS {
            let observed = self.observe(acm, arn, &phase, place).await?;
            let plan = plan::removal(arn, &phase, &observed);
            tracing::info!(arn = arn.as_str(), %observed, %plan, "plan");
            match plan {
                Plan::Do(actions, then) => {
                    phase = then;
                    for action in actions {
                        if let Some(refused) = self.act(acm, action).await? {
                            phase = Phase::Refused(refused);
                        }
                    }
                }
                Plan::Wait(waiting_for) => return Ok(Removed::NotYet(waiting_for)),
                Plan::Fail(error) => return Err(error.into()),
                Plan::Done => return Ok(Removed::Wholly),
            }
        }
        Ok(Removed::NotYet(format!(
            "certificate {arn} and its CNAMEs to stay as they were read"
        )))
    }

    /// Carries out one action of a plan. Returns why ACM did not delete a certificate.
    async fn act(&self, acm: &Acm, action: Action) -> Result<Option<Refused>, Error> {
        match action {
            Action::CreateCnames(cnames) => self.create_records(cnames).await?,
            Action::DeleteCnames(cnames) => self.delete_records(&cnames).await?,
            Action::DeleteCertificate(arn) => {
                return Ok(match acm.delete(&arn).await {
                    Ok(()) => None,
                    Err(DeleteError::NotYet(error)) => Some(Refused::ForNow(error)),
                    Err(DeleteError::Aws(error)) => Some(Refused::Failed(error)),
                });
            }
        }
        Ok(None)
    }
}
