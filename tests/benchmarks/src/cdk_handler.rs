//! The calls to Route 53 of aws-cdk-lib 2.276.0's `cross-account-zone-delegation-handler`, with its SDK's
//! retries. It is a client of the model, because thousands of Node processes would be too many.
//!
//! The figures are those of `@smithy/core`'s `submodules/retry`, which `@aws-sdk/client-route-53` 3.1169.0
//! uses: 3 attempts, and before the n-th retry a random part of 500 ms times 2 to the power of n - 1 if it
//! was throttled, at most 20 s. The custom resource framework around the handler retries only its answer.

use std::time::Duration;

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use world::{Hand, World};

use crate::scene::{self, NETWORK};

const ATTEMPTS: u32 = 3;
const THROTTLING_DELAY_BASE: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(20);

/// The operation on the record set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Upsert,
    Delete,
}

/// Runs one invocation: one batch, with the delegation role.
///
/// # Errors
/// The error code of the last attempt.
pub(crate) async fn run(
    world: &World,
    zone: &str,
    name: &str,
    action: Action,
) -> Result<(), String> {
    let role = scene::delegation_role(&scene::consumer(0));
    // A person's hand, whose UPSERT violates no rule of this project.
    let keys = world.credentials(NETWORK, &role, Hand::Person);
    let config = world.sdk_config(&keys, "us-east-1").to_builder();
    let config = config.retry_config(RetryConfig::disabled()).build();
    let route53 = aws_sdk_route53::Client::new(&config);
    let mut retries = 0;
    loop {
        let sent = route53
            .change_resource_record_sets()
            .hosted_zone_id(zone)
            .change_batch(batch(name, action))
            .send()
            .await;
        let Err(error) = sent else { return Ok(()) };
        let code = error.code().unwrap_or("no answer").to_owned();
        if retries + 1 == ATTEMPTS || code != "Throttling" {
            return Err(code);
        }
        let longest = (THROTTLING_DELAY_BASE * 2_u32.pow(retries)).min(LONGEST_DELAY);
        tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
        retries += 1;
    }
}

fn batch(name: &str, action: Action) -> ChangeBatch {
    let server = |n| {
        ResourceRecord::builder()
            .value(format!("ns-{n}.example.net"))
            .build()
    };
    let set = ResourceRecordSet::builder()
        .name(name)
        .r#type(RrType::Ns)
        .ttl(172_800)
        .set_resource_records((1..=4).map(|n| server(n).ok()).collect());
    let action = match action {
        Action::Upsert => ChangeAction::Upsert,
        Action::Delete => ChangeAction::Delete,
    };
    let change = Change::builder()
        .action(action)
        .set_resource_record_set(set.build().ok());
    ChangeBatch::builder()
        .set_changes(change.build().ok().map(|change| vec![change]))
        .build()
        .expect("it has a change")
}
