use super::{acm::ListError, arn::CertificateArn, cause::Cause, properties::CertificateName};
use crate::{
    error::{next, outlook},
    public_zone::Unusable,
};
use aws_calls::AwsError;
use aws_sdk_acm::types::FailureReason;
use custom_resource::{Outlook, PropertyError, Trouble};
use hosted_zones::{ChangeError, DomainName, HostedZoneId};
use thiserror::Error;

/// Everything that can fail for a certificate. `Display` is the sentence that the user reads in
/// CloudFormation's events: what failed, on which name or ARN, with which AWS error code and request id, and
/// what to do next.
#[derive(Debug, Error)]
pub(super) enum Error {
    #[error(transparent)]
    Property(#[from] PropertyError),
    #[error("{0}; {next}.", next = next(.0, DENIED))]
    Aws(#[from] AwsError),
    #[error("{0}; {next}.", next = next(.0.aws(), DENIED))]
    List(#[from] ListError),
    #[error(
        "{0}, although the record set was read just before: see to it that nothing else changes it all the time, then \
         deploy again."
    )]
    Stale(AwsError),

    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error(
        "Property {property} has {name}, which is in none of the zones of the certificate ({zones}): add the id of its zone to \
         AdditionalHostedZoneIds, or correct the name."
    )]
    OutsideZones {
        property: &'static str,
        name: CertificateName,
        zones: String,
    },
    #[error(
        "Property {property} has {name}, which cannot be validated in {zone} ({id}), because that delegates {at}: \
         name the zone of {at} in HostedZoneId or AdditionalHostedZoneIds."
    )]
    DelegatedAway {
        property: &'static str,
        name: CertificateName,
        zone: DomainName,
        id: HostedZoneId,
        at: DomainName,
    },

    #[error(
        "The validation CNAME {name} in zone {zone} has the value {value}, and ACM asks for {wanted}: remove \
         that record set if nobody needs it, then deploy again."
    )]
    OtherRecord {
        name: DomainName,
        zone: HostedZoneId,
        value: String,
        wanted: DomainName,
    },
    #[error(
        "The guardrail {guardrail} of zone {zone} refuses the validation CNAME {name}: {error}; change that zone or its \
         guardrail, then deploy again."
    )]
    Guardrail {
        guardrail: &'static str,
        zone: HostedZoneId,
        name: DomainName,
        error: AwsError,
    },

    #[error(
        "The certificate for {name} was not requested, because a quota of ACM is used up: {error}; delete certificates \
         that nobody needs, put fewer names on this one, or ask AWS for a higher quota, then deploy again."
    )]
    Quota {
        name: CertificateName,
        error: AwsError,
    },
    #[error(
        "The certificate for {name} was not requested, because the request is too old: a Delete may have searched for the \
         certificate already{}; deploy again.", after(.failed.as_deref())
    )]
    TooLate {
        name: CertificateName,
        /// The last call that failed before that.
        failed: Option<String>,
    },
    #[error(
        "The certificate {arn}, which this Update was to change, does not exist: it was deleted outside of this stack, or by a \
         Delete that ran first; remove the resource from the template and add it again (in a rollback, continue it and skip the \
         resource)."
    )]
    Gone { arn: CertificateArn },
    #[error("The certificate {arn} was deleted by someone while it was waited for: deploy again.")]
    Vanished { arn: CertificateArn },
    #[error("The certificate for {name} will not be issued: {cause}.")]
    Hopeless { name: CertificateName, cause: Cause },
    #[error("The certificate for {name} was not issued: ACM failed it with {}: {}.", .reason.as_str(), words(.reason))]
    Failed {
        name: CertificateName,
        reason: FailureReason,
    },
    #[error(
        "The certificate for {name} was not issued: ACM gave up after 72 hours, because it did not find the validation \
         CNAMEs over DNS; see to it that the zone is delegated, then deploy again."
    )]
    TimedOut { name: CertificateName },
    #[error(
        "The certificate {arn} is {status}, and of no use any more: replace it by deploying it under another logical id."
    )]
    Ended { arn: CertificateArn, status: String },
}

impl Error {
    /// Returns the error of a change of CNAMEs in a zone, the first of which is `name`.
    pub(super) fn of_change(error: ChangeError, zone: HostedZoneId, name: DomainName) -> Self {
        match error {
            ChangeError::Guardrail { guardrail, error } => Self::Guardrail {
                guardrail,
                zone,
                name,
                error,
            },
            ChangeError::Stale(error) => Self::Stale(error),
            ChangeError::Followed(error)
            | ChangeError::Refused(error)
            | ChangeError::Aws(error) => Self::Aws(error),
        }
    }

    /// Returns whether the error is transient.
    pub(super) fn is_transient(&self) -> bool {
        self.trouble().outlook == Outlook::Transient
    }

    /// Returns the error in the protocol's terms.
    pub(super) fn trouble(&self) -> Trouble {
        let outlook = match self {
            Self::Aws(error) => outlook(error),
            Self::List(error) => outlook(error.aws()),
            // The record set was changed after it was read: the next attempt reads it again.
            Self::Stale(_)
            // Transient: it is permitted when nobody has queried the record for a while.
            | Self::Guardrail {
                guardrail: "ACTIVE_RECORD_CHECK",
                ..
            } => Outlook::Transient,
            _ => Outlook::Permanent,
        };
        Trouble {
            reason: self.to_string(),
            outlook,
        }
    }
}

/// Returns the call that used the time.
fn after(failed: Option<&str>) -> String {
    failed.map_or_else(String::new, |failed| {
        format!(
            " (before that, a call failed: {})",
            failed.trim_end_matches('.')
        )
    })
}

const DENIED: &str = "grant the function's role this action, in this Region and on this zone, and name only zones of this account";

/// Returns the meaning of a reason and its remedy
/// (<https://docs.aws.amazon.com/acm/latest/userguide/troubleshooting-failed.html>).
fn words(reason: &FailureReason) -> &'static str {
    match reason {
        FailureReason::AdditionalVerificationRequired => {
            "ACM wants to know more before it issues for this name, which ranks among the Internet's most visited; open \
             a case with AWS Support"
        }
        FailureReason::CaaError => {
            "a CAA record of a name on it, or of one above, does not allow Amazon; add 0 issue \"amazon.com\" to that \
             record set, then deploy again"
        }
        FailureReason::DomainNotAllowed => {
            "a name on it is reported as unsafe; have it checked at VirusTotal and cleared, then open a case with AWS \
             Support"
        }
        FailureReason::DomainValidationDenied => {
            "the validation was denied by an owner of the domain; ask whom it belongs to"
        }
        FailureReason::InvalidPublicDomain => {
            "a name on it does not end in a public top-level domain; correct DomainName and SubjectAlternativeNames"
        }
        FailureReason::NoAvailableContacts => {
            "nobody can be asked by mail, which this certificate does not need; open a case with AWS Support"
        }
        FailureReason::Other => {
            "most often a misspelt name, or one whose zone answers CAA questions with an error; correct the names, see to \
             it that the zone answers, then deploy again"
        }
        FailureReason::SlrNotFound => {
            "a service-linked role is missing; create it for acm.amazonaws.com, then deploy again"
        }
        _ => "ACM's user guide explains the code under \"Troubleshoot certificate requests\"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_calls::Kind;

    #[test]
    fn only_errors_of_calls_are_transient() {
        let aws = |kind| {
            let error = AwsError {
                service: "ACM",
                operation: "DescribeCertificate",
                target: "arn".into(),
                code: Some("X".into()),
                message: "No.".into(),
                request_id: Some("r-1".into()),
                kind,
            };
            Error::Aws(error).trouble()
        };
        assert_eq!(aws(Kind::Throttled).outlook, Outlook::Transient);
        assert_eq!(aws(Kind::NoAnswer).outlook, Outlook::Transient);
        assert_eq!(aws(Kind::Denied).outlook, Outlook::Permanent);
        let refused = aws(Kind::Refused);
        assert_eq!(refused.outlook, Outlook::Permanent);
        assert_eq!(
            refused.reason,
            "ACM DescribeCertificate on arn: No (X, request r-1); correct what it names, then deploy again."
        );
    }

    #[test]
    fn every_failure_reason_has_an_explanation() {
        for reason in FailureReason::values() {
            let words = words(&FailureReason::from(*reason));
            assert!(!words.is_empty() && !words.ends_with('.'), "{reason}");
        }
    }
}
