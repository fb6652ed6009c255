//! A function's process, as Lambda runs it.

use crate::{FUNCTION_ARN, RuntimeApi, runtime_api::Said};
use bytes::Bytes;
use serde_json::Value;
use std::{
    fmt, io,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

/// How long a process may take to request its first invocation, as in Lambda.
const LONGEST_START: Duration = Duration::from_secs(10);

/// A running function, which is killed when this value is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    api: RuntimeApi,
    log: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
    /// From the start of the process to its first request for an invocation.
    pub started_in: Duration,
}

/// Why a function is not running.
#[derive(Debug)]
pub struct StartError {
    /// The reason as text.
    pub reason: String,
    /// The process's output before it ended.
    pub log: String,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. Its log: {}", self.reason, self.log)
    }
}

impl std::error::Error for StartError {}

/// The result of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ended as a success.
    Response(Value),
    /// It ended with an error, after which Lambda would retry.
    Error(Value),
    /// It did not end in time, and the process was killed.
    TimedOut,
    /// The process ended.
    Exited(String),
}

/// A completed invocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Invoked {
    /// Its result.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
}

impl Process {
    /// Starts a binary with Lambda's environment variables and these, which may replace them.
    ///
    /// # Errors
    ///
    /// It cannot be started, or does not request an invocation within 10 s.
    pub async fn start(binary: &Path, environment: &[(&str, &str)]) -> Result<Self, StartError> {
        Self::start_as(FUNCTION_ARN, binary, environment).await
    }

    /// Starts a binary as [`start`](Self::start) does, with the ARN with which the function is invoked.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Self::start).
    pub async fn start_as(
        function_arn: &str,
        binary: &Path,
        environment: &[(&str, &str)],
    ) -> Result<Self, StartError> {
        let failed = |error: io::Error| StartError {
            reason: format!("{} cannot be started: {error}", binary.display()),
            log: String::new(),
        };
        let api = RuntimeApi::start(function_arn).await.map_err(failed)?;
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", api.address().to_string().as_str()),
                ("AWS_LAMBDA_FUNCTION_NAME", "protocol"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_REGION", "eu-west-1"),
                ("AWS_DEFAULT_REGION", "eu-west-1"),
                ("LAMBDA_TASK_ROOT", "/var/task"),
            ])
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let log = Arc::default();
        let readers = vec![
            read(child.stdout.take(), &log),
            read(child.stderr.take(), &log),
        ];
        let mut process = Self {
            child,
            api,
            log,
            readers,
            started_in: Duration::ZERO,
        };
        let reason = tokio::select! {
            first = timeout(LONGEST_START, process.api.first_next()) => match first {
                Ok(at) => {
                    process.started_in = at - begun;
                    return Ok(process);
                }
                Err(_) => format!("It requested no invocation within {LONGEST_START:?}"),
            },
            ended = process.child.wait() => format!("It ended at once, {}", status(ended)),
        };
        let reason = [vec![reason], process.api.init_errors()]
            .concat()
            .join("; ");
        Err(StartError {
            reason,
            log: process.stop().await,
        })
    }

    /// Invokes the function with this event and time-out, as Lambda does: when the time is over, the process
    /// is killed.
    pub async fn invoke(&mut self, event: &Value, time: Duration) -> Invoked {
        self.invoke_with(event.to_string(), time).await
    }

    /// Invokes as [`invoke`](Self::invoke) does, with an event that may not be JSON.
    pub async fn invoke_with(&mut self, event: impl Into<Bytes>, time: Duration) -> Invoked {
        self.invoke_by(event, time, SystemTime::now() + time).await
    }

    /// Invokes as [`invoke_with`](Self::invoke_with) does, with a deadline by the process's clock, which may
    /// differ from the machine's.
    pub async fn invoke_by(
        &mut self,
        event: impl Into<Bytes>,
        time: Duration,
        deadline: SystemTime,
    ) -> Invoked {
        let begun = Instant::now();
        let reply = self.api.invoke(event.into(), deadline);
        let outcome = tokio::select! {
            said = timeout(time, reply) => match said {
                Ok(Ok(Said::Response(body))) => Outcome::Response(json(&body)),
                Ok(Ok(Said::Error(body))) => Outcome::Error(json(&body)),
                Ok(Err(_)) => Outcome::Exited("its Runtime API has ended".to_owned()),
                Err(_) => Outcome::TimedOut,
            },
            ended = self.child.wait() => Outcome::Exited(status(ended)),
        };
        if outcome == Outcome::TimedOut {
            // An error means that it has ended already.
            let _ = self.child.start_kill();
        }
        Invoked {
            outcome,
            took: begun.elapsed(),
        }
    }

    /// Returns the process's id while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends SIGKILL to the process before this returns. The future returns how the process ended.
    ///
    /// # Errors
    ///
    /// The system does not report it.
    pub fn kill(mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        // An error means that it has ended already.
        let _ = self.child.start_kill();
        async move { self.child.wait().await }
    }

    /// Kills the process. Returns its output on stdout and stderr.
    pub async fn stop(mut self) -> String {
        // An error means that it has ended already.
        let _ = self.child.kill().await;
        for reader in &mut self.readers {
            let _ = reader.await;
        }
        let log = self.log.lock().expect("no panic held it");
        String::from_utf8_lossy(&log).into_owned()
    }
}

/// Reads everything, so that a full pipe never blocks the process.
fn read(
    from: Option<impl AsyncRead + Send + Unpin + 'static>,
    log: &Arc<Mutex<Vec<u8>>>,
) -> JoinHandle<()> {
    let log = log.clone();
    tokio::spawn(async move {
        let Some(mut from) = from else { return };
        let mut bytes = [0; 8_192];
        while let Ok(count @ 1..) = from.read(&mut bytes).await {
            log.lock()
                .expect("no panic held it")
                .extend_from_slice(&bytes[..count]);
        }
    })
}

fn status(ended: io::Result<ExitStatus>) -> String {
    ended.map_or_else(|error| error.to_string(), |status| status.to_string())
}

fn json(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| String::from_utf8_lossy(body).into())
}
