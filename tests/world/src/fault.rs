//! Faults, switched on per call: errors, lost connections, silence, and the death of the caller, each before or after the
//! call takes effect.

use std::time::Duration;

use crate::iam::principal::Hand;
use crate::wire::answer::ServiceError;

/// When, as seen from the call's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The call changes nothing.
    Before,
    /// The call changes what it should; its caller does not learn of it.
    After,
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An error is answered.
    Error(When, ServiceError),
    /// The service says "slow down" in its own words.
    Throttle,
    /// The connection breaks.
    Reset(When),
    /// No answer ever comes.
    Silence(When),
    /// The caller's process dies.
    Kill(When),
    /// The answer takes this much longer.
    Delay(Duration),
}

impl Fault {
    /// A 503 before or after the effect.
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

/// Which calls a fault falls upon. Persons' calls are spared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// Only calls of this invocation.
    pub invocation: Option<u64>,
    /// Only this operation, such as `CreateHostedZone`.
    pub operation: Option<String>,
    /// Only calls of this Region.
    pub region: Option<String>,
    /// So many fitting calls pass first.
    pub skip: u64,
    /// On so many it falls, then the rule is spent.
    pub times: u64,
    /// In percent; 100 always.
    pub chance: u8,
    /// What happens.
    pub fault: Fault,
}

impl FaultRule {
    /// On the k-th call (from 1) of an invocation.
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

    /// On the next so many calls of an operation.
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

    /// On a share of all calls, in percent.
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

    /// The same on calls of one Region alone.
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

/// The rules in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) rules: Vec<FaultRule>,
}

impl Faults {
    /// The fault that falls upon this call, where one does.
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
