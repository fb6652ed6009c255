//! The pre-signed URL of the answer, which is a secret.

use crate::redact::keep_secret;
use https_client::reqwest::Url;
use std::{
    fmt,
    net::Ipv4Addr,
    time::{Duration, SystemTime},
};

/// How long a `ResponseURL` is valid after CloudFormation signed it.
const LIFE: Duration = Duration::from_secs(7_200);

/// The replacement of the URL in text.
const HIDDEN: &str = "[response URL]";

/// The domain names of the endpoints in AWS's partitions, including S3's: `dnsSuffix` in
const AWS: [&str; 7] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

/// Returns whether the URL is that of an AWS host: HTTPS, the default port, no user information.
pub(crate) fn is_on_aws(url: &Url) -> bool {
    let is_aws = |host: &str| AWS.iter().any(|suffix| host.ends_with(suffix));
    url.scheme() == "https"
        && url.port().is_none()
        && !has_user(url)
        && url.host_str().is_some_and(is_aws)
}

fn is_on_this_machine(url: &Url) -> bool {
    let address = url.host_str().map(str::parse::<Ipv4Addr>);
    address.is_some_and(|address| address.is_ok_and(|address| address.is_loopback()))
}

/// Returns whether the URL has user information, which makes it look like that of another host.
pub(crate) fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// The pre-signed URL to which the answer is PUT. Whoever knows it can answer in the function's
/// place, so no formatting trait shows it: [`secret`](Self::secret) is the only access.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ResponseUrl(String);

impl ResponseUrl {
    /// Creates the URL, or none if it is not a URL for a PUT, so that nobody retries it.
    pub(crate) fn new(url: String) -> Option<Self> {
        let parsed = Url::parse(&url).ok()?;
        (matches!(parsed.scheme(), "https" | "http") && parsed.has_host()).then_some(Self(url))
    }

    /// Returns whether an answer may be sent there: to AWS over HTTPS, or to an emulator over plain
    /// HTTP, or over HTTPS on this machine.
    pub(crate) fn may_be_answered(&self, has_endpoint_override: bool) -> bool {
        let Ok(url) = Url::parse(&self.0) else {
            return false;
        };
        let may_be_emulators =
            (url.scheme() == "http" || is_on_this_machine(&url)) && !has_user(&url);
        is_on_aws(&url) || has_endpoint_override && may_be_emulators
    }

    /// Returns the URL itself. It must not be in a log, in an error, or in anything that may be
    /// part of one.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }

    /// Keeps the URL, and its query, out of all answers and log lines.
    pub(crate) fn keep_secret(&self) {
        if let Some((_, query)) = self.0.split_once('?') {
            keep_secret(query);
        }
        keep_secret(&self.0);
    }

    /// Returns the text with every occurrence of the URL or of its query replaced.
    pub(crate) fn redacted_in(&self, text: &str) -> String {
        let text = text.replace(&self.0, HIDDEN);
        match self.0.split_once('?') {
            Some((_, query)) if !query.is_empty() => text.replace(query, HIDDEN),
            _ => text,
        }
    }

    /// Returns when it was signed, which is when CloudFormation made the request: `X-Amz-Date` of
    /// Signature Version 4, or `Expires` of Version 2 less the two hours of validity.
    pub(crate) fn signed_at(&self) -> Option<SystemTime> {
        match self.parameter("X-Amz-Date") {
            Some(date) => basic_date(date),
            None => SystemTime::UNIX_EPOCH.checked_add(self.seconds("Expires")?.checked_sub(LIFE)?),
        }
    }

    /// Returns whether the URL has expired. False if the URL does not say.
    pub(crate) fn has_expired(&self, now: SystemTime) -> bool {
        let life = self.seconds("X-Amz-Expires").unwrap_or(LIFE);
        let expires_at = self.signed_at().and_then(|at| at.checked_add(life));
        expires_at.is_some_and(|at| at <= now)
    }

    fn seconds(&self, name: &str) -> Option<Duration> {
        Some(Duration::from_secs(self.parameter(name)?.parse().ok()?))
    }

    /// Returns a parameter of its query.
    fn parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.0.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseUrl(secret)")
    }
}

/// Parses a date of Signature Version 4, such as `20261124T194800Z`.
fn basic_date(text: &str) -> Option<SystemTime> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<u64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    if year < 1970
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    // Days since 1970-01-01 of a Gregorian date, with years that begin in March so that the leap
    // day is last.
    let (march_year, march_month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * march_year + march_year / 4 - march_year / 100
        + march_year / 400
        + (153 * march_month + 2) / 5
        + day
        - 1
        - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(query: &str) -> ResponseUrl {
        ResponseUrl::new(format!("https://bucket.s3.amazonaws.com/key%7Cid?{query}")).unwrap()
    }

    fn signed_at(query: &str) -> Option<u64> {
        let time = url(query).signed_at()?;
        Some(
            time.duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_secs(),
        )
    }

    #[test]
    fn a_url_of_version_4_says_when_it_was_signed() {
        for (date, seconds) in [
            // From `date -u -d '2026-11-24 19:48:07' +%s`, and so on.
            ("20261124T194807Z", 1_795_549_687),
            ("20240229T235959Z", 1_709_251_199),
            ("20270101T000000Z", 1_798_761_600),
            ("19700101T000000Z", 0),
        ] {
            let query =
                format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-Expires=7200");
            assert_eq!(signed_at(&query), Some(seconds));
        }
    }

    #[test]
    fn a_url_of_version_2_says_when_it_expires() {
        assert_eq!(
            signed_at("AWSAccessKeyId=AKIA&Expires=1764017287&Signature=x"),
            Some(1_764_017_287 - 7_200)
        );
    }

    #[test]
    fn both_versions_expire_after_two_hours() {
        let signed = 1_795_549_687;
        for (query, life) in [
            ("X-Amz-Date=20261124T194807Z&X-Amz-Expires=7200", 7_200),
            ("X-Amz-Date=20261124T194807Z&X-Amz-Expires=900", 900),
            ("X-Amz-Date=20261124T194807Z", 7_200),
            ("Expires=1795556887", 7_200),
        ] {
            let expired_at = |seconds| {
                url(query).has_expired(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            };
            assert!(!expired_at(signed + life - 1), "{query}");
            assert!(expired_at(signed + life), "{query}");
        }
        for query in ["", "X-Amz-Date=soon&Expires=1", "Expires=soon"] {
            assert!(!url(query).has_expired(SystemTime::UNIX_EPOCH + LIFE * 1_000_000));
        }
    }

    #[test]
    fn a_malformed_date_counts_as_absent() {
        for query in [
            "",
            "X-Amz-Date=",
            "X-Amz-Date=20261124T194807",
            "X-Amz-Date=20261324T194807Z",
            "X-Amz-Date=+0261124T194807Z",
            "X-Amz-Date=2026112éT19487Z",
            "X-Amz-Date=00000000T000000Z",
            "Expires=soon",
            "Expires=7199",
            "Expires=18446744073709551615",
            "Expires=99999999999999999999",
            "Date=20261124T194807Z",
        ] {
            assert_eq!(signed_at(query), None, "{query}");
        }
    }

    #[test]
    fn a_text_that_is_no_url_for_a_put_is_none() {
        for url in [
            "",
            "bucket/key",
            "s3://bucket/key",
            "file:///etc/passwd",
            "https://",
            "http://[::1/",
        ] {
            assert_eq!(ResponseUrl::new(url.into()), None, "{url}");
        }
    }

    #[test]
    fn an_answer_is_sent_only_to_aws_over_https() {
        let may_be_answered = |url: &str, has_endpoint_override| {
            ResponseUrl::new(url.to_owned())
                .unwrap()
                .may_be_answered(has_endpoint_override)
        };
        for url in [
            "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.com/k?x=1",
            "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com:443/k",
            "https://bucket.s3.cn-north-1.amazonaws.com.cn/k",
            "https://bucket.s3.us-gov-west-1.amazonaws.com/k",
            "https://bucket.s3.eusc-de-east-1.amazonaws.eu/k",
            "https://bucket.s3.us-iso-east-1.c2s.ic.gov/k",
        ] {
            assert!(may_be_answered(url, false), "{url}");
            assert!(may_be_answered(url, true), "{url}");
        }
        for url in [
            "http://bucket.s3.amazonaws.com/k",
            "http://127.0.0.1:4566/k",
            "https://127.0.0.1:4566/k",
        ] {
            assert!(!may_be_answered(url, false), "{url}");
            assert!(may_be_answered(url, true), "{url}");
        }
        for url in [
            "https://attacker.example/k",
            "https://attacker.example/amazonaws.com",
            "https://amazonaws.com/k",
            "https://bucketamazonaws.com/k",
            "https://bucket.s3.amazonaws.com.attacker.example/k",
            "https://bucket.s3.amazonaws.com@attacker.example/k",
            "https://attacker.example\\.amazonaws.com/k",
            "https://user@bucket.s3.amazonaws.com/k",
            "https://:password@bucket.s3.amazonaws.com/k",
            "https://bucket.s3.amazonaws.com:8443/k",
            "https://10.0.0.1/k",
            "https://user@127.0.0.1/k",
            "http://user@127.0.0.1:4566/k",
        ] {
            assert!(!may_be_answered(url, false), "{url}");
            assert!(!may_be_answered(url, true), "{url}");
        }
    }

    #[test]
    fn no_text_contains_the_url() {
        let url = url("X-Amz-Signature=abc");
        assert_eq!(format!("{url:?}"), "ResponseUrl(secret)");
        let text = format!("PUT {} with ?X-Amz-Signature=abc failed", url.secret());
        assert_eq!(
            url.redacted_in(&text),
            "PUT [response URL] with ?[response URL] failed"
        );
    }
}
