use crate::error::Error;
use aws_calls::{call, home_region};
use aws_sdk_route53::config::Credentials;
use aws_types::{SdkConfig, region::Region};
use custom_resource::keep_secret;
use hosted_zones::Route53;
use std::{
    sync::Mutex,
    time::{Duration, SystemTime},
};

/// A role of the networking account, and what it may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) prefix: String,
    pub(crate) role_arn: String,
    /// The Region of the parameters. None if it is this function's own.
    pub(crate) region: Option<String>,
    pub(crate) external_id: Option<String>,
}

/// The permissions of this function in the networking account: to read its parameters and to change its zone,
/// with a delegation role.
#[derive(Clone, Debug)]
pub(crate) struct NetworkAccount {
    pub(crate) route53: Route53,
    pub(crate) ssm: aws_sdk_ssm::Client,
}

/// Assumes delegation roles.
#[derive(Debug)]
pub(crate) struct Roles {
    config: SdkConfig,
    sts: aws_sdk_sts::Client,
    /// The last assumed role, for the request that assumed it. Other requests assume it again: a role that
    /// was created again with the same name is another role, and the old credentials are invalid.
    last: Mutex<Option<Assumed>>,
}

#[derive(Debug)]
struct Assumed {
    request_id: String,
    network: Network,
    account: NetworkAccount,
    expires: SystemTime,
}

/// The longest session of a role that is assumed with another role's credentials
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>).
const SESSION: Duration = Duration::from_secs(3_600);
/// A session is not used in its last minutes.
const SPARE: Duration = Duration::from_secs(300);

impl Roles {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        let region = config.region().map_or("us-east-1", AsRef::as_ref);
        let sts = aws_sdk_sts::config::Builder::from(config).region(home_region(region));
        Self {
            config: config.clone(),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            last: Mutex::new(None),
        }
    }

    /// Returns the networking account with the permissions of the role, for one request.
    ///
    /// # Errors
    ///
    /// [`Error::Role`] if the role does not exist, does not trust this function or requires another external
    /// id. STS answers the same in all these cases.
    pub(crate) async fn assume(
        &self,
        network: &Network,
        request_id: &str,
        now: SystemTime,
    ) -> Result<NetworkAccount, Error> {
        let known = self
            .last
            .lock()
            .expect("no panic while held")
            .as_ref()
            .and_then(|last| {
                let same = last.request_id == request_id && last.network == *network;
                (same && now < last.expires).then(|| last.account.clone())
            });
        if let Some(account) = known {
            return Ok(account);
        }
        let assume = self.sts.assume_role().role_arn(&network.role_arn);
        let assume = assume
            // The name of the session in the networking account's CloudTrail.
            .role_session_name("zone-delegation")
            .set_external_id(network.external_id.clone())
            .duration_seconds(i32::try_from(SESSION.as_secs()).expect("an hour fits"));
        let answer = call("STS", "AssumeRole", &network.role_arn, || {
            assume.clone().send()
        })
        .await
        .map_err(|error| Error::Role {
            role_arn: network.role_arn.clone(),
            error,
        })?;
        let given = answer.credentials().ok_or_else(|| Error::NoCredentials {
            role_arn: network.role_arn.clone(),
        })?;
        keep_secret(given.secret_access_key());
        keep_secret(given.session_token());
        let credentials = Credentials::new(
            given.access_key_id(),
            given.secret_access_key(),
            Some(given.session_token().to_owned()),
            None,
            "delegation role",
        );
        let config = self.config.to_builder();
        let config = config
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
            )
            .build();
        let mut ssm = aws_sdk_ssm::config::Builder::from(&config);
        ssm.set_region(match &network.region {
            Some(region) => Some(Region::new(region.clone())),
            None => config.region().cloned(),
        });
        let account = NetworkAccount {
            route53: Route53::new(aws_sdk_route53::Client::new(&config)),
            ssm: aws_sdk_ssm::Client::from_conf(ssm.build()),
        };
        *self.last.lock().expect("no panic while held") = Some(Assumed {
            request_id: request_id.to_owned(),
            network: network.clone(),
            account: account.clone(),
            expires: now + SESSION - SPARE,
        });
        Ok(account)
    }
}
