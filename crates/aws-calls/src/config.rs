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

/// Limits one attempt of one call. Route 53 and ACM usually answer within a second, so an attempt
/// that takes longer than this hangs, and a new attempt is faster.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);

/// Returns the configuration from which a function creates its clients, once, at start-up.
///
/// It is read from the environment only. Lambda sets
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>) `AWS_REGION`,
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. A user can set
/// `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`,
/// `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT` and `AWS_SDK_UA_APP_ID`
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>). The SDK's own
/// loader also searches profiles, containers and instances, which no function has.
///
/// The SDK's retries are off: they pause per client of a service, and end after seconds
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
/// [`call`](crate::call) retries instead.
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

/// Reads the settings of one service from the environment, such as `AWS_ENDPOINT_URL_ROUTE_53`.
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

/// Returns the Region whose STS endpoint serves the whole partition of this Region.
///
/// A role in another account is assumed there, because the other account may not have opted in to
/// the function's own Region (<https://github.com/aws/aws-cdk/issues/26593>).
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
    fn each_partition_has_one_region_for_sts() {
        assert_eq!(home_region("eu-central-2").as_ref(), "us-east-1");
        assert_eq!(home_region("cn-northwest-1").as_ref(), "cn-north-1");
        assert_eq!(home_region("us-gov-east-1").as_ref(), "us-gov-west-1");
        assert_eq!(home_region("us-isob-east-1").as_ref(), "us-isob-east-1");
        assert_eq!(home_region("us-iso-west-1").as_ref(), "us-iso-east-1");
        assert_eq!(home_region("eusc-de-east-1").as_ref(), "eusc-de-east-1");
    }
}
