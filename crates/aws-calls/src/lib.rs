//! What every AWS call of the functions shares.
//!
//! 1. **One connector.** All SDK clients of a process use one HTTP client, so that a connection opened for one call
//!    serves the next ([`config`]).
//! 2. **One log line an attempt.** A person who reads the log of a failed stack sees each call with its target,
//!    its duration and its outcome, and nothing of its payload ([`call`]).
//! 3. **A call that may succeed later is sent again alone**, with capped pauses and a deadline, so that nothing else is
//!    asked twice ([`call`], [`RateLimit`]). What still fails then is remembered with its words ([`Scope`]).
//! 4. **Errors are facts.** The SDK's error types differ for each operation. [`AwsError`] keeps what a user
//!    can act on: service, operation, target, AWS error code, message and request id. Sentences are made
//!    from it in one place.
//!
//! Nothing here knows a particular service.

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
