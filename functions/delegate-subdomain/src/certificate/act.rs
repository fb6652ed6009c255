//! Carries out one action of a plan, and decides nothing.

use super::{
    acm::{DeleteError, RequestError},
    described::ValidationRecord,
    error::Error,
    observe::Observer,
    plan::{Acted, Action, NewCertificate, Refused},
};
use aws_calls::at_once;
use dns_check::Transport;
use hosted_zones::{Change, HostedZoneId, RecordSet};
use std::collections::BTreeMap;

/// The TTL in seconds. ACM queries Route 53's own servers, and nothing else uses these records.
const TTL: u32 = 300;

impl<T: Transport> Observer<T> {
    pub(super) async fn act(&self, action: Action) -> Result<Acted, Error> {
        match action {
            Action::Request(new) => return self.request(&new).await.map(Acted::Requested),
            Action::Tag(_, arn, tags) => self.acm(arn.region()).add_tags(&arn, &tags).await?,
            Action::Untag(_, arn, keys) => self.acm(arn.region()).remove_tags(&arn, &keys).await?,
            Action::CreateCnames(cnames) => self.create_cnames(cnames).await?,
            Action::DeleteCnames(cnames) => self.delete_cnames(cnames).await?,
            Action::DeleteCertificate(arn) => match self.acm(arn.region()).delete(&arn).await {
                Ok(()) => {}
                Err(DeleteError::NotYet(error)) => {
                    return Ok(Acted::NotDeleted(Refused::ForNow(error)));
                }
                Err(DeleteError::Aws(error)) => {
                    return Ok(Acted::NotDeleted(Refused::Failed(error)));
                }
            },
        }
        Ok(Acted::Done)
    }

    async fn request(&self, new: &NewCertificate) -> Result<super::arn::CertificateArn, Error> {
        let acm = self.acm(&new.wanted.region);
        let requested = acm.request(&new.wanted, &new.token, &new.tags).await;
        requested.map_err(|error| match error {
            RequestError::Quota(error) => Error::Quota {
                name: new.wanted.names.domain.clone(),
                error,
            },
            RequestError::Aws(error) => error.into(),
        })
    }

    async fn create_cnames(
        &self,
        cnames: Vec<(HostedZoneId, ValidationRecord)>,
    ) -> Result<(), Error> {
        let mut zones = BTreeMap::<_, Vec<_>>::new();
        for (zone, record) in cnames {
            let set = RecordSet::cname(&record.name, TTL, &format!("{}.", record.value.as_str()));
            zones.entry(zone).or_default().push(set);
        }
        let creates = zones.into_iter().map(async |(zone, sets)| {
            let name = sets[0].name();
            let changes = sets.into_iter().map(Change::Create).collect();
            match self.route53.change(&zone, changes).await {
                Ok(_) => Ok(()),
                Err(error) => Err(Error::of_change(error, zone, name)),
            }
        });
        at_once(creates).await?;
        Ok(())
    }

    async fn delete_cnames(&self, cnames: Vec<(HostedZoneId, RecordSet)>) -> Result<(), Error> {
        for (zone, set) in cnames {
            let name = set.name();
            match self.route53.change(&zone, vec![Change::Delete(set)]).await {
                Ok(_) => {}
                // The zone was deleted meanwhile, together with its records.
                Err(error) if error.is_no_zone() => {}
                Err(error) => return Err(Error::of_change(error, zone, name)),
            }
        }
        Ok(())
    }
}
