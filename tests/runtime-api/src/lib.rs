//! Runs a function's binary on loopback as Lambda runs it.
//!
//! Other tests run the functions in process, in virtual time, without a real operating system. This crate is
//! for what only a real process shows: the wire, the log, the start and the death.
//!
//! 1. **The binary is the one that is deployed.** [`binary`] finds it and builds nothing, so the release
//!    build itself is tested.
//! 2. **Its environment is empty** except for Lambda's variables and those of the test: a proxy or a profile
//!    of the machine has no effect.
//! 3. **It ends with the test.** A [`Process`] that is dropped is killed.
//! 4. **Each part can be used alone**: the [`RuntimeApi`], the [`Receiver`] of answers, the [`Process`].
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

mod binary;
mod event;
mod process;
mod receiver;
mod runtime_api;
mod server;

pub use binary::binary;
pub use event::event;
pub use process::{Invoked, Outcome, Process, StartError};
pub use receiver::{Answer, Receiver, Reply, SIGNATURE};
pub use runtime_api::{FUNCTION_ARN, RuntimeApi};
pub use server::{Server, Service};
