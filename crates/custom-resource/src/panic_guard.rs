//! Converts a panic into a value, so that CloudFormation gets an answer.

use std::{
    any::Any,
    cell::RefCell,
    future::poll_fn,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    pin::pin,
};

thread_local! {
    /// The location of the last panic of this thread, which the payload does not contain.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A panic: its message, and its location if [`install_hook`] was called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default())]
pub(crate) struct Panic {
    message: String,
    place: Option<String>,
}

/// Returns the future's output, or the panic that ended it. A future that panicked is not polled
/// again.
///
/// The panic of a spawned task is caught if its `JoinHandle` is awaited and unwrapped here.
pub(crate) async fn guarded<F: Future>(future: F) -> Result<F::Output, Panic> {
    let mut future = pin!(future);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(payload) => Err(Panic {
                message: message(payload.as_ref()).to_owned(),
                place: PLACE.take(),
            })
            .into(),
        },
    )
    .await
}

/// Logs panics as JSON lines, in place of the standard library's lines on stderr.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        tracing::error!(place, panic = message(info.payload()), "panicked");
        PLACE.set(place);
    }));
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_future_that_does_not_panic_returns_its_output() {
        let value = guarded(async {
            tokio::task::yield_now().await;
            7
        });
        assert_eq!(value.await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_between_awaits_is_a_value() {
        let guarded = guarded(async {
            tokio::task::yield_now().await;
            let empty: Vec<u8> = Vec::new();
            empty.first().copied().expect("nothing there")
        });
        assert_eq!(guarded.await.unwrap_err().message, "nothing there");
    }

    #[tokio::test]
    async fn a_spawned_tasks_panic_is_a_value() {
        let guarded = guarded(async {
            let task = tokio::spawn(async { panic!("of a task, number {}", 3) });
            task.await.unwrap()
        });
        let panic = guarded.await.unwrap_err();
        assert!(panic.message.contains("of a task, number 3"), "{panic}");
    }

    #[tokio::test]
    async fn a_payload_of_any_type_is_a_value() {
        let panic = guarded(async { std::panic::panic_any(5_u8) })
            .await
            .unwrap_err();
        assert_eq!(panic.to_string(), "a panic without a message");
    }
}
