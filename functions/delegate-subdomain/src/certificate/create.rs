use super::{Certificates, error::Error, progress::Progress, properties::Wanted, success};
use custom_resource::{Invocation, Request, Step};
use dns_check::Transport;

impl<T: Transport> Certificates<T> {
    /// Creates a certificate: checks the names against the zones, requests the certificate, creates the CNAMEs, and waits
    /// until it is ISSUED. A certificate that this resource has already is adopted.
    pub(super) async fn create(
        &self,
        request: &Request,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<Step, Error> {
        let wanted = Wanted::parse(&request.properties)?;
        let look = self
            .issue(request, &wanted, None, progress, invocation)
            .await?;
        let arn = match look.issued(progress) {
            Ok(arn) => arn,
            Err(wait) => return Ok(Step::Wait(wait)),
        };
        // A certificate that existed before, for example because of `DeletionPolicy: Retain`, can have other tags.
        if progress.requested.is_none() {
            let acm = self.acm(Some(arn.region()));
            if let Some(present) = acm.tags(&arn).await? {
                self.take_over(&acm, &arn, &present, &request.owner())
                    .await?;
                self.update_tags(&acm, &arn, &present, request, &wanted)
                    .await?;
            }
        }
        self.settle(&arn).await?;
        Ok(Step::Done(success(&arn, &wanted)))
    }
}
