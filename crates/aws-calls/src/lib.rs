//! What every AWS call of the functions shares.
//!
//! 1. **One connector.** All SDK clients of a process share one HTTP client, so that a later call
//!    can use the connection of an earlier one ([`config`]).
//! 2. **One log line per attempt.** The log of a failed stack shows each call with its target,
//!    duration and outcome, and nothing of its payload ([`call`]).
//! 3. **Only the failed call is sent again** if it may succeed later, with capped pauses and a
//!    deadline ([`call`], [`RateLimit`]). The [`Scope`] remembers the error of a call that still
//!    fails then.
//! 4. **Errors are facts.** The SDK's error types differ per operation. [`AwsError`] keeps what a
//!    user can act on: service, operation, target, AWS error code, message and request id. Its
//!    `Display` is the only place that makes a sentence of them.
//!
//! This crate knows no particular service.

mod at_once;
mod call;
mod config;
mod connector;
mod error;
mod retry;
mod scope;

pub use at_once::at_once;
pub use call::{call, call_once};
pub use config::{config, home_region};
pub use connector::connector;
pub use error::{AwsError, Kind};
pub use retry::RateLimit;
pub use scope::{Failing, Limits, Scope};
