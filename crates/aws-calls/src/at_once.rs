use futures::{
    FutureExt,
    future::{BoxFuture, TryJoinAll, try_join_all},
};

/// Waits for several calls that run concurrently, and returns their results in order. The first
/// error ends the wait.
///
/// The futures are boxed, so that the waiting code is compiled once per result type and not once
/// per call site.
pub fn at_once<'a, T, E>(
    calls: impl IntoIterator<Item = impl Future<Output = Result<T, E>> + Send + 'a>,
) -> TryJoinAll<BoxFuture<'a, Result<T, E>>> {
    try_join_all(calls.into_iter().map(FutureExt::boxed))
}
