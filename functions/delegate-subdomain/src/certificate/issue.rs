//! The way from a request to ISSUED, one look at a time. Create and Update share it.

use super::{
    Certificates,
    acm::{Acm, RequestError},
    arn::CertificateArn,
    described::{Certificate, Status},
    diagnosis::{self, Diagnosis},
    error::Error,
    ownership::{Owned, tags_of_new},
    progress::{self, Progress},
    properties::Wanted,
    validation_records::{ByZone, by_zone},
    validation_zones::ValidationZones,
};
use aws_sdk_acm::types::FailureReason;
use custom_resource::{Invocation, Outlook, Request, RequestType, Wait};
use dns_check::Transport;
use futures::join;
use std::time::Duration;

/// How long a certificate may take to be shown after it was requested. ACM says "a delay of several seconds".
const APPEARS: Duration = Duration::from_secs(60);
/// Longer than the pause between two attempts: how long before a request is too late for it ([`Invocation::is_too_late`]) a certificate is requested in any case.
const LAST_REQUEST: Duration = Duration::from_secs(150);
/// Shortest and longest pause between two looks.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is seen of the certificate that is gone on with.
struct Seen {
    arn: CertificateArn,
    /// None where ACM does not show it.
    certificate: Option<Certificate>,
    /// An error of this does not count where the certificate is issued.
    zones: Result<ValidationZones, Error>,
    /// Its CNAMEs that do not stand, where they were looked at. An error of that does not count where ACM has failed
    /// the certificate.
    missing: Option<Result<ByZone, Error>>,
}

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
        let seen = match progress.certificate.clone() {
            Some(arn) => {
                self.look_again(&acm, arn, wanted, progress, invocation)
                    .await?
            }
            None => {
                let found = self.find_or_request(&acm, request, wanted, kept, progress, invocation);
                match found.await? {
                    Ok(seen) => seen,
                    Err(look) => return Ok(look),
                }
            }
        };
        let Seen {
            arn,
            certificate,
            zones,
            missing,
        } = seen;
        if let Ok(zones) = &zones {
            progress.zones.get_or_insert_with(|| zones.clone());
        }
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
                // If an old CNAME has served, the wanted zone may not have it yet, and the renewal will ask for it. A
                // rollback gets its certificate as it was.
                let is_new =
                    request.request_type == RequestType::Create || progress.requested.is_some();
                match (zones, certificate.records()) {
                    (Ok(zones), Some(records)) if is_new => {
                        let missing = match missing {
                            Some(missing) => missing?,
                            None => self.missing_records(&records, &zones).await?,
                        };
                        self.create_records(missing).await?;
                    }
                    (Err(error), _) if is_new && error.trouble().outlook == Outlook::Passing => {
                        return Err(error);
                    }
                    (zones, _) => not_needed(zones),
                }
                return Ok(Look::Issued(arn));
            }
            Status::Failed(reason) => return Err(self.failed(wanted, reason).await),
            Status::Ended(status) => return Err(Error::Ended { arn, status }),
            Status::Pending => {}
        }
        let (zones, missing) = (zones?, missing.transpose()?);
        let suspicion = self
            .pending(wanted, &certificate, &zones, missing, progress, invocation)
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

    /// Finds a certificate of this resource that is what is wanted, or requests one. Returns what to wait for if none is
    /// requested yet.
    async fn find_or_request(
        &self,
        acm: &Acm,
        request: &Request,
        wanted: &Wanted,
        kept: Option<&CertificateArn>,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<Result<Seen, Look>, Error> {
        invocation.doing(format!(
            "looking for a certificate for {}",
            wanted.names.domain
        ));
        let owner = request.owner();
        let (zones, owned) = join!(
            self.resolving_zones(wanted),
            self.owned(acm, &owner, wanted)
        );
        let owned = best(owned?, kept);
        // A rollback finds what was issued before, whatever has become of its zones since.
        let zones = match &owned {
            Some(owned) if owned.certificate.status == Status::Issued => zones,
            _ => Ok(zones?),
        };
        let (arn, certificate) = if let Some(owned) = owned {
            let arn = owned.certificate.arn.clone();
            progress.certificate = Some(arn.clone());
            progress.shown = true;
            if owned.is_undone_with(request) {
                progress.requested = Some(arn.clone());
            }
            (arn, Some(owned.certificate))
        } else {
            if let Ok(zones) = &zones
                && let Some(look) = self
                    .obstacle(request, wanted, zones, progress, invocation)
                    .await?
            {
                return Ok(Err(look));
            }
            // After the name servers, which can take their time.
            if invocation.is_too_late(request) {
                return Err(Error::TooLate {
                    name: wanted.names.domain.clone(),
                    failed: progress.failed.clone(),
                });
            }
            let arn = self.request(acm, request, wanted, kept, invocation).await?;
            progress.certificate = Some(arn.clone());
            progress.requested = Some(arn.clone());
            looking_at(&arn, invocation);
            let certificate = acm.describe(&arn).await?;
            (arn, certificate)
        };
        Ok(Ok(Seen {
            arn,
            certificate,
            zones,
            missing: None,
        }))
    }

    /// Asks name servers, before ACM is asked, whether the certificate can be issued: each request counts against a yearly
    /// quota, which a Delete does not give back. Returns what has to happen first.
    async fn obstacle(
        &self,
        request: &Request,
        wanted: &Wanted,
        zones: &ValidationZones,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<Option<Look>, Error> {
        let name = &wanted.names.domain;
        let diagnosis = self.diagnose(&wanted.names, None, zones, progress, invocation);
        let cause = match diagnosis.await {
            Diagnosis::Hopeful => return Ok(None),
            Diagnosis::Suspected(cause) => cause,
            Diagnosis::Hopeless(cause) => {
                return Err(Error::Hopeless {
                    name: name.clone(),
                    cause,
                });
            }
        };
        // Later, a Delete may have looked for it for the last time.
        let age = invocation.clock.since(request.requested_at);
        if age + LAST_REQUEST >= invocation.max_invocation_age {
            return Ok(None);
        }
        Ok(Some(Look::NotYet {
            waiting_for: format!(
                "the certificate for {name} to be requested, which would not be issued as things stand, because {cause}"
            ),
            retry_after: diagnosis::PAUSE,
        }))
    }

    /// Looks at the certificate that an earlier look found or requested, and at its CNAMEs: another certificate's Delete
    /// may have taken one that both share.
    async fn look_again(
        &self,
        acm: &Acm,
        arn: CertificateArn,
        wanted: &Wanted,
        progress: &Progress,
        invocation: &Invocation,
    ) -> Result<Seen, Error> {
        looking_at(&arn, invocation);
        let zones = match progress.zones.clone() {
            Some(zones) => Ok(zones),
            None => self.validation_zones(wanted).await,
        };
        let missing = async {
            match &zones {
                Ok(zones) if !progress.records.is_empty() => {
                    Some(self.missing_records(&progress.records, zones).await)
                }
                _ => None,
            }
        };
        let (certificate, missing) = join!(acm.describe(&arn), missing);
        Ok(Seen {
            arn,
            certificate: certificate?,
            zones,
            missing,
        })
    }

    /// Does for a pending certificate what can be done. Says what is suspected to stand in the way. `missing` are the
    /// CNAMEs that do not stand, where that was looked at.
    async fn pending(
        &self,
        wanted: &Wanted,
        certificate: &Certificate,
        zones: &ValidationZones,
        missing: Option<ByZone>,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Result<String, Error> {
        let records = certificate.records();
        if let Some(records) = &records {
            // The first time as a rule none stands, and what stands after all refuses the batch.
            let missing = missing.unwrap_or_else(|| by_zone(records, zones));
            progress.records.clone_from(records);
            self.create_records(missing).await?;
        }
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
        if let Some(kept) = kept {
            self.check_not_gone(kept, request, wanted, invocation)
                .await?;
            self.note_successor(kept, request, wanted, invocation)
                .await?;
        }
        invocation.doing(format!(
            "requesting a certificate for {}",
            wanted.names.domain
        ));
        let tags = tags_of_new(request, wanted);
        let arn = acm.request(wanted, &request.token(), &tags).await;
        arn.map_err(|error| match error {
            RequestError::Quota(error) => Error::Quota {
                name: wanted.names.domain.clone(),
                error,
            },
            RequestError::Aws(error) => error.into(),
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

/// Takes an error of the zones of a certificate that is issued for a warning: only its renewal needs them.
pub(super) fn not_needed(zones: Result<ValidationZones, Error>) {
    if let Err(error) = zones {
        tracing::warn!(%error, "a zone that the renewal of the certificate needs cannot be used");
    }
}

fn looking_at(arn: &CertificateArn, invocation: &Invocation) {
    invocation.doing(format!("looking at certificate {arn}"));
}

/// Of what this resource has the one to go on with: the one that CloudFormation tracks, else one that is issued.
fn best(mut owned: Vec<Owned>, kept: Option<&CertificateArn>) -> Option<Owned> {
    owned.retain(|owned| owned.certificate.status.needs_records());
    owned.into_iter().min_by_key(|owned| {
        let Certificate { arn, status, .. } = &owned.certificate;
        (kept != Some(arn), *status != Status::Issued, arn.clone())
    })
}

/// An eighth of the time waited so far, 5 s to 60 s: seen soon where it is quick, cheap where it takes an hour. Some
/// jitter parts stacks that were deployed together.
fn pause(age: Duration) -> Duration {
    (age / 8)
        .clamp(FIRST_PAUSE, LONGEST_PAUSE)
        .mul_f64(0.8 + 0.4 * fastrand::f64())
}
