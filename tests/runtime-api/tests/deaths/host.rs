//! Runs the functions as Lambda does, for the deaths: each invocation is a process of its own, and a dropped
//! one is killed with SIGKILL.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use runtime_api::{Outcome, Process, Server, Service, binary};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use world::cloudformation::{AnswerDesk, FunctionHost, Hosted};
use world::in_process::InProcess;
use world::{Hand, World, WorldClock};

use crate::stage::FACTOR;

/// The signal that no process can catch.
const SIGKILL: i32 = 9;

/// Runs the release binaries.
pub(crate) struct Binaries {
    world: World,
    places: Places,
    deaths: Arc<Mutex<Vec<JoinHandle<Option<i32>>>>>,
}

/// The addresses and files that a process needs.
pub(crate) struct Places {
    aws: SocketAddr,
    name_servers: SocketAddr,
    answers: Server,
    senders: Arc<Senders>,
    /// The library with which a process has the world's clock.
    faster_clock: String,
}

impl Places {
    /// Collects them, with these addresses of AWS and of the name servers.
    pub(crate) async fn new(aws: SocketAddr, name_servers: SocketAddr) -> Self {
        let senders = Arc::<Senders>::default();
        Self {
            aws,
            name_servers,
            answers: Server::start(senders.clone(), None).await.unwrap(),
            senders,
            faster_clock: faster_clock(),
        }
    }
}

/// Compiles `faster_clock.rs`, once.
fn faster_clock() -> String {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY
        .get_or_init(|| {
            let library = format!("{}/faster_clock.so", env!("CARGO_TARGET_TMPDIR"));
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deaths/faster_clock.rs");
            let compiled = std::process::Command::new("rustc")
                .args(["--edition", "2024", "--crate-type", "cdylib", "-O"])
                .args(["-o", &library, source])
                .status();
            assert!(
                compiled.is_ok_and(|status| status.success()),
                "rustc does not compile {source}"
            );
            library
        })
        .clone()
}

/// Returns the world's clock in the form that `faster_clock.rs` reads.
fn world_clock(clock: WorldClock) -> String {
    let since_1970 = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        since.unwrap_or_default().as_nanos()
    };
    let (machine, world) = (SystemTime::now(), clock.wall(clock.now()));
    format!("{},{},{FACTOR}", since_1970(machine), since_1970(world))
}

impl Binaries {
    /// Runs the binaries in a world, with their answers delivered to that desk.
    pub(crate) fn new(world: World, desk: AnswerDesk, places: Places) -> Self {
        places.senders.desk.get_or_init(|| desk);
        Self {
            world,
            places,
            deaths: Arc::default(),
        }
    }

    /// Returns the number of processes that have died so far.
    ///
    /// # Panics One of them ended in another way than by SIGKILL, and so not at the call that the world
    /// delayed.
    pub(crate) async fn deaths(&self) -> usize {
        let deaths = std::mem::take(&mut *lock(&self.deaths));
        let count = deaths.len();
        for death in deaths {
            assert_eq!(death.await.unwrap(), Some(SIGKILL));
        }
        count
    }

    async fn run(&self, hosted: Hosted) -> Result<Value, String> {
        let name = hosted.function_arn.rsplit(':').next().unwrap_or_default();
        let hand = Hand::Function(hosted.work.clone());
        let role = InProcess::role_arn(&hosted.account, name);
        let keys = self.world.credentials(&hosted.account, &role, hand.clone());
        let event = self.with_answers_here(hosted.event, hand);
        let clock = self.world.clock();
        let endpoint = format!("http://{}", self.places.aws);
        let name_servers = self.places.name_servers.to_string();
        let age = hosted.max_invocation_age.as_secs().to_string();
        let world_clock = world_clock(clock);
        let environment = [
            ("LD_PRELOAD", self.places.faster_clock.as_str()),
            ("WORLD_CLOCK", &world_clock),
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", &keys.access_key),
            ("AWS_SECRET_ACCESS_KEY", &keys.secret_key),
            ("AWS_REGION", &hosted.region),
            ("DNS_NAME_SERVERS", &name_servers),
            ("MAX_INVOCATION_AGE_SECONDS", &age),
            ("STACK_ID", &hosted.work.stack_id),
            (
                "STATE_MACHINE_ARN",
                hosted.state_machine_arn.as_deref().unwrap_or_default(),
            ),
        ];
        let started = Process::start_as(&hosted.function_arn, &binary(name), &environment).await;
        let mut alive = Alive {
            process: Some(started.map_err(|error| error.to_string())?),
            deaths: self.deaths.clone(),
        };
        let now = clock.wall(clock.now());
        let left = hosted.deadline.duration_since(now).unwrap_or_default();
        let process = alive.process();
        let invoked = process
            .invoke_by(event.to_string(), clock.lasts(left), hosted.deadline)
            .await;
        let log = alive.done().stop().await;
        match invoked.outcome {
            Outcome::Response(value) => Ok(value),
            other => Err(format!("{other:?}: {log}")),
        }
    }

    /// Returns the event with this host as the receiver of its answer, and the hand that sends it.
    fn with_answers_here(&self, mut event: Value, hand: Hand) -> Value {
        let sent = event["ResponseURL"].as_str().map(ToOwned::to_owned);
        if let Some(url) = sent {
            let (_, target) = url
                .split_once(".amazonaws.com")
                .expect("CloudFormation's URLs lead to S3");
            event["ResponseURL"] = json!(format!("http://{}{target}", self.places.answers.address));
            lock(&self.places.senders.of).insert(target.to_owned(), (url.clone(), hand));
        } else if let Some(url) = event["Waiter"]["Request"]["ResponseURL"].as_str()
            && let Some(target) =
                url.strip_prefix(&format!("http://{}", self.places.answers.address))
            && let Some(sender) = lock(&self.places.senders.of).get_mut(target)
        {
            sender.1 = hand;
        }
        event
    }
}

impl FunctionHost for Binaries {
    fn invoke(
        &self,
        invocation: Hosted,
    ) -> Pin<Box<dyn Future<Output = Result<Value, String>> + Send + '_>> {
        Box::pin(self.run(invocation))
    }
}

/// A running process. It is killed if this value is dropped before the process is done.
struct Alive {
    process: Option<Process>,
    deaths: Arc<Mutex<Vec<JoinHandle<Option<i32>>>>>,
}

impl Alive {
    fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("it works")
    }

    fn done(mut self) -> Process {
        self.process.take().expect("it works")
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let Some(process) = self.process.take() else {
            return;
        };
        let ended = process.kill();
        let signal = async move { ended.await.ok().and_then(|status| status.signal()) };
        lock(&self.deaths).push(tokio::spawn(signal));
    }
}

/// The answers by path and query: CloudFormation's own URL, and the invocation that last got the URL.
#[derive(Default)]
struct Senders {
    desk: OnceLock<AnswerDesk>,
    of: Mutex<BTreeMap<String, (String, Hand)>>,
}

impl Service for Senders {
    async fn answer(&self, request: Request<Bytes>) -> Option<Response<Bytes>> {
        let target = request.uri().path_and_query()?.as_str();
        let (url, hand) = lock(&self.of).get(target).cloned()?;
        let desk = self.desk.get()?;
        let status = desk.receive(&hand, &url, request.body()).await.ok()?;
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::from_u16(status).ok()?;
        Some(response)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
