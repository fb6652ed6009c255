//! The way from a request to ISSUED, one look at a time. Create and Update share it.

use super::{
    Certificates,
    acm::Acm,
    arn::CertificateArn,
    described::{Certificate, Status},
    diagnosis::Diagnosis,
    error::Error,
    ownership::all_tags,
    progress::{self, Progress},
    properties::Wanted,
    undo::is_of_request,
    validation_zones::ValidationZones,
};
use aws_sdk_acm::types::FailureReason;
use custom_resource::{Invocation, Request, Wait};
use dns_zones::dns::Transport;
use futures::join;
use std::time::Duration;

/// How long a certificate may take to be shown after it was requested. ACM says "a delay of several seconds".
const APPEARS: Duration = Duration::from_secs(60);
/// Shortest and longest pause between two looks.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a look found.
pub(super) enum Look {
    Issued(CertificateArn),
    NotYet {
        waiting_for: String,
        retry_after: Duration,
    },
}

impl Look {
    /// What the protocol has to wait for, where it has to.
    pub(super) fn issued(self, progress: &Progress) -> Result<CertificateArn, Wait> {
        match self {
            Self::Issued(arn) => Ok(arn),
            Self::NotYet {
                waiting_for,
                retry_after,
            } => Err(Wait {
                waiting_for,
                retry_after,
                progress: progress.write(),
            }),
        }
    }
}

impl<T: Transport> Certificates<T> {
    /// Finds or requests the certificate, and looks at it. `kept` is the one that CloudFormation tracks, which goes
    /// before others where it is what is wanted.
    pub(super) async fn issue(
        &self,
        request: &Request,
        wanted: &Wanted,
        kept: Option<&CertificateArn>,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<Look, Error> {
        let acm = self.acm(wanted.region.as_deref());
        let looking_at = |arn: &CertificateArn| {
            invocation.doing(format!("looking at certificate {arn}"));
        };
        let (zones, arn, certificate) = match progress.certificate.clone() {
            Some(arn) => {
                looking_at(&arn);
                let (zones, certificate) = join!(self.validation_zones(wanted), acm.describe(&arn));
                (zones?, arn, certificate?)
            }
            None => {
                invocation.doing(format!(
                    "looking for a certificate for {}",
                    wanted.names.domain
                ));
                let owner = request.owner();
                let (zones, owned) = join!(
                    self.resolving_zones(wanted),
                    self.owned(&acm, &owner, wanted)
                );
                let (zones, owned) = (zones?, owned?);
                if let Some(certificate) = best(owned, kept) {
                    let arn = certificate.arn.clone();
                    progress.certificate = Some(arn.clone());
                    progress.shown = true;
                    if is_of_request(&certificate, request) {
                        progress.requested = Some(arn.clone());
                    }
                    (zones, arn, Some(certificate))
                } else {
                    let arn = self
                        .request(&acm, request, wanted, kept, invocation)
                        .await?;
                    progress.certificate = Some(arn.clone());
                    progress.requested = Some(arn.clone());
                    looking_at(&arn);
                    let certificate = acm.describe(&arn).await?;
                    (zones, arn, certificate)
                }
            }
        };
        let age = progress::since(&mut progress.since, invocation.clock);
        let Some(certificate) = certificate else {
            // Never requested anew: a Delete that came meanwhile has won.
            if progress.shown || age >= APPEARS {
                return Err(Error::Vanished { arn });
            }
            return Ok(Look::NotYet {
                waiting_for: format!("ACM to show the certificate {arn} that it was asked for"),
                retry_after: Duration::from_secs(1),
            });
        };
        progress.shown = true;
        match certificate.status.clone() {
            Status::Issued => {
                // Where an old CNAME has served, the wanted zone may not have it yet, and renewal will ask for it.
                if let (Some(records), Some(_)) = (certificate.records(), &progress.requested) {
                    self.put_records(&records, &zones).await?;
                }
                return Ok(Look::Issued(arn));
            }
            Status::Failed(reason) => return Err(self.failed(wanted, reason).await),
            Status::Ended(status) => return Err(Error::Ended { arn, status }),
            Status::Pending => {}
        }
        let suspicion = self
            .pending(wanted, &certificate, &zones, progress, invocation)
            .await?;
        Ok(Look::NotYet {
            waiting_for: format!(
                "certificate {arn} for {} to be issued{suspicion}",
                wanted.names.domain
            ),
            retry_after: if certificate.records().is_some() {
                pause(age)
            } else {
                Duration::from_secs(2)
            },
        })
    }

    /// Does for a pending certificate what can be done. Says what is suspected to stand in the way.
    async fn pending(
        &self,
        wanted: &Wanted,
        certificate: &Certificate,
        zones: &ValidationZones,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<String, Error> {
        let records = certificate.records();
        if let Some(records) = &records {
            progress.records.clone_from(records);
            self.put_records(records, zones).await?;
        }
        invocation.doing("asking name servers why the certificate is not issued");
        let diagnosis = self
            .diagnose(
                &wanted.names,
                Some(certificate),
                zones,
                progress,
                invocation,
            )
            .await;
        match diagnosis {
            Diagnosis::Hopeless(cause) => Err(Error::Hopeless {
                name: wanted.names.domain.clone(),
                cause,
            }),
            Diagnosis::Suspected(cause) => {
                Ok(format!("; as things stand it will not be, because {cause}"))
            }
            Diagnosis::Hopeful if records.is_none() => {
                Ok("; ACM has not said yet which CNAMEs validate it".to_owned())
            }
            Diagnosis::Hopeful => Ok(String::new()),
        }
    }

    /// Requests a new certificate.
    async fn request(
        &self,
        acm: &Acm,
        request: &Request,
        wanted: &Wanted,
        kept: Option<&CertificateArn>,
        invocation: &Invocation,
    ) -> Result<CertificateArn, Error> {
        if invocation.is_too_late(request) {
            return Err(Error::TooLate {
                name: wanted.names.domain.clone(),
            });
        }
        if let Some(kept) = kept {
            self.check_not_gone(kept, request, wanted, invocation)
                .await?;
            self.note_successor(kept, request, wanted).await?;
        }
        invocation.doing(format!(
            "requesting a certificate for {}",
            wanted.names.domain
        ));
        let tags = all_tags(&request.owner(), wanted);
        let arn = acm
            .request(&wanted.names, wanted.key_algorithm, &request.token(), &tags)
            .await;
        arn.map_err(|error| match error.code.as_deref() {
            Some("LimitExceededException") => Error::Quota {
                name: wanted.names.domain.clone(),
                error,
            },
            _ => error.into(),
        })
    }

    /// Refuses to request a certificate where the one that CloudFormation tracks is gone, and this may be a late repeat of
    /// an Update that a Delete has followed: nobody would ever delete what it made. An Update in place requests none but
    /// for that.
    async fn check_not_gone(
        &self,
        kept: &CertificateArn,
        request: &Request,
        wanted: &Wanted,
        invocation: &Invocation,
    ) -> Result<(), Error> {
        let in_place =
            Wanted::parse(&request.old_properties).is_ok_and(|old| self.is_same(&old, wanted));
        if (in_place || invocation.may_be_repeat)
            && self
                .acm(Some(kept.region()))
                .describe(kept)
                .await?
                .is_none()
        {
            return Err(Error::Gone { arn: kept.clone() });
        }
        Ok(())
    }

    /// Why ACM failed it, with the CAA record set where that is the reason.
    async fn failed(&self, wanted: &Wanted, reason: Option<FailureReason>) -> Error {
        let name = wanted.names.domain.clone();
        let Some(reason) = reason else {
            return Error::TimedOut { name };
        };
        if reason == FailureReason::CaaError {
            for on_it in wanted.names.iter() {
                if let Some(cause) = self.forbidden(on_it).await {
                    return Error::Hopeless { name, cause };
                }
            }
        }
        Error::Failed { name, reason }
    }
}

/// Of what this resource has the one to go on with: the one that CloudFormation tracks, else one that is issued.
fn best(mut owned: Vec<Certificate>, kept: Option<&CertificateArn>) -> Option<Certificate> {
    owned.retain(|certificate| certificate.status.needs_records());
    owned.into_iter().min_by_key(|owned| {
        (
            kept != Some(&owned.arn),
            owned.status != Status::Issued,
            owned.arn.clone(),
        )
    })
}

/// An eighth of the time waited so far, 5 s to 60 s: seen soon where it is quick, cheap where it takes an hour. Some
/// jitter parts stacks that were deployed together.
fn pause(age: Duration) -> Duration {
    (age / 8)
        .clamp(FIRST_PAUSE, LONGEST_PAUSE)
        .mul_f64(0.8 + 0.4 * fastrand::f64())
}
