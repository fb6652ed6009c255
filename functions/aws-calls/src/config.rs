use crate::connector;
use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use std::time::Duration;

/// Longest time for one attempt of one call. Route 53 and ACM answer within a second as a rule; an attempt
/// that takes longer than this hangs, and the next one does better.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// The configuration from which a function makes its clients, once, at start-up.
///
/// The SDK's standard environment variables are honoured, `AWS_ENDPOINT_URL` and `AWS_REGION` among them.
/// The SDK retries nothing: its pauses are made for one client of a service, and end after seconds
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>). [`call`](crate::call) does.
pub async fn config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(connector())
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        )
        .load()
        .await
}

/// The Region whose STS endpoint serves a whole partition, for a Region of that partition.
///
/// A role in another account is assumed there: the function's own Region may be one that the other account
/// has not opted in to (<https://github.com/aws/aws-cdk/issues/26593>).
#[must_use]
pub fn home_region(region: &str) -> Region {
    Region::from_static(match region {
        r if r.starts_with("cn-") => "cn-north-1",
        r if r.starts_with("us-gov-") => "us-gov-west-1",
        r if r.starts_with("us-isob-") => "us-isob-east-1",
        r if r.starts_with("us-isof-") => "us-isof-south-1",
        r if r.starts_with("us-iso-") => "us-iso-east-1",
        r if r.starts_with("eu-isoe-") => "eu-isoe-west-1",
        r if r.starts_with("eusc-") => "eusc-de-east-1",
        _ => "us-east-1",
    })
}

#[cfg(test)]
mod tests {
    use super::home_region;

    #[test]
    fn each_partition_has_its_home() {
        assert_eq!(home_region("eu-central-2").as_ref(), "us-east-1");
        assert_eq!(home_region("cn-northwest-1").as_ref(), "cn-north-1");
        assert_eq!(home_region("us-gov-east-1").as_ref(), "us-gov-west-1");
        assert_eq!(home_region("us-isob-east-1").as_ref(), "us-isob-east-1");
        assert_eq!(home_region("us-iso-west-1").as_ref(), "us-iso-east-1");
        assert_eq!(home_region("eusc-de-east-1").as_ref(), "eusc-de-east-1");
    }
}
