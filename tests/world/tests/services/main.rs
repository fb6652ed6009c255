//! The world's services, called with the SDK's own clients.

mod acm;
mod dns;
mod facts;
mod faults;
mod iam;
mod record_sets;
mod ssm;
mod step_functions;
mod zones;

use std::fmt::Debug;
use std::time::Duration;

use aws_sdk_route53::error::ProvideErrorMetadata;
use aws_types::SdkConfig;
use serde_json::json;
use world::{Hand, Role, Settings, Work, World};

/// The account in most tests.
pub(crate) const ACCOUNT: &str = "111111111111";
/// Another account.
pub(crate) const OTHER: &str = "222222222222";
/// The Region in most tests.
pub(crate) const REGION: &str = "eu-west-1";

/// Returns a world with these settings. The other settings have short delays.
pub(crate) fn world(change: impl FnOnce(&mut Settings)) -> World {
    let mut settings = Settings {
        latency: Duration::ZERO..=Duration::ZERO,
        propagation: Duration::from_secs(30)..=Duration::from_secs(30),
        ..Settings::default()
    };
    change(&mut settings);
    World::new(settings)
}

/// Returns the configuration of a person's clients.
pub(crate) fn person(world: &World, account: &str) -> SdkConfig {
    world.sdk_config(&world.credentials(account, "", Hand::Person), REGION)
}

/// Returns the hand of a function that works for a resource of a stack.
pub(crate) fn hand(stack: &str, invocation: u64) -> Hand {
    Hand::Function(Work {
        stack_id: format!("arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/{stack}/1"),
        logical_id: "Resource".to_owned(),
        invocation,
    })
}

/// Returns the configuration of a function whose role has all permissions, at its `invocation`.
pub(crate) fn function(world: &World, invocation: u64) -> SdkConfig {
    let all = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let trust = json!({"Statement": []});
    let role = Role::new(ACCOUNT, "f", &trust, &[("all".into(), all)]).unwrap();
    let arn = role.arn.clone();
    world.put_role(role);
    let keys = world.credentials(ACCOUNT, &arn, hand("s", invocation));
    world.sdk_config(&keys, REGION)
}

/// Returns the error code of a refused call.
pub(crate) fn code<T: Debug, E: ProvideErrorMetadata + Debug>(result: Result<T, E>) -> String {
    let error = result.expect_err("it is refused");
    error.code().unwrap_or("no code").to_owned()
}
