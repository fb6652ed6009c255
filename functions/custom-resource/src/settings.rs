//! What the environment says, read once at the edge.

use std::time::Duration;

/// The environment variables of this crate (`RUST_LOG` is the logging's own).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `MAX_INVOCATION_AGE_SECONDS`, default 900: how long after CloudFormation's request an invocation of it may
    /// still run.
    pub max_invocation_age: Duration,
    /// `STATE_MACHINE_ARN`, default none: the waiter.
    pub state_machine_arn: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_invocation_age: Duration::from_secs(900),
            state_machine_arn: None,
        }
    }
}
