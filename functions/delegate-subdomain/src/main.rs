//! The Lambda function `delegate-subdomain`.

// The futures of the SDK's calls are nested about 130 deep when the compiler computes their layout.
#![recursion_limit = "256"]

use custom_resource::{Function, Https};
use delegate_subdomain::{DelegateSubdomain, StateMachine};
use dns_check::{Dns, NameServerList, Sockets};
use std::process::ExitCode;

fn main() -> ExitCode {
    custom_resource::run(async |settings| {
        let config = aws_calls::config();
        let listed = NameServerList::from_environment().unwrap_or_else(|error| {
            tracing::warn!(%error, "asking the Internet's name servers");
            NameServerList::default()
        });
        let state_machine = settings.state_machine_arn.clone();
        Function::new(
            DelegateSubdomain::new(&config, Dns::new(Sockets, listed)),
            state_machine.map(|arn| StateMachine::new(&config, arn)),
            Https::default(),
            settings,
        )
    })
}
