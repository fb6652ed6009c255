//! Reads the environment once, at start-up.

use std::{ops::RangeInclusive, time::Duration};

/// The environment variables of this crate. The log reads `RUST_LOG` itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `MAX_INVOCATION_AGE_SECONDS`, default 900: how long after CloudFormation's request an
    /// invocation for it may still run.
    pub max_invocation_age: Duration,
    /// `STACK_ID`, default none: the only stack whose requests are served.
    pub stack_id: Option<String>,
    /// `STATE_MACHINE_ARN`, default none: the state machine for long waits.
    pub state_machine_arn: Option<String>,
    /// Whether `AWS_ENDPOINT_URL` or an `AWS_ENDPOINT_URL_<SERVICE>` is set: the function then runs
    /// against an emulator, to which answers may be sent over plain HTTP.
    pub has_endpoint_override: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_invocation_age: Duration::from_secs(900),
            stack_id: None,
            state_machine_arn: None,
            has_endpoint_override: false,
        }
    }
}

/// The shortest and the longest age, in seconds.
const AGES: RangeInclusive<u64> = 1..=86_400;

impl Settings {
    /// Reads the settings of this process. A value that cannot be used is logged, and the default
    /// applies: a function that does not start would leave CloudFormation without an answer.
    #[must_use]
    pub fn from_env() -> Self {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        Self {
            has_endpoint_override: has_endpoint_override(names, |name| std::env::var(name).ok()),
            ..Self::from(|name| std::env::var(name).ok())
        }
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let default = Self::default();
        let text = |name| variable(name).filter(|text| !text.trim().is_empty());
        Self {
            max_invocation_age: understood(
                "MAX_INVOCATION_AGE_SECONDS",
                text("MAX_INVOCATION_AGE_SECONDS"),
                "1 to 86400",
                |text| {
                    let seconds = text.parse().ok()?;
                    AGES.contains(&seconds)
                        .then_some(Duration::from_secs(seconds))
                },
            )
            .unwrap_or(default.max_invocation_age),
            // Used without a check: a value that is not a stack's id must refuse every request, not
            // serve every stack.
            stack_id: text("STACK_ID").map(|text| text.trim().to_owned()),
            state_machine_arn: understood(
                "STATE_MACHINE_ARN",
                text("STATE_MACHINE_ARN"),
                "the ARN of a state machine",
                |text| is_state_machine_arn(text).then(|| text.to_owned()),
            ),
            ..default
        }
    }
}

/// Returns whether one of these variables sets an endpoint, as the AWS SDKs read them
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
fn has_endpoint_override(
    mut names: impl Iterator<Item = String>,
    variable: impl Fn(&str) -> Option<String>,
) -> bool {
    let is_ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let is_endpoint = |name: &str| {
        name.strip_prefix("AWS_ENDPOINT_URL")
            .is_some_and(|service| service.is_empty() || service.starts_with('_'))
    };
    !is_ignored
        && names
            .any(|name| is_endpoint(&name) && variable(&name).is_some_and(|url| !url.is_empty()))
}

/// Returns the value of a variable, or logs why it cannot be used.
fn understood<T>(
    name: &str,
    value: Option<String>,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let value = value?;
    let parsed = parse(value.trim());
    if parsed.is_none() {
        tracing::warn!(
            name,
            value,
            expected,
            "the variable is not understood, using its default"
        );
    }
    parsed
}

/// Returns whether it is `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME`.
fn is_state_machine_arn(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    matches!(parts[..], ["arn", partition, "states", region, account, "stateMachine", name]
        if [partition, region, account, name].iter().all(|part| !part.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:states:eu-west-1:111122223333:stateMachine:waiter";

    const STACK: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/dev/1";

    /// Returns the defaults and a stack, which every test sets.
    fn default() -> Settings {
        Settings {
            stack_id: Some(STACK.to_owned()),
            ..Settings::default()
        }
    }

    fn settings(age: Option<&str>, arn: Option<&str>) -> Settings {
        Settings::from(|name| {
            match name {
                "MAX_INVOCATION_AGE_SECONDS" => age,
                "STATE_MACHINE_ARN" => arn,
                "STACK_ID" => Some(STACK),
                other => panic!("{other} is no variable of the contract"),
            }
            .map(str::to_owned)
        })
    }

    #[test]
    fn a_valid_value_is_used() {
        let settings = settings(Some(" 2700 "), Some(ARN));
        assert_eq!(settings.max_invocation_age, Duration::from_secs(2_700));
        assert_eq!(settings.state_machine_arn.as_deref(), Some(ARN));
    }

    #[test]
    fn the_default_applies_if_a_value_is_absent_or_invalid() {
        assert_eq!(settings(None, None), default());
        for age in [
            "",
            " ",
            "900s",
            "-1",
            "1e3",
            "0",
            "86401",
            "99999999999999999999",
        ] {
            assert_eq!(settings(Some(age), None), default(), "{age}");
        }
        for arn in [
            "",
            "waiter",
            "arn:aws:lambda:eu-west-1:111122223333:function:waiter",
            "arn:aws:states:::stateMachine:",
        ] {
            assert_eq!(settings(None, Some(arn)), default(), "{arn}");
        }
    }

    #[test]
    fn an_age_within_its_bounds_is_used() {
        for age in ["1", "86400"] {
            let seconds = settings(Some(age), None).max_invocation_age.as_secs();
            assert_eq!(seconds.to_string(), age);
        }
    }

    #[test]
    fn an_endpoint_of_any_service_is_an_override_unless_all_are_ignored() {
        let overrides = |name: &'static str, url: &'static str, ignore: &'static str| {
            let names = ["PATH".to_owned(), name.to_owned()].into_iter();
            has_endpoint_override(names, |wanted| match wanted {
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" => Some(ignore.to_owned()),
                wanted => (wanted == name).then(|| url.to_owned()),
            })
        };
        for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ROUTE_53"] {
            assert!(overrides(name, "http://127.0.0.1:4566", "false"), "{name}");
            assert!(!overrides(name, "http://127.0.0.1:4566", "true"), "{name}");
            assert!(!overrides(name, "", "false"), "{name}");
        }
        assert!(!overrides(
            "AWS_ENDPOINT_URLS",
            "http://127.0.0.1:4566",
            "false"
        ));
    }
}
