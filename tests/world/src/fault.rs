//! Faults that tests inject into calls: errors, broken connections, silence, and the death of the caller,
//! each before or after the call takes effect.

use std::time::Duration;

use crate::iam::principal::Hand;
use crate::wire::answer::ServiceError;

/// Whether a fault occurs before or after the call takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The call changes nothing.
    Before,
    /// The call takes effect, but its caller is not told.
    After,
}

/// What happens to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service answers an error.
    Error(When, ServiceError),
    /// The service throttles, in its own words.
    Throttle,
    /// The connection breaks.
    Reset(When),
    /// The service never answers.
    Silence(When),
    /// The caller's process dies.
    Kill(When),
    /// The answer is delayed.
    Delay(Duration),
}

impl Fault {
    /// Returns a 503 before or after the effect.
    pub fn unavailable(when: When) -> Self {
        Self::Error(
            when,
            ServiceError::new(503, "ServiceUnavailable", "Service is unavailable"),
        )
    }

    pub(crate) fn is(&self, wanted: When) -> bool {
        match self {
            Self::Error(when, _) | Self::Reset(when) | Self::Silence(when) | Self::Kill(when) => {
                *when == wanted
            }
            Self::Throttle => wanted == When::Before,
            Self::Delay(_) => wanted == When::After,
        }
    }
}

/// The calls to which a fault applies. A person's calls have no faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// Only calls of this invocation.
    pub invocation: Option<u64>,
    /// Only this operation, such as `CreateHostedZone`.
    pub operation: Option<String>,
    /// Only calls of this Region.
    pub region: Option<String>,
    /// The number of matching calls that pass before.
    pub skip: u64,
    /// The number of calls to which it applies, after which the rule ends.
    pub times: u64,
    /// In percent; 100 means always.
    pub chance: u8,
    /// The fault.
    pub fault: Fault,
}

impl FaultRule {
    /// Applies to the k-th call (from 1) of an invocation.
    pub fn on_call(invocation: u64, k: u64, fault: Fault) -> Self {
        Self {
            invocation: Some(invocation),
            operation: None,
            region: None,
            skip: k - 1,
            times: 1,
            chance: 100,
            fault,
        }
    }

    /// Applies to the next `times` calls of an operation.
    pub fn on_operation(operation: &str, times: u64, fault: Fault) -> Self {
        Self {
            invocation: None,
            operation: Some(operation.to_owned()),
            region: None,
            skip: 0,
            times,
            chance: 100,
            fault,
        }
    }

    /// Applies to a share of all calls, in percent.
    pub fn sometimes(chance: u8, fault: Fault) -> Self {
        Self {
            invocation: None,
            operation: None,
            region: None,
            skip: 0,
            times: u64::MAX,
            chance,
            fault,
        }
    }

    /// Restricts the rule to calls of one Region.
    #[must_use]
    pub fn in_region(self, region: &str) -> Self {
        Self {
            region: Some(region.to_owned()),
            ..self
        }
    }

    fn fits(&self, hand: &Hand, region: Option<&str>, operation: &str) -> bool {
        let Hand::Function(work) = hand else {
            return false;
        };
        self.invocation
            .is_none_or(|wanted| wanted == work.invocation)
            && self
                .operation
                .as_ref()
                .is_none_or(|wanted| wanted == operation)
            && self
                .region
                .as_ref()
                .is_none_or(|wanted| Some(wanted.as_str()) == region)
    }
}

/// The active rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) rules: Vec<FaultRule>,
}

impl Faults {
    /// Returns the fault that applies to this call, if there is one.
    pub(crate) fn on(
        &mut self,
        hand: &Hand,
        region: Option<&str>,
        operation: &str,
        random: &mut fastrand::Rng,
    ) -> Option<Fault> {
        let mut found = None;
        for rule in self
            .rules
            .iter_mut()
            .filter(|rule| rule.fits(hand, region, operation))
        {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if found.is_none()
                && rule.times > 0
                && (rule.chance >= 100 || random.u8(..100) < rule.chance)
            {
                rule.times -= 1;
                found = Some(rule.fault.clone());
            }
        }
        self.rules.retain(|rule| rule.times > 0);
        found
    }
}
