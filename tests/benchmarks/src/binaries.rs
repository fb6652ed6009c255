//! Runs the functions' release binaries as Lambda does: a new process for each invocation.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use runtime_api::{Outcome, Process};
use serde_json::{Value, json};
use world::cloudformation::{FunctionHost, Hosted};
use world::in_process::InProcess;
use world::{Hand, World};

use crate::wire::Wire;

/// Runs binaries over a wire, and keeps the last invocation.
#[derive(Debug)]
pub(crate) struct Binaries {
    world: World,
    folder: PathBuf,
    /// The wire of their calls.
    pub(crate) wire: Wire,
    last: Mutex<Option<Invoked>>,
    error: Mutex<Option<String>>,
}

/// One invocation of a binary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Invoked {
    /// When the event was sent.
    pub(crate) begun: Instant,
}

impl Binaries {
    /// Runs the binaries in a folder.
    pub(crate) fn new(world: World, wire: Wire, folder: PathBuf) -> Self {
        Self {
            world,
            folder,
            wire,
            last: Mutex::default(),
            error: Mutex::default(),
        }
    }

    /// Returns the last invocation, once.
    pub(crate) fn take_last(&self) -> Option<Invoked> {
        self.last.lock().expect("no panic held it").take()
    }

    /// Returns how the last invocation failed, once.
    pub(crate) fn take_error(&self) -> Option<String> {
        self.error.lock().expect("no panic held it").take()
    }

    async fn run(&self, hosted: Hosted) -> Result<Value, String> {
        let name = hosted.function_arn.rsplit(':').next().unwrap_or_default();
        let role = InProcess::role_arn(&hosted.account, name);
        let hand = Hand::Function(hosted.work.clone());
        let keys = self.world.credentials(&hosted.account, &role, hand);
        let mut event = hosted.event.clone();
        if let Some(url) = event["ResponseURL"].as_str() {
            event["ResponseURL"] = json!(self.wire.response_url(url));
        }
        let mut environment: Vec<(&str, &str)> = vec![
            ("AWS_ACCESS_KEY_ID", &keys.access_key),
            ("AWS_SECRET_ACCESS_KEY", &keys.secret_key),
        ];
        let wire = self.wire.environment.iter();
        environment.extend(wire.map(|(name, value)| (name.as_str(), value.as_str())));
        let started = Process::start(&self.folder.join(name), &environment).await;
        let mut process = started.map_err(|error| error.to_string())?;
        let begun = Instant::now();
        let invoked = process.invoke(&event, Duration::from_secs(900)).await;
        *self.last.lock().expect("no panic held it") = Some(Invoked { begun });
        match invoked.outcome {
            Outcome::Response(value) => Ok(value),
            other => Err(format!("{other:?}: {}", process.stop().await)),
        }
    }
}

impl FunctionHost for Binaries {
    fn invoke(
        &self,
        invocation: Hosted,
    ) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send + '_>> {
        Box::pin(async {
            self.run(invocation).await.inspect_err(|error| {
                *self.error.lock().expect("no panic held it") = Some(error.clone());
            })
        })
    }
}

/// Returns the peak of a process's resident set in bytes (`VmHWM`, proc_pid_status(5)).
pub(crate) fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1_024
}
