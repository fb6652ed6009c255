use super::{
    Certificates,
    acm::{Acm, Listing},
    arn::CertificateArn,
    described::{Listed, Status},
    error::Error,
    issue::not_needed,
    ownership::Owned,
    plan::{self, Fate, Phase},
    progress::Progress,
    properties::{Records, Wanted},
    success,
    successor::{tolerate, warn_if_left},
};
use custom_resource::{Invocation, Request, Step};
use dns_check::Transport;
use futures::join;

impl<T: Transport> Certificates<T> {
    /// Changes a certificate's tags in place, or makes the one that replaces it: CloudFormation sends a Delete for the
    /// old one afterwards, so that one is not deleted here.
    ///
    /// A failed update is rolled back by another Update with the properties swapped. So this looks first for what the
    /// resource already has, and removes in the end what was half made for the other properties.
    pub(super) async fn update(
        &self,
        request: &Request,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<Step, Error> {
        let wanted = Wanted::parse(&request.properties)?;
        let current = CertificateArn::parse(request.physical_id());
        if progress.certificate.is_none()
            && let Some(current) = &current
            && let Ok(old) = Wanted::parse(&request.old_properties)
        {
            if self.is_same(&old, &wanted) {
                // Boxed: it is large, as four calls at once are.
                let changed = self.change_in_place(request, &wanted, &old, current, invocation);
                if Box::pin(changed).await? {
                    return Ok(Step::Done(success(current, &wanted)));
                }
            } else {
                self.complete_zones_tags(current, &old, &wanted).await?;
            }
        }
        let look = self
            .issue(request, &wanted, current.as_ref(), progress, invocation)
            .await?;
        let arn = match look.issued(progress) {
            Ok(arn) => arn,
            Err(wait) => return Ok(Step::Wait(wait)),
        };
        let acm = self.acm(Some(arn.region()));
        let tag = async {
            match acm.tags(&arn).await? {
                Some(present) => {
                    self.update_tags(&acm, &arn, &present, request, &wanted)
                        .await
                }
                None => Ok(()),
            }
        };
        // The one is about the certificate that is answered, the other about all but that one.
        let (tagged, removed) = join!(
            tag,
            // Boxed: it is large, and nothing to do as a rule.
            Box::pin(self.remove_half_made(request, &arn, invocation)),
        );
        tagged?;
        removed?;
        if current.as_ref() != Some(&arn) {
            self.settle(&arn).await?;
        }
        Ok(Step::Done(success(&arn, &wanted)))
    }

    /// Changes the tags of the certificate that CloudFormation tracks, where it is the one that is wanted and is issued.
    /// Says whether it is; else nothing was done.
    ///
    /// All is asked at once: the ARN is known, and what else stands for these properties was half made.
    async fn change_in_place(
        &self,
        request: &Request,
        wanted: &Wanted,
        old: &Wanted,
        current: &CertificateArn,
        invocation: &Invocation,
    ) -> Result<bool, Error> {
        if current.region() != self.region_of(wanted) {
            return Ok(false);
        }
        invocation.doing(format!("changing certificate {current} in place"));
        let acm = self.acm(Some(current.region()));
        let owner = request.owner();
        let (zones, kept, others) = join!(
            self.validation_zones(wanted),
            self.own(&acm, &owner, wanted, current),
            acm.list(Listing::Requested, |listed| {
                listed.domain == wanted.names.domain && listed.arn != *current
            }),
        );
        let Some(kept) = kept?.filter(|kept| kept.certificate.status == Status::Issued) else {
            return Ok(false);
        };
        not_needed(zones);
        let others = others?;
        let (tagged, removed) = join!(
            self.update_tags(&acm, current, &kept.tags, request, wanted),
            // Boxed: it is large, and nothing to do as a rule.
            Box::pin(self.remove_those_half_made(&acm, &others, request, old, invocation)),
        );
        tagged?;
        tolerate_leftovers(removed)?;
        Ok(true)
    }

    /// Removes what an Update that failed has made for the properties that are now the old ones. In an Update that goes
    /// forward the old properties' certificate is the request's own id, so there is nothing.
    async fn remove_half_made(
        &self,
        request: &Request,
        answered: &CertificateArn,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        // With bad properties nothing was made.
        let Ok(old) = Wanted::parse(&request.old_properties) else {
            return Ok(());
        };
        let acm = self.acm(old.region.as_deref());
        let removed = async {
            let others = acm
                .list(Listing::Requested, |listed| {
                    listed.domain == old.names.domain
                        && listed.arn != *answered
                        && listed.arn.as_str() != request.physical_id()
                })
                .await?;
            self.remove_those_half_made(&acm, &others, request, &old, invocation)
                .await
        };
        tolerate_leftovers(removed.await)
    }

    /// Deletes those of the listed certificates that a failed update of this resource left for its old properties.
    /// What another request created and finished, and CloudFormation kept, is not one of them.
    async fn remove_those_half_made(
        &self,
        acm: &Acm,
        listed: &[Listed],
        request: &Request,
        old: &Wanted,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        let owner = request.owner();
        let owned = self.owned_of(acm, &owner, old, listed).await?;
        let is_left = |owned: &&Owned| {
            plan::fate(request, &owned.certificate.arn, &owned.tags) == Fate::Delete
        };
        for leftover in owned.iter().filter(is_left) {
            tracing::info!(
                arn = leftover.certificate.arn.as_str(),
                "deleting what a failed update has requested"
            );
            let records = Records::of(&request.old_properties);
            let place = self.place(&records, request, invocation).await?;
            let arn = &leftover.certificate.arn;
            warn_if_left(&self.remove(acm, arn, Phase::Certificate, &place).await?);
        }
        Ok(())
    }
}

/// A rollback must not fail for what is only left over, and the Region may be closed to the function by now.
fn tolerate_leftovers(removed: Result<(), Error>) -> Result<(), Error> {
    tolerate(
        removed,
        "what a failed update may have made could not be removed",
    )
}
