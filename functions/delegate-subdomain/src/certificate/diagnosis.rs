//! Why a certificate is not issued, as far as DNS shows it from the outside.

use super::{
    Certificates,
    cause::Cause,
    described::Certificate,
    progress::{Progress, Suspicion},
    properties::{CertificateName, Names},
    validation_zones::{ValidationZone, ValidationZones},
};
use custom_resource::{Clock, Invocation};
use dns_check::{Issuance, Reach, Transport};
use futures::future::{join, join_all};
use hosted_zones::DomainName;
use std::time::Duration;

/// How long a cause has to stand before it counts as final: what another resource of the stack, or a person who
/// deploys at the same time, has just put right spreads within a minute (`GetChange` of Route 53). Short enough that
/// the user has the answer within two.
const GRACE: Duration = Duration::from_secs(60);
/// Between two looks at DNS. Each is some dozens of questions.
pub(super) const PAUSE: Duration = Duration::from_secs(15);

impl<T: Transport> Certificates<T> {
    /// The cause for which the certificate will never be issued, once it has stood long enough; and, for the log and
    /// for the time when the wait ends, the one that is suspected until then.
    ///
    /// Only what servers say counts. Where nobody answers, as in a subnet without a way out, there is no cause.
    pub(super) async fn diagnose(
        &self,
        names: &Names,
        certificate: Option<&Certificate>,
        zones: &ValidationZones,
        progress: &mut Progress,
        invocation: &Invocation,
    ) -> Diagnosis {
        let clock = invocation.clock;
        let due = progress
            .diagnosed_at
            .is_none_or(|at| clock.since(Clock::moment(at)) >= PAUSE);
        if !due {
            let suspicion = progress.suspicion.as_ref();
            return suspicion.map_or(Diagnosis::Hopeful, |s| {
                Diagnosis::Suspected(s.cause.clone())
            });
        }
        invocation.doing("asking name servers whether the certificate can be issued");
        let cause = self.cause(names, certificate, zones).await;
        let now = Clock::seconds(clock.now());
        progress.diagnosed_at = Some(now);
        let Some(cause) = cause else {
            progress.suspicion = None;
            return Diagnosis::Hopeful;
        };
        tracing::warn!(%cause, "the certificate cannot be issued as things stand");
        let since = progress.suspicion.as_ref().map_or(now, |s| s.since);
        let said = cause.to_string();
        progress.suspicion = Some(Suspicion {
            since,
            cause: said.clone(),
        });
        if clock.since(Clock::moment(since)) >= GRACE && !cause.is_awaited() {
            Diagnosis::Hopeless(cause)
        } else {
            Diagnosis::Suspected(said)
        }
    }

    async fn cause(
        &self,
        names: &Names,
        certificate: Option<&Certificate>,
        zones: &ValidationZones,
    ) -> Option<Cause> {
        // A name that ACM has validated was reached, whatever is seen from here.
        let validated = |name: &CertificateName| {
            let validations = certificate.map(|certificate| certificate.validations.as_slice());
            validations
                .unwrap_or_default()
                .iter()
                .any(|known| known.done && known.name == *name)
        };
        let zones = zones.used_by(names.iter().filter(|name| !validated(name)));
        let reached = zones.into_iter().map(|zone| self.not_reached(zone));
        let allowed = names.iter().map(|name| self.forbidden(name));
        let (reached, allowed) = join(join_all(reached), join_all(allowed)).await;
        reached.into_iter().chain(allowed).flatten().next()
    }

    async fn not_reached(&self, zone: &ValidationZone) -> Option<Cause> {
        match self.dns.reach(&zone.name, &zone.name_servers).await {
            Reach::Broken(found) if zone.is_new => Some(Cause::NotDelegatedYet {
                zone: zone.name.clone(),
                name_servers: zone.name_servers.clone(),
                found,
            }),
            Reach::Broken(found) => Some(Cause::NotDelegated {
                zone: zone.name.clone(),
                found,
            }),
            Reach::Reached => None,
            Reach::Unknown(why) => {
                tracing::info!(
                    zone = zone.name.as_str(),
                    why,
                    "DNS does not show whether the zone is reached"
                );
                None
            }
            Reach::Intercepted => {
                tracing::info!(
                    zone = zone.name.as_str(),
                    "DNS does not show whether the zone is reached: something on the way answers in the root servers' place"
                );
                None
            }
        }
    }

    /// The CAA record set that forbids a name.
    pub(super) async fn forbidden(&self, name: &CertificateName) -> Option<Cause> {
        match self
            .dns
            .caa(&DomainName::from_service(&name.to_string()))
            .await
        {
            Issuance::Forbidden(caa) => Some(Cause::Caa {
                name: name.clone(),
                caa,
            }),
            Issuance::Allowed | Issuance::Unknown => None,
        }
    }
}

/// What a look at DNS came to, or the last one where that was a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Diagnosis {
    /// Nothing stands in the way, as far as it can be seen.
    Hopeful,
    /// This stands in the way, and may be put right.
    Suspected(String),
    /// This stands in the way for too long.
    Hopeless(Cause),
}
