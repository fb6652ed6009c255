//! What a failed request asked ACM for goes before the failure is answered.

use super::{
    Certificates,
    arn::CertificateArn,
    error::Error,
    plan::Phase,
    progress::Progress,
    properties::{Records, Wanted},
    remove::Removed,
};
use custom_resource::{Failure, Invocation, Request, RequestType};
use dns_check::Transport;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A certificate that was requested is shown, and listed, some seconds later. Only then it can be deleted.
const APPEARS: Duration = Duration::from_secs(8);

impl<T: Transport> Certificates<T> {
    /// The request's time is up: deletes the certificate that it asked for and that was not issued in time.
    pub(crate) async fn abandon(
        &self,
        request: &Request,
        progress: Option<Value>,
        invocation: &Invocation,
    ) -> Option<String> {
        if request.request_type == RequestType::Delete {
            return None;
        }
        let mut progress = Progress::read(progress);
        if progress.requested.is_none() {
            progress.requested = self.cut_off(request, invocation).await;
        }
        let arn = progress.requested.clone()?;
        Some(
            match self.undo(&arn, request, &progress, invocation).await {
                Ok(()) => format!("The certificate {arn} was deleted."),
                Err(why) => left_standing(&arn, &why),
            },
        )
    }

    /// Undoes what the request has made, before its failure is answered.
    pub(super) async fn undo_before(
        &self,
        failure: Failure,
        request: &Request,
        progress: &Progress,
        invocation: &Invocation,
    ) -> Failure {
        let Some(arn) = &progress.requested else {
            return failure;
        };
        if request.request_type == RequestType::Delete {
            return failure;
        }
        match self.undo(arn, request, progress, invocation).await {
            Ok(()) => failure,
            // The answer names what stands, so that CloudFormation asks to delete it.
            Err(why) => Failure::new(format!("{} {}", failure.reason, left_standing(arn, &why)))
                .with_id(arn.as_str()),
        }
    }

    /// Deletes the certificate, and its CNAMEs where they go with it. Else says why it stands.
    async fn undo(
        &self,
        arn: &CertificateArn,
        request: &Request,
        progress: &Progress,
        invocation: &Invocation,
    ) -> Result<(), String> {
        // An Update never touches what CloudFormation tracks.
        if arn.as_str() == request.physical_id() {
            return Ok(());
        }
        let why = |error: Error| error.trouble().reason.trim_end_matches('.').to_owned();
        let acm = self.acm(Some(arn.region()));
        let records = Records::of(&request.properties);
        let place = self.place(&records, request, invocation);
        let place = place.await.map_err(why)?;
        let until = Instant::now() + APPEARS.min(invocation.remaining() / 2);
        loop {
            let described = match acm.describe(arn).await {
                // Also what cannot be looked at appears only by then, and nobody may delete it before.
                Err(_) if !progress.shown && Instant::now() < until => None,
                described => described.map_err(|error| why(error.into()))?,
            };
            if described.is_some() {
                let removed = self.remove(&acm, arn, Phase::Certificate, &place);
                return match removed.await.map_err(why)? {
                    Removed::Wholly => Ok(()),
                    Removed::NotYet(waiting_for) => Err(format!("it waits for {waiting_for}")),
                };
            }
            if progress.shown || Instant::now() >= until {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
        // A Delete that came meanwhile has deleted it, perhaps before the last CNAMEs were put.
        let cnames = Phase::Cnames(progress.records.clone());
        let removed = self.remove(&acm, arn, cnames, &place).await;
        removed.map(|_| ()).map_err(why)
    }

    /// The certificate that a call asked ACM for which was cut off before it learned the ARN.
    async fn cut_off(&self, request: &Request, invocation: &Invocation) -> Option<CertificateArn> {
        let wanted = Wanted::parse(&request.properties).ok()?;
        let acm = self.acm(wanted.region.as_deref());
        let until = Instant::now() + APPEARS.min(invocation.remaining() / 2);
        loop {
            let owned = self.owned(&acm, &request.owner(), &wanted).await.ok()?;
            let found = owned
                .into_iter()
                .find(|found| found.is_undone_with(request));
            if found.is_some() || Instant::now() >= until {
                return found.map(|found| found.certificate.arn);
            }
            sleep(Duration::from_secs(2)).await;
        }
    }
}

fn left_standing(arn: &CertificateArn, why: &str) -> String {
    format!(
        "The certificate {arn} could not be deleted ({why}): the rollback of the stack tries again."
    )
}
