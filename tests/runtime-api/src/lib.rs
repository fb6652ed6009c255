//! A place on loopback to run a function's binary in, as Lambda runs it.
//!
//! The functions are proved in process, in virtual time, where nothing of the operating system is real. This crate is
//! for what only a real process shows: what is on the wire, what is in the log, how it starts, how it dies.
//!
//! 1. **The binary is the one that is deployed.** [`binary`] finds it and builds nothing, so that what is tested is what
//!    was built for release.
//! 2. **Its environment is empty** but for what Lambda sets and the test says: a proxy or a profile of the machine that
//!    runs the test changes nothing.
//! 3. **It outlives nothing.** A [`Process`] that is dropped is killed.
//! 4. **Each part stands alone**: the [`RuntimeApi`], the [`Receiver`] of answers, the [`Process`].
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
