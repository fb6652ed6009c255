use super::{Certificates, error::Error, progress::Progress, properties::Wanted, success};
use custom_resource::{Invocation, Request, Step};
use dns_zones::dns::Transport;

impl<T: Transport> Certificates<T> {
    /// Makes a certificate: the names are checked against the zones, then ACM is asked, the CNAMEs are put, and ISSUED
    /// is waited for.
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
        Ok(match look.issued(progress) {
            Ok(arn) => Step::Done(success(&arn, &wanted)),
            Err(wait) => Step::Wait(wait),
        })
    }
}
