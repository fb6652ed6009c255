use crate::{HostedZone, HostedZoneId, RecordSet, Route53};
use aws_calls::AwsError;
use aws_sdk_route53::{
    operation::change_resource_record_sets::ChangeResourceRecordSetsError,
    types::{Change as SdkChange, ChangeAction, ChangeBatch, ChangeStatus},
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Mutex, time::Duration};
use thiserror::Error;
use tokio::time::{Instant, sleep};

/// One change of a record set. There is no UPSERT, which would overwrite what someone else created.
/// The only exception is [`Route53::set_apex_ttl`].
#[derive(Clone, Debug)]
pub enum Change {
    /// Fails if a record set of this name and type exists.
    Create(RecordSet),
    /// Fails if the record set does not exist with exactly these values.
    Delete(RecordSet),
}

/// The id of a change that Route 53 brings to its name servers. It can be kept, and the wait for it be continued by another
/// process.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct ChangeId {
    id: String,
    /// The changed name and its zone, for the log and the user.
    about: String,
}

impl ChangeId {
    /// Creates the id from a response of Route 53, for a change of this name in this zone.
    pub(crate) fn from_service(text: &str, name: &str, zone: &HostedZoneId) -> Self {
        let id = text.strip_prefix("/change/").unwrap_or(text).to_owned();
        let about = format!("{name} in zone {zone} (change {id})");
        Self { id, about }
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.about)
    }
}

/// How far a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeState {
    /// Some name servers may not have it yet.
    Pending,
    /// Every name server of Route 53 answers with it.
    InSync,
}

/// What Route 53 takes in one batch: values, and characters in them
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>).
const MOST_VALUES: usize = 1_000;
const MOST_CHARACTERS: usize = 32_000;

/// Splits changes into batches within Route 53's limits, in order. Each batch is atomic, all of
/// them together are not.
#[must_use]
pub fn batches(changes: Vec<Change>) -> Vec<Vec<Change>> {
    let mut batches: Vec<Vec<Change>> = Vec::new();
    let (mut values, mut characters) = (0, 0);
    for change in changes {
        let (Change::Create(set) | Change::Delete(set)) = &change;
        // An alias counts as one value.
        let more_values = set.values().count().max(1);
        let more_characters = set.values().map(str::len).sum::<usize>();
        values += more_values;
        characters += more_characters;
        match batches.last_mut() {
            Some(batch) if values <= MOST_VALUES && characters <= MOST_CHARACTERS => {
                batch.push(change);
            }
            _ => {
                (values, characters) = (more_values, more_characters);
                batches.push(vec![change]);
            }
        }
    }
    batches
}

/// Why a batch was refused. A refused batch changes nothing.
#[derive(Clone, Debug, Error)]
pub enum ChangeError {
    /// A CREATE of an existing record set, or a DELETE of one with other values: the zone has
    /// changed since it was read.
    #[error("{0}")]
    Stale(AwsError),
    /// The guardrail `ACTIVE_DELEGATION_CHECK` protects a delegation that resolvers still use.
    #[error("{0}")]
    Followed(AwsError),
    /// Another guardrail that the error names by its identifier.
    #[error("{error}")]
    Guardrail {
        /// The guardrail's identifier.
        guardrail: &'static str,
        /// The error of Route 53.
        error: AwsError,
    },
    /// Any other `InvalidChangeBatch`: a guardrail, a protection of the record set, a quota. Route
    /// 53 does not document the wording of these errors
    /// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/hosted-zones-change-guardrails.html>).
    #[error("{0}")]
    Refused(AwsError),
    /// Any other error.
    #[error("{0}")]
    Aws(AwsError),
}

impl ChangeError {
    /// Returns whether the zone does not exist, so that its record sets do not exist either.
    #[must_use]
    pub fn is_no_zone(&self) -> bool {
        matches!(self, Self::Aws(error) if error.is("NoSuchHostedZone"))
    }

    /// Returns the facts of the failed call.
    #[must_use]
    pub fn into_aws(self) -> AwsError {
        match self {
            Self::Stale(error)
            | Self::Followed(error)
            | Self::Guardrail { error, .. }
            | Self::Refused(error)
            | Self::Aws(error) => error,
        }
    }
}

/// The other guardrails of a zone, from `ChangeGuardrailName` of botocore 1.44.8.
const GUARDRAILS: &[&str] = &[
    "NS_FORMAT_CHECK",
    "NS_DELEGATION_AUTHORITY_CHECK",
    "NS_OCCLUSION_CHECK",
    "ALIAS_TARGET_CHECK",
    "ACTIVE_RECORD_CHECK",
];

/// How long Route 53 usually needs to propagate a change to every name server
/// (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetChange.html>).
pub const PROPAGATION: Duration = Duration::from_secs(60);

/// The first and the longest pause between two polls of a change. Each poll uses one of the
/// account's ten calls a second, and a change takes tens of seconds, so the pauses grow.
const FIRST_LOOK: Duration = Duration::from_secs(1);
const GROWTH: f64 = 2.5;
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// The pause before the first poll, and the shortest pause after it, while the account's limit is
/// reached. Most changes are INSYNC by then, and other stacks need the calls more.
const FIRST_LOOK_WHEN_BUSY: Duration = Duration::from_secs(36);
const PAUSE_WHEN_BUSY: Duration = Duration::from_secs(12);

impl Route53 {
    /// Applies changes of a zone, either all of them or none.
    ///
    /// # Errors
    ///
    /// [`ChangeError`]. Nothing was changed, except that an unanswered call may have taken effect.
    pub async fn change(
        &self,
        zone: &HostedZoneId,
        changes: Vec<Change>,
    ) -> Result<ChangeId, ChangeError> {
        let target = match changes.first() {
            Some(Change::Create(set) | Change::Delete(set)) => set.name().to_string(),
            None => zone.to_string(),
        };
        let changes = changes.into_iter().map(|change| match change {
            Change::Create(set) => (ChangeAction::Create, set),
            Change::Delete(set) => (ChangeAction::Delete, set),
        });
        self.submit(zone, &target, changes).await
    }

    /// Sets the TTL, in seconds, of the NS record set at the apex of a zone that was just created.
    /// Route 53 creates it with two days, which resolvers prefer to the TTL in the parent (RFC
    /// 2181, section 5.4.1).
    ///
    /// It is an UPSERT of the same values, because this record set cannot be deleted and created.
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change).
    pub async fn set_apex_ttl(&self, zone: &HostedZone, ttl: u32) -> Result<ChangeId, ChangeError> {
        let set = RecordSet::ns(&zone.name, ttl, &zone.name_servers);
        let change = [(ChangeAction::Upsert, set)];
        self.submit(&zone.id, zone.name.as_str(), change).await
    }

    async fn submit(
        &self,
        zone: &HostedZoneId,
        target: &str,
        changes: impl IntoIterator<Item = (ChangeAction, RecordSet)>,
    ) -> Result<ChangeId, ChangeError> {
        let sdk_change = |(action, set): (ChangeAction, RecordSet)| {
            SdkChange::builder()
                .action(action)
                .resource_record_set(set.into())
                .build()
        };
        let changes: Result<Vec<_>, _> = changes.into_iter().map(sdk_change).collect();
        let batch = ChangeBatch::builder()
            .set_changes(Some(changes.expect("action and record set are set")));
        let batch = batch.build().expect("changes are set");
        let request = self
            .client
            .change_resource_record_sets()
            .hosted_zone_id(zone.as_str())
            .change_batch(batch);
        // The reasons of `InvalidChangeBatch` are in a list that the error's plain message omits.
        let reasons = Mutex::new(Vec::new());
        let send = async || {
            request.clone().send().await.inspect_err(|error| {
                if let Some(ChangeResourceRecordSetsError::InvalidChangeBatch(refused)) =
                    error.as_service_error()
                {
                    *reasons.lock().expect("no panic while held") = refused.messages().to_vec();
                }
            })
        };
        match self.call("ChangeResourceRecordSets", target, send).await {
            Ok(output) => match output.change_info() {
                Some(info) => Ok(ChangeId::from_service(info.id(), target, zone)),
                None => Err(ChangeError::Aws(AwsError::malformed(
                    crate::SERVICE,
                    "ChangeResourceRecordSets",
                    target,
                ))),
            },
            Err(mut error) => {
                let reasons = reasons.into_inner().expect("no panic while held");
                if !reasons.is_empty() {
                    error.message = reasons.join("; ");
                }
                Err(classify(error))
            }
        }
    }

    /// Waits until every name server of Route 53 answers with the change, or until no further query fits before `until`.
    ///
    /// # Errors
    ///
    /// As [`change_state`](Self::change_state).
    pub async fn wait_in_sync(
        &self,
        change: &ChangeId,
        until: Instant,
    ) -> Result<ChangeState, AwsError> {
        let begun = Instant::now();
        let mut next = FIRST_LOOK;
        loop {
            let pause = if self.limit.is_reached() {
                let late = FIRST_LOOK_WHEN_BUSY.saturating_sub(begun.elapsed());
                late.max(next).max(PAUSE_WHEN_BUSY)
            } else {
                next
            };
            // Jitter, so that stacks that start together do not query together.
            let pause = pause.mul_f64(0.9 + 0.2 * fastrand::f64());
            if Instant::now() + pause > until {
                return Ok(ChangeState::Pending);
            }
            sleep(pause).await;
            if self.change_state(change).await? == ChangeState::InSync {
                return Ok(ChangeState::InSync);
            }
            next = next.mul_f64(GROWTH).min(LONGEST_PAUSE);
        }
    }

    /// Queries how far a change is. A change that Route 53 no longer knows is an old one, and INSYNC. A query that fails for
    /// a transient reason says nothing: the change counts as pending.
    ///
    /// # Errors
    ///
    /// [`AwsError`]: the failure is permanent.
    pub async fn change_state(&self, change: &ChangeId) -> Result<ChangeState, AwsError> {
        let send = || self.client.get_change().id(&change.id).send();
        match self.call("GetChange", &change.about, send).await {
            Ok(output) => {
                let info = output.change_info();
                Ok(match info.map(aws_sdk_route53::types::ChangeInfo::status) {
                    Some(ChangeStatus::Insync) => ChangeState::InSync,
                    _ => ChangeState::Pending,
                })
            }
            Err(error) if error.is("NoSuchChange") => Ok(ChangeState::InSync),
            Err(error) if error.is_transient() => Ok(ChangeState::Pending),
            Err(error) => Err(error),
        }
    }
}

fn classify(error: AwsError) -> ChangeError {
    if !error.is("InvalidChangeBatch") {
        return ChangeError::Aws(error);
    }
    // The error names the guardrail by its identifier or by its display name, "Active delegation
    // check".
    let message = error.message.to_lowercase().replace(['_', '-'], " ");
    if message.contains("active delegation") {
        return ChangeError::Followed(error);
    }
    if let Some(guardrail) = GUARDRAILS
        .iter()
        .find(|name| error.message.contains(**name))
    {
        return ChangeError::Guardrail { guardrail, error };
    }
    let stale = [
        "already exists",
        "was not found",
        "do not match the current values",
    ];
    if stale.iter().any(|words| error.message.contains(words)) {
        return ChangeError::Stale(error);
    }
    ChangeError::Refused(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DomainName, NameServers};

    #[test]
    fn the_active_delegation_guardrail_is_recognized_in_each_spelling() {
        let refused = |message: &str| {
            let mut error = AwsError::malformed("Route 53", "ChangeResourceRecordSets", "x");
            error.code = Some("InvalidChangeBatch".to_owned());
            message.clone_into(&mut error.message);
            classify(error)
        };
        for message in [
            "rejected by guardrail ACTIVE_DELEGATION_CHECK",
            "Active delegation check guardrail",
            "the active-delegation check",
        ] {
            assert!(matches!(refused(message), ChangeError::Followed(_)));
        }
        assert!(matches!(
            refused("rejected by guardrail ALIAS_TARGET_CHECK"),
            ChangeError::Guardrail { .. }
        ));
        assert!(matches!(
            refused("Delegation authority check guardrail"),
            ChangeError::Refused(_)
        ));
        assert!(matches!(
            refused("but it was not found"),
            ChangeError::Stale(_)
        ));
    }

    fn deletes(sets: usize, values: usize, length: usize) -> Vec<Change> {
        let name = DomainName::parse("dev.example.com").unwrap();
        let value = |number: usize| format!("{number:0>length$}");
        let servers = NameServers::new((0..values).map(value));
        vec![Change::Delete(RecordSet::ns(&name, 60, &servers)); sets]
    }

    /// Returns the number of record sets in each batch.
    fn sizes(changes: Vec<Change>) -> Vec<usize> {
        batches(changes).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_batch_is_within_the_limits_of_route_53() {
        assert_eq!(sizes(Vec::new()), []);
        assert_eq!(sizes(deletes(300, 1, 9)), [300]);
        assert_eq!(sizes(deletes(1_001, 1, 9)), [1_000, 1]);
        assert_eq!(sizes(deletes(6, 400, 9)), [2, 2, 2], "1,000 values");
        assert_eq!(
            sizes(deletes(300, 4, 99)),
            [80, 80, 80, 60],
            "32,000 characters"
        );
        assert_eq!(
            sizes(deletes(2, 400, 99)),
            [1, 1],
            "one set alone, however long"
        );
    }
}
