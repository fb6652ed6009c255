use super::{
    Certificates,
    arn::CertificateArn,
    error::Error,
    progress::Progress,
    properties::Wanted,
    remove::{RecordsPlace, Removed},
    success,
    successor::tolerate,
};
use custom_resource::{Invocation, Request, Step};
use dns_zones::dns::Transport;
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
        let look = self
            .issue(request, &wanted, current.as_ref(), progress, invocation)
            .await?;
        let arn = match look.issued(progress) {
            Ok(arn) => arn,
            Err(wait) => return Ok(Step::Wait(wait)),
        };
        let acm = self.acm(Some(arn.region()));
        // The one is about the certificate that is answered, the other about all but that one.
        let (tagged, removed) = join!(
            self.update_tags(&acm, &arn, request, &wanted),
            // Boxed: it is large, and nothing to do as a rule.
            Box::pin(self.remove_half_made(request, &arn)),
        );
        tagged?;
        removed?;
        if current.as_ref() != Some(&arn) {
            self.settle(&arn, current.as_ref()).await?;
        }
        Ok(Step::Done(success(&arn, &wanted)))
    }

    /// Removes what an Update that failed has made for the properties that are now the old ones. In an Update that goes
    /// forward the old properties' certificate is the request's own id, so there is nothing.
    async fn remove_half_made(
        &self,
        request: &Request,
        answered: &CertificateArn,
    ) -> Result<(), Error> {
        // With bad properties nothing was made.
        let Ok(old) = Wanted::parse(&request.old_properties) else {
            return Ok(());
        };
        let removed = async {
            let acm = self.acm(old.region.as_deref());
            for certificate in self.owned(&acm, &request.owner(), &old).await? {
                if certificate.arn == *answered || certificate.arn.as_str() == request.physical_id()
                {
                    continue;
                }
                tracing::info!(
                    arn = certificate.arn.as_str(),
                    "removing what a failed update has made"
                );
                let records = RecordsPlace::of(&old, self)
                    .await?
                    .sparing([answered.region()]);
                if let Removed::InUse { users } = self.remove(&acm, &certificate, &records).await? {
                    tracing::warn!(
                        arn = certificate.arn.as_str(),
                        ?users,
                        "left standing: it is in use"
                    );
                }
            }
            Ok(())
        };
        // A rollback must not fail for what is only left over, and the Region may be closed to the function by now.
        tolerate(
            removed.await,
            "what a failed update may have made could not be removed",
        )
    }
}
