//! Configures SDK clients for a world.

use std::time::SystemTime;

use aws_credential_types::Credentials as SdkCredentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

use crate::{Credentials, HttpClient, World, WorldClock};

impl TimeSource for WorldClock {
    fn now(&self) -> SystemTime {
        self.wall(WorldClock::now(self))
    }
}

impl World {
    /// Returns a configuration like that of the functions, which sends to this world, signs with these keys
    /// and uses its clock.
    pub fn sdk_config(&self, credentials: &Credentials, region: &str) -> SdkConfig {
        let credentials = SdkCredentials::new(
            &credentials.access_key,
            &credentials.secret_key,
            credentials.session_token.clone(),
            None,
            "world",
        );
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(HttpClient::new(self.clone()))
            .sleep_impl(TokioSleep::new())
            .time_source(self.clock())
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(std::time::Duration::from_secs(15))
                    .build(),
            )
            .build()
    }
}
