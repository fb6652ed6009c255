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

impl Settings {
    /// The settings of this process. A value that cannot be used is said in the log, and taken for the default: a
    /// function that did not start would leave CloudFormation without an answer.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let default = Self::default();
        let text = |name| variable(name).filter(|text| !text.trim().is_empty());
        Self {
            max_invocation_age: understood(
                "MAX_INVOCATION_AGE_SECONDS",
                text("MAX_INVOCATION_AGE_SECONDS"),
                "0 to 86400",
                |text| {
                    let seconds = text.parse().ok()?;
                    (seconds <= 86_400).then_some(Duration::from_secs(seconds))
                },
            )
            .unwrap_or(default.max_invocation_age),
            state_machine_arn: understood(
                "STATE_MACHINE_ARN",
                text("STATE_MACHINE_ARN"),
                "the ARN of a state machine",
                |text| is_state_machine_arn(text).then(|| text.to_owned()),
            ),
        }
    }
}

/// The value of a variable that is set, or a line in the log.
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

/// Whether it is `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME`.
fn is_state_machine_arn(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    matches!(parts[..], ["arn", partition, "states", region, account, "stateMachine", name]
        if [partition, region, account, name].iter().all(|part| !part.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:states:eu-west-1:111122223333:stateMachine:waiter";

    fn settings(age: Option<&str>, arn: Option<&str>) -> Settings {
        Settings::from(|name| {
            match name {
                "MAX_INVOCATION_AGE_SECONDS" => age,
                "STATE_MACHINE_ARN" => arn,
                other => panic!("{other} is no variable of the contract"),
            }
            .map(str::to_owned)
        })
    }

    #[test]
    fn what_is_set_holds() {
        let settings = settings(Some(" 2700 "), Some(ARN));
        assert_eq!(settings.max_invocation_age, Duration::from_secs(2_700));
        assert_eq!(settings.state_machine_arn.as_deref(), Some(ARN));
    }

    #[test]
    fn what_is_not_set_or_not_understood_is_the_default() {
        assert_eq!(settings(None, None), Settings::default());
        for age in [
            "",
            " ",
            "900s",
            "-1",
            "1e3",
            "86401",
            "99999999999999999999",
        ] {
            assert_eq!(settings(Some(age), None), Settings::default(), "{age}");
        }
        for arn in [
            "",
            "waiter",
            "arn:aws:lambda:eu-west-1:111122223333:function:waiter",
            "arn:aws:states:::stateMachine:",
        ] {
            assert_eq!(settings(None, Some(arn)), Settings::default(), "{arn}");
        }
    }
}
