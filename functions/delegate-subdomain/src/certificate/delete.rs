use super::{
    Certificates,
    arn::CertificateArn,
    error::Error,
    progress::Progress,
    properties::Wanted,
    remove::{RecordsPlace, Removed},
    successor::regions_of,
};
use aws_calls::Kind;
use custom_resource::{Claim, Clock, Invocation, Request, Step, Success, Wait, is_refused_id};
use dns_zones::dns::Transport;
use futures::try_join;
use std::time::Duration;

/// Between two looks at a certificate in use: load balancers and distributions let go of one minutes after they were
/// told to.
const IN_USE_PAUSE: Duration = Duration::from_secs(20);
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
        let wanted = Wanted::parse(&request.properties);
        let wait = match (CertificateArn::parse(request.physical_id()), &wanted) {
            (Some(arn), wanted) => self.delete_one(request, &arn, wanted.as_ref().ok()).await?,
            // A Create with these properties was refused before it made anything.
            (None, Err(error)) => {
                tracing::info!(%error, "nothing was made with these properties, so nothing is to be deleted");
                None
            }
            (None, Ok(wanted)) => self.sweep(request, wanted, progress, invocation).await?,
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
        wanted: Option<&Wanted>,
    ) -> Result<Option<(String, Duration)>, Error> {
        let acm = self.acm(Some(arn.region()));
        let (certificate, tags) = try_join!(acm.describe(arn), acm.tags(arn))?;
        let Some(certificate) = certificate else {
            return Ok(None);
        };
        let tags = tags.unwrap_or_default();
        if !matches!(request.owner().claim(&tags), Claim::Own { .. }) {
            tracing::warn!(
                arn = arn.as_str(),
                "left alone: its tags do not say that it is this resource's"
            );
            return Ok(None);
        }
        // Before the note of it goes with the certificate.
        self.remove_unsettled(arn, &tags, request, wanted).await?;
        let records = match wanted {
            Some(wanted) => RecordsPlace::of(wanted, self)
                .await?
                .sparing(regions_of(&tags)),
            None => RecordsPlace::unknown(),
        };
        Ok(in_use(
            arn,
            self.remove(&acm, &certificate, &records).await?,
        ))
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
        let swept = match self.sweep_once(request, wanted).await {
            // The Create that was refused could not have asked for a certificate either: not in a Region that does not
            // exist or that this account has not opened, and not without the right to.
            Err(Error::Aws(error))
                if error.kind == Kind::NoEndpoint
                    || error.kind == Kind::Denied
                        && (is_refused_id(request.physical_id()) || is_closed(&error)) =>
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
    ) -> Result<Option<(String, Duration)>, Error> {
        let acm = self.acm(wanted.region.as_deref());
        for certificate in self.owned(&acm, &request.owner(), wanted).await? {
            tracing::info!(
                arn = certificate.arn.as_str(),
                "deleting what a Create has left"
            );
            let records = RecordsPlace::of(wanted, self).await?;
            let removed = self.remove(&acm, &certificate, &records).await?;
            if let Some(wait) = in_use(&certificate.arn, removed) {
                return Ok(Some(wait));
            }
        }
        Ok(None)
    }
}

/// The wait for those who use a certificate. Nothing is forced: what another stack uses is not lost.
fn in_use(arn: &CertificateArn, removed: Removed) -> Option<(String, Duration)> {
    match removed {
        Removed::Wholly => None,
        Removed::InUse { users } => {
            tracing::info!(arn = arn.as_str(), ?users, "the certificate is in use");
            let users = if users.is_empty() {
                "whatever uses it".to_owned()
            } else {
                users.join(", ")
            };
            Some((
                format!("certificate {arn} to be let go by {users}"),
                IN_USE_PAUSE,
            ))
        }
    }
}

/// Whether the Region is one that this account has not opened: ACM then does not know its credentials.
fn is_closed(error: &aws_calls::AwsError) -> bool {
    error.is("UnrecognizedClientException") || error.is("InvalidClientTokenId")
}
