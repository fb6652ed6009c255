use futures::{
    FutureExt,
    future::{BoxFuture, TryJoinAll, try_join_all},
};

/// Waits for any number of calls at once, and answers in their order; the first error ends all.
///
/// They are boxed, so that what waits is compiled once for each kind of answer and not for each place that calls it.
pub fn at_once<'a, T, E>(
    calls: impl IntoIterator<Item = impl Future<Output = Result<T, E>> + Send + 'a>,
) -> TryJoinAll<BoxFuture<'a, Result<T, E>>> {
    try_join_all(calls.into_iter().map(FutureExt::boxed))
}
