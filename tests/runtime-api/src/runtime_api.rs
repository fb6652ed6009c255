//! Lambda's Runtime API.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use crate::server::{Server, Service};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use std::{
    collections::{HashMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::{Notify, oneshot};

/// The function that is invoked, unless a test names another.
pub const FUNCTION_ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:protocol";
/// The path of the API.
const ROOT: &str = "/2018-06-01/runtime/";

/// A Runtime API on loopback for one process, which stops when this value is dropped.
#[derive(Debug)]
pub struct RuntimeApi {
    server: Server,
    queue: Arc<Queue>,
}

/// The function's reply to an invocation.
#[derive(Debug)]
pub(crate) enum Said {
    Response(Bytes),
    Error(Bytes),
}

/// Invocations that wait for the function, and callers that wait for its replies.
#[derive(Debug, Default)]
struct Queue {
    function_arn: String,
    waiting: Mutex<VecDeque<Invocation>>,
    came: Notify,
    replies: Mutex<HashMap<String, oneshot::Sender<Said>>>,
    invocations: AtomicU64,
    first_next: Mutex<Option<Instant>>,
    first_next_came: Notify,
    init_errors: Mutex<Vec<String>>,
}

#[derive(Debug)]
struct Invocation {
    id: String,
    event: Bytes,
    deadline: SystemTime,
}

impl RuntimeApi {
    /// Starts the API of a function that has no invocations yet.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(function_arn: &str) -> io::Result<Self> {
        let queue = Arc::new(Queue {
            function_arn: function_arn.to_owned(),
            ..Queue::default()
        });
        let server = Server::start(queue.clone(), None).await?;
        Ok(Self { server, queue })
    }

    /// Returns the value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Waits until the function first requests an invocation, which means that it has started.
    pub async fn first_next(&self) -> Instant {
        loop {
            let came = self.queue.first_next_came.notified();
            if let Some(at) = *lock(&self.queue.first_next) {
                return at;
            }
            came.await;
        }
    }

    /// Returns what the function reported to `init/error`.
    #[must_use]
    pub fn init_errors(&self) -> Vec<String> {
        lock(&self.queue.init_errors).clone()
    }

    /// Queues an invocation. The returned receiver gets the reply, unless the function dies.
    pub(crate) fn invoke(&self, event: Bytes, deadline: SystemTime) -> oneshot::Receiver<Said> {
        let number = self.queue.invocations.fetch_add(1, Ordering::Relaxed);
        let id = format!("00000000-0000-4000-8000-{number:012}");
        let (said, reply) = oneshot::channel();
        lock(&self.queue.replies).insert(id.clone(), said);
        lock(&self.queue.waiting).push_back(Invocation {
            id,
            event,
            deadline,
        });
        self.queue.came.notify_one();
        reply
    }
}

impl Service for Queue {
    async fn answer(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let path = request.uri().path().strip_prefix(ROOT).unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => Some(self.next().await),
            (&Method::POST, ["invocation", id, "response"]) => {
                Some(self.reply(id, Said::Response(request.body().clone())))
            }
            (&Method::POST, ["invocation", id, "error"]) => {
                Some(self.reply(id, Said::Error(request.body().clone())))
            }
            (&Method::POST, ["init", "error"]) => {
                let error = String::from_utf8_lossy(request.body()).into_owned();
                lock(&self.init_errors).push(error);
                Some(status(StatusCode::ACCEPTED))
            }
            _ => Some(status(StatusCode::NOT_FOUND)),
        }
    }
}

impl Queue {
    /// Waits for the next invocation and returns it.
    async fn next(&self) -> Response<Bytes> {
        lock(&self.first_next).get_or_insert_with(Instant::now);
        self.first_next_came.notify_waiters();
        loop {
            let came = self.came.notified();
            if let Some(Invocation {
                id,
                event,
                deadline,
            }) = lock(&self.waiting).pop_front()
            {
                let deadline = deadline
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default()
                    .as_millis();
                let response = Response::builder()
                    .header("content-type", "application/json")
                    .header("lambda-runtime-aws-request-id", id)
                    .header("lambda-runtime-deadline-ms", deadline.to_string())
                    .header("lambda-runtime-invoked-function-arn", &self.function_arn)
                    .header(
                        "lambda-runtime-trace-id",
                        "Root=1-67424f47-0123456789abcdef01234567;Sampled=0",
                    );
                return response.body(event).expect("these headers are text");
            }
            came.await;
        }
    }

    /// Accepts the function's reply to an invocation, once.
    fn reply(&self, id: &str, said: Said) -> Response<Bytes> {
        match lock(&self.replies).remove(id) {
            // The caller may have stopped waiting.
            Some(reply) => status(
                reply
                    .send(said)
                    .map_or(StatusCode::GONE, |()| StatusCode::ACCEPTED),
            ),
            None => status(StatusCode::BAD_REQUEST),
        }
    }
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"{}"));
    *response.status_mut() = status;
    response
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no panic held it")
}
