use crate::connector;
use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    identity::IdentityCache, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_types::{
    app_name::AppName,
    service_config::{LoadServiceConfig, ServiceConfigKey},
};
use std::{env, time::Duration};

/// Longest time for one attempt of one call. Route 53 and ACM answer within a second as a rule; an attempt
/// that takes longer than this hangs, and the next one does better.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// The configuration from which a function makes its clients, once, at start-up.
///
/// All of it comes from the environment, where Lambda puts it
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>): `AWS_REGION`, `AWS_ACCESS_KEY_ID`,
/// `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`; and, where a person sets them, `AWS_ENDPOINT_URL`,
/// `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`, `AWS_USE_FIPS_ENDPOINT`,
/// `AWS_USE_DUALSTACK_ENDPOINT` and `AWS_SDK_UA_APP_ID`
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>). Profiles, containers and instances, which
/// the SDK's own loader looks through besides, are left out: no function has them.
///
/// The SDK retries nothing: its pauses are made for one client of a service, and end after seconds
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>). [`call`](crate::call) does.
#[must_use]
pub fn config() -> SdkConfig {
    let region = env::var("AWS_REGION").or_else(|_| env::var("AWS_DEFAULT_REGION"));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(region.ok().map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(
            EnvironmentVariableCredentialsProvider::new(),
        ))
        .identity_cache(IdentityCache::lazy().build())
        .use_fips(is_set("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_set("AWS_USE_DUALSTACK_ENDPOINT"))
        .service_config(OfService)
        .http_client(connector())
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .build(),
        );
    config.set_endpoint_url(endpoint_url("AWS_ENDPOINT_URL"));
    let app_name = env::var("AWS_SDK_UA_APP_ID").ok();
    config.set_app_name(app_name.and_then(|name| AppName::new(name).ok()));
    config.set_sleep_impl(default_async_sleep());
    config.build()
}

/// What the environment says of one service: `AWS_ENDPOINT_URL_ROUTE_53`.
#[derive(Debug)]
struct OfService;

impl LoadServiceConfig for OfService {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_uppercase().replace(' ', "_");
        endpoint_url(&format!("{}_{service}", key.env()))
    }
}

fn endpoint_url(variable: &str) -> Option<String> {
    let url = env::var(variable).ok()?;
    (!is_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")).then_some(url)
}

fn is_set(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| value.eq_ignore_ascii_case("true"))
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
