use super::{arn::CertificateArn, described::ValidationRecord, validation_zones::ValidationZones};
use custom_resource::Clock;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// What is remembered from one look to the next. Nothing depends on it: without it the next look takes longer.
/// Moments are in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Progress {
    /// The certificate that this request works on.
    pub(super) certificate: Option<CertificateArn>,
    /// The same, where this request asked ACM for it: it goes where the request fails.
    pub(super) requested: Option<CertificateArn>,
    /// When the certificate was first looked for.
    pub(super) since: Option<u64>,
    /// Whether ACM has shown it: once shown, it can only be gone because someone deleted it.
    pub(super) shown: bool,
    /// The zones in which its names are validated.
    pub(super) zones: Option<ValidationZones>,
    /// The CNAMEs that were put, or found, for it.
    pub(super) records: BTreeSet<ValidationRecord>,
    /// When DNS was last looked at.
    pub(super) diagnosed_at: Option<u64>,
    /// Why it cannot be issued, as DNS was seen then.
    pub(super) suspicion: Option<Suspicion>,
    /// The last call that failed and was tried again, in words.
    pub(super) failed: Option<String>,
    /// When the second sweep of a Delete is due.
    pub(super) sweep_at: Option<u64>,
}

/// A cause for which the certificate cannot be issued as things stand.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(super) struct Suspicion {
    /// Since when one is known, not necessarily the same.
    pub(super) since: u64,
    /// In words.
    pub(super) cause: String,
}

impl Progress {
    /// From what the protocol kept; from nothing where that is not readable.
    pub(super) fn read(kept: Option<Value>) -> Self {
        kept.and_then(|kept| serde_json::from_value(kept).ok())
            .unwrap_or_default()
    }

    pub(super) fn write(&self) -> Value {
        serde_json::to_value(self).expect("texts and numbers are JSON")
    }
}

/// How long since the moment in `slot`, which becomes now where there was none.
pub(super) fn since(slot: &mut Option<u64>, clock: Clock) -> Duration {
    let start = *slot.get_or_insert(Clock::seconds(clock.now()));
    clock.since(Clock::moment(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn survives_the_waiter_and_what_it_cannot_read() {
        let arn = "arn:aws:acm:us-east-1:111122223333:certificate/1";
        let zones = json!([[
            "Z01",
            "dev.example.com",
            "ns-1.awsdns.com,ns-2.awsdns.net",
            true
        ]]);
        let progress = Progress {
            certificate: CertificateArn::parse(arn),
            zones: serde_json::from_value(zones.clone()).unwrap(),
            shown: true,
            ..Progress::default()
        };
        assert!(progress.zones.is_some());
        assert_eq!(progress.write()["zones"], zones);
        assert_eq!(Progress::read(Some(progress.write())), progress);
        for kept in [
            None,
            Some(Value::Null),
            Some(json!({ "certificate": "x" })),
            Some(json!({ "zones": [["z", "dev.example.com", "", true]] })),
        ] {
            assert_eq!(Progress::read(kept), Progress::default());
        }
    }
}
