//! Calculates the cost of subdomains from the counted calls.

use std::time::Duration;

/// The memory of each function in the CDK app, in GB.
const MEMORY: f64 = 0.25;
/// The poll that finds a change INSYNC which took 30 s, half of Route 53's "within 60 seconds". The polls are
/// 1, 3.5, 10, 25 and 45 s after the change.
pub(crate) const IN_SYNC: Duration = Duration::from_secs(45);
/// The number of polls before that one.
pub(crate) const FURTHER_LOOKS: usize = 4;
/// The number of changes that are polled: that of the zone, and those that create and delete the NS record
/// set.
pub(crate) const CHANGES: usize = 3;
/// Lambda's own time to start a process, estimated generously.
pub(crate) const COLD_START: Duration = Duration::from_millis(100);
/// US dollars for a GB-second on x86, and for a million requests.
pub(crate) const GB_SECOND: f64 = 0.000_016_666_7;
pub(crate) const MILLION_REQUESTS: f64 = 0.20;
/// US dollars for a thousand state transitions of a standard state machine.
pub(crate) const THOUSAND_TRANSITIONS: f64 = 0.025;
/// Transitions of a wait that is handed over and ends at the first poll: the start, the call, the choice, the
/// end.
pub(crate) const TRANSITIONS: f64 = 4.0;

/// What one subdomain needs in its life, which is one create and one delete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// AWS calls.
    pub(crate) calls: usize,
    /// The time for which a function is billed.
    pub(crate) billed: Duration,
}

/// The cost of several lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) invocations: f64,
    pub(crate) gb_seconds: f64,
    /// Usually none, because the waits for INSYNC end within one invocation.
    pub(crate) transitions: f64,
    pub(crate) calls: f64,
    pub(crate) dollars: f64,
}

impl Life {
    /// Returns the cost of this many lives, of which `handed_over` percent need the state machine.
    pub(crate) fn times(self, count: u32, handed_over: f64) -> Cost {
        let count = f64::from(count);
        let invocations = count * (2.0 + handed_over);
        let gb_seconds = count * self.billed.as_secs_f64() * MEMORY;
        let transitions = count * handed_over * TRANSITIONS;
        let calls = u32::try_from(self.calls).map_or(0.0, f64::from);
        Cost {
            invocations,
            gb_seconds,
            transitions,
            calls: count * calls,
            dollars: gb_seconds * GB_SECOND
                + invocations * MILLION_REQUESTS / 1e6
                + transitions * THOUSAND_TRANSITIONS / 1e3,
        }
    }
}
