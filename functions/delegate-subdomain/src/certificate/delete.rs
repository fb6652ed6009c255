use super::{
    Certificates,
    acm::{Acm, ListError},
    arn::CertificateArn,
    error::Error,
    ownership::Tags,
    plan::{self, Fate, Phase},
    progress::Progress,
    properties::{Records, Wanted},
    remove::Removed,
};
use custom_resource::{
    Clock, Invocation, PREVIOUS_LOGICAL_ID_TAG, Request, Step, Success, Wait, is_refused_id,
};
use dns_check::Transport;
use std::time::Duration;

/// Between two attempts to delete a certificate: load balancers and distributions let go of one minutes after they were
/// told to.
const PAUSE: Duration = Duration::from_secs(20);
/// What the second sweep and the answer need, where the invocation's deadline decides when it comes.
const SWEEP: Duration = Duration::from_secs(60);

impl<T: Transport> Certificates<T> {
    /// Deletes a certificate, once nothing uses it.
    pub(super) async fn delete(
        &self,
        request: &Request,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<Step, Error> {
        let wait = match CertificateArn::parse(request.physical_id()) {
            Some(arn) => self.delete_one(request, &arn, invocation).await?,
            None => match Wanted::parse(&request.properties) {
                Ok(wanted) => self.sweep(request, &wanted, progress, invocation).await?,
                Err(error) => {
                    // A Create with these properties was refused before it requested anything.
                    tracing::info!(%error, "no certificate was requested with these properties");
                    None
                }
            },
        };
        Ok(match wait {
            None => Step::Done(Success::new(request.physical_id())),
            Some((waiting_for, retry_after)) => Step::Wait(Wait {
                waiting_for,
                retry_after,
                progress: progress.write(),
            }),
        })
    }

    async fn delete_one(
        &self,
        request: &Request,
        arn: &CertificateArn,
        invocation: &Invocation,
    ) -> Result<Option<(String, Duration)>, Error> {
        let acm = self.acm(Some(arn.region()));
        let Some(tags) = acm.tags(arn).await? else {
            return Ok(None);
        };
        self.carry_out(&acm, arn, &tags, request, invocation).await
    }

    /// Does with one certificate what [`plan::fate`] says. Returns what has to be waited for.
    async fn carry_out(
        &self,
        acm: &Acm,
        arn: &CertificateArn,
        tags: &Tags,
        request: &Request,
        invocation: &Invocation,
    ) -> Result<Option<(String, Duration)>, Error> {
        let fate = plan::fate(request, arn, tags);
        tracing::info!(arn = arn.as_str(), %fate, "plan");
        match fate {
            Fate::Delete => {
                let records = Records::of(&request.properties);
                // Before the note of it is deleted with the certificate.
                self.remove_unsettled(tags, records.clone(), request, invocation)
                    .await?;
                let place = self.place(&records, request, invocation).await?;
                let removed = self.remove(acm, arn, Phase::Certificate, &place).await?;
                return Ok(wait(removed));
            }
            Fate::GiveBack { to } => self.give_back(acm, arn, &to).await?,
            Fate::EndRenaming => {
                let previous = [PREVIOUS_LOGICAL_ID_TAG.to_owned()];
                acm.remove_tags(arn, &previous).await?;
            }
            Fate::Leave(_) => {}
        }
        Ok(None)
    }

    /// Deletes whatever the resource has, for a Delete whose id says nothing of it.
    ///
    /// Where no answer of the Create was ever received, that Create may still run, and request what this Delete has
    /// already looked for. So there are two sweeps, as far apart as a Create can live.
    async fn sweep(
        &self,
        request: &Request,
        wanted: &Wanted,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<Option<(String, Duration)>, Error> {
        let clock = invocation.clock;
        let swept = match self.sweep_once(request, wanted, invocation).await {
            // The Create that was refused could not have asked for a certificate either: not in a Region that does not
            // exist or that this account has not opened, and not without the right to.
            Err(Error::List(error))
                if match error {
                    ListError::NoRegion(_) | ListError::Closed(_) => true,
                    ListError::Denied(_) => is_refused_id(request.physical_id()),
                    ListError::Aws(_) => false,
                } =>
            {
                tracing::warn!(%error, "nothing was made where this function may not look");
                return Ok(None);
            }
            swept => swept?,
        };
        if swept.is_some() || is_refused_id(request.physical_id()) {
            return Ok(swept);
        }
        let is_first = progress.sweep_at.is_none();
        let due = *progress.sweep_at.get_or_insert_with(|| {
            Clock::seconds(clock.now() + invocation.until_second_sweep(request, SWEEP))
        });
        let left = clock.until(Clock::moment(due));
        if left.is_zero() && !is_first {
            return Ok(None);
        }
        Ok(Some((Wait::second_sweep(), left)))
    }

    async fn sweep_once(
        &self,
        request: &Request,
        wanted: &Wanted,
        invocation: &Invocation,
    ) -> Result<Option<(String, Duration)>, Error> {
        let acm = self.acm(wanted.region.as_deref());
        for owned in self.owned(&acm, &request.owner(), wanted).await? {
            let (arn, tags) = (&owned.certificate.arn, &owned.tags);
            let wait = self.carry_out(&acm, arn, tags, request, invocation).await?;
            if wait.is_some() {
                return Ok(wait);
            }
        }
        Ok(None)
    }
}

/// The wait until a certificate can be deleted. Nothing is forced: what another stack uses is not lost.
fn wait(removed: Removed) -> Option<(String, Duration)> {
    match removed {
        Removed::Wholly => None,
        Removed::NotYet(waiting_for) => Some((waiting_for, PAUSE)),
    }
}
