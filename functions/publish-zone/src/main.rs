//! The Lambda function `publish-zone`.

use custom_resource::{Function, Https, NoWaiter};
use publish_zone::PublishZone;
use std::process::ExitCode;

fn main() -> ExitCode {
    custom_resource::run(async |settings| {
        let config = aws_calls::config();
        // Its calls take seconds, so its waits end with the invocation.
        let waiter: Option<NoWaiter> = None;
        Function::new(
            PublishZone::new(&config),
            waiter,
            Https::default(),
            settings,
        )
    })
}
